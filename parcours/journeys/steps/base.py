"""What every type of step is: fields, ways out, and a decision for each run of a batch.

Steps decide and touch nothing: no database, no clock, no Django. The engine gives them what they need to know and
does what they answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple


class Kind(StrEnum):
    """What a field of a step may hold."""

    DURATION = "duration"
    CRITERIA = "criteria"
    EVENT = "event"
    WHERE = "where"
    STEP = "step"
    MESSAGE = "message"
    LIST = "list"
    VALUES = "values"  # field -> value
    NUMBERS = "numbers"  # field -> number
    NAMES = "names"  # fields


class Field(NamedTuple):
    """One field of a type of step, as the document writes it."""

    name: str
    kind: Kind
    required: bool = False


class Woken(StrEnum):
    """Why a step is asked to decide."""

    ARRIVED = "arrived"
    TIMER = "timer"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Batch:
    """Runs that stand at one step and are decided together.

    `instants` are those of the causes, in milliseconds; `zones` the contacts' time zones; `met` answers the step's
    question, for each run, where the step asks one.
    """

    woken: Woken
    instants: list[int]
    zones: list[str]
    met: list[bool] = field(default_factory=list)


class Decision:
    """What becomes of one run."""

    __slots__ = ()


class Go(Decision):
    """On to a step, at the same instant; None completes the run. `way` names the way out: the trace tells it."""

    __slots__ = ("to", "way")

    def __init__(self, to: str | None, way: str = "") -> None:
        self.to = to
        self.way = way


class Wait(Decision):
    """Stay until an instant (None: for ever), or until something that the step listens to."""

    __slots__ = ("listens", "until")

    def __init__(self, until: int | None, *, listens: bool = False) -> None:
        self.until = until
        self.listens = listens


class Send(Decision):
    """Queue a message and go on at once."""

    __slots__ = ("message", "to")

    def __init__(self, message: int, to: str | None) -> None:
        self.message = message
        self.to = to


class Change(Decision):
    """Change the contact, then go on: what follows must see the change, so it is committed first."""

    __slots__ = ("to", "what", "with_")

    def __init__(self, what: str, with_: Any, to: str | None) -> None:
        self.what = what
        self.with_ = with_
        self.to = to


class Exit(Decision):
    """Leave the journey."""

    __slots__ = ("reason",)

    def __init__(self, reason: str) -> None:
        self.reason = reason


class WayOut(NamedTuple):
    """A way out of a step: the name of the field that says it, where it leads, whether time passes before it."""

    name: str
    to: str | None
    waits: bool


@dataclass(frozen=True)
class Step:
    """One node of a journey."""

    id: str
    name: str
    next: str | None
    values: Mapping[str, Any]

    type: ClassVar[str] = ""
    fields: ClassVar[tuple[Field, ...]] = ()
    calendar: ClassVar[bool] = False
    """Whether it needs the contact's time zone to decide."""

    def question(self) -> Any:
        """The criteria to evaluate, for each contact, before the step decides; None when it asks nothing."""
        return None

    def ways_out(self) -> list[WayOut]:
        """Every way out, for the drawing of the graph and its checks."""
        return [WayOut("next", self.next, False)]

    def decide(self, batch: Batch) -> list[Decision]:
        """One decision for each run of the batch, in its order."""
        raise NotImplementedError

    def way(self, name: str) -> str | None:
        """Where a field that names a step leads; the step's `next` where the field is absent."""
        to: str | None = self.values.get(name, self.next)
        return to
