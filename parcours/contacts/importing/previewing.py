"""What an import would do, before it does anything: on its first lines, or on all of them."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import translation

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts.batch import Batch
from parcours.contacts.importing import columns, reading, uploads
from parcours.contacts.importing.actions import Options
from parcours.contacts.importing.columns import LineReader
from parcours.contacts.importing.formats import CSV, Format
from parcours.contacts.importing.models import Import
from parcours.contacts.importing.reading import Chunk
from parcours.contacts.importing.refusals import Columns
from parcours.contacts.lines import KEYS
from parcours.contacts.person import Person
from parcours.contacts.rows import Source
from parcours.contacts.upserting import upsert_into
from parcours.lib import clock
from parcours.lib.instants import to_ms

KIND = "contacts.import.check"
SAMPLE = 1_000
_EXAMPLES = 5
_TOLD = 100


@dataclass(slots=True)
class Example:
    """A contact as the import would leave them: who it is, and what would change, as (field, before, after)."""

    who: str
    new: bool
    changes: list[tuple[str, Any, Any]]


@dataclass(slots=True)
class Preview:
    """What would become of some lines."""

    lines: int = 0
    created: int = 0
    updated: int = 0
    same: int = 0  # contacts known already, of whom the lines say nothing new
    kept_opted_out: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)
    refused_count: int = 0
    examples: list[Example] = field(default_factory=list)
    new_attributes: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As the job of a check keeps it."""
        return {
            "lines": self.lines,
            "created": self.created,
            "updated": self.updated,
            "same": self.same,
            "kept_opted_out": self.kept_opted_out,
            "refused_count": self.refused_count,
        }


class Previewer:
    """Looks at the chunks of a file one after the other; nothing is written."""

    def __init__(self, account: Account, found: Format, options: Options) -> None:
        self._account, self._found, self._options = account, found, options
        self._columns = Columns(found)
        self._seen = _Seen()
        self.preview = Preview()

    def look(self, chunk: Chunk) -> None:
        """Add to the preview what would become of a chunk."""
        told = self.preview
        with transaction.atomic():
            batch = Batch(
                self._account,
                source=Source("preview"),
                now_ms=to_ms(clock.now()),
                resubscribe=self._options.resubscribe,
                cells=self._found.kind == CSV,
                key=self._options.key,
            )
            batch.types.update(self._found.types)
            lines = LineReader(
                self._found.fields, types=batch.types, decimal=self._found.decimal, dates=self._found.dates
            )
            given = [
                columns.with_defaults(
                    lines.line(row) if self._found.kind == CSV else row,
                    lists=self._options.lists,
                    consents=self._options.consents,
                    tags=self._options.tags,
                )
                for row in chunk.rows
            ]
            outcome = upsert_into(batch, given, write=False)
        refused = [(each.number, each.reason) for each in chunk.unreadable]
        refused += [(chunk.numbers[each.index], self._columns.reason(each)) for each in outcome.refused]
        told.lines += chunk.count
        told.refused_count += len(refused)
        told.refused = sorted([*told.refused, *refused])[:_TOLD]
        told.kept_opted_out += len(outcome.kept_opted_out)
        told.new_attributes.update(batch.new_types)
        for person in batch.order.values():
            self._count(person)

    def _count(self, person: Person) -> None:
        told = self.preview
        changes = _changes(person)
        if person.new and self._seen.add(person.values[key] for key in KEYS):
            told.created += 1
        elif person.new or changes:
            told.updated += 1
        else:
            told.same += 1
            return
        if sum(each.new == person.new for each in told.examples) < _EXAMPLES:
            who = person.values["email"] or person.values["phone"] or person.values["external_id"]
            told.examples.append(Example(str(who), person.new, changes))


def _changes(person: Person) -> list[tuple[str, Any, Any]]:
    before = person.before()
    names = before if not person.new else [name for name in person.values if person.values[name] is not None]
    found = [(name, before.get(name), person.value(name)) for name in names if name != "created_at"]
    if person.new:
        found += [(f"attributes.{name}", None, value) for name, value in person.attributes.items()]
    former = ["pending"] * len(person.consents) if person.new else person.original_consents()
    for (channel, value), old in zip(person.consents.items(), former, strict=True):
        if value != old:
            found.append((f"consents.{channel}", old, value))
    if person.tags:
        found.append(("tags", None, person.tags))
    if person.lists:
        found.append(("lists", None, [str(each) for each in person.lists]))
    return found


class _Seen:
    """The new contacts met so far, on the disk rather than in memory, so that a file of millions costs no more."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("")
        self._database.execute("CREATE TABLE seen (mark BLOB PRIMARY KEY) WITHOUT ROWID")

    def add(self, keys: Iterable[Any]) -> bool:
        """Note somebody by their keys; answers whether none of these was met before."""
        new = True
        for place, key in enumerate(keys):
            if key is not None:
                mark = hashlib.blake2b(f"{place}:{key}".encode(), digest_size=10).digest()
                found = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", [mark])
                new = new and found.rowcount == 1
        return new


def of_sample(imported: Import, found: Format, options: Options) -> Preview:
    """What would become of the first thousand lines."""
    previewer = Previewer(imported.account, found, options)
    for chunk in reading.chunks(uploads.folder() / imported.path, found, size=SAMPLE):
        previewer.look(chunk)
        break
    return previewer.preview


def start(imported: Import, found: Format, options: Options) -> Job:
    """Let the work process look at the whole file."""
    parameters = {
        "import": imported.pk,
        "format": found.as_json(),
        "options": options.as_json(),
        "language": translation.get_language() or "en",
    }
    return jobs.enqueue(imported.account, KIND, parameters, total_bytes=imported.bytes)


def run(running: jobs.Running) -> None:
    """Look at a whole file; killed, it begins anew, since it writes nothing."""
    job = running.job
    imported = Import.objects.get(pk=job.parameters["import"])
    found, options = Format(**job.parameters["format"]), Options.read(job.parameters["options"])
    with translation.override(job.parameters["language"]):
        previewer = Previewer(imported.account, found, options)
        for chunk in reading.chunks(uploads.folder() / imported.path, found):
            previewer.look(chunk)
            told = previewer.preview
            refused = [{"line": line, "reason": why} for line, why in told.refused]
            with transaction.atomic():
                running.advance(
                    bytes_done=chunk.position,
                    result=told.as_json() | {"refused": refused},
                    done_lines=told.lines,
                )
