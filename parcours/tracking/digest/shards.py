"""Who digests a shard: one worker at a time, by a lease; a stale worker's commit finds another fence and fails."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection, transaction

from parcours.lib import leases
from parcours.lib.clock import machine_ms


class Stale(Exception):
    """Another worker has taken the shard: what is under way must not be committed."""


@dataclass(slots=True)
class Held:
    """A shard in this worker's hands."""

    shard: int
    fence: int
    collector_upto: int

    def commit_check(self, *, collector_upto: int | None = None) -> None:
        """To be called in each transaction: renews the lease. Raises Stale when the shard is another's."""
        upto = self.collector_upto if collector_upto is None else collector_upto
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE events_shard SET collector_upto = %s, lease_until = %s WHERE id = %s AND fence = %s",
                [upto, leases.until(), self.shard, self.fence],
            )
            if cursor.rowcount != 1:
                raise Stale(f"Shard {self.shard} was taken by another worker.")


def claim(shard: int) -> Held | None:
    """Take a shard that is nobody's, a dead worker's, or whose lease has run out; None when it is another's."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT worker, lease_until FROM events_shard WHERE id = %s", [shard])
        found = cursor.fetchone()
        if found is not None and _is_anothers(*found):
            return None
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_shard (id, collector_upto, worker, lease_until, fence)"
            " VALUES (%s, 0, '', 0, 0) ON CONFLICT DO NOTHING",
            [shard],
        )
        lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
        cursor.execute(
            f"SELECT collector_upto, worker, lease_until, fence FROM events_shard WHERE id = %s{lock}",
            [shard],
        )
        upto, worker, lease_until, fence = cursor.fetchone()
        if _is_anothers(worker, lease_until):
            return None
        cursor.execute(
            "UPDATE events_shard SET worker = %s, lease_until = %s, fence = %s WHERE id = %s",
            [leases.me(), leases.until(), fence + 1, shard],
        )
    return Held(shard=shard, fence=fence + 1, collector_upto=upto)


def _is_anothers(worker: str, lease_until: int) -> bool:
    return worker not in ("", leases.me()) and lease_until > machine_ms() and not leases.is_dead(worker)
