"""Keeps segments: computes those that are due, looks again at contacts whom events moved, and settles figures.

One worker at a time works on an account's segments (`Upkeep`, by lease and fence). What a computation finds is told
in one transaction: killed before it, the former membership stands and the segment is computed again.
"""

from __future__ import annotations

import itertools
import time
from datetime import datetime, timedelta
from datetime import time as hour
from zoneinfo import ZoneInfo

import structlog
from django.db import transaction
from django.db.models import F, Q, QuerySet

from parcours.accounts.models import Account
from parcours.events import journal, watermark
from parcours.events.models import JournalRow
from parcours.events.store import queries
from parcours.events.watermark import Mark, Watermark
from parcours.lib import clock, leases
from parcours.lib.crashpoints import point
from parcours.lib.problems import Invalid
from parcours.segments import compute, names, stirred
from parcours.segments.models import Segment, Stirred, Upkeep

log = structlog.get_logger(__name__)

NIGHT = hour(3)
MOST_ROWS = 50
_LEASE_MS = 120_000
_RETRY_MS = 30_000


class Overtaken(Exception):
    """Another worker took the account over while this one was at work."""


def round() -> bool:
    """One piece of work on the segments of each account that has any."""
    now = clock.now()
    due = _due(now).values_list("account_id", flat=True)
    settling = Segment.objects.filter(settling_at__isnull=False).values_list("account_id", flat=True)
    moved = Stirred.objects.values_list("account_id", flat=True)
    busy = False
    for account_id in sorted({*due.distinct(), *settling.distinct(), *moved.distinct()}):
        busy = _work_on(account_id, now) or busy
    return busy


def _due(now: datetime) -> QuerySet[Segment]:
    return Segment.objects.filter(next_at__lte=now, retry_at__lte=clock.machine_ms()).exclude(
        status=Segment.Status.PAUSED
    )


def _work_on(account_id: int, now: datetime) -> bool:
    fence = _claim(account_id)
    if fence is None:
        return False
    try:
        done = _settle(account_id, fence)
        for segment in list(
            _due(now).filter(account_id=account_id, settling_at=None).select_related("account")
        ):
            _compute(segment, fence)
            done = True
        return _look_again(account_id, fence) or done
    except Overtaken:
        return True
    finally:
        Upkeep.objects.filter(pk=account_id, fence=fence).update(worker="", lease_until=0)


def _claim(account_id: int) -> int | None:
    row, _ = Upkeep.objects.get_or_create(account_id=account_id)
    free = row.lease_until < clock.machine_ms() or leases.is_dead(row.worker)
    if not free:
        return None
    claimed = Upkeep.objects.filter(pk=account_id, fence=row.fence).update(
        worker=leases.me(), lease_until=clock.machine_ms() + _LEASE_MS, fence=F("fence") + 1
    )
    return row.fence + 1 if claimed else None


def _hold(account_id: int, fence: int) -> None:
    """Within a transaction: nobody else has taken the account. Raises Overtaken."""
    held = Upkeep.objects.filter(pk=account_id, fence=fence).update(
        lease_until=clock.machine_ms() + _LEASE_MS
    )
    if not held:
        raise Overtaken


def next_night(account: Account, now: datetime) -> datetime:
    """The next time that it is three in the morning in the account's zone."""
    local = now.astimezone(ZoneInfo(account.timezone))
    day = local.date()
    while True:
        night = datetime.combine(day, NIGHT, tzinfo=ZoneInfo(account.timezone)).astimezone(now.tzinfo)
        if night > now:
            return night
        day += timedelta(days=1)


def _compute(segment: Segment, fence: int) -> None:
    """Compute a segment in full, and tell who entered and who left."""
    started = time.monotonic()
    read = watermark.current(segment.account_id)
    try:
        node = compute.parsed(segment)
        found = compute.moves(segment, node, read)
    except Invalid as refusal:
        _failed(segment, "; ".join(f"{fault['pointer']}: {fault['detail']}" for fault in refusal.errors))
        return
    except Exception as failure:
        log.exception("segment not computed", segment=segment.pk)
        _failed(segment, str(failure)[:1000])
        return
    point("segments.computed")
    with transaction.atomic():
        _hold(segment.account_id, fence)
        row = _tell(segment, found, fence=fence, initial=segment.computed_at is None)
        point("segments.told")
        same = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
        kept = same.exclude(status=Segment.Status.PAUSED).update(
            computed_at=read.as_of,
            duration_ms=int((time.monotonic() - started) * 1000),
            settling_row=row,
            settling_at=clock.now(),
            error="",
            retry_at=0,
        )
        if not kept:  # Edited or paused meanwhile: what was found is of no use.
            transaction.set_rollback(True)
            return
        # One that was refreshed meanwhile is due again.
        same.filter(next_at=segment.next_at).update(next_at=next_night(segment.account, clock.now()))
    point("segments.committed")


