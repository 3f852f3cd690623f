"""The metrics of messages (contract §6) and the lists behind them, all read at one watermark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parcours.events.store import queries
from parcours.events.watermark import Watermark

#: What a metric counts, hence what its list holds: sends, people or events.
SENDS = ("sends", "bounces", "deliveries")
PEOPLE = ("recipients", "opened", "clicked", "clicks_per_unique_open", "unsubscribed")
EVENTS = {"total_opens": "email.opened", "total_clicks": "email.clicked", "abuse_reports": "email.complained"}

#: A rate opens the list of its numerator.
NUMERATOR = {
    "delivery_rate": "deliveries",
    "bounce_rate": "bounces",
    "open_rate": "opened",
    "click_rate": "clicked",
    "abuse_rate": "abuse_reports",
    "unsubscribe_rate": "unsubscribed",
}
METRICS = (*SENDS, *PEOPLE, *EVENTS, *NUMERATOR)


@dataclass(frozen=True)
class Scope:
    """Which sends are meant: of which messages, in which journey (0: all), machine opens and clicks in or out."""

    account_id: int
    messages: Sequence[int]
    journey: int = 0
    machines: bool = False

    def parameters(self, mark: Watermark) -> dict[str, Any]:
        """The scope as bound parameters of the named queries."""
        return {
            "account": self.account_id,
            "messages": list(self.messages),
            "journey": self.journey,
            "machines": int(self.machines),
            "load": mark.load,
        }


def _rate(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def metrics(scope: Scope, *, mark: Watermark) -> dict[str, float | int | None]:
    """Every metric of contract §6 that an e-mail can have.

    None where the denominator is 0, or where tracking was off for every send: an untracked message was opened we
    know not how often, which is not the same as never.
    """
    row = queries.run("message_metrics", scope.parameters(mark))[0]
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

    One item for each send, person or event, as the metric counts; each bears `contact` and `at_ms`, and `send`,
    `message_id`, `url` where they apply. Raises KeyError for an unknown metric.
    """
    metric = NUMERATOR.get(metric, metric)
    cursor = {"after_at": after[0] if after else 0, "limit": limit}
    parameters = {**scope.parameters(mark), **cursor}
    last = after[1] if after else 0
    if metric in SENDS:
        return queries.run("message_sends", {**parameters, "metric": metric, "after_send": str(last)})
    if metric in PEOPLE:
        return queries.run("message_people", {**parameters, "metric": metric, "after_contact": int(last)})
    return queries.run("message_events", {**parameters, "name": EVENTS[metric], "after_id": str(last)})


def clicks_by_link(scope: Scope, *, mark: Watermark) -> list[dict[str, Any]]:
    """Clicks of each tracked address: total_clicks and the people who clicked."""
    return queries.run("message_links", scope.parameters(mark))
