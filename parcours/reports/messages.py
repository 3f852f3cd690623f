"""The metrics of messages (contract §6) and the lists behind them, all read at one watermark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.reports import orders

#: What a metric counts, hence what its list holds: sends, people or events.
SENDS = ("sends", "bounces", "deliveries", "undelivered")
PEOPLE = ("recipients", "opened", "clicked", "clicks_per_unique_open", "unsubscribed")
EVENTS = {"total_opens": "email.opened", "total_clicks": "email.clicked", "abuse_reports": "email.complained"}

#: A rate opens the list of its numerator.
NUMERATOR = {
    "delivery_rate": "deliveries",
    "bounce_rate": "bounces",
    "undelivered_rate": "undelivered",
    "open_rate": "opened",
    "click_rate": "clicked",
    "abuse_rate": "abuse_reports",
    "unsubscribe_rate": "unsubscribed",
}
METRICS = (*SENDS, *PEOPLE, *EVENTS, *NUMERATOR, *orders.METRICS)
_DAY_MS = 86_400_000


def key_of(metric: str) -> str:
    """What the items of a metric's list are told apart by: `send`, `contact`, `order_id` or `message_id`."""
    metric = NUMERATOR.get(metric, metric)
    if metric in SENDS or metric in orders.DELIVERIES:
        return "send"
    if metric in PEOPLE:
        return "contact"
    return "order_id" if metric in orders.METRICS else "message_id"


@dataclass(frozen=True)
class Scope:
    """Which sends are meant: of which messages, in which journey (0: all), machine opens and clicks in or out.

    `currency` is the account's, `window` the days within which an order is credited to a send.
    """

    account_id: int
    messages: Sequence[int]
    journey: int = 0
    machines: bool = False
    currency: str = "EUR"
    window: int = 5

    def parameters(self, mark: Watermark) -> dict[str, Any]:
        """The scope as bound parameters of the named queries."""
        return {
            "account": self.account_id,
            "messages": list(self.messages),
            "journey": self.journey,
            "machines": int(self.machines),
            "currency": self.currency,
            "window": self.window * _DAY_MS,
            "load": mark.load,
        }


def _rate(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


@dataclass(frozen=True)
class Figures:
    """Every metric, and the revenue in other currencies than the account's, by currency."""

    metrics: dict[str, orders.Value]
    other_currencies: dict[str, Decimal]


def figures(scope: Scope, *, mark: Watermark) -> Figures:
    """Every metric of contract §6 that an e-mail can have, those of orders included.

    None where the denominator is 0, or where tracking was off for every send: an untracked message was opened we
    know not how often, which is not the same as never.
    """
    parameters = scope.parameters(mark)
    row = queries.run("message_metrics", parameters)[0]
    bought = orders.figures(
        parameters,
        known=row["sends_with_opens"] > 0 or row["sends_with_clicks"] > 0 or row["sends"] == 0,
        deliveries=row["deliveries_tracked"],
        recipients=row["recipients"],
    )
    return Figures({**_engagement(row), **bought.metrics}, bought.other_currencies)


def metrics(scope: Scope, *, mark: Watermark) -> dict[str, float | int | None]:
    """The metrics of engagement and distribution alone."""
    return _engagement(queries.run("message_metrics", scope.parameters(mark))[0])


def _engagement(row: dict[str, Any]) -> dict[str, float | int | None]:
    sends, deliveries = row["sends"], row["deliveries"]
    opens_known = row["sends_with_opens"] > 0 or sends == 0
    clicks_known = row["sends_with_clicks"] > 0 or sends == 0

    def known(flag: bool, value: int) -> int | None:
        return value if flag else None

    return {
        "sends": sends,
        "recipients": row["recipients"],
        "deliveries": deliveries,
        "delivery_rate": _rate(deliveries, sends),
        "bounces": row["bounces"],
        "bounce_rate": _rate(row["bounces"], sends),
        # Of SMS and WhatsApp messages only: an e-mail that does not arrive has bounced.
        "undelivered": 0,
        "undelivered_rate": None,
        "opened": known(opens_known, row["opened"]),
        "open_rate": _rate(row["deliveries_opened"], row["deliveries_with_opens"]),
        "total_opens": known(opens_known, row["total_opens"]),
        "clicked": known(clicks_known, row["clicked"]),
        "click_rate": _rate(row["deliveries_clicked"], row["deliveries_with_clicks"]),
        "total_clicks": known(clicks_known, row["total_clicks"]),
        "clicks_per_unique_open": _rate(row["opened_and_clicked"], row["opened"])
        if opens_known and clicks_known
        else None,
        "abuse_reports": row["abuse_reports"],
        "abuse_rate": _rate(row["deliveries_complained"], deliveries),
        "unsubscribed": row["unsubscribed"],
        "unsubscribe_rate": _rate(row["deliveries_unsubscribed"], deliveries),
    }


def recipients(
    scope: Scope, metric: str, *, mark: Watermark, after: tuple[int, int | str] | None, limit: int
) -> list[dict[str, Any]]:
    """The list behind a metric, latest first: its length is the metric's number.

    One item for each send, person, event or order, as the metric counts; each bears `contact` and `at_ms`, and `send`,
    `message_id`, `url` where they apply. Raises KeyError for an unknown metric.
    """
    metric = NUMERATOR.get(metric, metric)
    cursor = {"after_at": after[0] if after else 0, "limit": limit}
    parameters = {**scope.parameters(mark), **cursor}
    last = after[1] if after else 0
    if metric in orders.METRICS:
        bought = None if after is None else (after[0], str(after[1]))
        return orders.items(scope.parameters(mark), metric, after=bought, limit=limit)
    if metric in SENDS:
        return queries.run("message_sends", {**parameters, "metric": metric, "after_send": str(last)})
    if metric in PEOPLE:
        return queries.run("message_people", {**parameters, "metric": metric, "after_contact": int(last)})
    return queries.run("message_events", {**parameters, "name": EVENTS[metric], "after_id": str(last)})


def clicks_by_link(scope: Scope, *, mark: Watermark) -> list[dict[str, Any]]:
    """Clicks of each tracked address: total_clicks and the people who clicked."""
    return queries.run("message_links", scope.parameters(mark))
