"""Imports of events: NDJSON, a line each, streamed to a file and done by a job that a kill only delays.

Each batch of lines is checked, its contacts found or made, and appended to the journal in one transaction, which
also says how far the import is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts import actions as contacts
from parcours.contacts.importing import uploads
from parcours.contacts.lines import NAMED_BY
from parcours.events import catalogue, journal
from parcours.events.entries import Line
from parcours.lib import clock, crashpoints
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.lib.problems import Invalid
from parcours.tracking import deals, identity
from parcours.tracking.names import event_name, names_nobody
from parcours.tracking.reading import read_object
from parcours.tracking.refusals import Reason, Refused, said
from parcours.tracking.times import occurred_ms, parse_ms

KIND = "events.import"
_AT_ONCE = 2_000
_LONGEST_LINE = 256 * 1024
_LONGEST_NAME = 255
_LINKS = frozenset({"journey", "step", "enrolment", "message", "send", "order", "machine"})
_DEAL_KEYS = ("id", "external_id")
_FIELDS = _LINKS | {
    "name",
    "occurred_at",
    "contact",
    "anonymous_id",
    "properties",
    "message_id",
    "deal",
}


@dataclass(slots=True)
class Record:
    """One line of a file: its number from 1, what it holds (None: it is too long), and where it ends."""

    number: int
    raw: bytes | None
    end: int


def start(account: Account, chunks: Iterable[bytes], *, history: bool = False, filename: str = "") -> Job:
    """Keep what is sent and let the work process import it. Raises Invalid for what is no NDJSON at all."""
    path = uploads.save(chunks)
    try:
        size = path.stat().st_size
        if not size:
            detail = _("The file is empty.")
            raise Invalid(detail, [{"pointer": "", "detail": detail}])
        parameters = {
            "path": path.name,
            "history": history,
            "filename": filename[:200],
            "language": translation.get_language() or "en",
        }
        return jobs.enqueue(account, KIND, parameters, total_bytes=size)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def records(path: Path, *, after: int = 0, number: int = 0) -> Iterator[Record]:
    """The lines of a file that are not blank, after `after` bytes and `number` lines."""
    with path.open("rb") as file:
        file.seek(after)
        while line := file.readline(_LONGEST_LINE + 1):
            number += 1
            whole = line.endswith(b"\n") or len(line) <= _LONGEST_LINE
            while not whole:
                rest = file.readline(1 << 20)
                whole = not rest or rest.endswith(b"\n")
                line = b""
            if line == b"":
                yield Record(number, None, file.tell())
            elif line.strip():
                yield Record(number, line, file.tell())


def run(running: jobs.Running) -> None:
    """Import a file, some thousands of lines in a transaction."""
    job = running.job
    result: dict[str, Any] = dict(job.result)
    if result.get("complete"):
        return
    path = uploads.folder() / job.parameters["path"]
    with translation.override(job.parameters["language"]):
        try:
            rest = records(path, after=job.done_bytes, number=result.get("lines", 0))
            while batch := list(itertools.islice(rest, _AT_ONCE)):
                _take(running, batch, result)
                crashpoints.point("import.batch")
        except FileNotFoundError as error:
            detail = _("The file sent is gone from the server: send it again.")
            raise Invalid(detail, [{"pointer": "", "detail": detail}]) from error
    result["complete"] = True
    with transaction.atomic():
        running.advance(result=result, bytes_done=job.total_bytes)
    crashpoints.point("import.complete")
    path.unlink(missing_ok=True)


def _take(running: jobs.Running, batch: Sequence[Record], result: dict[str, Any]) -> None:
    job = running.job
    with transaction.atomic():
        accepted, refused = import_lines(
            job.account,
            batch,
            history=job.parameters["history"],
            received=to_ms(clock.now()),
            sent=job.created_at,
        )
        result["lines"] = batch[-1].number
        crashpoints.point("import.uncommitted")
        running.advance(
            accepted=accepted,
            lines=len(batch),
            bytes_done=batch[-1].end,
            refused=refused,
            result=result,
        )


def import_lines(
    account: Account, batch: Sequence[Record], *, history: bool, received: int, sent: datetime
) -> tuple[int, list[jobs.Refusal]]:
    """Append to the journal the event lines that can be taken, in the caller's transaction. They wait since they were
    `sent`: those of people erased since are refused.

    Answers how many they are, and the others with the reason.
    """
    refused: list[jobs.Refusal] = []
    read: list[tuple[int, Line]] = []
    for record in batch:
        try:
            read.append((record.number, _read(account, record.raw, history=history, received=received)))
        except Refused as error:
            refused.append({"line": record.number, "reason": said(error.reason, error.detail)})
    taken: list[tuple[int, Line]] = []
    read, unknown = _find_deals(account, read)
    refused += unknown
    reasons = _find_contacts(account, [each[1] for each in read], sent=sent)
    for (number, line), reason in zip(read, reasons, strict=True):
        if reason:
            refused.append({"line": number, "reason": reason})
        else:
            taken.append((number, line))
    kept: list[Line] = []
    forms = {line.contact["id"] for _number, line in taken if line.name == "form.submitted" and line.contact}
    able = identity.with_email(account.pk, forms)
    for number, line in taken:
        if line.name == "form.submitted" and not (line.contact and line.contact["id"] in able):
            refused.append({"line": number, "reason": said(Reason.FORM_WITHOUT_EMAIL)})
        else:
            kept.append(line)
    journal.append(kept, account_id=account.pk)
    refused.sort(key=lambda each: each["line"])
    return len(kept), refused


def _read(account: Account, raw: bytes | None, *, history: bool, received: int) -> Line:
    """One line, checked as far as it can be alone. Raises Refused."""
    if raw is None:
        raise Refused(Reason.TOO_LARGE)
    given = read_object(raw)
    for name in given:
        if name not in _FIELDS:
            raise Refused(Reason.UNKNOWN_FIELD, str(name)[:100])
    name = _name(given.get("name"))
    properties = given.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise Refused(Reason.BAD_PROPERTIES, "properties")
    deal = _deal(given.get("deal"))
    message_id = given.get("message_id")
    if type(message_id) is int:
        message_id = str(message_id)
    if message_id is not None and not (isinstance(message_id, str) and len(message_id) <= 255):
        raise Refused(Reason.BAD_ID, "message_id")
    occurred, from_future = occurred_ms(
        timestamp=parse_ms(given.get("occurred_at"), zone=account.timezone, name="occurred_at"),
        sent_at=None,
        received=received,
    )
    properties = properties or {}
    if from_future:
        properties["claimed_timestamp"] = given["occurred_at"]
    contact, anonymous_id = _subject(given, name, properties, alone=deal is None)
    try:
        msgspec.msgpack.encode(properties)
    except OverflowError:
        raise Refused(Reason.NUMBER) from None
    return Line(
        name=name,
        occurred_at=occurred,
        received_at=received,
        message_id=message_id or new_id(),
        contact=contact,
        anonymous_id=anonymous_id,
        properties=properties,
        links={key: given[key] for key in _LINKS & given.keys() if _is_plain(given[key])}
        | ({} if deal is None else {"deal": deal}),
        history=history,
    )


def _deal(given: Any) -> dict[str, str] | None:
    """The keys of a line's deal. Raises Refused."""
    if given is None:
        return None
    if not isinstance(given, dict):
        raise Refused(Reason.BAD_ID, "deal")
    keys = {}
    for key, value in given.items():
        if key not in _DEAL_KEYS:
            raise Refused(Reason.UNKNOWN_FIELD, f"deal.{key}"[:100])
        if isinstance(value, bool) or not isinstance(value, (str, int)) or len(str(value)) > 255:
            raise Refused(Reason.BAD_ID, "deal")
        if str(value).strip():
            keys[key] = str(value).strip()
    if not keys:
        raise Refused(Reason.BAD_ID, "deal")
    return keys


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, bool)) or (isinstance(value, int) and 0 <= value < 2**63)


