"""Who is in a segment, and who entered and left when: each reading at one watermark, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from parcours.accounts.access import as_id
from parcours.contacts.folding import folded
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
#: As many whom a search finds are sorted by themselves; a segment of fewer members is read by itself.
_FEW = 2_000
_SMALL = 20_000
_NO_NAME = "\U0010ffff"
#: Both sides of the join are read in the order of contacts.
_MERGED = {"join_algorithm": "full_sorting_merge"}
_NOBODY = {
    **dict.fromkeys(("first_name", "last_name", "email", "consent_email", "consent_sms"), ""),
    "gone": 0,
    "state": 0,
    "found": 0,
}
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
    return folded(text.replace("\0", "")).split()[:MOST_WORDS]


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
    few = _few(segment, load, sort, words) if words else None
    if few is not None:
        return _page(few, sort, after, limit)
    return _first(segment, load, limit, sort=sort, words=words, after=after)


def search(
    segment: Segment, *, load: int, limit: int, sort: str, words: Sequence[str], after: Place | None = None
) -> tuple[list[Member], int]:
    """Such a page of those whom words find, and how many they are in all."""
    few = _few(segment, load, sort, words)
    if few is not None:
        return _page(few, sort, after, limit), len(few)
    bound = _scope(segment, load) | _said(words)
    total = queries.run("segment_members_count", bound, settings=_MERGED)[0]["members"]
    return _first(segment, load, limit, sort=sort, words=words, after=after), int(total)


def _first(
    segment: Segment, load: int, limit: int, *, sort: str, words: Sequence[str], after: Place | None
) -> list[Member]:
    """A page of members in any order, in the way that reads least."""
    if sort.removeprefix("-") == "entered_at":
        found = _by_entry(segment, load, limit, down=sort.startswith("-"), words=words, after=after)
    else:
        found = _by_profile(segment, load, limit, sort=sort, words=words, after=after)
    return _sorted(segment, load, limit, sort=sort, words=words, after=after) if found is None else found


def _few(segment: Segment, load: int, sort: str, words: Sequence[str]) -> list[Member] | None:
    """All whom words find, when they are few."""
    rows = _candidates(segment, load, _FEW + 1, sort=sort, words=words, after=None, within=False)
    if len(rows) > _FEW:
        return None
    return _verified(segment, load, rows, by_entry=sort.removeprefix("-") == "entered_at")


def _page(found: Sequence[Member], sort: str, after: Place | None, limit: int) -> list[Member]:
    """The first of some members after a place."""
    down = sort.startswith("-")
    ordered = sorted(sorted(found, key=lambda one: -one.contact), key=lambda one: one.key, reverse=down)
    if after is not None:
        key, contact = after
        ordered = [
            one
            for one in ordered
            if (one.key < key if down else one.key > key) or (one.key == key and one.contact < contact)
        ]
    return ordered[:limit]


def _by_profile(
    segment: Segment, load: int, limit: int, *, sort: str, words: Sequence[str], after: Place | None
) -> list[Member] | None:
    """A page of members in an order of what they are; None when many who come first are not in the segment.

    Of everybody, or of the segment's contacts, the first are read, and then those of them dropped whose state is not
    their last or who are not in the segment: no million is joined or sorted.
    """
    most = min(limit * 4, _PEOPLE_AT_ONCE)
    for within, some in ((False, most), (True, most), (True, _PEOPLE_AT_ONCE)):
        if not within and segment.profiles < _SMALL:
            continue
        rows = _candidates(segment, load, some, sort=sort, words=words, after=after, within=within)
        found = _verified(segment, load, rows)
        if len(found) >= limit or len(rows) < some:
            return found[:limit]
    return None


def _candidates(
    segment: Segment,
    load: int,
    limit: int,
    *,
    sort: str,
    words: Sequence[str],
    after: Place | None,
    within: bool,
) -> list[dict[str, Any]]:
    bound = _scope(segment, load) | _ordered(sort, after) | _said(words)
    return queries.run("segment_candidates", bound | {"within": int(within), "limit": limit})


def _verified(
    segment: Segment, load: int, candidates: Sequence[dict[str, Any]], *, by_entry: bool = False
) -> list[Member]:
    """Of states of contacts, in their order, the members whose last state they are."""
    contacts = list({row["contact"]: None for row in candidates})
    entries = _entries(segment, load, contacts)
    people = _people(segment, load, [contact for contact in contacts if contact in entries])
    members = []
    for row in candidates:
        person = people.get(row["contact"])
        if person is not None and person["state"] == row["state"]:
            entered_at = entries[row["contact"]]
            entry = {
                "contact": row["contact"],
                "entered_at": entered_at,
                "key": _when(entered_at) if by_entry else row["key"],
            }
            members.append(_member(entry, person))
    return members


def _entries(segment: Segment, load: int, contacts: Sequence[int]) -> dict[int, int]:
    """Of some contacts, those who are in a segment, and since when (ms)."""
    if not contacts:
        return {}
    rows = queries.run("segment_entries_of", _scope(segment, load) | {"contacts": list(contacts)})
    return {row["contact"]: row["entered_at"] for row in rows}


def _sorted(
    segment: Segment, load: int, limit: int, *, sort: str, words: Sequence[str], after: Place | None
) -> list[Member]:
    """A page of members in any order, by one reading of all of them."""
    bound = _scope(segment, load) | _ordered(sort, after) | {"words": list(words), "limit": limit}
    return [_member(row, row) for row in queries.run("segment_members_sorted", bound, settings=_MERGED)]


def _ordered(sort: str, after: Place | None) -> dict[str, Any]:
    key, contact = after or ("", 0)
    down = sort.startswith("-")
    return {
        "sort": sort.removeprefix("-"),
        "down": int(down),
        "last": "" if down else _NO_NAME,
        "on": int(after is not None),
        "after": key,
        "after_contact": contact,
    }


def _said(words: Sequence[str]) -> dict[str, str]:
    """The words of a search as queries take them, each in a place of its own: the engine looks for constants faster."""
    return {f"w{place + 1}": words[place] if place < len(words) else "" for place in range(MOST_WORDS)}


def _by_entry(
    segment: Segment, load: int, limit: int, *, down: bool, words: Sequence[str], after: Place | None
) -> list[Member] | None:
    """A page of members by their entry: of the last entries, as many as it takes to find those who are in it since.

    None when words find too few of the first thousands.
    """
    key, contact = after or ("", 0)
    bound = _scope(segment, load) | {
        "down": int(down),
        "on": int(after is not None),
        "after": as_id(key) or 0,
        "after_contact": contact,
    }
    most = limit * 2
    while True:
        wanted = min(most, _PEOPLE_AT_ONCE) if words else limit
        rows = queries.run("segment_last_entered", bound | {"most": most, "limit": wanted})
        all_read = most == _MOST_ENTRIES or bool(rows and rows[0]["looked_at"] < most)
        if words or len(rows) >= limit or all_read:
            people = _people(segment, load, [row["contact"] for row in rows], words)
            found = [
                _member(row | {"key": _when(row["entered_at"])}, people.get(row["contact"], _NOBODY))
                for row in rows
                if not words or people.get(row["contact"], _NOBODY)["found"]
            ]
            if len(found) >= limit or (all_read and len(rows) < wanted):
                return found[:limit]
            if not words:
                return found
            if most > _PEOPLE_AT_ONCE:
                return None
        most = min(most * 8, _MOST_ENTRIES) if rows else _MOST_ENTRIES


def _when(entered_at: int) -> str:
    """What an entry (ms) sorts by."""
    return f"{entered_at:014d}"


def every(segment: Segment, *, load: int, sort: str, words: Sequence[str]) -> Iterator[Member]:
    """All the members, read by large pieces."""
    after: Place | None = None
    while True:
        found = _sorted(segment, load, _AT_ONCE, sort=sort, words=words, after=after)
        yield from found
        if len(found) < _AT_ONCE:
            return
        after = found[-1].place


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


def _people(
    segment: Segment, load: int, contacts: Sequence[int], words: Sequence[str] = ()
) -> dict[int, dict[str, Any]]:
    """What is shown of contacts at a watermark, by id; `found` says whether words find them."""
    found = {}
    for first in range(0, len(contacts), _PEOPLE_AT_ONCE):
        bound = {
            "account": segment.account_id,
            "load": load,
            "contacts": list(contacts[first : first + _PEOPLE_AT_ONCE]),
            **_said(words),
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
