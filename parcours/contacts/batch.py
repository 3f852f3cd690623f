"""Many lines about contacts taken in at once: a few queries for thousands of them, whatever they say.

A batch lives in one transaction, under its account's lock. Lines are folded in their order into the people whom they
mean, held in memory; then everything is written: contacts, consents with their history, tags, lists, attribute
definitions, and the journal's entries that tell of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import attributes
from parcours.contacts.lines import CHANNELS, COLUMNS, KEYS, Line, Reader, Refused, fault_of
from parcours.contacts.models import AttributeDefinition, ConsentValue
from parcours.contacts.normalise import Unfit
from parcours.contacts.telling import Cause, Teller
from parcours.lib import bulk

_LOCK = 7_301_001  # names the advisory lock among all those that PostgreSQL may hold for us
_CONSENT_COLUMNS = tuple(f"consent_{channel}" for channel in CHANNELS)
_WRITTEN = (*COLUMNS, "attributes", *_CONSENT_COLUMNS, "updated_at")
_READ = f"SELECT id, {', '.join(COLUMNS)}, attributes, {', '.join(_CONSENT_COLUMNS)} FROM contacts_contact"
_WIDTH = len(COLUMNS)
_PENDING, _OPTED_OUT = ConsentValue.PENDING.value, ConsentValue.OPTED_OUT.value
_encode = msgspec.json.Encoder(decimal_format="number").encode


def lock(account_id: int) -> None:
    """Let one transaction at a time change an account's contacts, until it ends.

    On SQLite a transaction is the only writer anyhow. On PostgreSQL this is what makes "look up, then insert"
    exact without a failed insert ruining the batch, and a read-change-write of a profile lose nothing.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, account_id])


class Person:
    """A contact under way in a batch."""

    __slots__ = ("attributes", "consents", "id", "lists", "new", "original", "tags", "values")

    def __init__(self, row: Sequence[Any] | None, created_at: int) -> None:
        self.new = row is None
        self.tags: list[str] = []
        self.lists: list[int] = []
        self.original = row
        if row is None:
            self.id = 0
            self.values: dict[str, Any] = dict.fromkeys(COLUMNS)
            self.values["created_at"] = created_at
            self.attributes: dict[str, Any] = {}
            self.consents = dict.fromkeys(CHANNELS, _PENDING)
        else:
            self.id = row[0]
            self.values = dict(zip(COLUMNS, row[1 : _WIDTH + 1], strict=True))
            self.attributes = json.loads(row[_WIDTH + 1])
            self.consents = dict(zip(CHANNELS, row[_WIDTH + 2 :], strict=True))

    def changes(self) -> list[str]:
        """The names of the fields and attributes that are not as they were read."""
        if self.original is None:
            return []
        names = [
            name
            for name, before in zip(COLUMNS, self.original[1 : _WIDTH + 1], strict=True)
            if self.values[name] != before
        ]
        before = json.loads(self.original[_WIDTH + 1])
        if before != self.attributes:
            both = dict.fromkeys((*before, *self.attributes))
            names += [f"attributes.{name}" for name in both if before.get(name) != self.attributes.get(name)]
        return names

    def moved_keys(self) -> bool:
        """Whether a key that it had is now another: the old one must be let go before others can take it."""
        row = self.original
        return row is not None and any(
            row[place] is not None and row[place] != self.values[key]
            for place, key in enumerate(KEYS, start=1)
        )

    def consents_changed(self) -> bool:
        return self.original is not None and tuple(self.original[_WIDTH + 2 :]) != tuple(
            self.consents.values()
        )


@dataclass(slots=True)
class Source:
    """Where changes come from: told in the history of consents and in the events."""

    name: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None


