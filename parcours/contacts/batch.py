"""Many lines about contacts taken in at once: a few queries for thousands of them, whatever they say.

A batch lives in one transaction, under its account's lock. Lines are folded in their order into the people whom they
mean, held in memory; then everything is written: contacts, consents with their history, tags, lists, attribute
definitions, and the journal's entries that tell of it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from django.db import connection
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import attributes, rows
from parcours.contacts.folding import sort_name
from parcours.contacts.lines import COLUMNS, DECIDING_KEYS, KEYS, Line, Reader, Refused, fault_of
from parcours.contacts.merging import erased
from parcours.contacts.merging.people import by_former_keys, survivors
from parcours.contacts.models import AttributeDefinition, ConsentValue
from parcours.contacts.normalise import Unfit
from parcours.contacts.person import Person
from parcours.contacts.rows import Source
from parcours.contacts.telling import Teller
from parcours.lib import bulk

_LOCK = 7_301_001  # names the advisory lock among all those that PostgreSQL may hold for us
_READ = f"SELECT id, {', '.join(COLUMNS)}, attributes, {', '.join(rows.CONSENTS)} FROM contacts_contact"
_OPTED_OUT = ConsentValue.OPTED_OUT.value
_encode = msgspec.json.Encoder(decimal_format="number").encode


def lock(account_id: int) -> None:
    """Let one transaction at a time change an account's contacts, until it ends.

    On SQLite a transaction is the only writer anyhow. On PostgreSQL this is what makes "look up, then insert"
    exact without a failed insert ruining the batch, and a read-change-write of a profile lose nothing.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, account_id])


