"""What the figures of reports are called."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: metric -> its name, as marketers know it.
METRICS: dict[str, Promise | str] = {
    "sends": _("Total sends"),
    "recipients": _("Recipients"),
    "deliveries": _("Deliveries"),
    "delivery_rate": _("Delivery rate"),
    "bounces": _("Bounces"),
    "bounce_rate": _("Bounce rate"),
    "undelivered": _("Undelivered"),
    "undelivered_rate": _("Undelivered rate"),
    "opened": _("Recipients who opened"),
    "open_rate": _("Open rate"),
    "total_opens": _("Total opens"),
    "clicked": _("Clicks"),
    "click_rate": _("Click rate"),
    "total_clicks": _("Total clicks"),
    "clicks_per_unique_open": _("Clicks per unique open"),
    "abuse_reports": _("Abuse reports"),
    "abuse_rate": _("Abuse report rate"),
    "unsubscribed": _("Unsubscribed"),
    "unsubscribe_rate": _("Unsubscribe rate"),
    "orders": _("Orders"),
    "revenue": _("Revenue"),
    "net_revenue": _("Net revenue"),
    "average_order_revenue": _("Average order revenue"),
    "order_rate": _("Order rate"),
    "revenue_per_recipient": _("Revenue per recipient"),
}
#: Metrics that are amounts of money.
MONEY = frozenset(("revenue", "net_revenue", "average_order_revenue", "revenue_per_recipient"))

#: A message's report by channel of interest: title, then its figures with the rate that belongs to each.
ENGAGEMENT = (
    ("opened", "open_rate"),
    ("clicked", "click_rate"),
    ("total_opens", None),
    ("total_clicks", None),
    ("clicks_per_unique_open", None),
    ("unsubscribed", "unsubscribe_rate"),
)
DISTRIBUTION = (
    ("sends", None),
    ("deliveries", "delivery_rate"),
    ("recipients", None),
    ("bounces", "bounce_rate"),
    ("abuse_reports", "abuse_rate"),
)
COMMERCE = (
    ("orders", "order_rate"),
    ("revenue", None),
    ("net_revenue", None),
    ("average_order_revenue", None),
    ("revenue_per_recipient", None),
)
QUICK = (
    ("sends", None),
    ("opened", "open_rate"),
    ("clicked", "click_rate"),
    ("bounces", "bounce_rate"),
    ("unsubscribed", "unsubscribe_rate"),
)

#: state of a journey's runs -> its name.
STATES: dict[str, Promise | str] = {
    "entered": _("Entered"),
    "active": _("Under way"),
    "completed": pgettext_lazy("runs", "Completed"),
    "exited": pgettext_lazy("runs", "Left"),
    "failed": _("In error"),
    "goals": _("Goals met"),
    "holdout": _("Held out"),
}
REASONS: dict[str, Promise | str] = {
    "goal": _("goal met"),
    "exit": _("exit condition met"),
    "archived": _("journey archived"),
    "removed": _("taken out"),
    "merged": _("merged with another contact"),
}