class Batch:
    """Lines of one account, folded and then written, in the caller's transaction."""

    def __init__(
        self, account: Account, *, source: Source, now_ms: int, resubscribe: bool = False, cells: bool = False
    ) -> None:
        lock(account.pk)
        self.account_id: int = account.pk
        self.reader = Reader(country=account.country, zone=account.timezone)
        self.zone = account.timezone
        self.source, self.now_ms, self.resubscribe, self.cells = source, now_ms, resubscribe, cells
        self.types: dict[str, str] = dict(
            AttributeDefinition.objects.filter(account_id=account.pk).values_list("name", "type")
        )
        self.new_types: dict[str, str] = {}
        self.people: dict[int, Person] = {}
        self.by_key: dict[str, dict[str, Person]] = {key: {} for key in KEYS}
        self.order: dict[int, Person] = {}  # by identity of the object: those that a line named
        self.known_lists: set[int] = set()
        self.member_of: set[tuple[int, int]] = set()  # (list, contact), of those that lines ask for
        self.tag_of: set[tuple[int, str]] = set()
        self.consent_changes: list[tuple[Person, str, str, str]] = []
        self.teller = Teller(source=source.name, cause=source.cause, now_ms=now_ms)

    def read(self, given: Mapping[str, Any]) -> Line:
        """A line as sent, checked as far as it can be alone. Raises Refused."""
        return self.reader.read(given, now_ms=self.now_ms)

    def load(self, lines: Sequence[Line]) -> None:
        """Everybody whom these lines may mean, and what they need to know of them."""
        ids = {line.id for line in lines if line.id is not None}
        self._load("id", list(ids))
        for key in KEYS:
            self._load(key, list({line.values[key] for line in lines if line.values.get(key)}))
        list_ids = {list_id for line in lines for list_id in line.lists}
        with connection.cursor() as cursor:
            if list_ids:
                among, bound = bulk.among("id", list(list_ids))
                cursor.execute(
                    f"SELECT id FROM contacts_list WHERE account_id = %s AND {among}",
                    [self.account_id, bound],
                )
                self.known_lists = {row[0] for row in cursor.fetchall()}
                self.member_of = set(self._pairs(cursor, "contacts_listmember", "list_id", list(list_ids)))
            tags = {tag for line in lines for tag in line.tags}
            if tags:
                pairs = self._pairs(cursor, "contacts_tag", "name", list(tags))
                self.tag_of = {(contact, name) for name, contact in pairs}

    def _load(self, column: str, values: list[Any]) -> None:
        if not values:
            return
        among, bound = bulk.among(column, values)
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_READ} WHERE account_id = %s AND {among} AND erased_at IS NULL", [self.account_id, bound]
            )
            rows = cursor.fetchall()
        for row in rows:
            if row[0] in self.people:
                continue
            person = self.people[row[0]] = Person(row, self.now_ms)
            for key in KEYS:
                if person.values[key] is not None:
                    self.by_key[key][person.values[key]] = person

    def _pairs(self, cursor: Any, table: str, column: str, values: list[Any]) -> list[tuple[Any, int]]:
        if not self.people:
            return []
        mine, contacts = bulk.among("contact_id", list(self.people))
        asked, wanted = bulk.among(column, values)
        cursor.execute(
            f"SELECT {column}, contact_id FROM {table} WHERE {mine} AND {asked}", [contacts, wanted]
        )
        return cursor.fetchall()

    def fold(self, line: Line) -> tuple[Person, list[str]]:
        """Whom the line means, changed as it says; and the channels whose opt-out was kept against it.

        Raises Refused, with nothing changed.
        """
        person = self._who(line)
        keys = {key: line.values.get(key, person.values[key] if person else None) for key in KEYS}
        if not any(keys.values()):
            raise _refused("", _("A contact needs an e-mail address, a phone number or an external id."))
        unknown = [list_id for list_id in line.lists if list_id not in self.known_lists]
        if unknown:
            raise _refused("/lists", _("There is no list %(id)d.") % {"id": unknown[0]})
        fitted, types = self._fit(line, person)
        if person is None:
            person = Person(None, self.now_ms)
        self.order[id(person)] = person
        self.new_types.update(types)
        self.types.update(types)
        self._set_values(person, line)
        for name, value in fitted.items():
            if value is None:
                person.attributes.pop(name, None)
            else:
                person.attributes[name] = value
        kept = self._set_consents(person, line.consents)
        for tag in line.tags:
            if tag not in person.tags and (person.id, tag) not in self.tag_of:
                person.tags.append(tag)
        for list_id in line.lists:
            if list_id not in person.lists and (list_id, person.id) not in self.member_of:
                person.lists.append(list_id)
        return person, kept

    def _who(self, line: Line) -> Person | None:
        meant: Person | None = None
        if line.id is not None:
            meant = self.people.get(line.id)
            if meant is None:
                raise _refused("/id", _("There is no contact %(id)d.") % {"id": line.id})
        for key in ("external_id", "email", "phone"):
            value = line.values.get(key)
            found = self.by_key[key].get(value) if value is not None else None
            if found is None:
                continue
            if meant is not None and found is not meant:
                raise _refused(f"/{key}", _("Its keys name two different contacts."))
            meant = found
        return meant

    def _fit(self, line: Line, person: Person | None) -> tuple[dict[str, Any], dict[str, str]]:
        fitted: dict[str, Any] = {}
        types: dict[str, str] = {}
        for name, value in line.attributes.items():
            try:
                if name not in self.types:
                    if value is None or value == "" or value == []:
                        continue
                    types[name] = attributes.type_of(value)
                    if len(self.types) + len(types) > attributes.MOST_ATTRIBUTES:
                        raise Unfit(
                            _("The account has %(most)d attributes already.")
                            % {"most": attributes.MOST_ATTRIBUTES}
                        )
                fitted[name] = attributes.fit(
                    value, types.get(name) or self.types[name], zone=self.zone, cell=self.cells
                )
            except Unfit as error:
                field = f"attributes.{name}"
                raise Refused([fault_of(field, str(error))], fields=[field]) from error
        for name, step in line.increments.items():
            kind = self.types.get(name)
            if kind is None:
                kind = types[name] = AttributeDefinition.Type.NUMBER
            if kind != AttributeDefinition.Type.NUMBER:
                raise _refused(
                    f"/attributes/{name}", _("The attribute “%(name)s” is not a number.") % {"name": name}
                )
            before = person.attributes.get(name) if person else None
            after = Decimal(str(before or 0)) + step
            fitted[name] = int(after) if after == after.to_integral_value() else float(after)
        return fitted, types

    def _set_values(self, person: Person, line: Line) -> None:
        for name, value in line.values.items():
            before = person.values[name]
            if value == before:
                continue
            if name in self.by_key:
                if before is not None:
                    del self.by_key[name][before]
                if value is not None:
                    self.by_key[name][value] = person
            person.values[name] = value

    def _set_consents(self, person: Person, consents: Mapping[str, str]) -> list[str]:
        kept = []
        for channel, value in consents.items():
            before = person.consents[channel]
            if before == value:
                continue
            if before == _OPTED_OUT and not self.resubscribe:
                kept.append(channel)
                continue
            person.consents[channel] = value
            self.consent_changes.append((person, channel, before, value))
        return kept

    def write(self) -> tuple[list[int], list[int]]:
        """Write it all and tell the journal; answers the ids created and the ids changed."""
        people = list(self.order.values())
        created = [person for person in people if person.new]
        for person, number in zip(created, self._reserve(len(created)), strict=True):
            person.id = number
        changed = [
            (person, names)
            for person in people
            if not person.new and ((names := person.changes()) or person.tags or person.consents_changed())
        ]
        self._write_contacts(created, [person for person, _names in changed])
        bulk.insert_many(
            "contacts_attributedefinition",
            ("account_id", "name", "type", "created_at"),
            [(self.account_id, name, kind, self.now_ms) for name, kind in self.new_types.items()],
        )
        bulk.insert_many(
            "contacts_tag",
            ("account_id", "contact_id", "name"),
            [(self.account_id, person.id, tag) for person in people for tag in person.tags],
        )
        joined = [(list_id, person.id) for person in people for list_id in person.lists]
        insert_members(joined, source=self.source.name, now_ms=self.now_ms)
        insert_consent_changes(
            self.account_id,
            [(person.id, channel, before, after) for person, channel, before, after in self.consent_changes],
            source=self.source,
            now_ms=self.now_ms,
        )
        for person in created:
            self.teller.created(person.id)
        for person, names in changed:
            if names or person.tags:
                self.teller.updated(person.id, names + ["tags"] * bool(person.tags))
        for person, channel, before, after in self.consent_changes:
            self.teller.consent(person.id, channel, before, after)
        for list_id, contact_id in joined:
            self.teller.joined(contact_id, list_id)
        created_ids = [person.id for person in created]
        changed_ids = [person.id for person, _names in changed]
        self.teller.touched([*created_ids, *changed_ids, *(contact_id for _list, contact_id in joined)])
        self.teller.append(self.account_id)
        return created_ids, changed_ids

    def _reserve(self, count: int) -> list[int]:
        return bulk.reserve_ids("contacts_contact", count) if count else []

    def _write_contacts(self, created: list[Person], changed: list[Person]) -> None:
        free = [(None, None, None, person.id) for person in changed if person.moved_keys()]
        bulk.update_many("contacts_contact", KEYS, free)
        bulk.update_many(
            "contacts_contact", _WRITTEN, [(*self._row(person), person.id) for person in changed]
        )
        bulk.insert_many(
            "contacts_contact",
            ("id", "account_id", *_WRITTEN),
            [(person.id, self.account_id, *self._row(person)) for person in created],
        )

    def _row(self, person: Person) -> tuple[Any, ...]:
        return (
            *person.values.values(),
            _encode(person.attributes).decode() if person.attributes else "{}",
            *person.consents.values(),
            self.now_ms,
        )


def insert_members(pairs: Sequence[tuple[int, int]], *, source: str, now_ms: int) -> None:
    """Put contacts on lists that they are not on: pairs of list and contact."""
    bulk.insert_many(
        "contacts_listmember",
        ("list_id", "contact_id", "source", "joined_at"),
        [(list_id, contact_id, source[:50], now_ms) for list_id, contact_id in pairs],
    )


def insert_consent_changes(
    account_id: int,
    changes: Sequence[tuple[int, str, str, str]],
    *,
    source: Source,
    now_ms: int,
    send_id: int | None = None,
) -> None:
    """Keep the history of consents: contact, channel, before, after."""
    proof = json.dumps(dict(source.proof), ensure_ascii=False)
    bulk.insert_many(
        "contacts_consentchange",
        ("account_id", "contact_id", "channel", "before", "after", "source", "proof", "send_id", "at"),
        [
            (account_id, contact_id, channel, before, after, source.name[:200], proof, send_id, now_ms)
            for contact_id, channel, before, after in changes
        ],
    )


def _refused(pointer: str, detail: str) -> Refused:
    return Refused([{"pointer": pointer, "detail": detail}])
