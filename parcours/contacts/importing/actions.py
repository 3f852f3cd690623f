"""Imports of contacts: started by the API, the pages or the command line; done by a job that a kill only delays."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts import actions, queries
from parcours.contacts.importing import columns, reading, uploads
from parcours.contacts.importing.reading import Format, Record
from parcours.contacts.models import List
from parcours.lib import clock, crashpoints
from parcours.lib.problems import Fault, Invalid

KIND = "contacts.import"
_AT_ONCE = 2_000
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "windows-1252": "Windows-1252"}
_KINDS = {
    "text/csv": reading.CSV,
    "application/csv": reading.CSV,
    "application/x-ndjson": reading.NDJSON,
    "application/ndjson": reading.NDJSON,
    "application/jsonl": reading.NDJSON,
    "application/x-jsonlines": reading.NDJSON,
    "application/json": reading.NDJSON,
}
_ENDINGS = {".csv": reading.CSV, ".ndjson": reading.NDJSON, ".jsonl": reading.NDJSON, ".json": reading.NDJSON}


@dataclass(frozen=True)
class Options:
    """What an import says of everyone in its file, and of itself."""

    lists: list[str] = field(default_factory=list)
    consents: dict[str, str] = field(default_factory=dict)
    source: str = ""
    proof: str = ""
    resubscribe: bool = False


def kind_of(content_type: str, filename: str) -> str | None:
    """What a sender says that the file is; None when that says nothing."""
    ending = Path(filename.removesuffix(".gz")).suffix.lower()
    return _KINDS.get(content_type.partition(";")[0].strip().lower()) or _ENDINGS.get(ending)


def start(
    account: Account,
    chunks: Iterable[bytes],
    *,
    options: Options,
    content_type: str = "",
    filename: str = "",
) -> Job:
    """Keep the file and let the work process import it. Raises Invalid when nothing of it could be imported."""
    _check(account, options)
    path = uploads.save(chunks)
    try:
        names = list(queries.attribute_types(account.pk))
        found = reading.find_format(path, kind=kind_of(content_type, filename), attributes=names)
        parameters = {
            "path": path.name,
            "format": found.as_json(),
            "options": asdict(options),
            "filename": filename[:200],
            "language": translation.get_language() or "en",
        }
        return jobs.enqueue(account, KIND, parameters, total_bytes=path.stat().st_size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check(account: Account, options: Options) -> None:
    faults: list[Fault] = []
    if options.resubscribe and not options.source.strip():
        detail = _("Say where this consent comes from: people who had opted out will be written to again.")
        faults.append({"pointer": "/source", "detail": detail})
    ids = [int(each) for each in options.lists if each.isascii() and each.isdigit() and len(each) < 19]
    if len(set(ids)) != len(set(options.lists)) or (
        List.objects.filter(account=account, pk__in=ids).count() != len(set(ids))
    ):
        faults.append({"pointer": "/list", "detail": _("There is no such list.")})
    if faults:
        raise Invalid(" ".join(fault["detail"] for fault in faults), faults)


def run(running: jobs.Running) -> None:
    """Import a file, some thousands of lines in a transaction, each of which also says how far the import is."""
    job = running.job
    result: dict[str, Any] = dict(job.result)
    path = uploads.folder() / job.parameters["path"]
    if result.get("complete"):
        path.unlink(missing_ok=True)
        return
    found = Format(**job.parameters["format"])
    result.setdefault("encoding", _ENCODINGS.get(found.encoding, "UTF-16"))
    result.setdefault("columns", dict(zip(found.headers, found.fields, strict=True)))
    with translation.override(job.parameters["language"]):
        try:
            rest = itertools.islice(reading.records(path, found), job.done_lines, None)
            while batch := list(itertools.islice(rest, _AT_ONCE)):
                _take(running, batch, result, cells=found.kind == reading.CSV)
                crashpoints.point("import.batch")
        except FileNotFoundError as error:
            detail = _("The file sent is gone from the server: send it again.")
            raise Invalid(detail, [{"pointer": "", "detail": detail}]) from error
    result["complete"] = True
    with transaction.atomic():
        running.advance(result=result, bytes_done=job.total_bytes)
    crashpoints.point("import.complete")
    path.unlink(missing_ok=True)


def _take(running: jobs.Running, batch: Sequence[Record], result: dict[str, Any], *, cells: bool) -> None:
    job = running.job
    options = Options(**job.parameters["options"])
    proof = {"job": str(job.pk), "file": job.parameters["filename"], "proof": options.proof}
    readable = [record for record in batch if record.line is not None]
    lines = [
        columns.with_defaults(record.line or {}, lists=options.lists, consents=options.consents)
        for record in readable
    ]
    with transaction.atomic():
        outcome = actions.upsert_many(
            job.account,
            lines,
            source=options.source.strip() or "import",
            now=clock.now(),
            resubscribe=options.resubscribe,
            proof={name: value for name, value in proof.items() if value},
            cells=cells,
        )
        refused = [(record.number, record.reason) for record in batch if record.line is None]
        refused += [(readable[each.index].number, each.reason) for each in outcome.refused]
        result["created"] = result.get("created", 0) + len(outcome.created)
        result["updated"] = result.get("updated", 0) + len(outcome.changed)
        result["kept_opted_out"] = result.get("kept_opted_out", 0) + len(outcome.kept_opted_out)
        crashpoints.point("import.uncommitted")
        running.advance(
            accepted=len(lines) - len(outcome.refused),
            lines=len(batch),
            bytes_done=batch[-1].position,
            refused=[{"line": number, "reason": reason} for number, reason in sorted(refused)],
            result=result,
        )
