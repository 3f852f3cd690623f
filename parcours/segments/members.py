"""Who is in a segment, and who entered and left when: each reading at one watermark, a page at a time."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from parcours.events import watermark
from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.lib.instants import from_ms
from parcours.segments.models import Segment

SORTS = ("entered_at", "name", "email", "email_opt_in", "sms_opt_in")
#: The last to enter first.
BY_ENTRY = "-entered_at"
MOST_WORDS = 8
_PEOPLE_AT_ONCE = 5_000
_AT_ONCE = 100_000
_MOST_ENTRIES = 1 << 31
#: Both sides of the join are read in the order of contacts.
_MERGED = {"join_algorithm": "full_sorting_merge"}
_NOBODY = {"first_name": "", "last_name": "", "email": "", "consent_email": "", "consent_sms": "", "gone": 0}
#: Where a page of members ends: the sort key and the contact of its last one.
Place = tuple[str, int]


@dataclass(frozen=True)
class Member:
    """A contact in a segment; `name` and `email` are None for one erased since. `key` is its place in the order."""

    contact: int
    entered_at: datetime
    name: str | None
    email: str | None
    email_opt_in: bool
    sms_opt_in: bool
    erased: bool
    key: str

    @property
    def place(self) -> Place:
        return self.key, self.contact


@dataclass(frozen=True)
class Change:
    """A contact's entry into a segment (`entered`), or exit from it. `place` is its place in the order."""

    contact: int
    entered: bool
    at: datetime
    name: str | None
    email: str | None
    erased: bool
    place: tuple[int, int, int]


@dataclass(frozen=True)
class Period:
    """Changes in [since, until), in milliseconds since 1970 (0: no bound), of one kind ("": both)."""

    since: int = 0
    until: int = 0
    kind: Literal["", "entered", "left"] = ""


def reading(segment: Segment, as_of: datetime | None = None) -> Watermark:
    """What a reading of a segment reads: its figures' watermark, or that of a recent answer."""
    if as_of is not None:
        return watermark.at(segment.account_id, as_of)
    if segment.figures_at is None:
        return Watermark(as_of=segment.created_at, load=0)
    return Watermark(as_of=segment.figures_at, load=segment.figures_load)


def words_of(text: str) -> list[str]:
    """The words of a search, as they are compared: without case nor accents."""
    marked = unicodedata.normalize("NFKD", text.replace("\0", ""))
    bare = "".join(one for one in marked if unicodedata.category(one) != "Mn")
    return bare.lower().split()[:MOST_WORDS]


def members(
    segment: Segment,
    *,
    load: int,
    limit: int,
    sort: str = BY_ENTRY,
    words: Sequence[str] = (),
    after: Place | None = None,
) -> list[Member]:
    """A page of the members at a watermark, in an order of `SORTS` (descending with "-"), after a place.

    With `words`, those whose name, address, number or external id holds every one.
    """
    if sort.removeprefix("-") == "entered_at" and not words:
        rows = _by_entry(segment, load, limit, down=sort.startswith("-"), after=after)
        people = _people(segment, load, [row["contact"] for row in rows])
        return [_member(row, people.get(row["contact"], _NOBODY)) for row in rows]
    return _sorted(segment, load, limit, sort=sort, words=words, after=after)


def _sorted(
    segment: Segment, load: int, limit: int, *, sort: str, words: Sequence[str], after: Place | None
) -> list[Member]:
    """A page of members in any order, by one reading of all of them."""
    key, contact = after or ("", 0)
    bound = _scope(segment, load) | {
        "sort": sort.removeprefix("-"),
        "down": int(sort.startswith("-")),
        "words": list(words),
        "on": int(after is not None),
        "after": key,
        "after_contact": contact,
        "limit": limit,
    }
    return [_member(row, row) for row in queries.run("segment_members_sorted", bound, settings=_MERGED)]


