"""The digest of one shard: finish what was composed, then compose, store and tell what came since."""

from __future__ import annotations

import threading

import structlog
from django.conf import settings
from django.db import transaction

from parcours.events import journal
from parcours.events.models import Load
from parcours.events.store import loads
from parcours.lib import clock
from parcours.lib.crashpoints import point
from parcours.tracking import fanout
from parcours.tracking.digest import compose
from parcours.tracking.digest.compose import Composed
from parcours.tracking.digest.shards import Held, Stale, claim

log = structlog.get_logger(__name__)


class Digest:
    """Digests the shards that it can claim. Not for several threads at once."""

    def __init__(self) -> None:
        self._held: dict[int, Held] = {}
        self._collected: journal.CollectorJournal | None = None

    def round(self) -> bool:
        """Digest about one load of each shard; answers whether there was anything."""
        busy = False
        for shard in range(settings.SHARDS):
            try:
                busy |= self._round(shard)
            except Stale:
                log.warning("digest lost its shard", shard=shard)
                self._held.pop(shard, None)
            except BaseException:
                # What is in the database decides again: nothing remembered here may outlive a failure.
                self._held.pop(shard, None)
                raise
        return busy

    def _round(self, shard: int) -> bool:
        if self._collected is None:
            self._collected = journal.open_collector_journal()
        held = self._held.get(shard)
        if held is None:
            held = claim(shard)
            if held is None:
                return False
            self._held[shard] = held
            self._collected.trim(held.collector_upto, shard=shard)
            self._finish(held)
        taken = compose.read(held, self._collected)
        if taken is None:
            return False
        composed = compose.compose(held, taken, now=clock.now())
        if taken.collector_rows:
            self._collected.trim(held.collector_upto, shard=shard)
            point("digest.trimmed")
        for each in composed:
            self._store_and_tell(held, each)
        return True

    def _finish(self, held: Held) -> None:
        """Loads that were composed, and perhaps stored, by a worker that died."""
        for load in Load.objects.filter(shard=held.shard).exclude(status=Load.Status.DONE).order_by("id"):
            self._store_and_tell(held, compose.reopen(load), again=True)

    def _store_and_tell(self, held: Held, composed: Composed, *, again: bool = False) -> None:
        load = composed.load
        if load.status == Load.Status.COMPOSED:
            loads.insert(load, again=again, body=composed.body)
            point("digest.inserted")
            with transaction.atomic():
                held.commit_check()
                load.status = Load.Status.STORED
                load.save(update_fields=["status"])
            point("digest.stored")
        prepared = [(listener, listener.prepare(composed.batch)) for listener in fanout.listeners()]
        point("digest.prepared")
        with transaction.atomic():
            held.commit_check()
            for listener, found in prepared:
                listener.apply(composed.batch, found)
            load.status, load.done_at, load.body = Load.Status.DONE, clock.now(), None
            load.save(update_fields=["status", "done_at", "body"])
            point("digest.before_done")
        point("digest.done")


_digest: Digest | None = None
_lock = threading.Lock()


def round() -> bool:
    """One round of this process's digest."""
    global _digest  # noqa: PLW0603 - the claims of this process, made at its first round
    with _lock:
        _digest = _digest or Digest()
        return _digest.round()
