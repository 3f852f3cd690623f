"""The table of segments: those that a reader asks for, in their order, each with what its row shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.utils.translation import gettext as _

from parcours.accounts.access import as_id
from parcours.contacts.search import fold
from parcours.segments import curves, errors
from parcours.segments.models import LATE_AFTER, Segment

Status = Segment.Status
TONES = {Status.COMPUTING: "busy", Status.LATE: "late", Status.UP_TO_DATE: "good", Status.PAUSED: "neutral"}
SORTS = ("name", "state", "profiles", "email_opt_ins", "sms_opt_ins", "computed_at")
#: In which order states are listed: what asks for attention first.
_STATES = {Status.LATE: 0, Status.COMPUTING: 1, Status.PAUSED: 2, Status.UP_TO_DATE: 3}
NO_FOLDER = "none"


@dataclass(frozen=True)
class Row:
    """A segment in the table. `moving`: it is worth asking again soon."""

    segment: Segment
    state: str
    label: str
    tone: str
    moving: bool
    why: str
    said: str
    curve: curves.Sparkline | None

    @property
    def mark(self) -> str:
        """Short, and another one as soon as something of the row that changes by itself is another."""
        one = self.segment
        shown = (self.label, self.why, self.moving, one.progress, one.figures_at, one.computed_at)
        figures = (one.profiles, one.email_opt_ins, one.sms_opt_ins, one.duration_ms)
        return f"{crc32(repr((*shown, *figures)).encode()):x}"

    @property
    def paused(self) -> bool:
        return self.state == Status.PAUSED

    @property
    def share(self) -> float | None:
        """How far its computation is; None when there is none, or nothing is known of it yet."""
        busy = self.moving and self.segment.progress is not None
        return (self.segment.progress or 0) / 100 if busy else None


def found(rows: QuerySet[Segment], *, search: str = "", folder: str = "") -> QuerySet[Segment]:
    """Those whose name holds every word of a search, in a folder (its id, `none` for those in no folder)."""
    if folder == NO_FOLDER:
        rows = rows.filter(folder=None)
    elif folder:
        rows = rows.filter(folder_id=as_id(folder) or 0)
    words = fold(search.replace("\0", "")).split()
    if words:
        named = rows.values_list("pk", "name")
        rows = rows.filter(pk__in=[pk for pk, name in named if all(word in fold(name) for word in words)])
    return rows


def ordered(rows: QuerySet[Segment], sort: str, *, now: datetime) -> list[int]:
    """Their ids in the order of a column of `SORTS`, descending with "-"; by name where there is no other order.

    Names sort without case nor accents, which databases do each in their way; what there is none of comes last.
    """
    down, column = sort.startswith("-"), sort.removeprefix("-")
    late = ~Q(status=Status.PAUSED) & Q(next_at__lt=now - LATE_AFTER)
    states = [When(status=state, then=Value(place)) for state, place in _STATES.items()]
    rows = rows.annotate(
        state_order=Case(When(late, then=Value(_STATES[Status.LATE])), *states, output_field=IntegerField())
    )
    known = "state_order" if column == "state" else column if column in SORTS else "name"
    by_name = sorted(rows.values_list("pk", "name", known), key=lambda row: (fold(row[1]), row[1], row[0]))
    if known == "name":
        return [pk for pk, _name, _value in (reversed(by_name) if down else by_name)]
    valued = [row for row in by_name if row[2] is not None]
    valued.sort(key=lambda row: row[2], reverse=down)
    return [row[0] for row in (*valued, *(row for row in by_name if row[2] is None))]


def shown(segments: Sequence[Segment], *, now: datetime, said: Mapping[int, str] | None = None) -> list[Row]:
    """The rows of segments, in one query for however many; `said` are their criteria in words."""
    sizes = curves.history(segments, now=now)
    rows = []
    for segment in segments:
        state = Status(segment.state(now))
        rows.append(
            Row(
                segment=segment,
                state=state,
                label=str(state.label),
                tone=TONES[state],
                moving=moving(segment),
                why=why(segment, state),
                said=(said or {}).get(segment.pk, ""),
                curve=curves.sparkline(sizes[segment.pk]),
            )
        )
    return rows


def moving(segment: Segment) -> bool:
    """Whether its figures are about to change: it is computed, or its changes are on their way to the store."""
    return segment.status == Status.COMPUTING or segment.settling_at is not None


def why(segment: Segment, state: str) -> str:
    """Why a segment is not computed, in the reader's language; empty when nothing is amiss."""
    if segment.error:
        reason = "; ".join(fault["detail"] for fault in errors.faults(segment))
        return _("Not computed: %(reason)s") % {"reason": reason}
    if state != Status.LATE:
        return ""
    if segment.late_reason == "digest":
        return _("What was received lately is still being read in.")
    if segment.late_reason == "queue":
        return _("Other segments are computed before it.")
    return _("Its computation has not begun: the work process is stopped, or busy.")
