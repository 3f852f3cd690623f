"""Gives segments whose changes are digested the figures of the present watermark, and keeps their sizes over time."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Max, Q

from parcours.events import watermark
from parcours.events.models import JournalRow
from parcours.events.watermark import Digested, Mark
from parcours.lib import clock
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.segments import figures
from parcours.segments.full import TOLD
from parcours.segments.models import Segment, SegmentSize, Stirred, Upkeep
from parcours.segments.upkeep import Held

SIZES_BY_HOUR = timedelta(days=14)
"""How long the size of each hour is kept; before, the last of each day (UTC)."""
_HOUR_MS = 3_600_000


def is_followed(account_id: int) -> bool:
    """Whether the segments that are up to date have taken in every load that is done: who moved, and their figures."""
    stirred = Stirred.objects.filter(account_id=account_id)
    if stirred.filter(Q(ready_at__isnull=True) | Q(ready_at__lte=clock.now())).exists():
        return False
    moving = Segment.objects.filter(account_id=account_id, status=Segment.Status.UP_TO_DATE)
    return not moving.filter(settling_at__isnull=False).exists()


def ready(account_id: int) -> list[Segment]:
    """The segments whose changes are digested and whose figures are not those of a watermark since."""
    waiting = list(Segment.objects.filter(account_id=account_id, settling_at__isnull=False))
    digested = watermark.reached(account_id) if waiting else None
    return [segment for segment in waiting if digested and _is_told(segment, digested)]


def settle(held: Held) -> bool:
    """Settle what can be; answers whether there was anything."""
    told = ready(held.account_id)
    if not told:
        return False
    read = watermark.current(held.account_id)
    found = figures.of_many(told, read)
    point("segments.read_figures")
    with transaction.atomic():
        held.check()
        now = clock.now()
        for segment in told:
            same = Segment.objects.filter(pk=segment.pk, settling_at=segment.settling_at)
            same.update(
                **found[segment.pk],
                figures_at=read.as_of,
                figures_load=read.load,
                settling_first=None,
                settling_row=None,
                settling_at=None,
            )
            # One that was edited or refreshed meanwhile is due again, and stays computing.
            done = Segment.objects.filter(pk=segment.pk, status=Segment.Status.COMPUTING, next_at__gt=now)
            done.exclude(progress=0).update(status=Segment.Status.UP_TO_DATE, progress=None)
            remember_size(segment, at=read.as_of, profiles=found[segment.pk]["profiles"])
    point("segments.settled")
    return True


def _is_told(segment: Segment, digested: Digested) -> bool:
    """Whether the digest has passed what was told of a segment."""
    if not segment.settling_row or segment.settling_at is None:
        return True
    told = Mark(account_id=segment.account_id, at=segment.settling_at, collector=0, row=segment.settling_row)
    if digested.passed(told):
        return True
    _advance(segment)
    return False


def count_consents(held: Held) -> bool:
    """Have the figures that count former consents read again; answers whether there are any."""
    upkeep = Upkeep.objects.get(pk=held.account_id)
    if upkeep.consents_load <= upkeep.figured_load:
        return False
    segments = Segment.objects.filter(account_id=held.account_id, figures_at__isnull=False)
    former = segments.filter(figures_load__lt=upkeep.consents_load, settling_at__isnull=True)
    with transaction.atomic():
        held.check()
        former.update(settling_first=0, settling_row=0, settling_at=clock.now())
        # Those whose moves are on their way are settled at a later load.
        Upkeep.objects.filter(pk=held.account_id).update(figured_load=upkeep.consents_load)
    return True


def _advance(segment: Segment) -> None:
    """How much of what a computation told is digested."""
    if segment.status != Segment.Status.COMPUTING or segment.progress is None:
        return
    first, last = segment.settling_first or 0, segment.settling_row or 0
    waiting = JournalRow.objects.filter(account_id=segment.account_id, id__gte=first, id__lte=last).count()
    whole = last - first + 1
    progress = TOLD + (99 - TOLD) * (whole - min(waiting, whole)) // whole
    if progress > segment.progress:
        Segment.objects.filter(pk=segment.pk, settling_at=segment.settling_at).update(progress=progress)


def remember_size(segment: Segment, *, at: datetime, profiles: int) -> None:
    """Keep a segment's size; of the days before the last two weeks, only the last one of each."""
    slot = to_ms(at) // _HOUR_MS
    _row, new = SegmentSize.objects.update_or_create(
        segment=segment, slot=slot, defaults={"at": at, "profiles": profiles}
    )
    if not new:
        return
    old = SegmentSize.objects.filter(segment=segment, at__lt=at - SIZES_BY_HOUR)
    last_of_days = old.values(day=F("slot") / 24).annotate(last=Max("slot")).values_list("last", flat=True)
    old.exclude(slot__in=list(last_of_days)).delete()
