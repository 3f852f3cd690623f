"""Orders by every door: one for each order_id, the last word stands, what is given back adds up."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from parcours.commerce.models import Order, OrderChange, Product
from parcours.commerce.tests.conftest import Shop, make_shop
from parcours.events.models import JournalRow
from parcours.lib import clock

pytestmark = pytest.mark.database


def order(shop: Shop, order_id: str) -> Order:
    return Order.objects.get(account=shop.account, order_id=order_id)


def test_the_last_word_on_an_order_stands(shop: Shop) -> None:
    ada, bob = shop.people("ada@example.org", "bob@example.org")
    shop.happens("order.placed", ada, order="A-1", total=120.5, tax=20, shipping=5.5, currency="eur")
    shop.happens("order.placed", ada, order="A-2", value="9.99", currency="USD")
    shop.catch_up()
    first = order(shop, "A-1")
    assert (first.contact_id, first.amount, first.currency, first.status) == (
        ada,
        Decimal(95),
        "EUR",
        "placed",
    )
    assert (order(shop, "A-2").amount, order(shop, "A-2").currency) == (Decimal("9.99"), "USD")
    shop.happens("order.placed", bob, order="A-1", subtotal=33.333)
    shop.happens("order.refunded", bob, order="A-1", amount=3.333)
    shop.catch_up()
    first = order(shop, "A-1")
    assert (first.contact_id, first.amount, first.refunded) == (bob, Decimal("33.333"), Decimal("3.333"))
    assert (first.status, first.total, first.net) == ("partially_refunded", None, Decimal("30"))
    assert Order.objects.count() == 2


def test_refunds_and_cancellations_come_in_any_order(shop: Shop) -> None:
    (ada,) = shop.people("ada@example.org")
    shop.happens("order.refunded", ada, order="early", amount=4)
    shop.happens("order.cancelled", ada, order="gone")
    shop.catch_up()
    assert not Order.objects.exists()
    for order_id in ("early", "gone", "whole", "too much", "other money"):
        shop.happens("order.placed", ada, order=order_id, subtotal=10)
    shop.happens("order.refunded", ada, order="whole")
    shop.happens("order.refunded", ada, order="too much", amount=7)
    shop.happens("order.refunded", ada, order="too much", amount=7)
    shop.happens("order.refunded", ada, order="other money", amount=7, currency="USD")
    shop.catch_up()
    told = {one.order_id: (one.status, one.refunded, one.net) for one in Order.objects.all()}
    assert told == {
        "early": ("partially_refunded", Decimal(4), Decimal(6)),
        "gone": ("cancelled", Decimal(0), Decimal(0)),
        "whole": ("refunded", Decimal(10), Decimal(0)),
        "too much": ("refunded", Decimal(10), Decimal(0)),
        "other money": ("placed", Decimal(0), Decimal(10)),
    }


def test_a_visitor_s_order_becomes_its_contact_s(shop: Shop) -> None:
    (ada,) = shop.people("ada@example.org")
    bought = {
        "name": "Order Completed",
        "anonymous_id": "v1",
        "properties": {"order_id": "A-1", "subtotal": 10},
    }
    known = {"name": "page.viewed", "anonymous_id": "v1", "contact": {"email": "ada@example.org"}}
    for line, buyer in ((bought, None), (known, ada)):
        shop.send("events", json.dumps(line).encode(), content_type="application/x-ndjson")
        assert order(shop, "A-1").contact_id == buyer
        assert bool(order(shop, "A-1").visitor) == (buyer is None)


def test_an_order_by_the_api_is_its_event_and_is_told_once(shop: Shop) -> None:
    body = {
        "order_id": "A-1",
        "contact": {"email": "ada@example.org"},
        "placed_at": "2026-01-31T10:00:00+01:00",
        "subtotal": 19.99,
        "tax": "4.00",
        "products": [{"product_id": "tea", "name": "Thé", "price": 19.99, "quantity": 1}],
    }
    made = shop.call("POST", "orders", body, status=201)
    assert (made["amount"], made["tax"], made["status"], made["currency"]) == (19.99, 4, "placed", "EUR")
    assert made["placed_at"] == "2026-01-31T09:00:00.000Z"
    assert made["contact"]["email"] == "ada@example.org"
    assert Product.objects.get(product_id="tea").name == "Thé"
    rows = JournalRow.objects.count()
    again = shop.call("POST", "orders", {**body, "contact": made["contact"]})
    assert again["id"] == made["id"]
    assert JournalRow.objects.count() == rows, "what is as it was tells nothing"
    corrected = shop.call("POST", "orders", {"order_id": "A-1", "subtotal": 25, "tax": None})
    assert (corrected["amount"], corrected["tax"], corrected["products"]) == (25, None, made["products"])
    shop.catch_up()
    assert shop.call("GET", f"orders/{made['id']}") | {"updated_at": ""} == corrected | {"updated_at": ""}
    events = shop.call("GET", f"contacts/{made['contact']['id']}/timeline")["items"]
    placed = [event for event in events if event["name"] == "order.placed"]
    assert [event["properties"]["subtotal"] for event in placed] == [25, 19.99]
    assert {event["occurred_at"] for event in placed} == {made["placed_at"]}
    assert {event["order"] for event in placed} == {"A-1"}


def test_refund_and_cancel_by_the_api(shop: Shop) -> None:
    made = shop.call(
        "POST", "orders", {"order_id": 7, "contact": {"email": "a@example.org"}, "total": 10}, status=201
    )
    path = f"orders/{made['id']}"
    assert shop.faults("POST", f"{path}/refund", {"amount": 10.5}) == {"/amount"}
    assert shop.faults("POST", f"{path}/refund", {"amount": -1}) == {"/amount"}
    part = shop.call("POST", f"{path}/refund", {"amount": 4, "reason": "cassé"})
    assert (part["status"], part["refunded"], part["net"]) == ("partially_refunded", 4, 6)
    whole = shop.call("POST", f"{path}/refund")
    assert (whole["status"], whole["refunded"]) == ("refunded", 10)
    assert shop.faults("POST", f"{path}/refund", {}) == {"/amount"}
    cancelled = shop.call("POST", f"{path}/cancel", {})
    assert cancelled["status"] == "cancelled"
    assert shop.call("POST", f"{path}/cancel", {}, status=422)["detail"]
    shop.catch_up()
    told = shop.call("GET", path)
    assert (told["status"], told["refunded"], told["net"]) == ("cancelled", 10, 0)
    assert OrderChange.objects.count() == 3, "the digest counts nothing twice"


@pytest.mark.parametrize(
    ("line", "pointers"),
    [
        ({}, {"/order_id"}),
        ({"order_id": "x"}, {"/contact"}),
        ({"order_id": "x", "contact": {"id": "999999"}}, {"/contact/id"}),
        ({"order_id": "x", "contact": {"email": "nobody"}}, {"/contact/email"}),
        (
            {"order_id": "x", "contact": {"email": "a@b.fr"}, "subtotal": -1, "currency": "XXX"},
            {"/subtotal", "/currency"},
        ),
        ({"order_id": "x", "contact": {"email": "a@b.fr"}, "total": "ten", "nom": 1}, {"/total", "/nom"}),
        ({"order_id": "x", "contact": {"email": "a@b.fr"}, "placed_at": "2099-01-01"}, {"/placed_at"}),
        (
            {"order_id": "x", "contact": {"email": "a@b.fr"}, "products": [{"price": -1}]},
            {"/products/0/price"},
        ),
        ({"order_id": "x", "contact": {"email": "a@b.fr"}, "subtotal": 1e300}, {"/subtotal"}),
        ({"order_id": "x" * 256, "contact": "a@b.fr"}, {"/order_id", "/contact"}),
    ],
    ids=lambda value: "" if isinstance(value, set) else str(len(str(value))),
)
def test_a_bad_order_says_all_that_is_wrong_and_leaves_nothing(
    quiet_shop: Shop, line: dict[str, object], pointers: set[str]
) -> None:
    rows = JournalRow.objects.count()
    assert quiet_shop.faults("POST", "orders", line) == pointers
    assert not Order.objects.exists()
    assert JournalRow.objects.count() == rows


def test_orders_are_searched_and_paged(quiet_shop: Shop) -> None:
    shop = quiet_shop
    day = clock.now() - timedelta(days=10)
    for number in range(5):
        shop.call(
            "POST",
            "orders",
            {
                "order_id": f"N-{number}",
                "contact": {"email": f"c{number % 2}@example.org"},
                "subtotal": number,
                "placed_at": (day + timedelta(days=number)).isoformat(),
            },
            status=201,
        )
    other = make_shop("b@example.org")
    assert other.call("GET", "orders")["items"] == []
    first = shop.call("GET", "orders?limit=3")
    second = shop.call("GET", f"orders?limit=3&cursor={first['next']}")
    listed = [one["order_id"] for one in first["items"] + second["items"]]
    assert listed == ["N-4", "N-3", "N-2", "N-1", "N-0"]
    assert second["next"] is None
    assert [one["order_id"] for one in shop.call("GET", "orders?search=c1@")["items"]] == ["N-3", "N-1"]
    assert [one["order_id"] for one in shop.call("GET", "orders?search=C1@Example.org")["items"]] == [
        "N-3",
        "N-1",
    ]
    assert [one["order_id"] for one in shop.call("GET", "orders?search=n-4")["items"]] == ["N-4"]
    assert shop.call("GET", "orders?search=!!")["items"] == []
    assert len(shop.call("GET", "orders?order_id=N-2")["items"]) == 1
    since = (day + timedelta(days=2)).date().isoformat()
    assert len(shop.call("GET", f"orders?from={since}&to={since}")["items"]) == 1
    assert shop.call("GET", "orders?from=yesterday", status=422)["errors"][0]["pointer"] == "/from"
    every = len(shop.call("GET", "orders")["items"])
    assert len(shop.call("GET", "orders?from=0001-01-01T00:00Z&to=9999-12-31")["items"]) == every
    assert "N-1" in shop.file("orders/export?search=N-1")
    assert other.call("GET", f"orders/{first['items'][0]['id']}", status=404)


def test_orders_follow_a_merge_and_are_credited_to_what_either_clicked(shop: Shop) -> None:
    message = shop.call(
        "POST", "messages", {"name": "M", "channel": "email", "subject": "S", "text": "T"}, status=201
    )["id"]
    ada, bob = shop.people("ada@example.org", "bob@example.org")
    links = {"message": message, "send": "s-1", "contact": {"id": str(bob)}}
    lines = "\n".join(json.dumps({"name": name, **links}) for name in ("email.sent", "email.clicked"))
    shop.send("events", lines.encode(), content_type="application/x-ndjson")
    made = shop.call(
        "POST", "orders", {"order_id": "A-1", "contact": {"id": str(ada)}, "subtotal": 5}, status=201
    )
    deal = shop.call(
        "POST", "deals", {"name": "D", "contacts": [{"id": str(ada)}, {"id": str(bob)}]}, status=201
    )

    def read() -> tuple[int, str, int]:
        shop.catch_up()
        orders = shop.call("GET", f"messages/{message}/report")["metrics"]["orders"]
        tied = shop.call("GET", f"deals/{deal['id']}")["contacts"]
        return orders, shop.call("GET", f"orders/{made['id']}")["contact"]["id"], len(tied)

    assert read() == (0, str(ada), 2)
    shop.call("POST", "contacts/merge", {"into": str(bob), "merge": [str(ada)]})
    assert read() == (1, str(bob), 1)
    shop.call("POST", f"contacts/{ada}/unmerge")
    assert read() == (0, str(ada), 2)
