"""Contacts as files: what is exported can be imported as it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from parcours.accounts.models import Account
from parcours.contacts import queries
from parcours.contacts.lines import CHANNELS
from parcours.contacts.models import Contact
from parcours.lib.exports import csv_lines, streamed

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
_ENDS = ("created_at", "updated_at", "last_seen_at")


def contacts(
    request: HttpRequest, found: QuerySet[Contact], *, account: Account, kind: str
) -> StreamingHttpResponse:
    """The contacts of a query, newest first, as "csv" or "ndjson"."""
    people = _people(found)
    if kind == "ndjson":
        lines = (json.dumps(person, ensure_ascii=False).encode() + b"\n" for person in people)
        return streamed(request, lines, content_type="application/x-ndjson", filename="contacts.ndjson")
    names = list(queries.attribute_types(account.pk))
    header = [
        *_FIELDS,
        *(f"consents.{channel}" for channel in CHANNELS),
        "lists",
        "tags",
        *(f"attributes.{name}" for name in names),
        *_ENDS,
    ]
    rows = (_cells(person, names) for person in people)
    return streamed(
        request, csv_lines(header, rows), content_type="text/csv; charset=utf-8", filename="contacts.csv"
    )


def _people(found: QuerySet[Contact]) -> Iterator[dict[str, Any]]:
    """Read by pages of ids, so that no cursor stays open while a slow reader takes the file."""
    last: int | None = None
    while True:
        rows = found.order_by("-pk").values_list("pk", flat=True)
        ids = list((rows if last is None else rows.filter(pk__lt=last))[:_AT_ONCE])
        if not ids:
            return
        yield from queries.described(ids)
        last = ids[-1]


def _cells(person: dict[str, Any], names: list[str]) -> list[Any]:
    return [
        *(person[name] for name in _FIELDS),
        *(person["consents"][channel] for channel in CHANNELS),
        ";".join(person["lists"]),
        ";".join(person["tags"]),
        *(_cell(person["attributes"].get(name)) for name in names),
        *(person[name] for name in _ENDS),
    ]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ";".join(str(_cell(element)) for element in value)
    return value
