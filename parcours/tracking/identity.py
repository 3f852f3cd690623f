"""Who is meant: contacts by their keys, visitors by their browser, and the ties between them.

Everything is looked up for a whole batch; there is no query for one event. docs/tracking.md tells the rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
from django.db import connection

from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.contacts import normalise
from parcours.contacts.lines import DECIDING_KEYS
from parcours.contacts.merging import people
from parcours.events.entries import Event
from parcours.lib import bulk
from parcours.lib.instants import to_ms
from parcours.tracking.refusals import Reason

#: A browser on which more contacts than this were seen is everyone's: it is tied to nobody any more.
MOST_CONTACTS_OF_A_BROWSER = 100
#: More browsers than this are not one person's: the next ones are not tied to them.
MOST_BROWSERS_OF_A_CONTACT = 1_000


class Item(msgspec.Struct, gc=False):
    """One entry under way: its event, if it makes one, and whom it speaks of."""

    event: Event | None = None
    browser: str = ""
    external_id: str = ""
    contact: int = 0
    contact_line: dict[str, Any] | None = None
    needs_email: bool = False
    message_id: str = ""  # of an entry that its sender may send twice
    received_at: int = 0
    for_ever: bool = False
    unnamed: bool = False  # its keys can name nobody
    if_unknown: bool = False  # it ties its browser only if that is nobody's yet


@dataclass(slots=True)
class Browser:
    """Where a browser stands: its present visitor, and whom that is (0: nobody yet)."""

    generation: int
    visitor: str
    contact: int


@dataclass(slots=True)
class Ties:
    """The visitors that a batch tied to contacts, to be written with it."""

    rows: list[tuple[int, str, int, str, int, int]] = field(default_factory=list)
    linked: list[tuple[str, int]] = field(default_factory=list)


def _hash(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@lru_cache(maxsize=100_000)
def browser_of(account_id: int, anonymous_id: str) -> str:
    """The browser of an anonymous id: also the id of its first visitor in the event store."""
    return _hash(f"{account_id}:{anonymous_id}")


def visitor_of(browser: str, generation: int) -> str:
    """The visitor of a browser's generation."""
    return browser if generation == 0 else _hash(f"{browser}:{generation}")


def find_contacts(account: Account, items: Sequence[Item], *, now: datetime) -> None:
    """Find or make the contacts that items name, and write what identify calls say of them."""
    named = {item.external_id for item in items if item.external_id and item.contact_line is None}
    known = _by_external_id(account.pk, named)
    lines: list[dict[str, Any]] = []
    waiting: list[list[Item]] = []
    made: dict[str, list[Item]] = {}
    for item in items:
        if item.contact_line is not None:
            lines.append(item.contact_line)
            waiting.append([item])
        elif item.external_id:
            external_id = _normal_id(item.external_id)
            contact = known.get(external_id, 0)
            if contact:
                item.contact = contact
            elif external_id in made:
                made[external_id].append(item)
            elif external_id:
                made[external_id] = [item]
                lines.append({"external_id": external_id})
                waiting.append(made[external_id])
            else:
                item.unnamed = True
    if not lines:
        return
    for found, group in zip(_upsert(account, lines, now=now), waiting, strict=True):
        for item in group:
            item.contact, item.unnamed = found or 0, found is None


@lru_cache(maxsize=50_000)
def _normal_id(external_id: str) -> str:
    try:
        return normalise.external_id(external_id)
    except normalise.Unfit:
        return ""


def _by_external_id(account_id: int, named: Iterable[str]) -> dict[str, int]:
    wanted = [external_id for external_id in map(_normal_id, named) if external_id]
    if not wanted:
        return {}
    among, bound = bulk.among("external_id", wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT external_id, id FROM contacts_contact WHERE account_id = %s AND {among}",
            [account_id, bound],
        )
        found = dict(cursor.fetchall())
    former = people.by_former_keys(
        account_id, {"external_id": [each for each in wanted if each not in found]}
    )
    return {**found, **{external_id: contact for (_kind, external_id), contact in former.items()}}


