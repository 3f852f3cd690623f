"""The figures of segments (`profiles`, `email_opt_ins`, `sms_opt_ins`) at a watermark, for many segments at once.

After a computation in full they are counted anew. Between two, when a few contacts moved, they are the former figures
and what those contacts changed of them: a segment of a million is not counted again for one who enters it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.segments.models import Segment

NAMES = ("profiles", "email_opt_ins", "sms_opt_ins")
Figures = dict[str, int]

_AT_ONCE = 64
_OLDEST = timedelta(days=1)
"""Figures older than this are counted anew: the event store forgets former states of contacts after two days."""


def of_many(segments: Sequence[Segment], read: Watermark) -> dict[int, Figures]:
    """The figures of segments of one account, by segment."""
    anew: list[Segment] = []
    since: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        (since[segment.figures_load] if _is_near(segment, read) else anew).append(segment)
    found = _counted(anew, read) if anew else {}
    for load, some in since.items():
        found |= _moved_on(some, load, read)
    return found


def at(segments: Sequence[Segment], read: Watermark) -> dict[int, Figures]:
    """The figures of segments of one account at any watermark, by segment: the lengths of their lists of then."""
    known = {one.pk: {name: getattr(one, name) for name in NAMES} for one in segments}
    others = [one for one in segments if one.figures_load != read.load]
    for first in range(0, len(others), _AT_ONCE):
        known |= _counted(others[first : first + _AT_ONCE], read)
    return known


def _is_near(segment: Segment, read: Watermark) -> bool:
    """Whether the former figures are those of a short while ago, and no computation in full has come since."""
    return (
        segment.status == Segment.Status.UP_TO_DATE
        and segment.figures_at is not None
        and 0 < segment.figures_load <= read.load
        and read.as_of - segment.figures_at < _OLDEST
    )


def _counted(segments: Sequence[Segment], read: Watermark) -> dict[int, Figures]:
    rows = queries.run("segments_figures", _bound(segments, read))
    told = {row["segment"]: {name: int(row[name]) for name in NAMES} for row in rows}
    return {segment.pk: told.get(segment.pk) or dict.fromkeys(NAMES, 0) for segment in segments}


def _moved_on(segments: Sequence[Segment], since: int, read: Watermark) -> dict[int, Figures]:
    rows = queries.run("segments_figures_since", _bound(segments, read) | {"since": since})
    told = {row["segment"]: row for row in rows}
    none = dict.fromkeys(NAMES, 0)
    return {
        segment.pk: {name: getattr(segment, name) + int(told.get(segment.pk, none)[name]) for name in NAMES}
        for segment in segments
    }


def _bound(segments: Sequence[Segment], read: Watermark) -> dict[str, object]:
    return {
        "account": segments[0].account_id,
        "segments": [segment.pk for segment in segments],
        "load": read.load,
    }
