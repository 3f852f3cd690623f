"""A journey's document (contract, section 5), parsed: what the engine runs, and what it may name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from parcours.journeys.steps.base import Step
from parcours.lib.problems import Fault


class Names(Protocol):
    """What a document may name in its account, and the language of its criteria."""

    def criteria(self, document: Any, *, in_run: bool) -> Any:
        """Parsed criteria; `in_run`: inside a run of a journey. Raises Invalid with pointers inside them."""

    def where(self, document: Any, *, in_run: bool) -> Any:
        """A parsed `where` list. Raises Invalid with pointers inside it."""

    def refused_event(self, name: str) -> str | None:
        """Why an event's name cannot be, in a sentence; None when it can."""

    def has_list(self, list_id: int) -> bool:
        """Whether the account has the list."""

    def has_segment(self, segment_id: int) -> bool:
        """Whether the account has the segment."""

    def has_business_unit(self, unit_id: int) -> bool:
        """Whether the account has the business unit."""

    def channel_of(self, message_id: int) -> str | None:
        """The channel of a message of the account; None when there is no such message."""

    def refused_field(self, name: str) -> str | None:
        """Why a contact's field cannot be changed, in a sentence; None when it can."""


@dataclass(frozen=True)
class Trigger:
    """Something that lets a contact in, or out: an event with its `where`, or a list or a segment joined."""

    type: str
    event: str = ""
    where: Any = None
    target: int = 0  # the list's or segment's id
    max_age: int = 0  # milliseconds


@dataclass(frozen=True)
class Way:
    """A way out of the whole journey: when, and whether it is the goal."""

    reason: str  # goal, exit
    trigger: Trigger | None = None
    criteria: Any = None


@dataclass(frozen=True)
class Document:
    """A journey's document, fit to run."""

    name: str
    triggers: tuple[Trigger, ...]
    filter: Any
    mode: str
    reentry_after: str | None
    key: str | None
    include: str
    exits: tuple[Way, ...]
    settings: Mapping[str, Any]
    start: str
    steps: Mapping[str, Step]
    warnings: list[Fault] = field(default_factory=list)
