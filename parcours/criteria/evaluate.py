"""Criteria in plain Python, on one contact or one event: what `compile` says in SQL, and the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any

from parcours.criteria import nodes, values
from parcours.criteria.nodes import Did, Kind, Node, Test, Where
from parcours.events.entries import Event
from parcours.events.store.rows import flatten

_EXACT = 200  # digits: no sum of the store's decimals is ever rounded
Texts = Sequence[str]
Numbers = Sequence[Decimal]
Store = nodes.Did | nodes.InSegment | nodes.InJourney
"""The leaves that a contact's snapshot does not answer."""


class Flat(dict[str, Any]):
    """Properties or attributes as the event store keeps them, flattened by dotted path; as a mapping it is empty."""

    def __init__(self, texts: Mapping[str, Texts], numbers: Mapping[str, Numbers]) -> None:
        super().__init__()
        self.texts, self.numbers = texts, numbers


@dataclass(frozen=True)
class Run:
    """The run of a journey in which criteria are looked at: when it entered (ms), its enrolment and its key."""

    entered_at: int
    enrolment: int
    key: str = ""


@dataclass(frozen=True)
class At:
    """Where and when: the instant of the evaluation (ms), the account's zone, the run if there is one."""

    now: int
    zone: str = "UTC"
    run: Run | None = None


def evaluate(node: Node, profile: Mapping[str, Any], at: At, ask: Callable[[Store], bool]) -> bool:
    """Whether a contact meets criteria. `profile` is its snapshot (`contacts.queries.snapshot`); `ask` answers the
    leaves about events, journeys and frozen segments, negations included."""
    if isinstance(node, nodes.AllOf):
        return all(evaluate(child, profile, at, ask) for child in node.children)
    if isinstance(node, nodes.AnyOf):
        return any(evaluate(child, profile, at, ask) for child in node.children)
    if isinstance(node, nodes.Not):
        return not evaluate(node.child, profile, at, ask)
    if isinstance(node, nodes.Field):
        return _field(node, profile, at)
    if isinstance(node, nodes.Consent):
        return (profile[f"consent_{node.channel}"] == node.value) != node.negated
    if isinstance(node, nodes.Tag):
        return any(values.fold(tag) == node.name for tag in profile["tags"]) != node.negated
    if isinstance(node, nodes.OnList):
        return (node.list in profile["lists"]) != node.negated
    if isinstance(node, nodes.InSegment) and node.criteria is not None:
        return evaluate(node.criteria, profile, at, ask) != node.negated
    return ask(node)


def did(leaf: Did, events: Iterable[Event], at: At) -> bool:
    """Whether the events of a contact meet an event leaf."""
    count = 0
    amounts: list[Decimal] = []
    for event in events:
        if counts(leaf, event, at):
            count += 1
            if leaf.aggregate is not None:
                amounts += _properties(leaf.aggregate.property, event)[1]
    if _compare(leaf.count.op, count, leaf.count.numbers) == leaf.count.negated:
        return False
    return leaf.aggregate is None or _amount(leaf.aggregate, amounts)


def _amount(aggregate: nodes.Aggregate, amounts: list[Decimal]) -> bool:
    """Whether a sum, a least, a greatest or a mean meets its test; of none, the sum is 0 and the others missing."""
    test = aggregate.test
    positive = bool(amounts) or aggregate.kind == "sum"
    if positive and test.kind is not Kind.PRESENCE:
        with localcontext(prec=_EXACT):
            bounds = test.numbers
            if aggregate.kind in ("min", "max"):
                amount = min(amounts) if aggregate.kind == "min" else max(amounts)
            else:
                amount = sum(amounts, Decimal(0))
            if aggregate.kind == "avg":
                # The mean of decimals may have no end: the bounds are multiplied instead.
                bounds = tuple(number * len(amounts) for number in bounds)
            positive = bool(bounds) and _compare(test.op, amount, bounds)
    return positive != test.negated


def counts(leaf: Did, event: Event, at: At) -> bool:
    """Whether one event is among those that an event leaf counts."""
    return (
        nodes.event_matches_name(leaf.event, event.name)
        and event.occurred_at <= at.now
        and (not event.machine or leaf.machines)
        and (leaf.window is None or in_window(leaf.window, event.occurred_at, at.now))
        and (not leaf.in_run or _in_run(event, at.run))
        and match_where(leaf.where, event, at)
    )


def in_window(window: nodes.Window, occurred_at: int, now: int) -> bool:
    """`last`: both ends in; `from` in, `to` out."""
    return (
        (window.last is None or now - window.last <= occurred_at <= now)
        and (window.start is None or window.start <= occurred_at)
        and (window.end is None or occurred_at < window.end)
    )


def _in_run(event: Event, run: Run | None) -> bool:
    if run is None or event.occurred_at < run.entered_at:
        return False
    return not nodes.is_message_event(event.name) or event.enrolment == run.enrolment


