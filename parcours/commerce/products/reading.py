"""What events say of products: the lines of an order or a cart, or the product that was looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from parcours.commerce import amounts
from parcours.events.entries import Event

#: Events that tell of products.
NAMES = frozenset(("order.placed", "cart.updated", "product.viewed"))
MOST_LINES = 500
_TEXTS = {
    "name": 500,
    "category": 255,
    "url": 2000,
    "image_url": 2000,
    "sku": 255,
    "variant": 255,
    "brand": 255,
}
_LONGEST_ID = 255


def product_id_of(said: Mapping[str, Any]) -> str:
    """The shop's id of a product, as properties give it: `product_id`, else `id`, else `sku`; "" without any."""
    for name in ("product_id", "id", "sku"):
        value = said.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).strip():
            return _clean(str(value))[:_LONGEST_ID]
    return ""


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for name, longest in _TEXTS.items():
        value = said.get(name)
        if name == "image_url" and not value:
            value = said.get("image")
        if isinstance(value, str) and _clean(value):
            found[name] = _clean(value)[:longest]
    return found


def lines_of(properties: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The lines of an order: product_id, name, price, quantity, and what else is known of each product."""
    products = properties.get("products")
    if not isinstance(products, list):
        return []
    lines = []
    for said in products[:MOST_LINES]:
        if not isinstance(said, dict):
            continue
        line: dict[str, Any] = {"product_id": product_id_of(said), **_texts(said)}
        price, quantity = amounts.said(said, "price"), amounts.said(said, "quantity")
        if price is not None:
            line["price"] = amounts.plain(price)
        line["quantity"] = 1 if quantity is None else amounts.plain(quantity)
        lines.append(line)
    return lines


def seen(events: Iterable[Event]) -> dict[str, dict[str, Any]]:
    """What events say of products, by their id; of each datum the last one said. `at` is when it was seen last."""
    found: dict[str, dict[str, Any]] = {}
    for event in events:
        if event.name not in NAMES:
            continue
        properties = event.properties
        products = properties.get("products")
        several = (
            [said for said in products[:MOST_LINES] if isinstance(said, dict)]
            if isinstance(products, list)
            else []
        )
        if event.name != "order.placed" and "product_id" in properties:
            several = [*several, properties]
        for said in several:
            key = product_id_of(said) if isinstance(said, dict) else ""
            if not key:
                continue
            known = found.setdefault(key, {"at": 0})
            known.update(_texts(said))
            price = amounts.said(said, "price")
            if price is not None:
                known["price"] = price
                known["currency"] = amounts.currency_of(said) or amounts.currency_of(properties)
            known["at"] = max(known["at"], event.occurred_at)
    return found
