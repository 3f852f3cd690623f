"""The graph of a journey's steps: where one comes from the start, and loops in which no time passes."""

from __future__ import annotations

from collections.abc import Mapping

from parcours.journeys.steps.base import Step


def reachable(start: str, steps: Mapping[str, Step]) -> set[str]:
    """The ids of the steps to which some way leads from the start."""
    seen: set[str] = set()
    todo = [start]
    while todo:
        step = todo.pop()
        if step in seen or step not in steps:
            continue
        seen.add(step)
        todo.extend(way.to for way in steps[step].ways_out() if way.to is not None)
    return seen


def loops_without_waiting(steps: Mapping[str, Step]) -> list[list[str]]:
    """Loops of steps that a run would turn in for ever at one instant, each as the ids in their order.

    Strongly connected components (Tarjan, without recursion: a journey may be long) of the ways out on which no
    time passes.
    """
    follows = {
        step.id: [way.to for way in step.ways_out() if not way.waits and way.to in steps]
        for step in steps.values()
    }
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    loops: list[list[str]] = []
    for root in steps:
        if root in index:
            continue
        work: list[tuple[str, int]] = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                index[node] = low[node] = len(index)
                stack.append(node)
                on_stack.add(node)
            descended = False
            for place in range(position, len(follows[node])):
                other = follows[node][place]
                assert other is not None
                if other not in index:
                    work += [(node, place + 1), (other, 0)]
                    descended = True
                    break
                if other in on_stack:
                    low[node] = min(low[node], index[other])
            if descended:
                continue
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
            if low[node] == index[node]:
                component = []
                while True:
                    member = stack.pop()
                    on_stack.discard(member)
                    component.append(member)
                    if member == node:
                        break
                if len(component) > 1 or node in follows[node]:
                    loops.append(component[::-1])
    return loops


def on_a_loop(steps: Mapping[str, Step]) -> set[str]:
    """The steps that some way leads back to: there a run may pass more than once."""
    result = set()
    for step in steps.values():
        back: set[str] = set()
        for way in step.ways_out():
            if way.to is not None:
                back |= reachable(way.to, steps)
        if step.id in back:
            result.add(step.id)
    return result
