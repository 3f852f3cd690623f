"""What the journal carries: a batch of entries, each one of these.

MessagePack arrays (msgspec) keep a batch of thousands small and quick to write and read. A new field goes at
the end with a default, so that a journal written before an upgrade is read after it.
"""

from __future__ import annotations

from typing import Any

import msgspec

NO_VISITOR = ""


class Event(msgspec.Struct, array_like=True, tag="e", gc=False):
    """Something that happened, with its subject known; instants in milliseconds since 1970 UTC."""

    name: str
    occurred_at: int
    received_at: int
    message_id: str
    contact: int = 0
    visitor: str = NO_VISITOR  # the visitor's UUID in hex; empty when there is none
    deal: int = 0
    properties: dict[str, Any] = {}
    journey: int = 0
    version: int = 0
    step: str = ""
    enrolment: int = 0
    visit: int = 0
    entered_at: int = 0  # of journey.* events: when the run entered
    message: int = 0
    send: str = ""
    order: str = ""
    machine: bool = False
    moves: bool = True  # whether it may start and move journeys: imported history does not
    arrival: str = ""  # of a page: the token that a message's link gave it; it is not stored


class Alike(msgspec.Struct, array_like=True, tag="a", gc=False):
    """One thing that happened to many contacts at one instant, said once; read back as an event of each of them.

    `event` bears no contact; its message id is what those of the contacts begin with.
    """

    event: Event
    contacts: list[int]

    def events(self) -> list[Event]:
        """The events, in the order of the contacts."""
        said = self.event
        return [
            msgspec.structs.replace(said, contact=contact, message_id=f"{said.message_id}{contact:x}")
            for contact in self.contacts
        ]


class Context(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """Of a tracking call's context, what the digest reads; the rest is let go as the journal is read."""

    page: Any = None
    campaign: Any = None
    user_agent: Any = None
    traits: Any = None
    arrival: Any = None


class Said(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """Of a tracking call's body, what the digest reads; what the collector has not checked may be anything."""

    user_id: str | None = None
    anonymous_id: str | None = None
    previous_id: Any = None
    group_id: Any = None
    event: Any = None
    name: Any = None
    category: Any = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Context | None = None
    claimed_timestamp: str | None = None


class Call(msgspec.Struct, array_like=True, tag="c", gc=False):
    """A tracking call as received by the collector, still to be identified and named."""

    kind: str  # identify, track, page, screen, group, alias
    body: Said
    received_at: int
    occurred_at: int
    message_id: str
    address: str = ""  # where from, for its country alone; never stored
    agent: str = ""
    source: str = ""  # "browser" for /t.js, else empty


class Line(msgspec.Struct, array_like=True, tag="l", gc=False):
    """An event line of the bulk import, checked, whose subject is still to be found or made."""

    name: str
    occurred_at: int
    received_at: int
    message_id: str
    contact: dict[str, Any] | None  # its keys: id, external_id, email, phone
    anonymous_id: str | None
    properties: dict[str, Any]
    links: dict[str, Any] = {}  # journey, step, enrolment, message, send, order, machine, deal
    history: bool = False


class Touched(msgspec.Struct, array_like=True, tag="t", gc=False):
    """Contacts whose profile, consents, lists or tags changed: their mirror is to be written anew."""

    contacts: list[int]


class Regrouped(msgspec.Struct, array_like=True, tag="g", gc=False):
    """Contacts who were merged, or parted again: who they are now, and whose their visitors are, is to be told anew."""

    contacts: list[int]


class Linked(msgspec.Struct, array_like=True, tag="v", gc=False):
    """A visitor tied to a contact by something other than a tracking call (a click in a message, a form)."""

    visitor: str
    contact: int
    if_unknown: bool = False  # whether a browser that is someone's already stays theirs


class Membership(msgspec.Struct, array_like=True, tag="m", gc=False):
    """A contact entered (member) or left a segment."""

    segment: int
    contact: int
    member: bool
    at: int


class Moved(msgspec.Struct, array_like=True, tag="s", gc=False):
    """Contacts who entered (member) a segment at one instant, or left it: the membership and the event of each.

    `MOST_MOVED` of them at most. `computation` tells one look at the segment from another; the events of a segment's
    first one are `initial`, and start nothing.
    """

    segment: int
    computation: int
    member: bool
    at: int
    initial: bool
    contacts: list[int]

    def events(self) -> list[Event]:
        """An event of each, in the order of the contacts."""
        name = "segment.entered" if self.member else "segment.left"
        said: dict[str, Any] = {"segment": str(self.segment)}
        if self.initial:
            said["initial"] = True
        begins, at, moves = f"segment.{self.segment}.{self.computation}.", self.at, not self.initial
        return [
            Event(name, at, at, f"{begins}{contact}", contact=contact, properties=said, moves=moves)
            for contact in self.contacts
        ]

    @property
    def weight(self) -> int:
        """How many events cost as much to take in."""
        return 1 + len(self.contacts) // 8


MOST_MOVED = 20_000


class Parked(msgspec.Struct, array_like=True, tag="p", gc=False):
    """A run failed at a step, or goes on again after a failure; not an event of the catalogue."""

    journey: int
    version: int
    step: str
    enrolment: int
    contact: int
    visit: int
    entered_at: int
    at: int
    parked: bool


#: What the journal is given; it is read back without `Alike`.
Written = Event | Alike | Call | Line | Touched | Regrouped | Linked | Membership | Moved | Parked
Entry = Event | Call | Line | Touched | Regrouped | Linked | Membership | Moved | Parked
