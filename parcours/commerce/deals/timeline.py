"""A deal's history, from the event store: read at a watermark, by cursor."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parcours.commerce.models import Deal
from parcours.events import watermark
from parcours.events.store import queries
from parcours.lib.instants import from_ms, iso, to_ms
from parcours.lib.paging import decode_cursor, encode_cursor

_FOR_EVER = 2**62
_LINKS = ("journey", "message")


@dataclass(frozen=True)
class Page:
    """A part of a deal's history and the instant for which it holds."""

    as_of: datetime
    items: list[dict[str, Any]]
    next: str | None


def ties(deal: Deal) -> list[tuple[int, int, int]]:
    """Whose events are the deal's, from (in) and to (out), in milliseconds: until they were untied, or it closed."""
    closing = _FOR_EVER if deal.closed_at is None else to_ms(deal.closed_at) + 1
    return [
        (contact, to_ms(since), closing if until is None else min(closing, to_ms(until)))
        for contact, since, until in deal.ties.order_by("pk").values_list("contact_id", "since", "until")
    ]


def page(deal: Deal, *, limit: int, cursor: str = "", as_of: str = "") -> Page:
    """The deal's own events and those of its contacts meanwhile, newest first, as the API tells them.

    Raises Invalid for a cursor or an instant that this history did not give.
    """
    mark = watermark.asked(deal.account_id, as_of)
    before, load, position = decode_cursor(cursor, int, int, int) if cursor else (0, 0, 0)
    tied = ties(deal)
    rows = queries.run(
        "deal_timeline",
        {
            "account": deal.account_id,
            "deal": deal.pk,
            "contacts": [contact for contact, _since, _until in tied],
            "since": [since for _contact, since, _until in tied],
            "until": [until for _contact, _since, until in tied],
            "load": mark.load,
            "before": before,
            "before_load": max(load, 0),
            "before_position": max(position, 0),
            "limit": limit + 1,
        },
    )
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = encode_cursor(*(int(rows[-1][key]) for key in ("occurred_ms", "load", "position")))
    return Page(as_of=mark.as_of, items=[_item(row) for row in rows], next=following)


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """An event; `deal` says whether it is the deal's own."""
    item: dict[str, Any] = {
        "name": row["name"],
        "occurred_at": iso(from_ms(int(row["occurred_ms"]))),
        "received_at": iso(from_ms(int(row["received_ms"]))),
        "message_id": row["message_id"],
        "contact": str(row["person"]) if row["person"] else None,
        "deal": bool(row["own"]),
        "machine": bool(row["machine"]),
        "properties": json.loads(row["properties"] or "{}"),
    }
    item |= {name: str(row[name]) for name in _LINKS if row[name]}
    if row["send"]:
        item["send"] = row["send"]
    if row["order_id"]:
        item["order"] = row["order_id"]
    return item
