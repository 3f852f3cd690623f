"""How what a contact did is shown: each event with its icon, its name, what says most of it, and its properties."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import naming
from parcours.contacts.naming import Named
from parcours.contacts.views.facts import IN_PIPELINES, SALES, amount, facts_of
from parcours.contacts.views.words import consent_name, field_name, source_of
from parcours.events import catalogue
from parcours.events import names as object_names

#: The icon of a family of events; of one event where it says more.
_ICONS = {
    "email": "mail",
    "email.opened": "mail-opened",
    "email.clicked": "click",
    "email.bounced": "ban",
    "email.complained": "alert-triangle",
    "sales_email": "mail",
    "sms": "message-2",
    "whatsapp": "brand-whatsapp",
    "call": "phone",
    "page": "world",
    "form": "forms",
    "cta": "hand-click",
    "order": "shopping-cart",
    "cart": "shopping-cart",
    "product": "eye",
    "payment": "currency-euro",
    "meeting": "calendar-event",
    "marketing_event": "calendar",
    "journey": "route",
    "journey.completed": "flag-3",
    "journey.exited": "door-exit",
    "segment": "users-group",
    "list": "list-check",
    "contact": "user-edit",
    "contact.created": "user-plus",
    "document": "report",
    "sequence": "send",
    "deal": "target",
}
#: What says most of an event, in the order in which it is looked for.
_TELLING = (
    "title",
    "path",
    "url",
    "original_url",
    "subject",
    "order_id",
    "name",
    "form_id",
    "campaign_id",
    "reason",
)
#: What is sold, and for how much: the first that an event of a sale bears.
_SOLD = ("name", "order_id", "product_id", "stage")
_AMOUNTS = ("total", "amount", "revenue", "price")
_LONGEST_DETAIL = 160


@dataclass(frozen=True)
class Family:
    """Events that a filter of the timeline takes together; `others` are those of no category of ours."""

    key: str
    label: str
    icon: str
    categories: tuple[str, ...] = ()


#: What stands for the categories of none of the families.
OTHERS = ("",)


def families() -> list[Family]:
    """The timeline's filters."""
    return [
        Family("mail", _("E-mails"), "mail", ("email", "sales_email", "sequence")),
        Family("phone", _("SMS and calls"), "message-2", ("sms", "whatsapp", "call")),
        Family("site", _("Site"), "world", ("page", "form", "cta", "media", "document", "ad", "social")),
        Family("shop", _("Purchases"), "shopping-cart", ("order", "cart", "product", "payment", "deal")),
        Family("meetings", _("Meetings"), "calendar-event", ("meeting", "marketing_event")),
        Family("inside", _("Journeys and segments"), "route", ("journey", "segment", "list")),
        Family("profile", _("Profile"), "user-edit", ("contact",)),
        Family("others", _("Other events"), "bolt", OTHERS),
    ]


def events_of(account: Account, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of a timeline as it shows them: icon, label, detail, marks, instant, and every property in words."""
    account_id, currency = account.pk, account.currency
    named = naming.named(account_id, (pair for item in items for pair in _pointed(item)))
    objects = object_names.by_ids(account_id, {pair for item in items for pair in _objects(item)})
    language = get_language() or "en"
    return [
        {
            "name": item["name"],
            "label": catalogue.label(item["name"], language),
            "icon": _ICONS.get(item["name"]) or _ICONS.get(item["name"].partition(".")[0]) or "bolt",
            "detail": _detail(item, named, objects, currency),
            "facts": facts_of(item, named, objects, currency),
            "machine": item["machine"],
            "anonymous": item["anonymous"],
            "at": datetime.fromisoformat(item["occurred_at"]),
        }
        for item in items
    ]


def _pointed(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What an event points to that this installation has."""
    for kind in ("journey", "message"):
        if item.get(kind):
            yield kind, item[kind]
    for kind in ("list", "segment"):
        value = item["properties"].get(kind)
        if isinstance(value, str | int) and item["name"].startswith(f"{kind}."):
            yield kind, str(value)
    if item["name"].startswith("deal."):
        for name, kind in IN_PIPELINES.items():
            if isinstance(item["properties"].get(name), str):
                yield kind, item["properties"][name]


def _objects(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What an event points to that other systems have."""
    for kind in object_names.KINDS:
        value = item["properties"].get(f"{kind}_id")
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield kind, str(value)


def _detail(
    item: dict[str, Any],
    named: dict[tuple[str, str], Named],
    objects: Mapping[tuple[str, str], str],
    currency: str,
) -> str:
    properties = item["properties"]
    kind = item["name"].partition(".")[0]
    if kind in ("list", "segment"):
        found = named.get((kind, str(properties.get(kind))))
        gone = _("a list deleted since") if kind == "list" else _("a segment deleted since")
        return found.name if found else gone
    if item["name"].endswith(".subscription_updated"):
        return f"{consent_name(properties.get('from'))} → {consent_name(properties.get('to'))}"
    if item["name"] == "contact.created":
        return source_of(str(properties.get("source", "")))
    if item["name"] == "contact.updated":
        return ", ".join(field_name(str(field)) for field in properties.get("fields", ()))[:_LONGEST_DETAIL]
    if bought := _bought(item, named, currency):
        return bought[:_LONGEST_DETAIL]
    for link in ("message", "journey"):
        if found := named.get((link, str(item.get(link, "")))):
            step = item.get("step", "") if link == "journey" else ""
            return f"{found.name} · {step}" if step else found.name
    for pair in _objects(item):
        if pair in objects:
            return objects[pair][:_LONGEST_DETAIL]
    for name in _TELLING:
        value = properties.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)[:_LONGEST_DETAIL]
    return str(item.get("step", ""))


def _bought(item: dict[str, Any], named: Mapping[tuple[str, str], Named], currency: str) -> str:
    """Of an event of a sale, its order, its product or its deal, and the amount that says most; else nothing."""
    properties = item["properties"]
    if item["name"].partition(".")[0] not in SALES:
        return ""
    amounts = (amount(item, name, properties.get(name), currency) for name in _AMOUNTS)
    names = (
        found.name if (found := named.get((name, str(properties[name])))) else str(properties[name])
        for name in _SOLD
        if properties.get(name)
    )
    return " · ".join(part for part in (next(names, ""), next(filter(None, amounts), "")) if part)
