"""A contact's timeline, read from a real store after a real digest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from parcours.contacts import actions, definitions
from parcours.contacts.tests.conftest import Shop
from parcours.events import journal
from parcours.events.entries import Call, Event, Said
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.tracking.digest.run import Digest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store")]


@pytest.fixture
def digest() -> Iterator[Digest]:
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield Digest()
    collected.trim(2**62)


def _call(kind: str, at: int, **body: Any) -> Call:
    said = msgspec.convert({"anonymousId": "browser-1", **body}, Said)
    return Call(kind=kind, body=said, received_at=at, occurred_at=at, message_id=new_id())


def _all(shop: Shop, contact_id: int, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    path, more = f"contacts/{contact_id}/timeline?limit={limit}", ""
    while True:
        page = shop.call("GET", path + more).json()
        items += page["items"]
        if page["next"] is None:
            return items
        more = f"&cursor={page['next']}&as_of={page['as_of']}"


def test_a_timeline_holds_the_visitors_past_newest_first(digest: Digest) -> None:
    shop = Shop()
    now = to_ms(clock.now())
    made = definitions.create_list(account_id=shop.account.pk, name="Letter", now=clock.now())
    ada, eve = shop.add({"email": "ada@example.org", "lists": [made.pk]}, {"email": "eve@example.org"})
    actions.set_consent(
        account_id=shop.account.pk,
        contact_ids=[ada],
        channel="email",
        value="opted_in",
        source="form",
        now=clock.now(),
    )
    pages = [
        _call("page", now - 60_000 * n, properties={"path": f"/p{n}", "url": f"https://shop.example/p{n}"})
        for n in range(1, 8)
    ]
    other = Event(
        name="page.viewed",
        occurred_at=now - 5,
        received_at=now,
        message_id=new_id(),
        contact=eve,
        properties={"path": "/elsewhere"},
    )
    journal.append([*pages, other], account_id=shop.account.pk)
    tie = _call("identify", now, traits={"email": "Ada@example.org"})
    journal.append([tie], account_id=shop.account.pk)
    while digest.round():
        pass
    items = _all(shop, ada, limit=3)
    names = [item["name"] for item in items]
    assert set(names[:3]) == {"contact.created", "list.joined", "email.subscription_updated"}
    assert [item["properties"]["path"] for item in items[3:]] == [f"/p{n}" for n in range(1, 8)]
    assert all(item["anonymous"] for item in items[3:])
    assert [item["occurred_at"] for item in items] == sorted(
        (item["occurred_at"] for item in items), reverse=True
    )
    assert items == _all(shop, ada, limit=100)
    assert {item["name"] for item in _all(shop, eve, limit=100)} == {"contact.created", "page.viewed"}
    assert shop.call("GET", f"contacts/{ada}/timeline?cursor=forged").status_code == 422
    assert shop.call("GET", f"contacts/{ada}/timeline?as_of=yesterday").status_code == 422


def test_a_timeline_is_read_by_kind_of_event(digest: Digest) -> None:
    shop = Shop()
    now = to_ms(clock.now())
    (ada,) = shop.add({"email": "ada@example.org"})
    events = [
        Event("order.placed", now, now, new_id(), contact=ada, order="A-1"),
        Event("Machine turned on", now, now, new_id(), contact=ada),
        Event("deal.stage_changed", now, now, new_id(), contact=ada, deal=7),
    ]
    journal.append(events, account_id=shop.account.pk)
    while digest.round():
        pass
    path = f"contacts/{ada}/timeline?categories="

    def told(categories: str) -> list[str]:
        return sorted(item["name"] for item in shop.call("GET", path + categories).json()["items"])

    assert told("order") == ["order.placed"]
    assert told("other,deal") == ["Machine turned on", "deal.stage_changed"]
    assert len(told("")) == 4
    (moved,) = shop.call("GET", path + "deal").json()["items"]
    assert moved["deal"] == "7"
    refused = shop.call("GET", path + "orders")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/categories")
