"""Criteria on orders and deals: sums are exact; the fields of a deal hold where deals are looked at."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from parcours.commerce.deals.queries import snapshot
from parcours.commerce.tests.conftest import Shop
from parcours.criteria.context import Context
from parcours.criteria.evaluate import At, evaluate
from parcours.criteria.parse import parse
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.lib.problems import Invalid


class Nothing:
    """An account without attributes, lists, segments and journeys."""

    def attribute_type(self, name: str) -> None:
        return None

    def has_list(self, list_id: int) -> bool:
        return False

    def segment(self, segment_id: int) -> None:
        return None

    def journey_steps(self, journey_id: int) -> None:
        return None


def bought(**asked: Any) -> dict[str, Any]:
    return {"event": "order.placed", **asked}


def test_orders_are_counted_and_summed(shop: Shop) -> None:
    ago = (clock.now() - timedelta(days=20)).isoformat()
    lines = [
        ("ada@example.org", "1", 0.1, None),
        ("ada@example.org", "2", 0.2, None),
        ("bob@example.org", "3", 50, None),
        ("bob@example.org", "4", "120.50", ago),
    ]
    for email, order_id, subtotal, at in lines:
        order: dict[str, Any] = {"order_id": order_id, "contact": {"email": email}, "subtotal": subtotal}
        order["products"] = [{"product_id": "tea" if order_id == "3" else "cup", "price": 1}]
        shop.call("POST", "orders", order | ({"placed_at": at} if at else {}), status=201)
    shop.people("eve@example.org")
    (found,) = shop.call("GET", "orders?order_id=3")["items"]
    shop.call("POST", f"orders/{found['id']}/refund", {"amount": 10})
    shop.catch_up()

    def count(criteria: Any) -> int:
        return shop.call("POST", "segments/preview", {"criteria": criteria})["count"]

    assert count(bought(sum={"property": "subtotal", "op": "eq", "value": 0.3})) == 1
    assert count(bought(sum={"property": "subtotal", "op": "gte", "value": 170.5})) == 1
    assert count(bought(sum={"property": "subtotal", "op": "gt", "value": 50}, window={"last": "10d"})) == 0
    assert count(bought(max={"property": "subtotal", "op": "lt", "value": 1})) == 1
    assert count(bought(avg={"property": "subtotal", "op": "eq", "value": 85.25})) == 1
    assert count(bought(count={"op": "gte", "value": 2}, window={"last": "10d"})) == 1
    assert count(bought(count={"op": "eq", "value": 0})) == 1
    assert count(bought(where=[{"property": "products.product_id", "op": "eq", "value": "tea"}])) == 1
    assert count(bought(where=[{"property": "order", "op": "eq", "value": "4"}])) == 1
    assert count({"event": "order.refunded", "sum": {"property": "amount", "op": "eq", "value": 10}}) == 1


def test_the_fields_of_a_deal(quiet_shop: Shop) -> None:
    shop = quiet_shop
    said = {
        "name": "Cuisine",
        "pipeline": "ventes",
        "stage": "devis",
        "amount": 1200.5,
        "close_date": "2026-12-24",
        "contacts": [{"email": "ada@example.org"}],
    }
    deal = shop.call("POST", "deals", said, status=201)
    known = snapshot([int(deal["id"])])[int(deal["id"])]
    assert known["contact"] == int(deal["contacts"][0]["id"])
    at = At(now=to_ms(clock.now()), zone="Europe/Paris")

    def holds(field: str, op: str, value: Any = None) -> bool:
        leaf = {"field": field, "op": op} | ({} if value is None else {"value": value})
        node = parse(leaf, context=Context(resolver=Nothing(), deals=True))
        return evaluate(node, {"deal": known, "contact": 1}, at, lambda _leaf: False)

    assert holds("deal.stage", "eq", "devis")
    assert holds("deal.pipeline", "in", ["Ventes", "x"])
    assert holds("deal.amount", "between", [1200.5, 1300])
    assert not holds("deal.amount", "lt", 1200.5)
    assert holds("deal.close_date", "before", "2026-12-25")
    assert holds("deal.created_at", "within_last", "1d")
    assert holds("deal.closed_at", "missing")
    assert holds("deal.owner", "missing")
    assert holds("deal.id", "eq", deal["id"])
    with pytest.raises(Invalid):
        holds("deal.unknown", "exists")
    faults = shop.faults(
        "POST", "segments", {"name": "S", "criteria": {"field": "deal.stage", "op": "exists"}}
    )
    assert faults == {"/criteria/field"}
