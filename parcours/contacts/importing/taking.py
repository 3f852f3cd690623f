"""Chunks of a file taken in: with how far the import is, and what undoing it would need, in the same transaction."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from parcours.accounts import jobs
from parcours.contacts import definitions, queries
from parcours.contacts.batch import Batch
from parcours.contacts.importing import columns, fresh, keeping
from parcours.contacts.importing.columns import LineReader
from parcours.contacts.importing.formats import CSV, Format
from parcours.contacts.importing.fresh import Cells, Everyone, FreshReader
from parcours.contacts.importing.keeping import Refused
from parcours.contacts.importing.models import Import
from parcours.contacts.importing.reading import Chunk
from parcours.contacts.lines import Reader, clean_tags
from parcours.contacts.rows import Source
from parcours.contacts.upserting import upsert_into
from parcours.lib import clock, crashpoints
from parcours.lib.instants import to_ms

if TYPE_CHECKING:
    from parcours.contacts.importing.actions import Options


#: Chunks taken in one transaction. Keys come in any order, so that each transaction changes pages all over their
#: indexes: few large ones write each page fewer times than many small ones.
_TOGETHER = 4
#: How long a transaction may go on before it takes no further chunk: others wait for it, on SQLite all who write.
_LONGEST_SECONDS = 0.75


class _Read(NamedTuple):
    """A chunk, with its cells as they were read before its transaction, and by what."""

    chunk: Chunk
    reader: FreshReader | None
    cells: Cells | None


class Taker:
    """Takes the chunks of one import, one after the other."""

    def __init__(self, running: jobs.Running, found: Format, options: Options) -> None:
        self._running, self._found, self._options = running, found, options
        job = running.job
        self._account = job.account
        self._imported = Import.objects.get(job_id=job.pk)
        proof = {
            "job": str(job.pk),
            "file": job.parameters["filename"],
            "proof": options.proof,
            "date": options.consented_on,
        }
        kept = {name: value for name, value in proof.items() if value}
        self._source = Source(options.source.strip() or "import", kept)
        self._tags = clean_tags(options.tags)
        self._everyone = Everyone(
            lists=[int(each) for each in dict.fromkeys(options.lists)],
            tags=self._tags,
            consents=options.consents,
        )
        self._lines: LineReader | None = None
        self._fresh: FreshReader | None = None

    def take(self, chunks: Iterator[Chunk], result: dict[str, Any]) -> bool:
        """Take the next chunks, and add to `result` what became of them; answers whether there were any."""
        self._learn()
        ready = deque(self._read(chunk) for chunk in islice(chunks, _TOGETHER))
        any_taken = bool(ready)
        while ready:
            with transaction.atomic():
                until = time.monotonic() + _LONGEST_SECONDS
                self._take(ready.popleft(), result)
                while ready and time.monotonic() < until:
                    self._take(ready.popleft(), result)
        return any_taken

    def _read(self, chunk: Chunk) -> _Read:
        reader = self._fresh
        return _Read(chunk, reader, reader.read(chunk.rows) if reader else None)

    def _take(self, read: _Read, result: dict[str, Any]) -> None:
        now = clock.now()
        batch = Batch(
            self._account,
            source=self._source,
            now_ms=to_ms(now),
            resubscribe=self._options.resubscribe,
            cells=self._found.kind == CSV,
            key=self._options.key,
            sent_ms=to_ms(self._imported.created_at),
        )
        if read.reader is not None and batch.types != read.reader.types:
            self._learn()
            read = self._read(read.chunk)
        chunk, cells = read.chunk, read.cells
        taken, fresh_ids = self._put(batch, cells, chunk)
        rest = [index for index, done in enumerate(taken) if not done]
        outcome = upsert_into(batch, [self._line(chunk.rows[index]) for index in rest])
        # Whose a line is that cannot be read, nobody knows: perhaps that of a person erased meanwhile.
        told = batch.sent_ms is None
        refused = [Refused(each.number, each.reason, each.raw if told else "") for each in chunk.unreadable]
        for each in outcome.refused:
            index = rest[each.index]
            raw = "" if each.unsaid else chunk.raw(index)
            refused.append(Refused(chunk.numbers[index], each.reason, raw))
        refused.sort(key=lambda each: each.number)
        created = fresh_ids + outcome.created
        keeping.keep(self._imported, batch, created=created, refused=refused, now_ms=batch.now_ms)
        for name, count in (
            ("created", len(created)),
            ("updated", len(outcome.changed)),
            ("kept_opted_out", len(outcome.kept_opted_out)),
        ):
            result[name] = result.get(name, 0) + count
        crashpoints.point("import.uncommitted")
        self._running.advance(
            accepted=chunk.count - len(refused),
            lines=chunk.count,
            bytes_done=chunk.position,
            refused=[{"line": each.number, "reason": each.reason} for each in refused],
            result=result,
        )

    def _put(self, batch: Batch, cells: Cells | None, chunk: Chunk) -> tuple[list[bool], list[int]]:
        if cells is None:
            return [False] * len(chunk.rows), []
        return fresh.put(batch, cells, self._everyone)

    def _learn(self) -> None:
        """Know the account's attributes as they are now."""
        if self._found.kind != CSV:
            return
        self._declare()
        types = queries.attribute_types(self._account.pk)
        if self._fresh is not None and self._fresh.types == types:
            return
        self._lines = LineReader(
            self._found.fields, types=types, decimal=self._found.decimal, dates=self._found.dates
        )
        self._fresh = FreshReader(
            self._lines,
            Reader(country=self._account.country, zone=self._account.timezone),
            types=types,
            key=self._options.key,
            now_ms=lambda: to_ms(clock.now()),
        )

    def _declare(self) -> None:
        """The attributes to which the import gives a type."""
        if self._fresh is None:
            for name, kind in self._found.types.items():
                definitions.declare_attribute(
                    account_id=self._account.pk, name=name, type=kind, now=clock.now()
                )

    def _line(self, row: Any) -> dict[str, Any]:
        line = row if self._lines is None else self._lines.line(row)
        return columns.with_defaults(
            line, lists=self._options.lists, consents=self._options.consents, tags=self._tags
        )
