"""Keeps segments: settles figures, computes those that are due, and looks again at contacts whom events or the
passing of time moved. One worker at a time works on an account's segments.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet

from parcours.events import watermark
from parcours.lib import clock
from parcours.segments.flips import MARGIN
from parcours.segments.full import Progress, Together, look_ahead, run
from parcours.segments.looking import look_again
from parcours.segments.models import LATE_AFTER, Flips, Segment, Stirred, Upkeep
from parcours.segments.settling import count_consents, ready, settle
from parcours.segments.upkeep import Held, Overtaken, hold

AT_ONCE = 64
"""So many segments are computed in full in one query: what they ask alike is read once, and memory stays bounded."""
_BUDGET_SECONDS = 2.0
_COUNT_SECONDS = 5.0
_BEHIND = timedelta(seconds=1)
"""A digest that is further behind than this has more to do than it can as it comes."""
_LONGEST_REST = 10.0
_progress = Progress()
_counted: dict[int, float] = {}
_rests: dict[int, float] = {}


def round() -> bool:
    """One piece of work on the segments of each account that has any."""
    now = clock.now()
    told = Segment.objects.filter(settling_at__isnull=False)
    # To claim an account takes the database's lock: not to find that there is only the digest to wait for.
    found = _accounts(_due(now), _ending(now)) | {one for one in _accounts(told) if ready(one)}
    moved = _accounts(Stirred.objects.all(), Flips.objects.filter(due_at__lte=now)) - found
    counting = _to_count()
    busy = False
    for account_id in sorted(found | counting | {one for one in moved if not _waits(one)}):
        busy = _work_on(account_id, now, counts=account_id in counting) or busy
    return busy


def _accounts(*some: QuerySet[Any]) -> set[int]:
    return {one for rows in some for one in rows.order_by().values_list("account_id", flat=True).distinct()}


def _to_count() -> set[int]:
    """The accounts whose figures count former consents, each now and then only: all its segments are read for it."""
    behind = Upkeep.objects.filter(consents_load__gt=F("figured_load")).values_list("account_id", flat=True)
    now = time.monotonic()
    found = {one for one in behind if now - _counted.get(one, -_COUNT_SECONDS) >= _COUNT_SECONDS}
    _counted.update(dict.fromkeys(found, now))
    return found


def _due(now: datetime) -> QuerySet[Segment]:
    """Those to compute in full."""
    return Segment.objects.filter(next_at__lte=now, retry_at__lte=clock.machine_ms()).exclude(
        status=Segment.Status.PAUSED
    )


def _ending(now: datetime) -> QuerySet[Segment]:
    """Those whose flips are known for a short while only."""
    return Segment.objects.filter(flips_until__lte=now + MARGIN, next_at__gt=now).exclude(
        status=Segment.Status.PAUSED
    )


def _work_on(account_id: int, now: datetime, *, counts: bool) -> bool:
    with hold(account_id) as held:
        if held is None:
            return False
        try:
            done = counts and count_consents(held)
            done = settle(held) or done
            done = _compute_due(held, now) or done
            for segment in _ending(now).filter(account_id=account_id).select_related("account"):
                look_ahead(segment, held)
                done = True
            return _look_again(held) or done
        except Overtaken:
            return True


def _waits(account_id: int) -> bool:
    """Whether contacts are to be looked at later, and together.

    A look at many contacts costs little more than one at some. While the digest is behind, it has the machine for as
    long as the last look took, and until what that look told is stored.
    """
    if clock.now() - watermark.current(account_id).as_of <= _BEHIND:
        return False
    met = time.monotonic()
    if met < _rests.setdefault(account_id, met + _LONGEST_REST):
        return True
    moved = Segment.objects.filter(account_id=account_id, settling_at__isnull=False)
    return moved.filter(status=Segment.Status.UP_TO_DATE).exists()


def _look_again(held: Held) -> bool:
    """Look again at who may have moved; answers whether there was any."""
    started = time.monotonic()
    if _waits(held.account_id):
        return False
    if not look_again(held):
        return False
    ended = time.monotonic()
    _rests[held.account_id] = ended + min(ended - started, _LONGEST_REST)
    return True


def _compute_due(held: Held, now: datetime) -> bool:
    """Compute segments in full, those due the longest first, for about two seconds: who moves waits no longer."""
    due = _due(now).filter(account_id=held.account_id, settling_at=None).select_related("account")
    end, done = time.monotonic() + _BUDGET_SECONDS, False
    segments = list(due.order_by("next_at", "pk"))
    for start in range(0, len(segments), AT_ONCE):
        if time.monotonic() > end:
            waiting = _due(now - LATE_AFTER).filter(account_id=held.account_id)
            waiting.exclude(late_reason="queue").update(late_reason="queue")
            break
        some = segments[start : start + AT_ONCE]
        together = Together(some, _progress)
        for segment in some:
            done = run(segment, held, _progress, together) or done
    return done
