"""What parsing asks of the packages that know contacts, segments and journeys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class SegmentFound:
    """A segment of the account: its criteria as written, and whether its membership is frozen."""

    id: int
    name: str
    criteria: Any
    frozen: bool


class Resolver(Protocol):
    """Finds what criteria name by id, in one account only: another account's ids are unknown."""

    def attribute_type(self, name: str) -> str | None:
        """text, number, boolean, date or list; None when no such attribute is declared."""

    def has_list(self, list_id: int) -> bool: ...

    def segment(self, segment_id: int) -> SegmentFound | None: ...

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        """The ids of the steps of all versions; None when there is no such journey."""


@dataclass(frozen=True)
class Context:
    """Where criteria are read: `timezone` is the account's; `in_run` allows what only a journey's run gives a sense,
    `deals` the fields of a deal, where deals are the subject;
    `segment` is the id and name of the segment whose criteria they are, which may not come back inside them."""

    resolver: Resolver
    timezone: str = "UTC"
    in_run: bool = False
    deals: bool = False
    segment: tuple[int, str] | None = None
    event_refusal: Callable[[str], str | None] = field(default=lambda name: None)
