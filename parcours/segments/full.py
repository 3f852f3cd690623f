"""Computes a segment in full: who is in it, who enters and leaves, and who will flip in the next hours.

What a computation finds is told in one transaction. Killed before it, the former membership stands, the segment
still reads as computing and due, and the next worker computes it again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from datetime import time as hour
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction

from parcours.accounts.models import Account
from parcours.criteria.nodes import Node
from parcours.events import watermark
from parcours.events.models import Load
from parcours.lib import clock
from parcours.lib.crashpoints import point
from parcours.lib.problems import Invalid
from parcours.segments import compute, flips, names, stirred
from parcours.segments.models import TICK, Flips, Segment, Upkeep
from parcours.segments.telling import tell
from parcours.segments.upkeep import Held

log = structlog.get_logger(__name__)

ASKED, FOUND, TOLD = 5, 40, 60
"""How far a computation is (percent): asked of the store, answered by it, told; the rest is the digest's."""
_RETRY_MS = 30_000
_AGAIN = timedelta(seconds=1)


class Progress:
    """Which loads have to be done before new criteria can be computed, by segment, as this process saw them.

    A load under way while a segment was made or edited may have been told to listeners who did not know of it.
    """

    def __init__(self) -> None:
        self._waits: dict[int, tuple[datetime, int]] = {}

    def waits(self, segment: Segment) -> bool:
        """Whether such a load is still under way."""
        open_loads = Load.objects.filter(account_id=segment.account_id).exclude(status=Load.Status.DONE)
        since, last = self._waits.get(segment.pk, (None, 0))
        if since != segment.updated_at:
            last = open_loads.order_by("-id").values_list("id", flat=True).first() or 0
            self._waits[segment.pk] = (segment.updated_at, last)
        return open_loads.filter(id__lte=last).exists()

    def forget(self, segment: Segment) -> None:
        """The segment is computed."""
        self._waits.pop(segment.pk, None)


def next_night(account: Account, now: datetime) -> datetime:
    """The next time that it is the account's hour of computation, in its zone."""
    upkeep = Upkeep.objects.filter(pk=account.pk).first()
    zone, night = ZoneInfo(account.timezone), hour(upkeep.night_hour if upkeep else 3)
    day = now.astimezone(zone).date()
    while True:
        instant = datetime.combine(day, night, tzinfo=zone).astimezone(now.tzinfo)
        if instant > now:
            return instant
        day += timedelta(days=1)


class Together:
    """Segments of one account computed in full at one watermark, who moves in all of them asked in one query."""

    def __init__(self, segments: Sequence[Segment], progress: Progress) -> None:
        # Loads that some have to wait for are done before the watermark is read.
        ready = [segment for segment in segments if not progress.waits(segment)]
        self.read = watermark.current(segments[0].account_id)
        # The first computation holds whatever was accepted before the segment was made: it moves no journey.
        self._segments = [
            segment
            for segment in ready
            if segment.computed_at is not None or self.read.as_of >= segment.created_at
        ]
        self._found: dict[int, compute.Moves] | None = None

    def holds(self, segment: Segment) -> bool:
        """Whether a segment can be computed now."""
        return segment in self._segments

    def answers(self, segment: Segment, node: Node) -> tuple[compute.Moves, flips.Known]:
        """Who moves in a segment, and who will in the next hours. Raises what the store raises."""
        if len(self._segments) > 1:
            return self._moves(segment, node), flips.ahead(segment, node, self.read)
        with ThreadPoolExecutor(1) as beside:  # Both take the store little more time than one of them.
            ahead = beside.submit(flips.ahead, segment, node, self.read)
            return self._moves(segment, node), ahead.result()

    def _moves(self, segment: Segment, node: Node) -> compute.Moves:
        if self._found is None:
            self._found = {}
            if len(self._segments) > 1:
                try:
                    self._found = compute.moves_of_many(self._asked(), self.read)
                except Exception:  # One of them may be at fault: each answers for itself.
                    log.exception("segments not computed together", account=segment.account_id)
        if segment.pk not in self._found:
            self._found[segment.pk] = compute.moves(segment, node, self.read)
        return self._found[segment.pk]

    def _asked(self) -> list[tuple[Segment, Node]]:
        known = names.AccountNames(self._segments[0].account_id)
        asked = []
        for segment in self._segments:
            try:
                asked.append((segment, compute.parsed(segment, known=known)))
            except Invalid:  # Told when it is computed itself.
                continue
        return asked


