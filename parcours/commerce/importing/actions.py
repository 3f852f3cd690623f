"""Imports of orders, deals and products: started by the API, the pages or the command line; done by a job that a kill
only delays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.commerce.importing import reading
from parcours.commerce.importing.kinds import KINDS, Kind
from parcours.contacts.importing import uploads
from parcours.contacts.importing.formats import CSV, NDJSON, Format
from parcours.contacts.importing.reading import Chunk, chunks
from parcours.lib import clock, crashpoints
from parcours.lib.problems import Invalid

_AT_ONCE = 1_000
_JSON = frozenset(f"application/{name}" for name in ("json", "jsonl", "x-jsonlines", "ndjson", "x-ndjson"))
_ENDINGS = {".csv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".json": NDJSON}


def kind_of(content_type: str, filename: str) -> str | None:
    """What a sender says that the file is; None when that says nothing."""
    said = content_type.partition(";")[0].strip().lower()
    if said in ("text/csv", "application/csv"):
        return CSV
    if said in _JSON:
        return NDJSON
    return _ENDINGS.get(Path(filename.removesuffix(".gz")).suffix.lower())


def start(
    what: Kind,
    account: Account,
    chunks: Iterable[bytes],
    *,
    history: bool = False,
    content_type: str = "",
    filename: str = "",
) -> Job:
    """Keep the file and let the work process import it. Raises Invalid when nothing of it could be imported."""
    path = uploads.save(chunks)
    try:
        found = reading.find_format(path, what, kind=kind_of(content_type, filename))
        parameters = {
            "path": path.name,
            "format": found.as_json(),
            "history": history,
            "filename": filename[:200],
            "language": translation.get_language() or "en",
        }
        return jobs.enqueue(account, what.job, parameters, total_bytes=path.stat().st_size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def runner(what: Kind) -> Callable[[jobs.Running], None]:
    """The runner of a kind's jobs."""

    def run(running: jobs.Running) -> None:
        _run(what, running)

    return run


def _run(what: Kind, running: jobs.Running) -> None:
    """Import a file, a thousand lines in a transaction, each of which also says how far the import is."""
    job = running.job
    result: dict[str, Any] = dict(job.result)
    path = uploads.folder() / job.parameters["path"]
    if not result.get("complete"):
        found = Format(**job.parameters["format"])
        result.setdefault("columns", dict(zip(found.headers, found.fields, strict=True)))
        with translation.override(job.parameters["language"]):
            try:
                for chunk in chunks(path, found, skip=job.done_lines, size=_AT_ONCE):
                    _take(what, running, chunk, found, result)
                    crashpoints.point("import.batch")
            except FileNotFoundError as error:
                detail = _("The file sent is gone from the server: send it again.")
                raise Invalid(detail, [{"pointer": "", "detail": detail}]) from error
        result["complete"] = True
        with transaction.atomic():
            running.advance(result=result, bytes_done=job.total_bytes)
        crashpoints.point("import.complete")
    path.unlink(missing_ok=True)


def _take(what: Kind, running: jobs.Running, chunk: Chunk, found: Format, result: dict[str, Any]) -> None:
    read = reading.read(chunk, what, found)
    with transaction.atomic():
        taken = what.take(
            running.job.account,
            read.lines,
            now=clock.now(),
            history=running.job.parameters["history"],
            sent=running.job.created_at,
        )
        refused = read.refused + [(read.numbers[place], reason) for place, reason in taken.refused]
        result["created"] = result.get("created", 0) + taken.created
        result["updated"] = result.get("updated", 0) + taken.changed
        crashpoints.point("import.uncommitted")
        running.advance(
            accepted=chunk.count - len(refused),
            lines=chunk.count,
            bytes_done=chunk.position,
            refused=[{"line": number, "reason": reason} for number, reason in sorted(refused)],
            result=result,
        )


def register() -> None:
    """Have the jobs of every kind run."""
    for what in KINDS.values():
        jobs.register(what.job, runner(what))