def _upsert(account: Account, lines: list[dict[str, Any]], *, now: datetime) -> list[int | None]:
    """The contact of each line. A line that is refused is tried again with less, until only its person is left."""
    found: list[int | None] = [None] * len(lines)
    places = list(range(len(lines)))
    for attempt in range(3):
        result = contacts.upsert_many(account, lines, source="tracking", now=now)
        for place, contact in zip(places, result.contacts, strict=True):
            found[place] = contact
        again = []
        for refusal in result.refused:
            pointers = [fault["pointer"] for fault in refusal.faults]
            weaker = _weaker(lines[refusal.index], pointers, attempt=attempt)
            if weaker:
                again.append((places[refusal.index], weaker))
        if not again:
            break
        places, lines = [place for place, _ in again], [line for _, line in again]
    return found


def _weaker(line: dict[str, Any], pointers: Sequence[str], *, attempt: int) -> dict[str, Any] | None:
    """A refused line without what was wrong with it, and with the one key that decides; then that key alone."""
    wrong = {pointer.lstrip("/").split("/", 1)[0] for pointer in pointers}
    keys = [key for key in DECIDING_KEYS if line.get(key) and key not in wrong]
    if not keys:
        return None
    if attempt > 0:
        return {keys[0]: line[keys[0]]}
    return {
        key: value for key, value in line.items() if key == keys[0] or key not in (*DECIDING_KEYS, *wrong)
    }


def with_email(account_id: int, contact_ids: Iterable[int]) -> set[int]:
    """Those of the contacts who have an e-mail address."""
    ids = list(contact_ids)
    if not ids:
        return set()
    among, bound = bulk.among("id", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            # The plus keeps SQLite from reading all the addresses of the account in their index.
            f"SELECT id FROM contacts_contact WHERE +account_id = %s AND email IS NOT NULL AND {among}",
            [account_id, bound],
        )
        return {row[0] for row in cursor.fetchall()}


def load_browsers(account_id: int, browsers: Iterable[str]) -> dict[str, Browser]:
    """Where browsers stand; those of which nothing is known stand at their first visitor, tied to nobody."""
    wanted = {browser for browser in browsers if browser}
    found = {browser: Browser(0, browser, 0) for browser in wanted}
    if not wanted:
        return found
    among, bound = bulk.among("browser", list(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT browser, generation, visitor, contact_id FROM tracking_visitorlink"
            f" WHERE account_id = %s AND {among} ORDER BY generation",
            [account_id, bound],
        )
        for browser, generation, visitor, contact in cursor.fetchall():
            found[browser] = Browser(generation, _hex(visitor), contact)
    return found


def _hex(visitor: Any) -> str:
    """SQLite keeps a UUID as its hex digits, PostgreSQL answers an object."""
    return visitor if isinstance(visitor, str) else visitor.hex


def tie(account_id: int, items: Sequence[Item], browsers: dict[str, Browser], *, now: datetime) -> Ties:
    """Give each item, in their order, its visitor, and the contact that the visitor is; note the new ties."""
    ties = Ties()
    room = _Room(account_id, items, browsers)
    now_ms = to_ms(now)
    for item in items:
        visitor, contact = "", item.contact
        if item.browser:
            browser = browsers[item.browser]
            if item.if_unknown and browser.contact:
                contact = browser.contact
            if contact and browser.contact != contact:
                if browser.generation >= MOST_CONTACTS_OF_A_BROWSER or not room.take(contact):
                    browser = Browser(0, "", 0)  # This event is the contact's; the browser stays as it is.
                else:
                    generation = browser.generation + 1 if browser.contact else browser.generation
                    browser.generation, browser.contact = generation, contact
                    browser.visitor = visitor_of(item.browser, generation)
                    ties.rows.append((account_id, item.browser, generation, browser.visitor, contact, now_ms))
                    ties.linked.append((browser.visitor, contact))
            visitor = browser.visitor
            contact = contact or browser.contact
        item.contact = contact
        if item.event is not None:
            item.event.contact, item.event.visitor = contact, visitor
    return ties


class _Room:
    """How many more browsers each contact of a batch may be tied to."""

    def __init__(self, account_id: int, items: Sequence[Item], browsers: dict[str, Browser]) -> None:
        ids = {
            item.contact
            for item in items
            if item.contact and item.browser and browsers[item.browser].contact != item.contact
        }
        self._left = dict.fromkeys(ids, MOST_BROWSERS_OF_A_CONTACT)
        if not ids:
            return
        among, bound = bulk.among("contact_id", list(ids))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT contact_id, count(*) FROM tracking_visitorlink WHERE {among} AND account_id = %s"
                " GROUP BY contact_id",
                [bound, account_id],
            )
            for contact, count in cursor.fetchall():
                self._left[contact] -= count

    def take(self, contact: int) -> bool:
        """Use one place up; False when there is none left."""
        left = self._left.get(contact, MOST_BROWSERS_OF_A_CONTACT)
        self._left[contact] = left - 1
        return left > 0


