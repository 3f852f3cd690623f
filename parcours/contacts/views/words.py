"""How events and consents are shown to people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from parcours.contacts.models import ConsentValue, List
from parcours.events import catalogue
from parcours.lib.paging import decode_cursor
from parcours.lib.problems import Invalid

CONSENT_TONES = {"opted_in": "good", "opted_out": "bad", "pending": "neutral"}

#: Where changes come from, when the product itself says it.
_SOURCES = {
    "import": gettext_lazy("an import"),
    "api": gettext_lazy("the API"),
    "page": gettext_lazy("by hand"),
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


def source_of(source: str) -> str:
    """Where a change comes from: a word of ours in the reader's language, any other as it was given."""
    return str(_SOURCES.get(source, source))


def after(cursor: str) -> int | None:
    """The id after which a page begins; None for the first page, and for an address edited by hand."""
    try:
        return int(decode_cursor(cursor, int)[0]) if cursor else None
    except Invalid:
        return None


def events_of(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events of a timeline as it shows them: icon, label, detail, marks, instant."""
    wanted = {str(item["properties"].get("list")) for item in items if item["name"].startswith("list.")}
    names = {
        str(pk): name
        for pk, name in List.objects.filter(
            pk__in=[int(each) for each in wanted if each.isdigit()]
        ).values_list("pk", "name")
    }
    language = get_language() or "en"
    return [
        {
            "name": item["name"],
            "label": catalogue.label(item["name"], language),
            "icon": _ICONS.get(item["name"]) or _ICONS.get(item["name"].partition(".")[0]) or "bolt",
            "detail": _detail(item, names),
            "machine": item["machine"],
            "anonymous": item["anonymous"],
            "at": datetime.fromisoformat(item["occurred_at"]),
        }
        for item in items
    ]


def _detail(item: dict[str, Any], lists: dict[str, str]) -> str:
    properties = item["properties"]
    if item["name"].startswith("list."):
        return lists.get(str(properties.get("list")), _("a list deleted since"))
    if item["name"].endswith(".subscription_updated"):
        return f"{_consent(properties.get('from'))} → {_consent(properties.get('to'))}"
    if item["name"] == "contact.created":
        return source_of(str(properties.get("source", "")))
    if item["name"] == "contact.updated":
        return ", ".join(str(field) for field in properties.get("fields", ()))[:_LONGEST_DETAIL]
    if item["name"].startswith("order.") and "total" in properties:
        amount = f"{properties['total']} {properties.get('currency', '')}".strip()
        return f"{properties.get('order_id', '')} · {amount}"[:_LONGEST_DETAIL]
    for name in _TELLING:
        value = properties.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and value != "":
            return str(value)[:_LONGEST_DETAIL]
    return str(item.get("step", ""))


def _consent(value: Any) -> str:
    return str(ConsentValue(value).label) if value in ConsentValue.values else str(value)
