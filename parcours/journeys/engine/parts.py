"""Who works on which share of a journey's contacts: leases on parts, with a fence."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass

from django.db import connection, transaction

from parcours.journeys.models import Journey
from parcours.lib import bulk, leases
from parcours.lib.clock import machine_ms

PARTS = 16
_SEEN_EVERY_MS = 2_000
_GONE_AFTER_MS = 10_000


class StaleClaim(Exception):
    """Another worker has taken the part since, or the journey is no longer active: nothing may be committed."""


@dataclass
class Claim:
    """Parts of a journey held by this worker."""

    journey: int
    numbers: list[int]
    fence: int

    @property
    def whole(self) -> bool:
        """Whether it is all of the journey."""
        return len(self.numbers) == PARTS

    def condition(self) -> tuple[str, list[int]]:
        """SQL that keeps the contacts of these parts, and its values."""
        if self.whole:
            return "", []
        marks = ", ".join(["%s"] * len(self.numbers))
        return f" AND contact_id %% {PARTS} IN ({marks})", self.numbers


@functools.cache
def me() -> str:
    """The name of this process as a worker: it runs one engine."""
    return leases.me()


class _Presence(threading.local):
    said_at = 0
    swept_at = 0.0
    workers = 1


_presence = _Presence()


def workers() -> int:
    """How many engines there are; says now and then that this one is there."""
    now = machine_ms()
    if now - _presence.said_at > _SEEN_EVERY_MS:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO journeys_engineworker (worker, seen_at) VALUES (%s, %s)"
                " ON CONFLICT (worker) DO UPDATE SET seen_at = excluded.seen_at",
                [me(), now],
            )
            cursor.execute("DELETE FROM journeys_engineworker WHERE seen_at < %s", [now - _GONE_AFTER_MS])
            cursor.execute("SELECT worker FROM journeys_engineworker")
            found = [row[0] for row in cursor.fetchall()]
        _presence.workers = max(1, sum(not leases.is_dead(worker) for worker in found))
        _presence.said_at = now
    return _presence.workers


def sweep(*, force: bool = False) -> bool:
    """Every few seconds, free the parts held by dead processes of this machine (those of other machines run out by
    themselves); whether it was time."""
    if not force and time.monotonic() - _presence.swept_at < leases.SWEEP_SECONDS:
        return False
    _presence.swept_at = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT worker FROM journeys_part WHERE lease_until > %s", [machine_ms()])
        dead = [row[0] for row in cursor.fetchall() if leases.is_dead(row[0])]
    if dead:
        among, values = bulk.among("worker", dead)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE journeys_part SET lease_until = 0 WHERE {among}", [values])
    return True


def claim(journey: int) -> Claim | None:
    """Take free parts of an active journey, a fair share of them; None when there is none to take. Committed."""
    now, share = machine_ms(), -(-PARTS // workers())
    skip = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, fence FROM journeys_part WHERE journey_id = %s AND (lease_until <= %s OR worker = %s)"
            f" ORDER BY fence, number LIMIT %s{skip}",
            [journey, now, me(), share],
        )
        found = cursor.fetchall()
        if not found:
            return None
        # Fences grow over the whole journey, so that parts not taken for longest come first.
        cursor.execute("SELECT max(fence) FROM journeys_part WHERE journey_id = %s", [journey])
        taken = Claim(journey, [number for number, _ in found], cursor.fetchone()[0] + 1)
        among, numbers = bulk.among("number", taken.numbers)
        cursor.execute(
            f"UPDATE journeys_part SET worker = %s, lease_until = %s, fence = %s WHERE journey_id = %s AND {among}",
            [me(), leases.until(), taken.fence, journey, numbers],
        )
    return taken


def check(held: Claim, *, release: bool) -> None:
    """In the transaction of a commit: the parts are still ours and the journey active, else StaleClaim.

    The lease is renewed, or ended when `release`.
    """
    lock = " FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT status FROM journeys_journey WHERE id = %s{lock}", [held.journey])
        row = cursor.fetchone()
        if row is None or row[0] != Journey.Status.ACTIVE:
            raise StaleClaim(f"Journey {held.journey} is not active any more.")
        among, numbers = bulk.among("number", held.numbers)
        cursor.execute(
            "UPDATE journeys_part SET lease_until = %s"
            f" WHERE journey_id = %s AND worker = %s AND fence = %s AND {among}",
            [0 if release else leases.until(), held.journey, me(), held.fence, numbers],
        )
        if cursor.rowcount != len(held.numbers):
            raise StaleClaim(f"Another worker has taken parts of journey {held.journey}.")


def let_go(held: Claim) -> None:
    """End the lease without having committed anything; harmless when it was lost."""
    among, numbers = bulk.among("number", held.numbers)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_part SET lease_until = 0"
            f" WHERE journey_id = %s AND worker = %s AND fence = %s AND {among}",
            [held.journey, me(), held.fence, numbers],
        )


def make(journey: int) -> None:
    """The parts of a journey that is activated; those that are there stay."""
    rows = [(journey, number, "", 0, 0) for number in range(PARTS)]
    columns = ("journey_id", "number", "worker", "lease_until", "fence")
    bulk.insert_many("journeys_part", columns, rows, on_conflict="(journey_id, number) DO NOTHING")


def steal(journey: int) -> None:
    """In the caller's transaction: whatever is under way in the journey will not be committed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_part SET lease_until = 0, worker = '', fence = fence + 1 WHERE journey_id = %s",
            [journey],
        )
