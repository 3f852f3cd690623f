"""Orders of contacts, on either database: each page follows the one before, whichever way it is found."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from parcours.contacts import actions, audience, definitions, folding
from parcours.contacts.audience import Audience
from parcours.contacts.merging import joining, parting
from parcours.contacts.models import Contact
from parcours.contacts.orders import SORTS, Order, Place
from parcours.contacts.tests.conftest import Shop
from parcours.contacts.tests.test_audience import Held
from parcours.lib import clock
from parcours.lib.instants import to_ms

pytestmark = [pytest.mark.django_db, pytest.mark.database]

FIRST = (None, "Élise", "elise", "Zoé", "zoe", "Bob", "ÅSE", "жанна", "Ada", "=1+1")
LAST = (None, "Noël", "Lefèvre", "LEFEVRE", "Étienne", "O'Neil")


@pytest.fixture
def crowd(shop: Shop) -> Shop:
    """Sixty people, many of them alike, some without a name, an address or a sight."""
    dice = random.Random(11)
    start = clock.now() - timedelta(days=9)
    made = definitions.create_list(account_id=shop.account.pk, name="L", now=clock.now())
    for number in range(60):
        line: dict[str, Any] = {
            "external_id": f"x{number}",
            "first_name": dice.choice(FIRST),
            "last_name": dice.choice(LAST),
            "created_at": (start + timedelta(hours=dice.randrange(9))).isoformat(),
            "consents": {"email": dice.choice(("opted_in", "opted_out"))},
        }
        if dice.random() < 0.7:
            line["email"] = f"{dice.choice('abcdefgh')}{number}@example.org"
        if dice.random() < 0.5:
            line["last_seen_at"] = (start + timedelta(hours=dice.randrange(9))).isoformat()
        if dice.random() < 0.5:
            line["lists"] = [made.pk]
        if dice.random() < 0.5:
            line["tags"] = ["vip"]
        shop.add(line)
    return shop


def value(person: Contact, sort: str) -> Any:
    """What somebody sorts by, said apart from what the database keeps."""
    name = sort.removeprefix("-")
    if name in ("newest", "oldest"):
        return person.pk
    if name == "name":
        shown = " ".join(part for part in (person.first_name, person.last_name) if part)
        return folding.folded(shown) or None
    held = getattr(person, name)
    return to_ms(held) if name.endswith("_at") and held is not None else held


def expected(people: list[Contact], sort: str) -> list[int]:
    down = sort.startswith("-") or sort == "newest"
    told = [one for one in people if value(one, sort) is not None]
    told.sort(key=lambda one: (value(one, sort), one.pk), reverse=down)
    untold = sorted((one for one in people if value(one, sort) is None), key=lambda one: -one.pk)
    return [one.pk for one in [*told, *untold]]


def walked(shop: Shop, asked: Audience, sort: str, size: int) -> list[int]:
    seen: list[int] = []
    cursor = ""
    while True:
        page = asked.page(shop.account, sort=sort, cursor=cursor, size=size)
        seen += page.ids
        assert page.count in (None, asked.count(shop.account))
        if page.next is None:
            return seen
        assert len(page.ids) == size
        cursor = page.next


@pytest.mark.parametrize("few", [audience.FEW, 3])
@pytest.mark.parametrize("sort", SORTS)
def test_pages_of_every_order_and_filter(crowd: Shop, monkeypatch: Any, sort: str, few: int) -> None:
    monkeypatch.setattr(audience, "FEW", few)
    monkeypatch.setattr(audience, "_PIECE", 7)
    everyone = list(Contact.objects.prefetch_related("tags", "list_memberships"))
    held = {one.pk for one in everyone if one.pk % 3 and one.first_name != "Zoé"}
    monkeypatch.setattr(audience, "_segments", [(lambda account: [(7, "S")], lambda account, pk: Held(held))])
    (made,) = {member.list_id for one in everyone for member in one.list_memberships.all()}
    listed = {one.pk for one in everyone if one.list_memberships.all()}
    tagged = {one.pk for one in everyone if one.tags.all()}
    consenting = {one.pk for one in everyone if one.consent_email == "opted_in"}
    elises = {one.pk for one in everyone if folding.folded(one.first_name or "") == "elise"}
    everybody = {one.pk for one in everyone}
    for asked, meant in (
        (Audience(), everybody),
        (Audience(segment="7"), held),
        (Audience(list=str(made), tag="vip"), listed & tagged),
        (Audience(consent="email:opted_in", segment="7"), consenting & held),
        (Audience(search="elise", tag="vip"), elises & tagged),
        (Audience(tag="nobody", segment="7"), set()),
    ):
        people = [one for one in everyone if one.pk in meant]
        assert walked(crowd, asked, sort, 7) == expected(people, sort), asked
        assert list(asked.chosen(crowd.account)) == sorted(meant, reverse=True), asked
        assert asked.count(crowd.account) == len(meant), asked


def test_what_a_name_sorts_by_follows_every_writer(shop: Shop) -> None:
    ann, bob = shop.add({"email": "ann@example.org", "first_name": "Ann"}, {"email": "bob@example.org"})

    def kept() -> dict[int, str | None]:
        rows = Contact.objects.all()
        return {one.pk: one.sort_name for one in rows}

    assert kept() == {ann: "ann", bob: None}
    shop.add({"id": ann, "last_name": "Noël"}, {"id": bob, "last_name": "  d’Été "})
    assert kept() == {ann: "ann noel", bob: "d’ete"}
    shop.take("email,first_name,last_name\nzoe@example.org,Zoé,Lefèvre\nann@example.org,,Martin\n".encode())
    zoe = Contact.objects.get(email="zoe@example.org").pk
    assert kept() == {ann: "ann martin", bob: "d’ete", zoe: "zoe lefevre"}
    joining.merge(shop.account, into=bob, merged=[zoe], source="t", now=clock.now())
    assert kept()[zoe] is None
    assert kept()[bob] == folding.sort_name(
        *Contact.objects.values_list("first_name", "last_name").get(pk=bob)
    )
    parting.unmerge(shop.account, contact=zoe, source="t", now=clock.now())
    assert kept() == {ann: "ann martin", bob: "d’ete", zoe: "zoe lefevre"}
    actions.erase(account_id=shop.account.pk, contact_ids=[ann], now=clock.now())
    assert kept()[ann] is None


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the plans are SQLite's")
@pytest.mark.parametrize("sort", SORTS)
def test_no_page_is_sorted_nor_counted_off(shop: Shop, sort: str) -> None:
    rows = Audience()._rows(shop.account, audience._ANY)
    order = Order.named(sort)
    values: tuple[Any, ...] = (None,)
    if order.column != "pk":
        values = (1_700_000_000_000 if order.dated else "m",)
        values += () if sort.endswith("created_at") else (None,)
    for after in (None, *(Place(value, 100) for value in values)):
        with connection.execute_wrapper(explained := Explained()):
            order.piece(rows, after, 51)
        for plan in explained.plans:
            assert "TEMP B-TREE" not in plan, (after, plan)
            assert "SCAN" not in plan, (after, plan)
        assert explained.plans


class Explained:
    """Asks for the plan of every statement, before it runs."""

    def __init__(self) -> None:
        self.plans: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        raw = context["connection"].connection.cursor()
        raw.execute("EXPLAIN QUERY PLAN " + sql.replace("%s", "?"), params or ())
        self.plans.append(" / ".join(row[3] for row in raw.fetchall()))
        return execute(sql, params, many, context)


def test_a_cursor_is_of_its_order(crowd: Shop) -> None:
    for first, second in pairwise(("newest", "name", "created_at", "newest")):
        page = Audience().page(crowd.account, sort=first, cursor="", size=2)
        answer = crowd.call("GET", f"contacts?sort={second}&cursor={page.next}")
        assert answer.status_code == 422, (first, second)
