"""Imports of contacts: started by the API, the pages or the command line; done by a job that a kill only delays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job, User
from parcours.contacts import queries
from parcours.contacts.importing import cells, encodings, formats, reading, uploads
from parcours.contacts.importing.formats import CSV, NDJSON, Format, Said
from parcours.contacts.importing.models import Import
from parcours.contacts.importing.taking import Taker
from parcours.contacts.lines import CHANNELS, NAMED_BY, clean_tags
from parcours.contacts.models import ConsentValue, List
from parcours.contacts.normalise import Unfit, is_date
from parcours.lib import bulk, clock, crashpoints
from parcours.lib.problems import Fault, Invalid

KIND = "contacts.import"
_KINDS = {
    "text/csv": CSV,
    "application/csv": CSV,
    "application/x-ndjson": NDJSON,
    "application/ndjson": NDJSON,
    "application/jsonl": NDJSON,
    "application/x-jsonlines": NDJSON,
    "application/json": NDJSON,
}
_ENDINGS = {".csv": CSV, ".ndjson": NDJSON, ".jsonl": NDJSON, ".json": NDJSON}


@dataclass(frozen=True)
class Options:
    """What an import says of everyone in its file, of the file, and of itself."""

    lists: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    consents: dict[str, str] = field(default_factory=dict)
    source: str = ""
    proof: str = ""
    consented_on: str = ""  # the day on which the consents were given, as told
    resubscribe: bool = False
    key: str = ""  # the one field that tells who is meant; "" for all of them
    mapping: dict[str, str] = field(default_factory=dict)  # header -> field, "" to leave it out
    said: Said = field(default_factory=Said)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, kept: dict[str, Any]) -> Options:
        """As a job keeps them."""
        return cls(**{**kept, "said": Said(**kept.get("said", {}))})


def options_of(said: Mapping[str, Any]) -> Options:
    """Options as the API and the command line say them: texts, where several values are separated by commas.

    Raises Invalid for a mapping that is none.
    """

    def several(name: str) -> list[str]:
        return [each.strip() for each in said.get(name, "").split(",") if each.strip()]

    try:
        mapping = msgspec.json.decode(said.get("mapping") or "{}", type=dict[str, str])
    except msgspec.DecodeError as error:
        raise formats.invalid(_("A mapping is a JSON object of headers and fields."), "/mapping") from error
    return Options(
        lists=several("list"),
        tags=several("tag"),
        consents={channel: value for channel in CHANNELS if (value := said.get(f"consent_{channel}", ""))},
        source=said.get("source", ""),
        proof=said.get("proof", ""),
        consented_on=said.get("consented_on", ""),
        resubscribe=bool(said.get("resubscribe")),
        key=said.get("key", ""),
        mapping=mapping,
        said=Said(
            encoding=said.get("encoding", ""),
            delimiter=said.get("delimiter", ""),
            mend=bool(said.get("mend")),
            decimal=said.get("decimal", ""),
            dates=said.get("dates", ""),
        ),
    )


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
    user: User | None = None,
) -> Job:
    """Keep the file and let the work process import it. Raises Invalid when nothing of it could be imported."""
    check(account, options)
    path = uploads.save(chunks)
    try:
        names = list(queries.attribute_types(account.pk))
        kind = options.said.kind or kind_of(content_type, filename)
        found = formats.find(path, Said(**{**asdict(options.said), "kind": kind}), attributes=names)
        found = formats.mapped(found, options.mapping, attributes=names)
        imported = Import(
            account=account, user=user, filename=filename[:200], path=path.name, bytes=path.stat().st_size
        )
        return enqueue(imported, found, options)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def enqueue(imported: Import, found: Format, options: Options) -> Job:
    """Let the work process import a file that is kept already. Raises Invalid."""
    check(imported.account, options)
    check_key(found, options.key)
    _check_types(imported.account, found)
    parameters = {
        "path": imported.path,
        "format": found.as_json(),
        "options": options.as_json(),
        "filename": imported.filename,
        "language": translation.get_language() or "en",
    }
    with transaction.atomic():
        imported.job = jobs.enqueue(imported.account, KIND, parameters, total_bytes=imported.bytes)
        imported.save()
    return imported.job


def check_key(found: Format, key: str) -> None:
    """Raises Invalid when the one key that decides is in no column."""
    if key and found.kind == CSV and key not in found.fields:
        raise formats.invalid(_("No column holds the key that was chosen."), "/key")


def _check_types(account: Account, found: Format) -> None:
    types = queries.attribute_types(account.pk)
    for name, kind in found.types.items():
        if types.get(name, kind) != kind:
            detail = _("The attribute “%(name)s” exists with another type.") % {"name": name}
            raise formats.invalid(detail, "/mapping")


def check(account: Account, options: Options) -> None:
    """Raises Invalid with all that is wrong with what is said of everyone and of the file."""
    faults: list[Fault] = []

    def fault(pointer: str, detail: str) -> None:
        faults.append({"pointer": pointer, "detail": detail})

    if options.resubscribe and not options.source.strip():
        fault(
            "/source",
            _("Say where this consent comes from: people who had opted out will be written to again."),
        )
    ids = [int(each) for each in options.lists if each.isascii() and each.isdigit() and len(each) < 19]
    if len(set(ids)) != len(set(options.lists)) or (
        List.objects.filter(account=account, pk__in=ids).count() != len(set(ids))
    ):
        fault("/list", _("There is no such list."))
    for channel, value in options.consents.items():
        if channel not in CHANNELS or value not in ConsentValue.values:
            fault(f"/consent_{channel}", _("A consent is opted_in, opted_out or pending."))
    if options.consented_on and not is_date(options.consented_on):
        fault("/consented_on", _("The value is not a date, such as “2026-03-28”."))
    try:
        clean_tags(options.tags)
    except Unfit as error:
        fault("/tag", str(error))
    for pointer, said, known in (
        ("/key", options.key, ("", *NAMED_BY)),
        ("/encoding", options.said.encoding, ("", *encodings.NAMES)),
        ("/decimal", options.said.decimal, ("", *cells.DECIMALS)),
        ("/dates", options.said.dates, ("", *cells.DATES)),
        ("/delimiter", options.said.delimiter, ("", *formats.DELIMITERS)),
        ("/quote", options.said.quote, ("", *formats.QUOTES)),
    ):
        if said not in known:
            fault(
                pointer, _("It is one of: %(values)s.") % {"values": " ".join(each for each in known if each)}
            )
    if faults:
        raise Invalid(" ".join(each["detail"] for each in faults), faults)


def run(running: jobs.Running) -> None:
    """Import a file, some thousands of lines in a transaction, each of which also says how far the import is."""
    job = running.job
    result: dict[str, Any] = dict(job.result)
    path = uploads.folder() / job.parameters["path"]
    if result.get("complete"):
        path.unlink(missing_ok=True)
        return
    found = Format(**job.parameters["format"])
    result.setdefault("began_ms", clock.machine_ms())
    result.setdefault("encoding", encodings.NAMES[found.encoding])
    result.setdefault("columns", dict(zip(found.headers, found.fields, strict=True)))
    result.setdefault("strays", [found.stray, found.strays] if found.strays else None)
    with translation.override(job.parameters["language"]):
        taker = Taker(running, found, Options.read(job.parameters["options"]))
        try:
            chunks = reading.chunks(path, found, skip=job.done_lines)
            with bulk.unmapped(), taker.ahead(chunks) as reads:
                while taker.take(reads, result):
                    crashpoints.point("import.batch")
        except FileNotFoundError as error:
            detail = _("The file sent is gone from the server: send it again.")
            raise Invalid(detail, [{"pointer": "", "detail": detail}]) from error
    result["complete"] = True
    with transaction.atomic():
        running.advance(result=result, bytes_done=job.total_bytes)
    crashpoints.point("import.complete")
    path.unlink(missing_ok=True)
