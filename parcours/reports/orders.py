"""What orders add to the metrics of messages (contract §6): those credited to them, and what they amount to."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from parcours.commerce.amounts import cents
from parcours.events.store import queries

#: Metrics that open the orders themselves; those of an amount open the orders that it sums.
ORDERS = ("orders",)
AMOUNTS = ("revenue", "net_revenue", "average_order_revenue", "revenue_per_recipient")
DELIVERIES = ("order_rate",)
METRICS = (*ORDERS, *AMOUNTS, *DELIVERIES)

Value = int | float | Decimal | None


@dataclass(frozen=True)
class Figures:
    """The metrics of orders, and the revenue in other currencies than the account's, by currency."""

    metrics: dict[str, Value]
    other_currencies: dict[str, Decimal]


def figures(parameters: dict[str, Any], *, known: bool, deliveries: int, recipients: int) -> Figures:
    """The metrics of orders for the sends that `parameters` choose, at their watermark.

    `known` says whether opens or clicks were tracked at all, `deliveries` in how many deliveries they were,
    `recipients` the people among all deliveries. Amounts are rounded to two decimals once summed.
    """
    row = queries.run("message_orders", parameters)[0]
    currency = parameters["currency"]
    revenue = Decimal(row["revenue"].get(currency, 0))
    orders = row["orders"]
    if not known:
        return Figures(dict.fromkeys(METRICS), {})
    metrics: dict[str, Value] = {
        "orders": orders,
        "revenue": cents(revenue),
        "net_revenue": cents(Decimal(row["net_revenue"].get(currency, 0))),
        "average_order_revenue": cents(revenue / orders) if orders else None,
        "order_rate": row["deliveries"] / deliveries if deliveries else None,
        "revenue_per_recipient": cents(revenue / recipients) if recipients else None,
    }
    others = {code: cents(Decimal(sum)) for code, sum in sorted(row["revenue"].items()) if code != currency}
    return Figures(metrics, others)


def items(
    parameters: dict[str, Any], metric: str, *, after: tuple[int, str] | None, limit: int
) -> list[dict[str, Any]]:
    """The orders (or, of `order_rate`, the deliveries) behind a metric, latest first; each bears `contact`, `at_ms`,
    `send`, and an order `order_id`, `currency`, `amount`, `net`."""
    at, last = after or (0, "")
    bound = {**parameters, "after_at": at, "limit": limit}
    if metric in DELIVERIES:
        return queries.run("message_order_sends", {**bound, "after_send": last})
    only = parameters["currency"] if metric in AMOUNTS else ""
    return queries.run("message_order_list", {**bound, "only": only, "after_order": last})
