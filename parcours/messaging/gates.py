"""What may hold sends back: the packages above say whose sends wait (those of a paused journey)."""

from __future__ import annotations

from collections.abc import Callable, Collection

#: A gate answers the ids of the journeys whose queued sends must not go out now. It is asked inside the
#: transaction that claims sends, so it reads with one quick query.
Gate = Callable[[], Collection[int]]
_gates: list[Gate] = []


def register(gate: Gate) -> None:
    """Have a gate asked at every claim; a send that it holds stays queued, and goes once it is held no more."""
    if gate not in _gates:
        _gates.append(gate)


def held() -> set[int]:
    """The journeys whose sends wait now."""
    return {journey for gate in _gates for journey in gate()}
