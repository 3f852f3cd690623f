"""Chunks of a file taken in: with how far the import is, and what undoing it would need, in the same transaction.

While some are written, a thread reads those that follow: the database's work and Python's take about as long.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction
from django.utils import translation

from parcours.accounts import jobs
from parcours.contacts import definitions, queries
from parcours.contacts.batch import Batch
from parcours.contacts.importing import columns, fresh, keeping, refusals
from parcours.contacts.importing.ahead import Ahead
from parcours.contacts.importing.columns import LineReader
from parcours.contacts.importing.formats import CSV, Format
from parcours.contacts.importing.fresh import Everyone
from parcours.contacts.importing.keeping import Refused
from parcours.contacts.importing.models import Import
from parcours.contacts.importing.reading import Chunk
from parcours.contacts.importing.sheets import Cells, SheetReader
from parcours.contacts.lines import Reader, clean_tags
from parcours.contacts.rows import Source
from parcours.contacts.upserting import upsert_into
from parcours.lib import clock, crashpoints
from parcours.lib.instants import to_ms

if TYPE_CHECKING:
    from parcours.contacts.importing.actions import Options


#: Chunks read ahead: some megabytes each.
_AHEAD = 3
#: How long a transaction may go on before it takes no further chunk: others wait for it, on SQLite all who write. Keys
#: come in any order, so that each transaction changes pages all over their indexes: few large ones write each page
#: fewer times than many small ones.
_LONGEST_SECONDS = 0.4


class Read(NamedTuple):
    """A chunk, with its cells as they were read before its transaction, and by what."""

    chunk: Chunk
    reader: SheetReader | None
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
        self._columns = refusals.Columns(found)
        self._lines: LineReader | None = None
        self._sheets: SheetReader | None = None

    def ahead(self, chunks: Iterator[Chunk]) -> Ahead[Read]:
        """The chunks, read by a thread: what `take` takes."""
        self._learn()
        return Ahead(self._reads(chunks, translation.get_language()), most=_AHEAD)

    def _reads(self, chunks: Iterator[Chunk], language: str | None) -> Generator[Read]:
        with translation.override(language):
            for chunk in chunks:
                yield self._read(chunk)

    def _read(self, chunk: Chunk) -> Read:
        reader = self._sheets
        return Read(chunk, reader, reader.read(chunk.rows) if reader else None)

    def take(self, reads: Ahead[Read], result: dict[str, Any]) -> bool:
        """Take the next chunks, in one transaction those that are read by then, and add to `result` what became of
        them; answers whether there were any.
        """
        read = reads.next()
        if read is None:
            return False
        with transaction.atomic():
            until = time.monotonic() + _LONGEST_SECONDS
            while read is not None:
                self._take(read, result)
                read = reads.next(wait=False) if time.monotonic() < until else None
        return True

    def _take(self, read: Read, result: dict[str, Any]) -> None:
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
            refused.append(Refused(chunk.numbers[index], self._columns.reason(each), raw))
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
        if self._sheets is not None and self._sheets.types == types:
            return
        self._lines = LineReader(
            self._found.fields, types=types, decimal=self._found.decimal, dates=self._found.dates
        )
        self._sheets = SheetReader(
            self._lines,
            Reader(country=self._account.country, zone=self._account.timezone),
            types=types,
            key=self._options.key,
            now_ms=lambda: to_ms(clock.now()),
        )

    def _declare(self) -> None:
        """The attributes to which the import gives a type."""
        if self._sheets is None:
            for name, kind in self._found.types.items():
                definitions.declare_attribute(
                    account_id=self._account.pk, name=name, type=kind, now=clock.now()
                )

    def _line(self, row: Any) -> dict[str, Any]:
        line = row if self._lines is None else self._lines.line(row)
        return columns.with_defaults(
            line, lists=self._options.lists, consents=self._options.consents, tags=self._tags
        )
