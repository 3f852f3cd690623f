"""The families in which events are chosen, and the properties on which each can be filtered."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from parcours.criteria.words.nouns import KIND_OF, is_money
from parcours.events.catalogue import BROWSER_FILTERS, EventType

#: category of events -> what its family is called, in the order in which they are shown
FAMILIES: dict[str, Promise | str] = {
    "order": _("Shop"),
    "cart": _("Shop"),
    "product": _("Shop"),
    "page": _("Web pages"),
    "form": _("Forms"),
    "email": _("Marketing e-mail"),
    "sms": _("SMS"),
    "whatsapp": _("WhatsApp"),
    "payment": _("Payments"),
    "deal": _("Deals"),
    "cta": _("Calls to action"),
    "ad": _("Ads"),
    "social": _("Social networks"),
    "media": _("Media"),
    "document": _("Documents"),
    "marketing_event": _("Marketing events"),
    "meeting": _("Meetings"),
    "call": _("Calls"),
    "sales_email": _("Sales e-mail"),
    "sequence": _("Sequences"),
    "contact": _("Inside the system"),
    "list": _("Inside the system"),
    "segment": _("Inside the system"),
    "journey": _("Inside the system"),
}


@dataclass(frozen=True)
class Property:
    """What an event can be filtered on; `type` is that of its values, `kind` whose ids they are."""

    name: str
    label: str
    type: str = "any"
    kind: str = ""


#: property -> its label, for those that the contract's filters do not list
_LABELS: dict[str, Promise | str] = {
    "total": _("Total"),
    "subtotal": _("Subtotal"),
    "tax": _("Taxes"),
    "shipping": _("Shipping"),
    "discount": _("Discount"),
    "currency": _("Currency"),
    "order_id": _("Order number"),
    "products.product_id": _("Product"),
    "products.name": _("Product name"),
    "products.category": _("Product category"),
    "products.price": _("Product price"),
    "products.quantity": _("Product quantity"),
    "product_id": _("Product"),
    "name": _("Name"),
    "category": _("Category"),
    "price": _("Price"),
    "amount": _("Amount"),
    "title": _("Page title"),
    "message": _("Message"),
    "machine": _("By a machine"),
    "document_id": _("Document"),
    "media_id": _("Media"),
    "marketing_event_id": _("Marketing event"),
    "direction": _("Direction"),
    "reason": _("Reason"),
    "from": _("Former value"),
    "to": _("New value"),
    "source": pgettext_lazy("of a change", "Source"),
    "list": _("List"),
    "segment": _("Segment"),
    "journey": pgettext_lazy("criterion", "Journey"),
    "step": _("Step"),
    "campaign_id": _("Campaign"),
}
_ORDER = "total subtotal discount tax shipping currency order_id products.product_id products.name".split()
_ORDER += "products.category products.price products.quantity".split()
_PAYMENT = ["amount", "currency"]
_CHANGE = ["from", "to", "source"]
_RUN = ["journey", "step"]
#: event, or its category with a dot at its end -> its properties beside those of the catalogue
_MORE: dict[str, list[str]] = {
    "order.": _ORDER,
    "cart.": _ORDER,
    "product.": ["product_id", "name", "category", "price"],
    "payment.": _PAYMENT,
    "page.viewed": ["title"],
    "email.opened": ["machine"],
    "email.clicked": ["machine"],
    "email.subscription_updated": _CHANGE,
    "sms.subscription_updated": _CHANGE,
    "whatsapp.subscription_updated": _CHANGE,
    "sms.": ["message"],
    "whatsapp.": ["message"],
    "document.": ["document_id"],
    "media.": ["media_id"],
    "marketing_event.": ["marketing_event_id"],
    "call.": ["direction"],
    "list.": ["list"],
    "segment.": ["segment"],
    "journey.": _RUN,
    "journey.exited": ["reason"],
    "sequence.unenrolled": ["reason"],
    "*": ["campaign_id"],
}
_NUMBERS = frozenset(("quantity",))


def _typed(name: str, label: str) -> Property:
    if name == "machine":
        return Property(name, label, "boolean")
    number = is_money(name) or name.rpartition(".")[2] in _NUMBERS
    return Property(name, label, "number" if number else "any", KIND_OF.get(name, ""))


def properties(event: EventType, language: str) -> list[Property]:
    """What an event can be filtered on, those of its own first, then what a browser sends."""
    said = {one.property: one.label.said(language) for one in event.filters}
    for name in (*_MORE.get(f"{event.category}.", ()), *_MORE.get(event.name, ())):
        said.setdefault(name, str(_LABELS[name]))
    if event.anonymous:
        for one in BROWSER_FILTERS:
            said.setdefault(one.property, one.label.said(language))
    return [_typed(name, label) for name, label in said.items()]


def any_event_properties(language: str) -> list[Property]:
    """What every event may bear, whatever it is."""
    own = [_typed(name, str(_LABELS[name])) for name in _MORE["*"]]
    return own + [_typed(one.property, one.label.said(language)) for one in BROWSER_FILTERS]
