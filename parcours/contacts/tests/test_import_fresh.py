"""Contacts made column by column are those that `Batch` would have made line after line."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import phonenumbers
import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.accounts.models import Account
from parcours.contacts import definitions, normalise, queries
from parcours.contacts.batch import Batch
from parcours.contacts.importing import fresh
from parcours.contacts.importing.columns import LineReader, with_defaults
from parcours.contacts.importing.fresh import Everyone
from parcours.contacts.importing.sheets import SheetReader
from parcours.contacts.lines import Reader
from parcours.contacts.models import AttributeDefinition, ConsentChange
from parcours.contacts.rows import Source
from parcours.contacts.upserting import upsert_into
from parcours.events import journal
from parcours.events.entries import Event, Touched
from parcours.events.models import JournalRow
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms

NOW = datetime(2026, 3, 28, 20, 0, tzinfo=UTC)
FIELDS = [
    "email",
    "phone",
    "external_id",
    "first_name",
    "country",
    "created_at",
    "consents.email",
    "tags",
    "attributes.points",
    "attributes.birthday",
    "attributes.colours",
    "attributes.note",
    None,
]
TYPES = {"points": "number", "birthday": "date", "colours": "list"}
EMAILS = st.sampled_from(["", "a@x.fr", " A@X.fr ", "b@x.fr", "c@x.fr", "d@x.fr", "é@x.fr", "nonsense"])
ROW = st.tuples(
    EMAILS,
    st.sampled_from(["", "", "", "0612345678", "06 12 34 56 79", "+1 212 555 0100", "12"]),
    st.sampled_from(["", "u1", "u2", "u3", " u4 "]),
    st.sampled_from(["", "Zoé", " Ali ", "a\0b", "x" * 201]),
    st.sampled_from(["", "fr", "Narnia"]),
    st.sampled_from(["", "2020-01-31", "31/12/2020", "2099-01-01", "soon"]),
    st.sampled_from(["", "oui", "opted_out", "pending", "peut-être"]),
    st.sampled_from(["", "vip", "vip, new;vip"]),
    st.sampled_from(
        [
            "",
            "1",
            "-12.50",
            "0",
            "007",
            "1 234,5",
            "1e3",
            "many",
            "-0",
            "100.00",
            "123456789012345678",
            "0.05",
            "-0.50",
            "5.",
            "١٢",
        ]
    ),
    st.sampled_from(["", "28/03/2026", "2026-03-28T20:00", "32/03/2026"]),
    st.sampled_from(["", "red", "red|blue", " ; "]),
    st.sampled_from(["", "  ", "a note", "ß\u0301"]),
    st.sampled_from(["", "left out"]),
)
FILES = st.lists(st.lists(ROW, min_size=1, max_size=8), min_size=1, max_size=3)


@pytest.mark.database
@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=FILES, key=st.sampled_from(["", "", "email", "external_id"]), default=st.booleans())
def test_the_faster_way_leads_to_the_same(
    db: None, files: list[list[tuple[str, ...]]], key: str, default: bool
) -> None:
    with transaction.atomic():
        told = []
        for fast in (True, False):
            account = Account.objects.create(name="Shop", write_key=new_id(), country="FR")
            for name, kind in TYPES.items():
                definitions.declare_attribute(account_id=account.pk, name=name, type=kind, now=NOW)
            letter = definitions.create_list(account_id=account.pk, name="Letter", now=NOW).pk
            everyone = Everyone([letter], ["all"], {"email": "opted_in"}) if default else Everyone()
            refused = [_take(account, rows, everyone, key=key, fast=fast) for rows in files]
            told.append((refused, _state(account), _story(account)))
        assert told[0] == told[1]
        transaction.set_rollback(True)


def _take(
    account: Account, rows: list[tuple[str, ...]], everyone: Everyone, *, key: str, fast: bool
) -> list[tuple[int, str]]:
    types = queries.attribute_types(account.pk)
    lines = LineReader(FIELDS, types=types, decimal="comma", dates="dmy")
    batch = Batch(account, source=Source("trial"), now_ms=to_ms(NOW), cells=True, key=key)
    taken = [False] * len(rows)
    if fast:
        reader = SheetReader(
            lines,
            Reader(country=account.country, zone=account.timezone),
            types=types,
            key=key,
            now_ms=lambda: to_ms(NOW),
        )
        taken, _ids = fresh.put(batch, reader.read(rows), everyone)
    rest = [index for index, done in enumerate(taken) if not done]
    given_lines = [
        with_defaults(
            lines.line(rows[index]),
            lists=[str(each) for each in everyone.lists],
            consents=everyone.consents,
            tags=everyone.tags,
        )
        for index in rest
    ]
    outcome = upsert_into(batch, given_lines)
    return [(rest[each.index], each.reason) for each in outcome.refused]


def _state(account: Account) -> Any:
    ids = list(queries.living(account.pk).values_list("pk", flat=True))
    people = queries.described(ids)
    changes: dict[str, list[tuple[str, str, str]]] = {}
    for change in ConsentChange.objects.filter(account=account).order_by("pk"):
        changes.setdefault(str(change.contact_id), []).append((change.channel, change.before, change.after))
    for person in people:
        person["history"] = changes.get(person.pop("id"), [])
        person["lists"] = len(person["lists"])
    people.sort(key=lambda person: str((person["external_id"], person["email"], person["phone"])))
    definitions_made = AttributeDefinition.objects.filter(account=account).order_by("name")
    return people, list(definitions_made.values_list("name", "type"))


def _story(account: Account) -> Any:
    entries = [
        entry
        for row in JournalRow.objects.filter(account_id=account.pk).order_by("pk")
        for entry in journal.decode(row.body)
    ]
    events = [entry for entry in entries if isinstance(entry, Event)]
    assert len({event.message_id for event in events}) == len(events)
    touched = {contact for entry in entries if isinstance(entry, Touched) for contact in entry.contacts}
    names = Counter((event.name, event.properties.get("to", "")) for event in events)
    return names, len(touched), sorted(Counter(event.contact for event in events).values())


@pytest.mark.parametrize(
    "country", ["FR", "BE", "US", "GB", "DE", "IT", "CH", "CA", "MA", "RE", "SN", "AR", "BR", ""]
)
@settings(max_examples=60, deadline=None)
@given(
    digits=st.text("0123456789", min_size=3, max_size=13),
    lead=st.sampled_from(["", "+", "0", "00", "+33", "+1", "+39", "1", "33", "0033", "+44 0", "+54 9"]),
    places=st.lists(st.integers(0, 14), max_size=5),
)
def test_telephones_are_read_as_the_library_reads_them(
    country: str, digits: str, lead: str, places: list[int]
) -> None:
    said = lead + digits
    for place, mark in zip(sorted(places), " .-  ", strict=False):
        said = said[:place] + mark + said[place:]
    try:
        number = phonenumbers.parse(said, country or None)
        expected = None
        if phonenumbers.is_possible_number(number) and not number.extension:
            expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        expected = None
    try:
        found = normalise.phone(said, country=country)
    except normalise.Unfit:
        found = None
    assert found == expected