def _by_entry(
    segment: Segment, load: int, limit: int, *, down: bool, after: Place | None
) -> list[dict[str, Any]]:
    """A page of members by their entry: of the last entries, as many as it takes to find those who are in it since."""
    key, contact = after or ("", 0)
    bound = _scope(segment, load) | {
        "down": int(down),
        "on": int(after is not None),
        "after": int(key) if key.isdigit() else 0,
        "after_contact": contact,
        "limit": limit,
    }
    most = limit * 2
    while True:
        rows = queries.run("segment_last_entered", bound | {"most": most})
        if len(rows) >= limit or most == _MOST_ENTRIES or (rows and rows[0]["looked_at"] < most):
            return [row | {"key": f"{row['entered_at']:014d}"} for row in rows]
        most = min(most * 8, _MOST_ENTRIES) if rows else _MOST_ENTRIES


def every(segment: Segment, *, load: int, sort: str, words: Sequence[str]) -> Iterator[Member]:
    """All the members, read by large pieces."""
    after: Place | None = None
    while True:
        found = _sorted(segment, load, _AT_ONCE, sort=sort, words=words, after=after)
        yield from found
        if len(found) < _AT_ONCE:
            return
        after = found[-1].place


def count(segment: Segment, *, load: int, words: Sequence[str] = ()) -> int:
    """How many members there are at a watermark; with `words`, how many of them a search finds."""
    bound = _scope(segment, load) | {"words": list(words)}
    return int(queries.run("segment_members_count", bound, settings=_MERGED)[0]["members"])


def changes(
    segment: Segment, *, load: int, period: Period, limit: int, after: tuple[int, int, int] | None = None
) -> list[Change]:
    """Entries and exits until a watermark, the latest first."""
    at, in_load, position = after or (0, 0, 0)
    bound = _scope(segment, load) | _bounds(period)
    bound |= {
        "on": int(after is not None),
        "after": at,
        "after_load": in_load,
        "after_position": position,
        "limit": limit,
    }
    rows = queries.run("segment_changes", bound)
    people = _people(segment, load, sorted({row["contact"] for row in rows}))
    return [_change(row, people.get(row["contact"], _NOBODY)) for row in rows]


def change_counts(segment: Segment, *, load: int, period: Period) -> tuple[int, int]:
    """How many entries and how many exits there were in a period, whatever its kind."""
    row = queries.run("segment_changes_count", _scope(segment, load) | _bounds(period))[0]
    return int(row["entries"]), int(row["exits"])


def _scope(segment: Segment, load: int) -> dict[str, Any]:
    return {"account": segment.account_id, "segment": segment.pk, "load": load}


def _bounds(period: Period) -> dict[str, Any]:
    return {"since": period.since, "until": period.until, "kind": period.kind}


def _people(segment: Segment, load: int, contacts: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What is shown of contacts at a watermark, by id."""
    found = {}
    for first in range(0, len(contacts), _PEOPLE_AT_ONCE):
        bound = {
            "account": segment.account_id,
            "load": load,
            "contacts": list(contacts[first : first + _PEOPLE_AT_ONCE]),
        }
        for row in queries.run("segment_people", bound):
            found[row["contact"]] = row
    return found


def _name(person: dict[str, Any]) -> str | None:
    return " ".join(part for part in (person["first_name"], person["last_name"]) if part) or None


def _member(row: dict[str, Any], person: dict[str, Any]) -> Member:
    return Member(
        contact=row["contact"],
        entered_at=from_ms(row["entered_at"]),
        name=_name(person),
        email=person["email"] or None,
        email_opt_in=person["consent_email"] == "opted_in",
        sms_opt_in=person["consent_sms"] == "opted_in",
        erased=bool(person["gone"]),
        key=row["key"],
    )


def _change(row: dict[str, Any], person: dict[str, Any]) -> Change:
    return Change(
        contact=row["contact"],
        entered=bool(row["member"]),
        at=from_ms(row["at"]),
        name=_name(person),
        email=person["email"] or None,
        erased=bool(person["gone"]),
        place=(row["at"], row["load"], row["position"]),
    )
