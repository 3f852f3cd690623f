"""What the engine holds in memory of runs and of what they have to take up: small records, thousands at a time."""

from __future__ import annotations

import msgspec

from parcours.events.entries import Event

ACTIVE, COMPLETED, EXITED, FAILED, HOLDOUT = "active", "completed", "exited", "failed", "holdout"
EXIT, WAIT, ENTRY = "a_exit", "b_wait", "c_entry"

RUN_COLUMNS = (
    "id",
    "version",
    "contact_id",
    "run_key",
    "status",
    "step",
    "visit",
    "entered_at",
    "origin_at",
    "step_at",
    "due_at",
    "waiting",
    "cause_id",
    "context",
    "entrant_id",
)
ROW_COLUMNS = ("id", "kind", "contact_id", "at", "origin_at", "cause_id", "run_key", "event")

_decoder = msgspec.json.Decoder(Event)
_encoder = msgspec.json.Encoder()


class Run(msgspec.Struct, gc=False):
    """A run as its enrolment row says (instants in milliseconds), and what became of it since it was read."""

    id: int
    version: int
    contact: int
    key: str
    status: str
    step: str
    visit: int
    entered_at: int
    origin_at: int
    step_at: int
    due_at: int | None
    waiting: str
    cause_id: str
    context: str
    entrant: int | None = None
    new: bool = False
    changed: bool = False
    reason: str = ""
    error: str = ""
    ended_at: int | None = None

    @property
    def bearer(self) -> int:
        """The contact that its events bear: who entered, although they may be another now."""
        return self.entrant or self.contact

    @property
    def since(self) -> int:
        """From when events count for a wait: the entry into the step; for a first wait, the entering event."""
        return self.origin_at if self.step_at == self.entered_at else self.step_at


class Row(msgspec.Struct, gc=False):
    """Something to take up; see `models.Inbox`. Those that were looked up in the event store have no id."""

    id: int
    kind: str
    contact: int
    at: int
    origin_at: int
    cause_id: str
    run_key: str
    event: str

    def read(self) -> Event | None:
        """The event that caused it, if one did."""
        return _decoder.decode(self.event) if self.event else None


class Lane(msgspec.Struct):
    """One contact in one journey: its runs, and what they have to take up, the latest first."""

    contact: int
    runs: list[Run]
    rows: list[Row]
    left: int
    heard: list[Row] = []
    stopped: bool = False


def write_event(event: Event) -> str:
    """An event as `Row.read` reads it."""
    return _encoder.encode(event).decode()


def order(row: Row) -> tuple[int, str, int]:
    """At one instant: exits, waits, entries, each in the order in which they came."""
    return row.at, row.kind, row.id