def _name(given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > _LONGEST_NAME:
        raise Refused(Reason.NO_EVENT)
    name, _extra = event_name(given)
    if catalogue.is_inside(name) or catalogue.refusal(name):
        raise Refused(Reason.UNKNOWN_EVENT, name)
    return given


def _subject(
    given: dict[str, Any], name: str, properties: dict[str, Any], *, alone: bool
) -> tuple[dict[str, Any] | None, str | None]:
    contact, anonymous = given.get("contact"), given.get("anonymous_id")
    if contact is not None and not isinstance(contact, dict):
        raise Refused(Reason.BAD_ID, "contact")
    if anonymous is not None and not (isinstance(anonymous, str) and len(anonymous) <= 255):
        raise Refused(Reason.BAD_ID, "anonymous_id")
    contact = {key: value for key, value in (contact or {}).items() if value not in (None, "")}
    for key in contact:
        if key not in NAMED_BY:
            raise Refused(Reason.UNKNOWN_FIELD, f"contact.{key}"[:100])
    for value in contact.values():
        if not isinstance(value, (str, int)) or isinstance(value, bool):
            raise Refused(Reason.BAD_ID, "contact")
    if not contact and name == "form.submitted" and isinstance(properties.get("email"), str):
        contact = {"email": properties["email"]}
    if alone and not contact and (not anonymous or names_nobody(anonymous)):
        raise Refused(Reason.NO_SUBJECT)
    return contact or None, anonymous


def _find_deals(
    account: Account, lines: list[tuple[int, Line]]
) -> tuple[list[tuple[int, Line]], list[jobs.Refusal]]:
    """Put its deal's id in each line that names one; answers the lines left, and those whose deal is unknown."""
    places: dict[tuple[tuple[str, str], ...], int] = {}
    wanted: list[dict[str, str]] = []
    for _number, line in lines:
        if "deal" in line.links:
            key = tuple(sorted(line.links["deal"].items()))
            if key not in places:
                places[key] = len(wanted)
                wanted.append(line.links["deal"])
    if not wanted:
        return lines, []
    found = deals.keeper().find(account, wanted, now=clock.now())
    left: list[tuple[int, Line]] = []
    refused: list[jobs.Refusal] = []
    for number, line in lines:
        if "deal" in line.links:
            meant = found[places[tuple(sorted(line.links["deal"].items()))]]
            if meant is None:
                refused.append({"line": number, "reason": said(Reason.UNKNOWN_DEAL)})
                continue
            line.links["deal"] = meant
        left.append((number, line))
    return left, refused


def _find_contacts(account: Account, lines: Sequence[Line], *, sent: datetime) -> list[str]:
    """Put its contact's id in each line; for each, why its contact cannot be told, or nothing."""
    places: dict[tuple[tuple[str, Any], ...], int] = {}
    wanted: list[dict[str, Any]] = []
    for line in lines:
        if line.contact:
            key = tuple(sorted(line.contact.items()))
            if key not in places:
                places[key] = len(wanted)
                wanted.append(line.contact)
    if not wanted:
        return [""] * len(lines)
    found = contacts.upsert_many(account, wanted, source="import", now=clock.now(), sent=sent)
    reasons = {refusal.index: refusal.reason for refusal in found.refused}
    answers = []
    for line in lines:
        if not line.contact:
            answers.append("")
            continue
        place = places[tuple(sorted(line.contact.items()))]
        line.contact = {"id": found.contacts[place]}
        answers.append(reasons.get(place, ""))
    return answers
