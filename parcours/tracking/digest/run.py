"""The digest of one shard: finish what was composed, then compose, store and tell what came since.

While the store takes one load in, the next one is composed: loads are told in their order all the same.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait

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
        self._inserting: dict[int, list[tuple[Composed, Future[None]]]] = {}
        self._inserter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="digest-insert")

    def round(self) -> bool:
        """Compose about one load of each shard, and tell the one before; answers whether there was anything."""
        busy = False
        for shard in range(settings.SHARDS):
            try:
                busy |= self._round(shard)
            except Stale:
                log.warning("digest lost its shard", shard=shard)
                self._let_go(shard)
            except BaseException:
                # What is in the database decides again: nothing remembered here may outlive a failure.
                self._let_go(shard)
                raise
        return busy

    def _let_go(self, shard: int) -> None:
        self._held.pop(shard, None)
        wait([inserted for _, inserted in self._inserting.pop(shard, [])])

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
        composed = [] if taken is None else compose.compose(held, taken, now=clock.now())
        if taken is not None and taken.collector_rows:
            self._collected.trim(held.collector_upto, shard=shard)
            point("digest.trimmed")
        before = self._inserting.pop(shard, [])
        self._inserting[shard] = [(each, self._insert(each)) for each in composed]
        for each, inserted in before:
            inserted.result()
            self._stored(held, each)
            self._tell(held, each)
        return bool(composed or before)

    def _insert(self, composed: Composed) -> Future[None]:
        load = composed.load
        # The rows are made here, not beside: two threads that both compute only take turns.
        found = loads.tables(composed.body, account_id=load.account_id, load_id=load.pk)
        return self._inserter.submit(loads.insert, load, again=False, found=found)

    def _finish(self, held: Held) -> None:
        """Loads that were composed, and perhaps stored, by a worker that died."""
        for load in Load.objects.filter(shard=held.shard).exclude(status=Load.Status.DONE).order_by("id"):
            composed = compose.reopen(load)
            if load.status == Load.Status.COMPOSED:
                loads.insert(load)
                self._stored(held, composed)
            self._tell(held, composed)

    def _stored(self, held: Held, composed: Composed) -> None:
        point("digest.inserted")
        with transaction.atomic():
            held.commit_check()
            composed.load.status = Load.Status.STORED
            composed.load.save(update_fields=["status"])
        point("digest.stored")

    def _tell(self, held: Held, composed: Composed) -> None:
        load = composed.load
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
