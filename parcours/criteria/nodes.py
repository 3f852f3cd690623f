"""Criteria once parsed and checked: what `evaluate` and `compile` work on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Kind(StrEnum):
    """What a test compares."""

    TEXT = "text"
    NUMBER = "number"
    INSTANT = "instant"
    MIXED = "mixed"  # `in` with texts and numbers
    PRESENCE = "presence"
    RUN_KEY = "run_key"  # the text is the run's key


@dataclass(frozen=True)
class Moment:
    """An instant (ms since 1970), or so long (ms) before the instant of the evaluation."""

    at: int | None = None
    ago: int = 0

    def when(self, now: int) -> int:
        return self.at if self.at is not None else now - self.ago


@dataclass(frozen=True)
class Test:
    """A comparison of the elements of a value; it holds when one of them meets it, and `negated` turns that round.

    `op` is eq, in, contains, starts_with, ends_with, gt, gte, lt, lte, between, exists, or (one instant at least,
    none of them within) not_within. `texts` are folded. A value is missing when it has no element.
    """

    __test__ = False  # not a test of pytest's

    kind: Kind
    op: str
    negated: bool = False
    texts: tuple[str, ...] = ()
    numbers: tuple[Decimal, ...] = ()
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True)
class AllOf:
    children: tuple[Node, ...]


@dataclass(frozen=True)
class AnyOf:
    children: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    child: Node


@dataclass(frozen=True)
class Field:
    """A contact's own field (`name` as in its JSON), or a declared attribute."""

    name: str
    type: str  # text, number, boolean, date, list
    attribute: bool
    test: Test


@dataclass(frozen=True)
class Consent:
    channel: str
    value: str
    negated: bool


@dataclass(frozen=True)
class Tag:
    name: str  # folded
    negated: bool


@dataclass(frozen=True)
class OnList:
    list: int
    negated: bool


@dataclass(frozen=True)
class InSegment:
    """`criteria` are the segment's now; None: its membership is frozen and is looked up."""

    segment: int
    criteria: Node | None
    negated: bool


@dataclass(frozen=True)
class InJourney:
    journey: int
    step: str | None
    op: str  # entered, active, completed, exited
    negated: bool


@dataclass(frozen=True)
class Where:
    property: str
    test: Test


@dataclass(frozen=True)
class Window:
    """When an event must have occurred: within `last` ms until now, or from `start` (in) to `end` (out)."""

    last: int | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True)
class Aggregate:
    kind: str  # sum, min, max, avg
    property: str
    test: Test


@dataclass(frozen=True)
class Did:
    """Events of a contact: how many meet `where` in `window`, and what a number of theirs amounts to."""

    event: str  # "*": any but those inside the system and those of sending
    where: tuple[Where, ...]
    window: Window | None
    count: Test
    in_run: bool
    aggregate: Aggregate | None

    @property
    def machines(self) -> bool:
        """Whether machine opens and clicks enter: only when `where` names them."""
        return names_machines(self.where)


Node = AllOf | AnyOf | Not | Field | Consent | Tag | OnList | InSegment | InJourney | Did
Leaf = Field | Consent | Tag | OnList | InSegment | InJourney | Did

SYSTEM_PREFIXES = ("contact.", "list.", "segment.", "journey.")
UNCOUNTED_SUFFIXES = (".sent", ".delivered", ".dropped", ".failed", ".bounced")
MESSAGE_PREFIXES = ("email.", "sms.", "whatsapp.")
LINKS = {
    "journey": "journey",
    "version": "version",
    "step": "step",
    "enrolment": "enrolment",
    "message": "message",
    "email_id": "message",
    "send": "send",
    "order": "order",
    "deal": "deal",
    "machine": "machine",
}
"""What `where` reaches beside an event's properties: name -> attribute of the event."""


def leaves(node: Node) -> Iterator[Leaf]:
    """Every leaf, those inside a segment's criteria included."""
    stack: list[Node] = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, AllOf | AnyOf):
            stack.extend(reversed(one.children))
        elif isinstance(one, Not):
            stack.append(one.child)
        elif isinstance(one, InSegment) and one.criteria is not None:
            stack.append(one.criteria)
        else:
            yield one


def names_machines(where: Iterable[Where]) -> bool:
    """Whether conditions on an event take in what machines did, which is left out otherwise."""
    return any(one.property == "machine" for one in where)


def event_matches_name(pattern: str, name: str) -> bool:
    """Whether an event of that name is one that `pattern` (a name, or "*") asks for."""
    if pattern != "*":
        return pattern == name
    return not (name.startswith(SYSTEM_PREFIXES) or name.endswith(UNCOUNTED_SUFFIXES))


def is_message_event(name: str) -> bool:
    """Whether an event is of a message that was sent to its contact."""
    return name.startswith(MESSAGE_PREFIXES) and not name.endswith(".subscription_updated")


def mentions(node: Node) -> tuple[frozenset[str], bool]:
    """What can change the answer for a contact: names of events ("*" included, "journey.*" for journey leaves), and
    whether a change of its profile can."""
    names: set[str] = set()
    profile = False
    for leaf in leaves(node):
        if isinstance(leaf, Did):
            names.add(leaf.event)
        elif isinstance(leaf, InJourney):
            names.add("journey.*")
        elif isinstance(leaf, InSegment):
            names.update(("segment.entered", "segment.left"))
        else:
            profile = True
    return frozenset(names), profile
