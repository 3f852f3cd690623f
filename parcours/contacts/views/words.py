"""How events and consents are shown to people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from parcours.contacts import naming
from parcours.contacts.models import ConsentValue
from parcours.contacts.naming import Named
from parcours.events import catalogue
from parcours.events import names as object_names
from parcours.lib.paging import decode_cursor
from parcours.lib.problems import Invalid

CONSENT_TONES = {"opted_in": "good", "opted_out": "bad", "pending": "neutral"}

#: Where changes come from, when the product itself says it.
_SOURCES = {
    "import": gettext_lazy("an import"),
    "api": gettext_lazy("the API"),
    "page": gettext_lazy("by hand"),
    "bulk": gettext_lazy("an action in bulk"),
    "attributes": gettext_lazy("a change of an attribute"),
    "erasure": gettext_lazy("an erasure"),
    "tracking": gettext_lazy("the tracking of the site"),
    "journey": gettext_lazy("a journey"),
    "deletion": gettext_lazy("the deletion of the list"),
    "unsubscribe_page": gettext_lazy("the unsubscription page"),
    "one_click": gettext_lazy("the mail reader’s unsubscribe button"),
}

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
_LONGEST_DETAIL = 160
_LONGEST_FACT = 1_000
_MOST_FACTS = 60


def source_of(source: str) -> str:
    """Where a change comes from: a word of ours in the reader's language, any other as it was given."""
    return str(_SOURCES.get(source, source))


def after(cursor: str) -> int | None:
    """The id after which a page begins; None for the first page, and for an address edited by hand."""
    try:
        return int(decode_cursor(cursor, int)[0]) if cursor else None
    except Invalid:
        return None


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


def events_of(account_id: int, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of a timeline as it shows them: icon, label, detail, marks, instant, and every property in words."""
    named = naming.named(account_id, (pair for item in items for pair in _pointed(item)))
    objects = object_names.by_ids(account_id, {pair for item in items for pair in _objects(item)})
    language = get_language() or "en"
    return [
        {
            "name": item["name"],
            "label": catalogue.label(item["name"], language),
            "icon": _ICONS.get(item["name"]) or _ICONS.get(item["name"].partition(".")[0]) or "bolt",
            "detail": _detail(item, named, objects),
            "facts": _facts(item, named, objects, language),
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


def _objects(item: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What an event points to that other systems have."""
    for kind in object_names.KINDS:
        value = item["properties"].get(f"{kind}_id")
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield kind, str(value)


_LINKS = {
    "journey": gettext_lazy("Journey of the event"),
    "step": gettext_lazy("Step"),
    "message": gettext_lazy("Message"),
    "send": gettext_lazy("Send of the event"),
    "order": gettext_lazy("Order"),
}


#: Properties that our own events bear.
_PROPERTIES = {
    "source": gettext_lazy("Comes from"),
    "from": gettext_lazy("Before"),
    "to": gettext_lazy("After"),
    "fields": gettext_lazy("Fields"),
    "reason": gettext_lazy("Reason"),
}


@dataclass(frozen=True)
class Fact:
    """One property of an event: its label, its value, its page where it has one."""

    label: str
    value: str
    url: str = ""


def _facts(
    item: dict[str, Any],
    named: dict[tuple[str, str], Named],
    objects: Mapping[tuple[str, str], str],
    language: str,
) -> list[Fact]:
    event = catalogue.EVENTS.get(item["name"])
    filters = (*(event.filters if event else ()), *catalogue.BROWSER_FILTERS)
    labels = {each.property: each.label.said(language) for each in filters}
    facts = []
    for name, link in _LINKS.items():
        if item.get(name):
            found = named.get((name, item[name]))
            facts.append(Fact(str(link), found.name if found else item[name], found.url if found else ""))
    for name, value in item["properties"].items():
        label = labels.get(name) or str(_PROPERTIES.get(name, name))
        kind = name.removesuffix("_id")
        if found := named.get((name, str(value))):
            facts.append(Fact(str(catalogue.label(item["name"], language)), found.name, found.url))
        elif name != kind and (known := objects.get((kind, str(value)))):
            facts.append(Fact(label, f"{known} ({value})"))
        elif value not in (None, "", [], {}):
            facts.append(Fact(label, _value(name, value)))
    return facts[:_MOST_FACTS]


def _value(name: str, value: Any) -> str:
    if name == "source":
        return source_of(str(value))[:_LONGEST_FACT]
    if name in ("from", "to") and value in ConsentValue.values:
        return _consent(value)
    if name == "fields" and isinstance(value, list):
        return ", ".join(_field(str(each)) for each in value)
    if isinstance(value, bool):
        return str(_("Yes")) if value else str(_("No"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)[:_LONGEST_FACT]
    return str(value)[:_LONGEST_FACT]


def _detail(
    item: dict[str, Any], named: dict[tuple[str, str], Named], objects: Mapping[tuple[str, str], str]
) -> str:
    properties = item["properties"]
    kind = item["name"].partition(".")[0]
    if kind in ("list", "segment"):
        found = named.get((kind, str(properties.get(kind))))
        gone = _("a list deleted since") if kind == "list" else _("a segment deleted since")
        return found.name if found else gone
    if item["name"].endswith(".subscription_updated"):
        return f"{_consent(properties.get('from'))} → {_consent(properties.get('to'))}"
    if item["name"] == "contact.created":
        return source_of(str(properties.get("source", "")))
    if item["name"] == "contact.updated":
        return ", ".join(_field(str(field)) for field in properties.get("fields", ()))[:_LONGEST_DETAIL]
    if item["name"].startswith("order.") and "total" in properties:
        amount = f"{properties['total']} {properties.get('currency', '')}".strip()
        return f"{properties.get('order_id', '')} · {amount}"[:_LONGEST_DETAIL]
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


_FIELDS = {
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "external_id": gettext_lazy("External id"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "locale": gettext_lazy("Language"),
    "timezone": gettext_lazy("Time zone"),
    "tags": gettext_lazy("Tags"),
}


def _field(name: str) -> str:
    """A contact's field as people call it; an attribute bears its own name."""
    return str(_FIELDS.get(name, name.removeprefix("attributes.")))


def _consent(value: Any) -> str:
    return str(ConsentValue(value).label) if value in ConsentValue.values else str(value)
