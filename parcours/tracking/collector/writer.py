"""Group commit: every request that waits shares the next commit, and is answered once it is on disk."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Iterable, Sequence

import structlog

from parcours.events import journal
from parcours.lib.crashpoints import point

log = structlog.get_logger(__name__)

#: What may wait for the disk, in bytes; past it, callers are asked to come back later.
MOST_WAITING = 64 * 1024 * 1024


class Full(Exception):
    """Nothing more can be kept now: the queue is full, or the disk failed."""


class _Waiting:
    """The encoded calls of one request, and who waits for them."""

    __slots__ = ("account_id", "answer", "loop", "parts", "received", "size")

    def __init__(self, account_id: int, parts: list[bytes], received: int) -> None:
        self.account_id = account_id
        self.parts = parts
        self.received = received
        self.size = sum(map(len, parts)) + 200
        self.loop = asyncio.get_running_loop()
        self.answer: asyncio.Future[None] = self.loop.create_future()


class Writer:
    """One thread that commits all that waits, again and again."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._thread: threading.Thread | None = None

    @property
    def waiting_bytes(self) -> int:
        """What waits for the disk now."""
        return self._waiting_bytes

    async def keep(self, *, account_id: int, parts: list[bytes], received: int) -> None:
        """Return once the encoded entries are on disk. Raises Full when they cannot be kept."""
        if self._waiting_bytes > MOST_WAITING:
            raise Full
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="collector-writer", daemon=True)
            self._thread.start()
        waiting = _Waiting(account_id, parts, received)
        self._waiting_bytes += waiting.size
        self._queue.put(waiting)
        try:
            await waiting.answer
        finally:
            self._waiting_bytes -= waiting.size

    def stop(self) -> None:
        """Commit what waits, then end the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        collected: journal.CollectorJournal | None = None
        stopping = False
        while not stopping:
            group = [self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get())
            stopping = group[-1] is None
            requests = [waiting for waiting in group if waiting is not None]
            if not requests:
                continue
            failure: Exception | None = None
            try:
                if collected is None:
                    collected = journal.open_collector_journal(writer=True)
                collected.append_many(rows_of(requests))
                point("collector.committed")
            except Exception as error:
                log.exception("collector could not keep calls", requests=len(requests))
                failure = error
            _answer(requests, failure)
        if collected is not None:
            collected.close()


def rows_of(requests: Sequence[_Waiting]) -> list[journal.NewRow]:
    """One journal row for each account, holding the calls of all its requests in their order of arrival."""
    accounts: dict[int, list[_Waiting]] = {}
    for waiting in requests:
        accounts.setdefault(waiting.account_id, []).append(waiting)
    rows: list[journal.NewRow] = []
    for account_id, theirs in accounts.items():
        parts = [part for waiting in theirs for part in waiting.parts]
        shard = journal.shard_of(account_id)
        for start in range(0, len(parts), journal.MOST_ENTRIES):
            some = parts[start : start + journal.MOST_ENTRIES]
            body = journal.encode_parts(some)
            rows.append((account_id, shard, len(some), theirs[0].received, body))
    return rows


def _answer(requests: Iterable[_Waiting], failure: Exception | None) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Waiting]] = {}
    for waiting in requests:
        loops.setdefault(waiting.loop, []).append(waiting)
    for loop, theirs in loops.items():
        loop.call_soon_threadsafe(_resolve, theirs, failure)


def _resolve(requests: list[_Waiting], failure: Exception | None) -> None:
    for waiting in requests:
        if waiting.answer.done():
            continue
        if failure is None:
            waiting.answer.set_result(None)
        else:
            waiting.answer.set_exception(Full())