def run(segment: Segment, held: Held, progress: Progress, together: Together | None = None) -> bool:
    """Compute a segment in full, and tell who entered and who left; answers whether it could be done now."""
    together = together or Together([segment], progress)
    if not together.holds(segment):
        Segment.objects.filter(pk=segment.pk).exclude(late_reason="digest").update(late_reason="digest")
        return False
    started = time.monotonic()
    same = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
    same = same.exclude(status=Segment.Status.PAUSED)
    if not same.update(status=Segment.Status.COMPUTING, progress=ASKED):
        return True  # Edited or paused meanwhile.
    point("segments.begun")
    read = together.read
    try:
        node = compute.parsed(segment)
        mentions = stirred.mentions(node)
        if mentions != segment.mentions:
            # What moves it is another than it was told with: loads from now on are, and then it is computed.
            same.update(mentions=mentions, updated_at=max(clock.now(), segment.updated_at + TICK))
            return True
        found, ahead = together.answers(segment, node)
        same.update(progress=FOUND)
    except Invalid:
        failed(segment, Segment.Error.CRITERIA)
        return True
    except Exception as failure:
        log.exception("segment not computed", segment=segment.pk)
        failed(segment, Segment.Error.FAILURE, str(failure)[:1000])
        return True
    point("segments.computed")
    now = clock.now()
    night = next_night(segment.account, now)
    if ahead.full_at is not None:
        night = min(night, max(ahead.full_at, now + _AGAIN))
    with transaction.atomic():
        held.check()
        told = tell(segment, found, held=held, now=now, initial=segment.computed_at is None)
        point("segments.told")
        flips.replace(segment, ahead)
        kept = same.update(
            computed_at=read.as_of,
            duration_ms=int((time.monotonic() - started) * 1000),
            flips_until=ahead.until,
            progress=TOLD,
            settling_first=told.first,
            settling_row=told.last,
            settling_at=clock.now(),
            error="",
            error_detail="",
            late_reason="",
            retry_at=0,
        )
        if not kept:  # Edited or paused meanwhile: what was found is of no use.
            transaction.set_rollback(True)
            return True
        # One that was refreshed meanwhile is due again.
        same.filter(next_at=segment.next_at).update(next_at=night)
    progress.forget(segment)
    point("segments.committed")
    return True


def failed(segment: Segment, error: Segment.Error, detail: str = "") -> None:
    """Say why a segment cannot be computed; it is tried again in half a minute. Nobody looks at its flips till then."""
    with transaction.atomic():
        Segment.objects.filter(pk=segment.pk).update(
            error=error,
            error_detail=detail,
            late_reason="failure",
            progress=None,
            flips_until=None,
            retry_at=clock.machine_ms() + _RETRY_MS,
        )
        Flips.objects.filter(segment=segment).delete()


def look_ahead(segment: Segment, held: Held) -> None:
    """Read who flips in the next hours, of a segment whose known flips come to their end."""
    read = watermark.current(segment.account_id)
    if segment.flips_until is None or read.as_of > segment.flips_until:
        # Some instants have passed that nobody knew: only a computation in full is exact.
        Segment.objects.filter(pk=segment.pk).update(next_at=clock.now())
        return
    try:
        ahead = flips.ahead(segment, compute.parsed(segment), read)
    except Invalid:  # The computation in full tells what is wrong.
        Segment.objects.filter(pk=segment.pk).update(next_at=clock.now())
        return
    point("segments.looked_ahead")
    with transaction.atomic():
        held.check()
        same = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
        kept = same.exclude(status=Segment.Status.PAUSED).update(flips_until=ahead.until)
        if not kept:
            return
        flips.extend(segment, ahead, read)
        if ahead.full_at is not None:
            same.filter(next_at__gt=ahead.full_at).update(next_at=ahead.full_at)
    point("segments.known_ahead")