def match_where(where: Sequence[Where], event: Event, at: At) -> bool:
    """Whether one event meets every condition on its properties and links."""
    return all(meets(one.test, *_properties(one.property, event), at) for one in where)


def is_meant(where: Sequence[Where], event: Event, at: At) -> bool:
    """Whether one event is one that a trigger or a wait means by these conditions: a machine's is not, unless they
    name machines."""
    return (not event.machine or nodes.names_machines(where)) and match_where(where, event, at)


def _properties(name: str, event: Event) -> tuple[Texts, Numbers]:
    link = nodes.LINKS.get(name)
    if link is not None:
        value = getattr(event, link)
        if link == "machine":
            return ("true" if value else "false",), ()
        if value:
            return (str(value),), (Decimal(value),) if isinstance(value, int) else ()
    return _elements(name, event.properties)


def _elements(name: str, properties: Mapping[str, Any]) -> tuple[Texts, Numbers]:
    if isinstance(properties, Flat):
        return properties.texts.get(name, ()), properties.numbers.get(name, ())
    if "." not in name:
        if name not in properties:
            return (), ()
        properties = {name: properties[name]}
    texts, numbers = flatten(properties)
    return texts.get(name, ()), numbers.get(name, ())


def _field(node: nodes.Field, profile: Mapping[str, Any], at: At) -> bool:
    if node.attribute:
        attributes = profile["attributes"]
        return meets(node.test, *_elements(node.name, attributes), at)
    if node.name == "id":
        return meets(node.test, (str(profile["contact"]),), (), at)
    if node.name.startswith("deal."):
        return _deal_field(node, profile["deal"][node.name.removeprefix("deal.")], at)
    value = profile[node.name]
    if node.type == "date":
        return _date(node.test, value, at)
    return meets(node.test, (value,) if value else (), (), at)


def _deal_field(node: nodes.Field, value: Any, at: At) -> bool:
    """`value` is that of a deal's snapshot (`commerce.deals.queries.snapshot`)."""
    if isinstance(value, Decimal):
        return meets(node.test, (format(value, "f"),), (value,), at)
    if node.type == "date" and not isinstance(value, str):
        return _date(node.test, value, at)
    return meets(node.test, (value,) if value else (), (), at)


def _date(test: Test, value: int | None, at: At) -> bool:
    instants = () if value is None else (value,)
    if test.kind is Kind.PRESENCE:
        return bool(instants) != test.negated
    return _instants(test, instants, at.now) != test.negated


def meets(test: Test, texts: Texts, numbers: Numbers, at: At) -> bool:
    """Whether a value meets a test: its elements as texts, and those of them that are JSON numbers."""
    return _positive(test, texts, numbers, at) != test.negated


def _positive(test: Test, texts: Texts, numbers: Numbers, at: At) -> bool:
    if test.kind is Kind.PRESENCE:
        return bool(texts)
    if test.kind is Kind.INSTANT:
        read = (values.as_instant(text, at.zone) for text in texts)
        return _instants(test, [instant for instant in read if instant is not None], at.now)
    if test.kind is Kind.NUMBER:
        return _numbers(test, texts, numbers)
    if test.kind is Kind.MIXED:
        return _numbers(test, texts, numbers) or _texts(test, texts, test.texts)
    if test.kind is Kind.RUN_KEY:
        return at.run is not None and _texts(test, texts, (values.fold(at.run.key),))
    return _texts(test, texts, test.texts)


def _texts(test: Test, texts: Texts, against: Sequence[str]) -> bool:
    folded = [values.fold(text) for text in texts]
    if test.op == "in":
        return any(text in against for text in folded)
    one = against[0]
    if test.op == "contains":
        return any(one in text for text in folded)
    if test.op == "starts_with":
        return any(text.startswith(one) for text in folded)
    return any(text.endswith(one) for text in folded)


def _numbers(test: Test, texts: Texts, numbers: Numbers) -> bool:
    read = (values.as_number(text) for text in texts)
    known = [*numbers, *(number for number in read if number is not None)]
    return any(_compare(test.op, number, test.numbers) for number in known)


def _instants(test: Test, instants: Sequence[int], now: int) -> bool:
    bounds = tuple(moment.when(now) for moment in test.moments)
    if test.op == "not_within":
        return bool(instants) and not any(bounds[0] <= instant <= bounds[1] for instant in instants)
    return any(_compare(test.op, instant, bounds) for instant in instants)


def _compare(op: str, value: Any, bounds: Sequence[Any]) -> bool:
    if op == "in":
        return value in bounds
    if op == "between":
        return bool(bounds[0] <= value <= bounds[1])
    if op == "gt":
        return bool(value > bounds[0])
    if op == "gte":
        return bool(value >= bounds[0])
    if op == "lt":
        return bool(value < bounds[0])
    return bool(value <= bounds[0])
