"""Contacts in an order, a piece at a time after the place of the last one read: a late page costs what the first does.

What there is none of comes last in every order, the newest of those contacts first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from parcours.contacts.models import Contact
from parcours.lib.instants import to_ms
from parcours.lib.paging import decode_cursor, encode_cursor

_COLUMNS = {
    "name": "sort_name",
    "email": "email",
    "created_at": "created_at",
    "last_seen_at": "last_seen_at",
}
#: `newest` and `oldest` are the order in which contacts were made here, whatever their date says.
SORTS = ("newest", "oldest", *(f"{sign}{name}" for name in _COLUMNS for sign in ("", "-")))
_PIECE, _LARGEST_PIECE = 500, 5_000


@dataclass(frozen=True)
class Place:
    """Where a contact stands in an order: what it sorts by (a text, or milliseconds; None: nothing), and its id."""

    value: str | int | None
    contact: int


@dataclass(frozen=True)
class Order:
    """An order of contacts by a column ("pk": by id alone)."""

    column: str
    down: bool

    @property
    def dated(self) -> bool:
        return self.column in ("created_at", "last_seen_at")

    @classmethod
    def named(cls, sort: str) -> Order:
        """The order of a name of SORTS."""
        if sort in ("newest", "oldest"):
            return cls("pk", sort == "newest")
        return cls(_COLUMNS[sort.removeprefix("-")], sort.startswith("-"))

    def cursor(self, place: Place) -> str:
        """The cursor that stands for a place."""
        if self.column == "pk":
            return encode_cursor(place.contact)
        if place.value is None:
            return encode_cursor(0, 0 if self.dated else "", place.contact)
        return encode_cursor(1, place.value, place.contact)

    def place(self, cursor: str) -> Place | None:
        """The place that a cursor stands for; None for an empty one. Raises Invalid for one of another order."""
        if not cursor:
            return None
        if self.column == "pk":
            (contact,) = decode_cursor(cursor, int)
            return Place(None, contact)
        told, value, contact = decode_cursor(cursor, int, int if self.dated else str, int)
        return Place(value if told else None, contact)

    def piece(self, rows: QuerySet[Contact], after: Place | None, limit: int) -> list[Place]:
        """The places of the first `limit` of some contacts, after a place."""
        if self.column == "pk":
            return self._by_id(rows, after, limit)
        found: list[Place] = []
        if after is None or after.value is not None:
            if after is not None:
                # Those who share its value apart: an index leads to each of the two.
                found += self._alike(rows, after, limit)
            if len(found) < limit:
                found += self._beyond(rows, after, limit - len(found))
            after = None
        if len(found) < limit and self.column != "created_at":  # which everybody has
            others = rows.filter(**{f"{self.column}__isnull": True})
            found += Order("pk", True)._by_id(others, after, limit - len(found))
        return found

    def _by_id(self, rows: QuerySet[Contact], after: Place | None, limit: int) -> list[Place]:
        if after is not None:
            rows = rows.filter(pk__lt=after.contact) if self.down else rows.filter(pk__gt=after.contact)
        ids = rows.order_by("-pk" if self.down else "pk").values_list("pk", flat=True)[:limit]
        return [Place(None, contact) for contact in ids]

    def _alike(self, rows: QuerySet[Contact], after: Place, limit: int) -> list[Place]:
        alike = rows.filter(**{self.column: after.value})
        return [
            Place(after.value, each.contact) for each in Order("pk", self.down)._by_id(alike, after, limit)
        ]

    def _beyond(self, rows: QuerySet[Contact], after: Place | None, limit: int) -> list[Place]:
        if after is None:
            rows = rows.filter(**{f"{self.column}__isnull": False})
        else:
            rows = rows.filter(**{f"{self.column}__{'lt' if self.down else 'gt'}": after.value})
        sign = "-" if self.down else ""
        by = rows.order_by(f"{sign}{self.column}", f"{sign}pk").values_list(self.column, "pk")
        return [
            Place(to_ms(value) if isinstance(value, datetime) else value, contact)
            for value, contact in by[:limit]
        ]

    def walk(self, rows: QuerySet[Contact], after: Place | None) -> Iterator[list[Place]]:
        """All of some contacts after a place, by pieces that grow."""
        size = _PIECE
        while True:
            found = self.piece(rows, after, size)
            if found:
                yield found
            if len(found) < size:
                return
            after, size = found[-1], min(size * 4, _LARGEST_PIECE)
