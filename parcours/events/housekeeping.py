"""What the journal and the store can forget, done now and then by the digest's worker.

Nothing that counts in any answer is forgotten: only what was needed to take events in once, and the earlier states
of contacts that no recent answer reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models import Max

from parcours.events.models import Load
from parcours.events.store.client import patiently, writer
from parcours.lib import clock
from parcours.lib.instants import to_ms

MESSAGES_REMEMBERED = timedelta(days=7)
"""The same message id sent again within this time counts once."""

ANSWERS_REMEMBERED = timedelta(days=2)
"""The `as_of` of an answer can be read again for this long."""

#: Hashes that begin with a byte come before these.
_AFTER = [*(bytes([first]) for first in range(1, 256)), b"\xff" * 17]
_FIRST_AFTER_SECONDS, _EVERY_SECONDS = 600.0, 6 * 3600.0


def forget_messages(now: datetime) -> int:
    """Forget message ids older than seven days, but those of imported history; answers how many."""
    forgotten, account_id = 0, -1
    limit = to_ms(now - MESSAGES_REMEMBERED)
    with connection.cursor() as cursor:
        while (account_id := _next_account(cursor, account_id)) >= 0:
            # A slice at a time, so that nobody waits long for the database's one writer. An index by age would
            # spare this reading, now and then; it would cost each event more.
            for first in range(256):
                cursor.execute(
                    "DELETE FROM events_seenmessage WHERE account_id = %s AND hash >= %s AND hash < %s"
                    " AND received_at < %s AND NOT forever",
                    [account_id, bytes([first]), _AFTER[first], limit],
                )
                forgotten += cursor.rowcount
    return forgotten


def _next_account(cursor: CursorWrapper, after: int) -> int:
    cursor.execute("SELECT min(account_id) FROM events_seenmessage WHERE account_id > %s", [after])
    found: int | None = cursor.fetchone()[0]
    return -1 if found is None else found


def forget_loads(now: datetime) -> int:
    """Forget loads done long ago, but the last of each account; empty the bodies that done loads still hold."""
    done = Load.objects.filter(status=Load.Status.DONE)
    done.filter(body__isnull=False).update(body=None)
    last = Load.objects.values("account_id").annotate(last=Max("id")).values("last")
    return done.filter(done_at__lt=now - ANSWERS_REMEMBERED).exclude(id__in=last).delete()[0]


def forget_profiles(now: datetime) -> None:
    """Forget, in the store, the states of contacts that a later state had replaced before any recent answer."""
    for account_id, load in _settled(now):
        bound = {"account": account_id, "load": load}
        patiently(
            lambda bound=bound: writer().command(  # type: ignore[misc]
                "ALTER TABLE profiles DELETE WHERE account = {account:UInt32} AND load < {load:UInt64}"
                " AND (contact, load) NOT IN (SELECT contact, max(load) FROM profiles"
                " WHERE account = {account:UInt32} AND load <= {load:UInt64} GROUP BY contact)",
                parameters=bound,
                settings={"mutations_sync": "1"},
            )
        )


def _settled(now: datetime) -> list[tuple[int, int]]:
    """For each account, the last load that every recent answer reads."""
    done = Load.objects.filter(status=Load.Status.DONE, done_at__lt=now - ANSWERS_REMEMBERED)
    return list(done.values("account_id").annotate(last=Max("id")).values_list("account_id", "last"))


_forgetters: list[Callable[[datetime], object]] = []


def register(forget: Callable[[datetime], object]) -> None:
    """Have something else forgotten now and then; packages call it when they start. It is given the product's now."""
    if forget not in _forgetters:
        _forgetters.append(forget)


_due = 0.0


def round() -> bool:
    """A kind of work: everything below, every six hours of this process, from ten minutes after its start."""
    global _due  # noqa: PLW0603 - when this process last did it
    _due = _due or time.monotonic() + _FIRST_AFTER_SECONDS
    if time.monotonic() < _due:
        return False
    _due = time.monotonic() + _EVERY_SECONDS
    run(clock.now())
    return True


def run(now: datetime) -> None:
    """All of it, in an order that keeps `_settled` right: profiles before the loads that date them."""
    forget_messages(now)
    forget_profiles(now)
    forget_loads(now)
    for forget in _forgetters:
        forget(now)
