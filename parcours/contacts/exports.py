"""Contacts as files: what is exported can be imported as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext as _

from parcours.accounts import log
from parcours.accounts.models import Account
from parcours.contacts import queries
from parcours.contacts.lines import CHANNELS
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.problems import Fault, Invalid

KINDS = ("csv", "ndjson")
_AT_ONCE = 2_000
_FIELDS = (
    "id",
    "external_id",
    "email",
    "phone",
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "country",
    "city",
)
_CONSENTS = tuple(f"consents.{channel}" for channel in CHANNELS)
_ENDS = ("created_at", "updated_at", "last_seen_at")
_ATTRIBUTE = "attributes."


def columns_of(account_id: int) -> list[str]:
    """Every column that contacts can be exported with, in their order."""
    names = (f"{_ATTRIBUTE}{name}" for name in queries.attribute_types(account_id))
    return [*_FIELDS, *_CONSENTS, "lists", "tags", *names, *_ENDS]


def contacts(
    request: HttpRequest,
    ids: Sequence[int],
    *,
    account: Account,
    kind: str,
    columns: Sequence[str] = (),
) -> StreamingHttpResponse:
    """Contacts in the order of their ids, as "csv" or "ndjson"; of a CSV file, those columns alone when some are named.

    Raises Invalid for a kind or a column that there is not.
    """
    known = columns_of(account.pk)
    faults = []
    if kind not in KINDS:
        faults.append(Fault(pointer="/format", detail=_("A format is csv or ndjson.")))
    unknown = [column for column in columns if column not in known]
    if unknown:
        detail = _("There is no column “%(name)s”.") % {"name": unknown[0][:100]}
        faults.append(Fault(pointer="/columns", detail=detail))
    if faults:
        raise Invalid(" ".join(fault["detail"] for fault in faults), faults)
    log.note(request.actor, "contacts.exported", f"{len(ids)} ({kind})")  # type: ignore[attr-defined]
    people = _people(ids)
    if kind == "ndjson":
        lines = (json.dumps(person, ensure_ascii=False).encode() + b"\n" for person in people)
        return streamed(request, lines, content_type="application/x-ndjson", filename="contacts.ndjson")
    header = [column for column in known if column in set(columns)] if columns else known
    rows = ([_cell(person, column) for column in header] for person in people)
    return streamed(
        request, csv_lines(header, rows), content_type="text/csv; charset=utf-8", filename="contacts.csv"
    )


def _people(ids: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Read some at a time, so that no cursor stays open while a slow reader takes the file."""
    for first in range(0, len(ids), _AT_ONCE):
        yield from queries.described(list(ids[first : first + _AT_ONCE]))


def _cell(person: dict[str, Any], column: str) -> Any:
    if column.startswith(_ATTRIBUTE):
        return _plain(person["attributes"].get(column.removeprefix(_ATTRIBUTE)))
    if column in _CONSENTS:
        return person["consents"][column.partition(".")[2]]
    return _plain(person[column])


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(_plain(element)) for element in value)
    return value
