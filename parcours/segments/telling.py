"""What the journal is told of a segment's moves."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max, Min

from parcours.events import journal
from parcours.events.models import JournalRow
from parcours.segments import compute
from parcours.segments.models import Segment
from parcours.segments.upkeep import Held


@dataclass(frozen=True)
class Told:
    """The journal's rows that hold the moves, first and last; 0 when there was nothing to tell."""

    first: int = 0
    last: int = 0


def tell(segment: Segment, found: compute.Moves, *, held: Held, now: datetime, initial: bool = False) -> Told:
    """Append moves to the journal, in the caller's transaction."""
    if not found:
        return Told()
    rows = JournalRow.objects.filter(account_id=segment.account_id)
    before = rows.aggregate(last=Max("id"))["last"] or 0
    told = compute.entries(segment, found, now=now, computation=held.fence, initial=initial)
    while chunk := list(itertools.islice(told, journal.MOST_ENTRIES)):
        journal.append(chunk, account_id=segment.account_id)
    written = rows.filter(id__gt=before).aggregate(first=Min("id"), last=Max("id"))
    return Told(written["first"] or 0, written["last"] or 0)
