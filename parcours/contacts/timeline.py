"""What a contact did, from the event store: read at a watermark, by cursor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.models import Contact
from parcours.events import catalogue, watermark
from parcours.events.store import queries
from parcours.lib.instants import from_ms, iso
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid

_LINKS = ("journey", "enrolment", "deal", "message")
_TEXT_LINKS = ("step", "send")
_OTHER = "other"


@dataclass(frozen=True)
class Page:
    """A part of a timeline and the instant for which it holds."""

    as_of: datetime
    items: list[dict[str, Any]]
    next: str | None


def page(
    contact: Contact,
    *,
    limit: int,
    cursor: str = "",
    as_of: str = "",
    categories: Sequence[str] = (),
) -> Page:
    """The events of a contact, newest first, as the API tells them; those of some categories when any is given.

    The category "" stands for events of no category of the catalogue. Raises Invalid for a cursor or an instant that
    this timeline did not give.
    """
    mark = watermark.asked(contact.account_id, as_of)
    before, load, position = decode_cursor(cursor, int, int, int) if cursor else (0, 0, 0)
    rows = queries.run(
        "contact_timeline",
        {
            "account": contact.account_id,
            "contact": contact.pk,
            "load": mark.load,
            "before": before,
            "before_load": max(load, 0),
            "before_position": max(position, 0),
            "categories": [each for each in categories if each],
            "known": sorted(catalogue.CATEGORIES),
            "chosen": 1 if categories else 0,
            "others": 1 if "" in categories else 0,
            "limit": limit + 1,
        },
    )
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = encode_cursor(*(int(rows[-1][key]) for key in ("occurred_ms", "load", "position")))
    return Page(as_of=mark.as_of, items=[_item(row) for row in rows], next=following)


def categories_of(said: str) -> list[str]:
    """The categories that a request says, separated by commas: `order`, `page`…, and `other` for those of no category.

    Raises Invalid for one that there is not.
    """
    asked = [each.strip() for each in said.split(",") if each.strip()]
    unknown = [each for each in asked if each != _OTHER and each not in catalogue.CATEGORIES]
    if unknown:
        known = ", ".join((*sorted(catalogue.CATEGORIES), _OTHER))
        detail = _("It is one of: %(values)s.") % {"values": known}
        raise Invalid(detail, [{"pointer": "/categories", "detail": detail}])
    return ["" if each == _OTHER else each for each in asked]


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """An event; links that it does not have are left out."""
    item: dict[str, Any] = {
        "name": row["name"],
        "occurred_at": iso(from_ms(int(row["occurred_ms"]))),
        "received_at": iso(from_ms(int(row["received_ms"]))),
        "message_id": row["message_id"],
        "anonymous": bool(row["anonymous"]),
        "machine": bool(row["machine"]),
        "properties": json.loads(row["properties"] or "{}"),
    }
    item |= {name: str(row[name]) for name in _LINKS if row[name]}
    item |= {name: row[name] for name in _TEXT_LINKS if row[name]}
    if row["order_id"]:
        item["order"] = row["order_id"]
    return item