def _tell(segment: Segment, found: compute.Moves, *, fence: int, initial: bool) -> int:
    """Append moves to the journal; answers the row that the digest has to pass (0: there was nothing to tell)."""
    told = compute.entries(segment, found, now=clock.now(), computation=fence, initial=initial)
    while chunk := list(itertools.islice(told, journal.MOST_ENTRIES)):
        journal.append(chunk, account_id=segment.account_id)
    if not found:
        return 0
    rows = JournalRow.objects.filter(account_id=segment.account_id).order_by("-id")
    return rows.values_list("id", flat=True).first() or 0


def _failed(segment: Segment, reason: str) -> None:
    Segment.objects.filter(pk=segment.pk).update(error=reason, retry_at=clock.machine_ms() + _RETRY_MS)


def _settle(account_id: int, fence: int) -> bool:
    """Give segments whose changes are digested the figures of the present watermark."""
    done = False
    for segment in list(Segment.objects.filter(account_id=account_id, settling_at__isnull=False)):
        if segment.settling_at is None:
            continue
        told = Mark(account_id=account_id, at=segment.settling_at, collector=0, row=segment.settling_row or 0)
        if told.row and not watermark.passed(told):
            continue
        read = watermark.current(account_id)
        figures = figures_at(segment, read)
        with transaction.atomic():
            _hold(account_id, fence)
            row = Segment.objects.filter(pk=segment.pk, settling_at=segment.settling_at)
            row.update(
                **figures, figures_at=read.as_of, figures_load=read.load, settling_row=None, settling_at=None
            )
            # One that was edited or refreshed meanwhile is due again, and stays computing.
            Segment.objects.filter(
                pk=segment.pk, status=Segment.Status.COMPUTING, next_at__gt=clock.now()
            ).update(status=Segment.Status.UP_TO_DATE)
        done = True
    return done


def figures_at(segment: Segment, read: Watermark) -> dict[str, int]:
    """`profiles`, `email_opt_ins` and `sms_opt_ins` of a segment at a watermark."""
    bound = {"account": segment.account_id, "segment": segment.pk, "load": read.load}
    return queries.run("segment_figures", bound)[0]


def _look_again(account_id: int, fence: int) -> bool:
    """Look again at the contacts whom loads may have moved, in the segments that mention what happened."""
    read = watermark.current(account_id)
    rows = list(
        Stirred.objects.filter(account_id=account_id, load_id__lte=read.load).order_by("pk")[:MOST_ROWS]
    )
    wanted = stirred.by_segment(rows)
    now = clock.now()
    live = Segment.objects.filter(account_id=account_id, pk__in=list(wanted)).exclude(
        Q(status=Segment.Status.PAUSED) | Q(next_at__lte=now)  # One that is due is computed in full anyway.
    )
    segments = list(live.select_related("account"))
    later = {one.pk: wanted[one.pk] for one in segments if one.settling_at is not None}
    if not rows or (later and len(later) == len(segments)):
        return False
    known = names.AccountNames(account_id)
    changed = []
    for segment in segments:
        if segment.pk in later:
            continue
        try:
            node = compute.parsed(segment, known=known)
        except Invalid:  # The computation in full tells what is wrong.
            Segment.objects.filter(pk=segment.pk).update(next_at=now)
            continue
        changed.append((segment, compute.moves(segment, node, read, contacts=sorted(wanted[segment.pk]))))
    point("segments.looked")
    with transaction.atomic():
        _hold(account_id, fence)
        for segment, found in changed:
            row = _tell(segment, found, fence=fence, initial=False)
            same = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
            if not same.exclude(status=Segment.Status.PAUSED).update(
                settling_row=row, settling_at=clock.now()
            ):
                transaction.set_rollback(True)  # Edited or paused meanwhile: looked at again from the start.
                return True
        Stirred.objects.filter(pk__in=[row.pk for row in rows]).delete()
        stirred.keep(account_id=account_id, load_id=read.load, contacts=later)
    point("segments.followed")
    return True
