"""Until where the event store is complete, and what an answer given earlier read.

An answer holds for one instant, `as_of`, and reads the loads until one, `load`. Each load says until when everything
accepted is in it or in an earlier one (`accepted_upto`, which grows from load to load of an account). `current` gives
an instant before which everything accepted is in loads that are done, and that every later load leaves behind; so
`at` finds the same load for it ever after, and a figure and its list, read one after the other, agree.

The state of the journals is read in the order in which entries move (collector, journal, loads): what moves meanwhile
is seen at least once.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.models import Max, Min, QuerySet
from django.utils.translation import gettext as _

from parcours.events import journal
from parcours.events.models import JournalRow, Load, Shard
from parcours.lib import clock
from parcours.lib.instants import from_ms
from parcours.lib.problems import Invalid

_MS = timedelta(milliseconds=1)
_LONGEST_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class Watermark:
    """What an answer reads: the instant for which it holds, and the last load that counts in it (0: none)."""

    as_of: datetime
    load: int


@dataclass(frozen=True, slots=True)
class Mark:
    """Everything accepted for an account before an instant, as places in the journals."""

    account_id: int
    at: datetime
    collector: int
    row: int


@functools.lru_cache(maxsize=4)
def _reader(_path: Path) -> journal.CollectorJournal:
    return journal.open_collector_journal()


def _collected() -> journal.CollectorJournal:
    return _reader(settings.DATA_DIR)


def _collector_upto(account_id: int) -> int:
    found = (
        Shard.objects.filter(id=journal.shard_of(account_id)).values_list("collector_upto", flat=True).first()
    )
    return found or 0


def _oldest_waiting(account_id: int) -> datetime | None:
    """When the oldest entry of the account that no load holds was written, if there is one."""
    found = [_collected().oldest(account_id=account_id, after_id=_collector_upto(account_id))]
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(created_at) FROM events_journalrow WHERE account_id = %s", [account_id])
        found.append(cursor.fetchone()[0] or 0)
    waiting = [instant for instant in found if instant]
    return from_ms(min(waiting)) if waiting else None


def _open_loads(account_id: int) -> QuerySet[Load]:
    return Load.objects.filter(account_id=account_id).exclude(status=Load.Status.DONE)


def _last_done(account_id: int, *, before: int | None = None, upto: datetime | None = None) -> Load | None:
    done = Load.objects.filter(account_id=account_id, status=Load.Status.DONE)
    if before is not None:
        done = done.filter(id__lt=before)
    if upto is not None:
        done = done.filter(accepted_upto__lte=upto)
    return done.only("id", "accepted_upto").order_by("-accepted_upto", "-id").first()


def current(account_id: int) -> Watermark:
    """The latest watermark: now when everything accepted is digested, else as far as it is."""
    now = clock.now()
    waiting = _oldest_waiting(account_id)
    open_load = _open_loads(account_id).only("id", "accepted_from", "accepted_upto").order_by("id").first()
    done = _last_done(account_id, before=None if open_load is None else open_load.id)
    bounds = [now]
    if waiting is not None:
        bounds.append(waiting - 2 * _MS)
    if open_load is not None:
        bounds.append(open_load.accepted_upto - _MS)
        bounds.append((open_load.accepted_from or open_load.accepted_upto) - _MS)
    as_of = min(bounds)
    if done is None:
        return Watermark(as_of=as_of, load=0)
    return Watermark(as_of=max(as_of, done.accepted_upto), load=done.id)


def at(account_id: int, as_of: datetime) -> Watermark:
    """The watermark of an answer given before, by its `as_of`; one still to come is read as the current one."""
    latest = current(account_id)
    if as_of > max(latest.as_of, clock.now()):
        return latest
    done = _last_done(account_id, upto=as_of)
    return Watermark(as_of=as_of, load=0 if done is None else min(done.id, latest.load))


def asked(account_id: int, as_of: str | None) -> Watermark:
    """The watermark of a reading: that of a recent answer's `as_of`, else the present one. Raises Invalid."""
    if not as_of:
        return current(account_id)
    try:
        instant = datetime.fromisoformat(as_of)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        detail = _("“as_of” is the instant that an answer gave, with its offset.")
        raise Invalid(detail, [{"pointer": "/as_of", "detail": detail}])
    return at(account_id, instant)


def next_upto(account_id: int, upto: datetime, *, accepted_from: datetime | None = None) -> datetime:
    """The `accepted_upto` of a load about to be composed, for what its journals said: `upto`.

    It comes after that of every earlier load, and after the oldest row of its own (`accepted_from`): an answer that
    was given before that row was written must not find this load.
    """
    last = Load.objects.filter(account_id=account_id).aggregate(last=Max("accepted_upto"))["last"]
    bounds = [upto]
    if accepted_from is not None:
        bounds.append(accepted_from + _MS)
    if last is not None:
        bounds.append(last + _MS)
    return max(bounds)


def mark(account_id: int) -> Mark:
    """What is accepted for an account until now; `passed` says when it is all digested."""
    now = clock.now()
    collector = _collected().head(account_id=account_id, after_id=_collector_upto(account_id))
    row = (
        JournalRow.objects.filter(account_id=account_id).order_by("-id").values_list("id", flat=True).first()
    )
    return Mark(account_id=account_id, at=now, collector=collector, row=row or 0)


@dataclass(frozen=True, slots=True)
class Digested:
    """How far an account's journals are in loads that are done, as one reading of the state tells."""

    collector: int
    row: int | None
    """The first entry of the journal that no load holds."""
    open_from: tuple[datetime | None, ...]
    """Since when what the loads under way hold was accepted."""

    def passed(self, mark: Mark) -> bool:
        """Whether everything accepted before a mark is in loads that are done."""
        if mark.collector > self.collector:
            return False
        if mark.row and self.row is not None and self.row <= mark.row:
            return False
        # Loads that hold only what came after the mark need not be waited for.
        return all(since is not None and since > mark.at for since in self.open_from)


def reached(account_id: int) -> Digested:
    """How far an account is digested now, for as many marks as there are."""
    collector = _collector_upto(account_id)
    row = JournalRow.objects.filter(account_id=account_id).aggregate(first=Min("id"))["first"]
    return Digested(collector, row, tuple(_open_loads(account_id).values_list("accepted_from", flat=True)))


def passed(mark: Mark) -> bool:
    """Whether everything accepted before a mark is in loads that are done."""
    return reached(mark.account_id).passed(mark)


def digested(account_id: int) -> bool:
    """Whether everything accepted for an account before this call is in loads that are done."""
    return passed(mark(account_id))


def wait_digested(account_id: int, timeout: float) -> bool:
    """Wait until everything accepted before this call is digested; false when `timeout` seconds were not enough."""
    deadline = time.monotonic() + timeout
    accepted = mark(account_id)
    pause = 0.005
    while not passed(accepted):
        if time.monotonic() + pause > deadline:
            return False
        time.sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.5)
    return True