def write_ties(ties: Ties) -> None:
    """Keep the new ties, in the caller's transaction."""
    bulk.insert_many(
        "tracking_visitorlink",
        ("account_id", "browser", "generation", "visitor", "contact_id", "linked_at"),
        ties.rows,
        # A generation that an erasure began waits, tied to nobody, for its contact.
        on_conflict='("account_id", "browser", "generation") DO UPDATE'
        " SET contact_id = excluded.contact_id, linked_at = excluded.linked_at",
    )


def visitors_of(account_id: int, contact_ids: Iterable[int]) -> list[tuple[str, int]]:
    """The visitors tied to contacts, each with its contact."""
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT visitor, contact_id FROM tracking_visitorlink WHERE {among} AND account_id = %s",
            [bound, account_id],
        )
        return [(_hex(visitor), contact) for visitor, contact in cursor.fetchall()]


#: A browser on which more contacts than this were seen says nothing of who they are.
MOST_SHARING_A_BROWSER = 4


def shared_browsers(account_id: int) -> Iterator[tuple[str, list[int]]]:
    """Contacts seen on one browser, browser by browser: some of them may be one person."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT browser, min(contact_id), max(contact_id), count(DISTINCT contact_id)"
            " FROM tracking_visitorlink WHERE account_id = %s AND contact_id <> 0 GROUP BY browser"
            " HAVING count(DISTINCT contact_id) BETWEEN 2 AND %s",
            [account_id, MOST_SHARING_A_BROWSER],
        )
        while some := cursor.fetchmany(2_000):
            yield from (("browser", [first, last]) for _browser, first, last, _many in some)


def part_browsers(*, account_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Begin a new visitor on every browser that is one of these contacts now; to be called as they are erased."""
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT browser FROM tracking_visitorlink WHERE {among} AND account_id = %s",
            [bound, account_id],
        )
        browsers = load_browsers(account_id, [row[0] for row in cursor.fetchall()])
    erased, now_ms = set(contact_ids), to_ms(now)
    write_ties(
        Ties(
            rows=[
                (account_id, name, at.generation + 1, visitor_of(name, at.generation + 1), 0, now_ms)
                for name, at in browsers.items()
                if at.contact in erased
            ]
        )
    )


def drop_unnamed_forms(account_id: int, items: Sequence[Item]) -> tuple[list[Item], dict[Reason, int]]:
    """Forms whose person has no e-mail address are refused; to be asked once visitors are tied."""
    asked = [item for item in items if item.needs_email and (item.contact_line is None or item.unnamed)]
    if not asked:
        return list(items), {}
    able = with_email(account_id, {item.contact for item in asked if item.contact})
    nameless = {id(item) for item in asked if item.contact not in able}
    kept = [item for item in items if id(item) not in nameless]
    return kept, {Reason.FORM_WITHOUT_EMAIL: len(nameless)}
