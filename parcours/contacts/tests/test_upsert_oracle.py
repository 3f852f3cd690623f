"""Batches of lines against a plain-Python reading of the contract, one line after the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.accounts.models import Account
from parcours.contacts import actions, definitions, queries
from parcours.contacts.models import ConsentChange
from parcours.events import journal
from parcours.events.entries import Event, Touched
from parcours.events.models import JournalRow
from parcours.lib.ids import new_id

pytestmark = [pytest.mark.database, pytest.mark.django_db]
NOW = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
UNKNOWN = 10**12


@dataclass
class Known:
    """A contact as the oracle knows it."""

    keys: dict[str, Any] = field(default_factory=lambda: {"external_id": None, "email": None, "phone": None})
    first_name: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    consent: str = "pending"
    tags: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    history: list[tuple[str, str]] = field(default_factory=list)
    id: int = 0


class Oracle:
    """The contract, read aloud: one line at a time, by scanning everybody."""

    def __init__(self, list_ids: set[str]) -> None:
        self.people: list[Known] = []
        self.types: dict[str, type] = {}
        self.list_ids = list_ids

    def take(self, line: dict[str, Any], *, resubscribe: bool) -> Known | None:
        """Whom the line means once done, or None when it is refused."""
        if line.get("email") == "nonsense" or "colour" in line:
            return None
        keys: dict[str, Any] = {
            name: line[name] for name in ("external_id", "email", "phone") if name in line
        }
        if isinstance(keys.get("email"), str):
            keys["email"] = keys["email"].strip().lower()
        if isinstance(keys.get("phone"), str):
            keys["phone"] = "+33" + keys["phone"].replace(" ", "")[1:]
        named = [
            person
            for person in self.people
            if any(value is not None and person.keys[name] == value for name, value in keys.items())
        ]
        if "id" in line:
            owner = [person for person in self.people if person.id == line["id"]]
            if not owner:
                return None
            named += [person for person in owner if person not in named]
        if len(named) > 1:
            return None
        person = named[0] if named else Known()
        if not any({**person.keys, **keys}.values()):
            return None
        if not set(line.get("lists", ())) <= self.list_ids:
            return None
        types = dict(self.types)
        for name, value in line.get("attributes", {}).items():
            if value is None:
                continue
            kind = types.setdefault(name, type(value))
            if kind is int and isinstance(value, str) and value.isdigit():
                continue
            if type(value) is not kind:
                return None
        self.types = types
        if not named:
            self.people.append(person)
        person.keys.update(keys)
        person.first_name = line.get("first_name", person.first_name)
        for name, value in line.get("attributes", {}).items():
            if value is None:
                person.attributes.pop(name, None)
            else:
                person.attributes[name] = types[name](value)
        person.tags |= set(line.get("tags", ()))
        person.lists |= set(line.get("lists", ()))
        said = line.get("consents", {}).get("email", person.consent)
        said = "pending" if said is None else said
        if said != person.consent and (person.consent != "opted_out" or resubscribe):
            person.history.append((person.consent, said))
            person.consent = said
        return person


EMAILS = st.sampled_from(["a@x.fr", " A@X.fr ", "b@x.fr", "c@x.fr", "d@x.fr", None])
PHONES = st.sampled_from(["0612345678", "06 12 34 56 79", None])
NUMBERS = st.sampled_from([1, 7, "3", None])
CONSENTS = st.sampled_from(["opted_in", "opted_out", "pending", None])
GOOD = st.fixed_dictionaries(
    {"email": EMAILS},
    optional={
        "id": st.sampled_from([0, 1, 2]),  # the nth contact known, replaced when the batch is made
        "phone": PHONES,
        "external_id": st.sampled_from(["u1", "u2", None]),
        "first_name": st.sampled_from(["Zoé", "Ali", None]),
        "attributes": st.fixed_dictionaries(
            {}, optional={"points": NUMBERS, "plan": st.sampled_from(["gold", None])}
        ),
        "consents": st.fixed_dictionaries({"email": CONSENTS}),
        "tags": st.lists(st.sampled_from(["vip", "new"]), max_size=2),
        "lists": st.lists(st.sampled_from(["first", "second"]), max_size=2),
    },
)
BAD = st.sampled_from(
    [
        {"email": "a@x.fr", "colour": "red"},
        {"email": "nonsense"},
        {"email": "a@x.fr", "lists": ["elsewhere"]},
        {"id": UNKNOWN, "email": "b@x.fr"},
        {"email": "b@x.fr", "attributes": {"points": True}},
        {"email": "c@x.fr", "attributes": {"points": "many", "fresh": 1}},
        {"email": "c@x.fr", "attributes": {"fresh": "text"}},
        {"first_name": "Nobody"},
    ]
)
LINES = st.one_of(GOOD, GOOD, GOOD, GOOD, BAD)
BATCHES = st.lists(st.tuples(st.booleans(), st.lists(LINES, min_size=3, max_size=9)), min_size=2, max_size=5)


def _entries(account: Account) -> list[Any]:
    rows = JournalRow.objects.filter(account_id=account.pk).order_by("pk")
    return [entry for row in rows for entry in journal.decode(row.body)]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=BATCHES)
def test_batches_read_as_line_after_line(db: None, batches: list[tuple[bool, list[dict[str, Any]]]]) -> None:
    with transaction.atomic():
        _compare(batches)
        transaction.set_rollback(True)


def _compare(batches: list[tuple[bool, list[dict[str, Any]]]]) -> None:
    account = Account.objects.create(name="Ours", write_key=new_id())
    other = Account.objects.create(name="Another", write_key=new_id())
    lists = {
        name: str(definitions.create_list(account_id=owner.pk, name=name, now=NOW).pk)
        for name, owner in (("first", account), ("second", account), ("elsewhere", other))
    }
    oracle = Oracle({lists["first"], lists["second"]})
    for resubscribe, lines in batches:
        said = []
        known = [person.id for person in oracle.people]
        for line in lines:
            line = dict(line)
            if "id" in line and line["id"] != UNKNOWN:
                line["id"] = known[line["id"]] if line["id"] < len(known) else UNKNOWN
            if "lists" in line:
                line["lists"] = [lists[name] for name in line["lists"]]
            said.append(line)
        result = actions.upsert_many(account, said, source="trial", now=NOW, resubscribe=resubscribe)
        expected = [oracle.take(line, resubscribe=resubscribe) for line in said]
        for index, person in enumerate(expected):
            given_id = result.contacts[index]
            assert (given_id is None) == (person is None), (index, said, result)
            if person is not None and given_id is not None:
                assert person.id in (0, given_id)
                person.id = given_id
        assert {each.index for each in result.refused} == {i for i, p in enumerate(expected) if p is None}
        assert set(result.created) == {p.id for p in oracle.people} - set(known)
    _same_state(account, oracle)
    _same_story(account, oracle)


def _same_state(account: Account, oracle: Oracle) -> None:
    read = {int(each["id"]): each for each in queries.described([person.id for person in oracle.people])}
    assert queries.living(account.pk).count() == len(oracle.people) == len(read)
    for person in oracle.people:
        found = read[person.id]
        assert {name: found[name] for name in person.keys} == person.keys
        assert found["first_name"] == person.first_name
        assert found["attributes"] == person.attributes
        assert found["consents"]["email"] == person.consent
        assert set(found["tags"]) == person.tags
        assert set(found["lists"]) == person.lists
        changes = ConsentChange.objects.filter(contact_id=person.id).order_by("pk")
        assert list(changes.values_list("before", "after")) == person.history


def _same_story(account: Account, oracle: Oracle) -> None:
    entries = _entries(account)
    events = [entry for entry in entries if isinstance(entry, Event)]
    assert sorted(e.contact for e in events if e.name == "contact.created") == sorted(
        p.id for p in oracle.people
    )
    told: dict[int, list[tuple[str, str]]] = {person.id: [] for person in oracle.people}
    for event in events:
        if event.name == "email.subscription_updated":
            told[event.contact].append((event.properties["from"], event.properties["to"]))
    assert told == {person.id: person.history for person in oracle.people}
    joined = [(e.contact, e.properties["list"]) for e in events if e.name == "list.joined"]
    assert sorted(joined) == sorted((p.id, each) for p in oracle.people for each in p.lists)
    touched = {contact for entry in entries if isinstance(entry, Touched) for contact in entry.contacts}
    assert touched == {person.id for person in oracle.people}
    assert len({event.message_id for event in events}) == len(events)