class Batch:
    """Lines of one account, folded and then written, in the caller's transaction."""

    def __init__(
        self,
        account: Account,
        *,
        source: Source,
        now_ms: int,
        resubscribe: bool = False,
        cells: bool = False,
        key: str = "",
        sent_ms: int | None = None,
    ) -> None:
        """`key` says which field alone tells who is meant; without it, id, external_id, email and phone do. `sent_ms`
        is when the lines were sent, for those that waited: they make nobody anew who was erased since."""
        lock(account.pk)
        self.sent_ms = sent_ms if sent_ms is not None and erased.any_since(account.pk, sent_ms) else None
        self.country = account.country
        self.account_id: int = account.pk
        self.reader = Reader(country=account.country, zone=account.timezone)
        self.zone = account.timezone
        self.source, self.now_ms, self.resubscribe, self.cells = source, now_ms, resubscribe, cells
        self.key = key
        self.types: dict[str, str] = dict(
            AttributeDefinition.objects.filter(account_id=account.pk).values_list("name", "type")
        )
        self.new_types: dict[str, str] = {}
        self.people: dict[int, Person] = {}
        self.by_key: dict[str, dict[str, Person]] = {key: {} for key in KEYS}
        self.former: set[tuple[str, str]] = set()  # keys that find somebody by what they were before a merge
        self.order: dict[int, Person] = {}  # by identity of the object: those that a line named
        self._asked: dict[str, set[Any]] = defaultdict(set)
        self.known_lists: set[int] = set()
        self.member_of: set[tuple[int, int]] = set()  # (list, contact), of those that lines ask for
        self.tag_of: set[tuple[int, str]] = set()
        self.consent_changes: list[tuple[Person, str, str, str]] = []
        self.changed: list[
            tuple[Person, list[str]]
        ] = []  # once written: who was known, and what is not as it was
        self.teller = Teller(source=source.name, cause=source.cause, now_ms=now_ms)

    def of_erased(self, lines: Sequence[Mapping[str, Any]]) -> set[int]:
        """The places of the lines that name somebody erased since they were sent."""
        if self.sent_ms is None:
            return set()
        return erased.named_by(self.account_id, lines, country=self.country, sent_ms=self.sent_ms)

    def read(self, given: Mapping[str, Any]) -> Line:
        """A line as sent, checked as far as it can be alone. Raises Refused."""
        return self.reader.read(given, now_ms=self.now_ms)

    def load(self, lines: Sequence[Line]) -> None:
        """Everybody whom these lines may mean, and what they need to know of them."""
        self.load_keys("id", [line.id for line in lines])
        for key in KEYS:
            self.load_keys(key, [line.values.get(key) for line in lines])
        list_ids = {list_id for line in lines for list_id in line.lists}
        self.know_lists(list_ids)
        with connection.cursor() as cursor:
            if list_ids:
                self.member_of = set(self._pairs(cursor, "contacts_listmember", "list_id", list(list_ids)))
            tags = {tag for line in lines for tag in line.tags}
            if tags:
                pairs = self._pairs(cursor, "contacts_tag", "name", list(tags))
                self.tag_of = {(contact, name) for name, contact in pairs}

    def know_lists(self, list_ids: Iterable[int]) -> bool:
        """Look up which lists are the account's; answers whether all of these are."""
        unknown = [list_id for list_id in list_ids if list_id not in self.known_lists]
        if not unknown:
            return True
        among, bound = bulk.among("id", unknown)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id FROM contacts_list WHERE account_id = %s AND {among}", [self.account_id, bound]
            )
            found = {row[0] for row in cursor.fetchall()}
        self.known_lists |= found
        return len(found) == len(set(unknown))

    def load_keys(self, column: str, values: Iterable[Any]) -> None:
        """Everybody whom these values of a key name; None and those asked for before cost nothing."""
        asked = self._asked[column]
        wanted = {value for value in values if value is not None} - asked
        if not wanted:
            return
        asked |= wanted
        self._read(column, wanted)
        self._load_merged(column, wanted)

    def _read(self, column: str, wanted: Iterable[Any]) -> None:
        among, bound = bulk.among(column, list(wanted))
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

    def _load_merged(self, column: str, wanted: set[Any]) -> None:
        """Contacts found by what they were before a merge: an id, or a key that stays theirs without being shown."""
        if column == "id":
            found = survivors(self.account_id, wanted)
            self._read("id", found.values())
            self.people |= {former: self.people[now] for former, now in found.items() if now in self.people}
            return
        known = self.by_key[column]
        former = by_former_keys(self.account_id, {column: [value for value in wanted if value not in known]})
        if former:
            self._read("id", former.values())
        for (kind, value), contact in former.items():
            if contact in self.people:
                self.by_key[kind].setdefault(value, self.people[contact])
                self.former.add((kind, value))

    def _pairs(self, cursor: Any, table: str, column: str, values: list[Any]) -> list[tuple[Any, int]]:
        if not self.people:
            return []
        mine, contacts = bulk.among("contact_id", list(self.people))
        asked, wanted = bulk.among(column, values)
        cursor.execute(
            f"SELECT {column}, contact_id FROM {table} WHERE {mine} AND {asked}", [contacts, wanted]
        )
        return cursor.fetchall()

    def declare(self, names: Iterable[str]) -> None:
        """Attributes that are borne from now on: those that are new hold texts."""
        for name in names:
            if name not in self.types:
                self.types[name] = self.new_types[name] = AttributeDefinition.Type.TEXT

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
        if self.key:
            return self._who_by(self.key, line)
        meant: Person | None = None
        if line.id is not None:
            meant = self.people.get(line.id)
            if meant is None:
                raise _refused("/id", _("There is no contact %(id)d.") % {"id": line.id})
        for key in DECIDING_KEYS:
            value = line.values.get(key)
            found = self.by_key[key].get(value) if value is not None else None
            if found is None:
                continue
            if meant is not None and found is not meant:
                raise _refused(f"/{key}", _("Its keys name two different contacts."))
            meant = found
        return meant

    def _who_by(self, key: str, line: Line) -> Person | None:
        """Whom one key names; what the others say is then a datum like another, which must not be somebody else's."""
        value = line.id if key == "id" else line.values.get(key)
        if value is None:
            raise _refused(f"/{key}", _("The line does not say which contact it means: its key is empty."))
        meant = self.people.get(line.id or 0) if key == "id" else self.by_key[key].get(str(value))
        if meant is None and line.id is not None:
            raise _refused("/id", _("There is no contact %(id)d.") % {"id": line.id})
        for other in KEYS:
            owner = self.by_key[other].get(line.values.get(other) or "")
            if owner is not None and owner is not meant:
                raise _refused(
                    f"/{other}", _("“%(value)s” is another contact’s.") % {"value": line.values[other]}
                )
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
            # A former key finds its contact and changes nothing, unless the contact is named by its id.
            if value == before or ((name, value) in self.former and line.id is None):
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
        self.changed = changed
        self._write_contacts(created, changed)
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
        rows.insert_members(joined, source=self.source.name, now_ms=self.now_ms)
        rows.insert_consent_changes(
            self.account_id,
            [(person.id, channel, before, after) for person, channel, before, after in self.consent_changes],
            source=self.source,
            now_ms=self.now_ms,
        )
        self.teller.created([person.id for person in created])
        for person, names in changed:
            if names or person.tags:
                self.teller.updated(person.id, names + ["tags"] * bool(person.tags))
        self._tell_consents()
        members: dict[int, list[int]] = defaultdict(list)
        for list_id, contact_id in joined:
            members[list_id].append(contact_id)
        for list_id, contact_ids in members.items():
            self.teller.joined(contact_ids, list_id)
        created_ids = [person.id for person in created]
        changed_ids = [person.id for person, _names in changed]
        self.teller.touched([*created_ids, *changed_ids, *(contact_id for _list, contact_id in joined)])
        self.teller.append(self.account_id)
        return created_ids, changed_ids

    def _tell_consents(self) -> None:
        """Those who changed once are told together; who changed more often, in the order of the changes."""
        often = Counter((person.id, channel) for person, channel, _before, _after in self.consent_changes)
        alike: dict[tuple[str, str, str], list[int]] = defaultdict(list)
        for person, channel, before, after in self.consent_changes:
            if often[person.id, channel] == 1:
                alike[channel, before, after].append(person.id)
            else:
                self.teller.consent(person.id, channel, before, after)
        for (channel, before, after), contact_ids in alike.items():
            self.teller.consents(contact_ids, channel, before, after)

    def _reserve(self, count: int) -> list[int]:
        return bulk.reserve_ids("contacts_contact", count) if count else []

    def _write_contacts(self, created: list[Person], changed: list[tuple[Person, list[str]]]) -> None:
        free = [(None, None, None, person.id) for person, _names in changed if person.moved_keys()]
        bulk.update_many("contacts_contact", KEYS, free)
        told = ((person, self._row(person), names) for person, names in changed)
        rows.update_contacts(told, now_ms=self.now_ms)
        bulk.insert_many(
            "contacts_contact",
            ("id", "account_id", *rows.WRITTEN),
            [(person.id, self.account_id, *self._row(person)) for person in created],
        )

    def _row(self, person: Person) -> tuple[Any, ...]:
        return (
            *person.values.values(),
            sort_name(person.values["first_name"], person.values["last_name"]),
            _encode(person.attributes).decode() if person.attributes else "{}",
            *person.consents.values(),
            self.now_ms,
        )


def _refused(pointer: str, detail: str) -> Refused:
    return Refused([{"pointer": pointer, "detail": detail}])
