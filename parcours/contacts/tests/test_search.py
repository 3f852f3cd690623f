"""Contacts found by the beginnings of words, whatever their case and accents, on either database."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.contacts import actions, queries, search
from parcours.contacts.audience import Audience
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def found(shop: Shop, text: str) -> set[str]:
    """Who is found, by first name."""
    rows = queries.search(shop.account.pk, text=text, country="FR")
    return {contact.first_name or str(contact) for contact in rows}


@pytest.fixture
def people(shop: Shop) -> Shop:
    shop.add(
        {"email": "zoe.lefevre@example.org", "first_name": "Zoé", "last_name": "Lefèvre"},
        {"phone": "06 12 34 56 78", "first_name": "Jean-Pierre", "last_name": "ÉLUARD"},
        {"external_id": "C-2041", "first_name": "Ülkü", "last_name": "d’Ormesson"},
        {"email": "info@évreux.example", "first_name": "Жанна", "last_name": "O'Neil"},
    )
    return shop


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lefevre", {"Zoé"}),
        ("LEFÈV", {"Zoé"}),
        ("zoe lefe", {"Zoé"}),
        ("lefevre zoe", {"Zoé"}),
        ("zoe.lefevre@exa", {"Zoé"}),
        ("example", {"Zoé", "Жанна"}),
        ("éluard", {"Jean-Pierre"}),
        ("pierre", {"Jean-Pierre"}),
        ("jean-pi", {"Jean-Pierre"}),
        ("06 12 34 56 78", {"Jean-Pierre"}),
        ("+33 6 12", {"Jean-Pierre"}),
        ("0612", {"Jean-Pierre"}),
        ("c-20", {"Ülkü"}),
        ("2041", {"Ülkü"}),
        ("ormesson", {"Ülkü"}),
        ("evreux", {"Жанна"}),
        ("neil", {"Жанна"}),
        ("zoe eluard", set()),
        ("fevre", set()),
        ("@@", set()),
        ("100% _ ' \" * AND OR NOT ( :*", set()),
        ("   ", {"Zoé", "Jean-Pierre", "Ülkü", "Жанна"}),
    ],
)
def test_words(people: Shop, text: str, names: set[str]) -> None:
    assert found(people, text) == names


def test_the_index_follows_every_change(people: Shop) -> None:
    (zoe,) = Contact.objects.filter(first_name="Zoé").values_list("pk", flat=True)
    actions.upsert_many(
        people.account,
        [{"id": zoe, "last_name": "Dupont", "email": None, "external_id": "z"}],
        source="t",
        now=clock.now(),
    )
    assert found(people, "lefevre") == set()
    assert found(people, "dupont") == {"Zoé"}
    actions.upsert_many(people.account, [{"id": zoe, "last_name": "Durand"}], source="t", now=clock.now())
    actions.upsert_many(people.account, [{"id": zoe, "last_name": "Lefort"}], source="t", now=clock.now())
    assert found(people, "durand") == set()
    assert found(people, "lefort") == {"Zoé"}
    actions.erase(account_id=people.account.pk, contact_ids=[zoe], now=clock.now())
    assert found(people, "lefort") == set()
    Contact.objects.filter(pk=zoe).delete()
    assert found(people, "lefort") == set()


def test_a_whole_address_means_who_has_it(people: Shop) -> None:
    people.add({"email": "zoe.lefevre@example.org.fr", "first_name": "Other"})
    assert found(people, " Zoe.Lefevre@example.org ") == {"Zoé"}
    assert found(people, "zoe.lefevre@example") == {"Zoé", "Other"}
    asked = Audience(search="zoe.lefevre@example.org")
    assert asked.count(people.account) == 1
    assert len(asked.page(people.account, sort="name", cursor="", size=9).ids) == 1


def test_another_accounts_contacts_are_not_found(people: Shop, other_shop: Shop) -> None:
    other_shop.add({"email": "zoe@example.org", "phone": "0612345678"})
    assert found(people, "zoe") == {"Zoé"}
    assert found(people, "0612345678") == {"Jean-Pierre"}


def test_what_a_rolled_back_transaction_wrote_is_not_found(people: Shop) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), transaction.atomic():
        people.add({"email": "ghost@example.org"})
        assert found(people, "ghost") == {"ghost@example.org"}
        raise Undone
    assert found(people, "ghost") == set()


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's index cannot be lost so")
def test_a_table_built_anew_gets_its_index_again(people: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER contacts_unindexed_update")
    Contact.objects.filter(first_name="Zoé").update(last_name="Nouvelle")
    search.install()
    assert found(people, "nouvelle") == {"Zoé"}
    assert search.settle() == 0


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's index is not made so")
def test_the_index_of_an_earlier_version_is_made_anew(people: Shop) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE contacts_indexed")
        cursor.execute("DROP TRIGGER contacts_unindexed_update")
        cursor.execute("DROP TRIGGER contacts_unindexed_delete")
        cursor.execute("DROP TABLE contacts_unindexed")
        cursor.execute("CREATE TABLE contacts_unindexed (id integer PRIMARY KEY, indexed integer NOT NULL)")
        cursor.execute(
            "CREATE TRIGGER contacts_unindexed_insert AFTER INSERT ON contacts_contact BEGIN"
            " INSERT OR IGNORE INTO contacts_unindexed(id, indexed) VALUES (new.id, 0); END"
        )
    search.install()
    people.add({"email": "later@example.org", "first_name": "Nadège"})
    Contact.objects.filter(first_name="Zoé").update(last_name="Nouvelle")
    assert found(people, "nouvelle") == {"Zoé"}
    assert found(people, "nadege") == {"Nadège"}
    assert found(people, "lefevre") == {"Zoé"}  # in the address


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL's index needs no settling")
def test_changes_and_newcomers_are_taken_in_by_few(people: Shop) -> None:
    assert search.settle() == 4
    Contact.objects.filter(first_name="Zoé").update(last_name="Nouvelle")
    people.add({"external_id": "n1", "first_name": "Un"}, {"external_id": "n2", "first_name": "Deux"})
    Contact.objects.filter(first_name="Un").update(first_name="Uno")
    assert [search.settle(limit=2) for _round in range(3)] == [2, 1, 0]
    assert found(people, "nouvelle") == {"Zoé"}
    assert (found(people, "uno"), found(people, "un")) == ({"Uno"}, {"Uno"})
    assert found(people, "deux") == {"Deux"}


WORD = st.text(alphabet="aàâeéèiïoôuüAÀEÉZz09-' .@", min_size=0, max_size=12)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=6), asked=WORD)
def test_against_plain_python(names: list[tuple[str, str]], asked: str) -> None:
    words = search._WORD.findall(search.fold(asked))
    with transaction.atomic():
        shop = Shop("hypothesis@example.org")
        for number, (first, last) in enumerate(names):
            shop.add({"external_id": f"x{number}", "first_name": first, "last_name": last})
        digits = [character for character in asked if character.isdigit()]
        is_number = bool(search._NUMBER.fullmatch(asked.strip())) and len(digits) >= 4
        rows = queries.search(shop.account.pk, text=asked, country="FR")
        got = {contact.external_id for contact in rows}
        expected = set()
        for number, (first, last) in enumerate(names):
            theirs = search._WORD.findall(search.fold(f"x{number} {first} {last}"))
            if all(any(each.startswith(word) for each in theirs) for word in words):
                expected.add(f"x{number}")
        if not asked.strip():
            expected = {f"x{number}" for number in range(len(names))}
        elif not words:
            expected = set()
        transaction.set_rollback(True)
    if not is_number:
        assert got == expected
