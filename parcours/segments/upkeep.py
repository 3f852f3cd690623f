"""One worker at a time keeps an account's segments: it claims the account by lease and fence (`Upkeep`)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.db.models import F

from parcours.lib import clock, leases
from parcours.segments.models import Upkeep

_RENEW_SECONDS = max(0.5, leases.LEASE_MS / 3000)


class Overtaken(Exception):
    """Another worker took the account over while this one was at work."""


@dataclass(frozen=True)
class Held:
    """An account in the hands of this worker. `fence` numbers the claim."""

    account_id: int
    fence: int

    def check(self) -> None:
        """Within a transaction: nobody else has taken the account. Renews the lease; raises Overtaken."""
        if not self._update(lease_until=leases.until()):
            raise Overtaken

    def note_consents(self, load: int) -> None:
        """Consents changed until a load: figures of an earlier one are to be read again."""
        self._update(consents_load=load)

    def release(self) -> None:
        """Let others have the account at once."""
        self._update(worker="", lease_until=0)

    def _update(self, **changes: object) -> int:
        return Upkeep.objects.filter(pk=self.account_id, fence=self.fence).update(**changes)


@contextmanager
def hold(account_id: int) -> Iterator[Held | None]:
    """Hold an account for as long as the block takes; None when another worker has it."""
    held = _claim(account_id)
    if held is None:
        yield None
        return
    done = threading.Event()
    keeper = threading.Thread(target=_keep_lease, args=(held, done), daemon=True)
    keeper.start()
    try:
        yield held
    finally:
        done.set()
        keeper.join()
        held.release()


def _claim(account_id: int) -> Held | None:
    row, _ = Upkeep.objects.get_or_create(account_id=account_id)
    if row.lease_until >= clock.machine_ms() and not leases.is_dead(row.worker):
        return None
    claimed = Upkeep.objects.filter(pk=account_id, fence=row.fence).update(
        worker=leases.me(), lease_until=leases.until(), fence=F("fence") + 1
    )
    return Held(account_id, row.fence + 1) if claimed else None


def _keep_lease(held: Held, done: threading.Event) -> None:
    """Renews the lease while one query takes long; the fence says at the end whether that was in time."""
    try:
        while not done.wait(_RENEW_SECONDS):
            try:
                held.check()
            except Overtaken:
                return
            except (OperationalError, InterfaceError):
                close_old_connections()
    finally:
        connection.close()
