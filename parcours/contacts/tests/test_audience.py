"""Filters and orders of contacts, on the page, in the API and in exports."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from parcours.contacts import audience, definitions
from parcours.contacts.audience import Audience
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop, streamed
from parcours.lib import clock

pytestmark = [pytest.mark.django_db, pytest.mark.database]


class Held:
    """A segment that somebody else keeps."""

    def __init__(self, contacts: Iterable[int]) -> None:
        self.contacts = set(contacts)

    def held(self, contacts: Sequence[int]) -> set[int]:
        return self.contacts & set(contacts)

    def below(self, contact: int | None, limit: int) -> list[int]:
        return sorted((one for one in self.contacts if contact is None or one < contact), reverse=True)[
            :limit
        ]


@pytest.fixture
def people(shop: Shop, monkeypatch: Any) -> Shop:
    made = definitions.create_list(account_id=shop.account.pk, name="L", now=clock.now())
    shop.add(
        {"email": "c@example.org", "tags": ["vip"], "lists": [made.pk], "attributes": {"n": 1}},
        {"external_id": "x1"},
        {"email": "a@example.org", "tags": ["vip"], "consents": {"sms": "opted_in"}},
        {"phone": "0612345678", "lists": [made.pk]},
        {"email": "b@example.org", "first_name": "=1+1", "attributes": {"n": 2, "m": "x"}},
    )
    segment = Held(Contact.objects.order_by("pk").values_list("pk", flat=True)[:2])
    monkeypatch.setattr(
        audience, "_segments", [(lambda account_id: [(7, "S")], lambda account_id, segment_id: segment)]
    )
    return shop


def keys(answer: Any) -> list[str]:
    return [each["email"] or each["phone"] or each["external_id"] for each in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tag=vip", ["a@example.org", "c@example.org"]),
        ("tag=other", []),
        ("consent=sms:opted_in", ["a@example.org"]),
        ("attribute=n", ["b@example.org", "c@example.org"]),
        ("segment=7", ["x1", "c@example.org"]),
        ("segment=7&tag=vip", ["c@example.org"]),
        ("list={list}", ["+33612345678", "c@example.org"]),
        ("list={list}&search=c@", ["c@example.org"]),
        ("sort=oldest&limit=2", ["c@example.org", "x1"]),
    ],
)
def test_the_api_filters(people: Shop, query: str, found: list[str]) -> None:
    made = people.call("GET", "lists").json()["items"][0]["id"]
    assert keys(people.call("GET", f"contacts?{query.format(list=made)}")) == found


@pytest.mark.parametrize(
    ("query", "status"), [("segment=8", 404), ("list=999", 404), ("consent=x", 422), ("sort=x", 422)]
)
def test_filters_that_cannot_be(people: Shop, query: str, status: int) -> None:
    assert people.call("GET", f"contacts?{query}").status_code == status


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", ["b@example.org", "+33612345678", "a@example.org", "x1", "c@example.org"]),
        ("oldest", ["c@example.org", "x1", "a@example.org", "+33612345678", "b@example.org"]),
        ("email", ["a@example.org", "b@example.org", "c@example.org", "+33612345678", "x1"]),
    ],
)
def test_every_page_follows_the_one_before(people: Shop, sort: str, order: list[str], limit: int) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        answer = people.call("GET", f"contacts?sort={sort}&limit={limit}&cursor={cursor}")
        seen += keys(answer)
        cursor = answer.json()["next"]
        if cursor is None:
            break
    assert seen == order


def test_an_export_of_chosen_columns(people: Shop) -> None:
    answer = people.call("GET", "contacts/export?columns=first_name,attributes.n,email&tag=")
    rows = list(csv.reader(io.StringIO(streamed(answer).decode("utf-8-sig"))))
    assert rows[0] == ["email", "first_name", "attributes.n"]
    assert rows[1] == ["b@example.org", "'=1+1", "2"]
    assert len(rows) == 6
    assert people.call("GET", "contacts/export?columns=password").status_code == 422
    filtered = streamed(people.call("GET", "contacts/export?segment=7&columns=id")).decode()
    assert filtered.count("\n") == 3


def test_what_a_job_keeps_of_it_reads_the_same() -> None:
    asked = Audience(search="é", tag="vip", ids=("1", "2"))
    assert Audience.read(asked.as_json()) == asked
    assert Audience().everybody
    assert not asked.everybody
