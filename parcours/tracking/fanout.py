"""Those who wait for events: told once for each load, in the transaction that marks it done."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from parcours.events.entries import Event


@dataclass(frozen=True, slots=True)
class Batch:
    """A load as its listeners see it; the store holds it already.

    An event's `contact` is 0 when its visitor is tied to nobody; one with `moves` false (imported history) starts
    and moves nothing. `touched` are the contacts whose profile, consents, lists or tags changed, `gone` those of them
    that are erased or merged away; `linked` the visitors tied to contacts; `regrouped` those who were merged or parted
    again: whatever counted with them may count otherwise. What is told of somebody merged away bears who they are now;
    a merge may still come before `apply`, which asks again where that matters (`contacts.merging.people`).
    """

    account_id: int
    load_id: int
    now: datetime
    events: list[Event]
    touched: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)
    linked: list[tuple[str, int]] = field(default_factory=list)
    regrouped: set[int] = field(default_factory=set)


class Listener(Protocol):
    """`prepare` reads, outside of the transaction; `apply` writes, in it. Either may run again after a crash."""

    def prepare(self, batch: Batch) -> Any: ...

    def apply(self, batch: Batch, prepared: Any) -> None: ...


_listeners: list[Listener] = []


def register(listener: Listener) -> None:
    """Have a listener told of every load from now on; packages call it when they start."""
    if listener not in _listeners:
        _listeners.append(listener)


def listeners() -> tuple[Listener, ...]:
    """Those who are told, in the order in which they registered."""
    return tuple(_listeners)
