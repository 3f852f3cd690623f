"""What an event of a timeline says by its properties, in words, amounts and names instead of codes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.formats import localize
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from parcours.contacts.models import ConsentValue
from parcours.contacts.naming import Named
from parcours.contacts.views.words import consent_name, field_name, source_of
from parcours.events import catalogue
from parcours.ui import formats

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
    "total": gettext_lazy("Total"),
    "subtotal": gettext_lazy("Subtotal"),
    "tax": gettext_lazy("Tax"),
    "shipping": gettext_lazy("Shipping"),
    "discount": gettext_lazy("Discount"),
    "amount": gettext_lazy("Amount"),
    "price": gettext_lazy("Price"),
    "currency": gettext_lazy("Currency"),
    "products": gettext_lazy("Products"),
    "quantity": gettext_lazy("Quantity"),
    "category": gettext_lazy("Category"),
}
#: Categories of events of sales, and those of their properties that are amounts of money.
SALES = ("order", "payment", "cart", "product", "deal")
#: Properties of the events of deals, and the kind of what they name by its key.
IN_PIPELINES = {"pipeline": "pipeline", "stage": "stage", "from_stage": "stage", "from": "stage"}
_AMOUNTS = ("total", "subtotal", "tax", "shipping", "discount", "revenue", "value", "amount", "price")
_LARGEST = 1e12  # Beyond, it is no money.
_LONGEST_FACT = 1_000
_MOST_FACTS = 60


@dataclass(frozen=True)
class Fact:
    """One property of an event: its label, its value, its page where it has one."""

    label: str
    value: str
    url: str = ""


def facts_of(
    item: dict[str, Any],
    named: Mapping[tuple[str, str], Named],
    objects: Mapping[tuple[str, str], str],
    currency: str,
) -> list[Fact]:
    """The properties and the links of an event of a timeline, in the reader's language.

    `named` and `objects` are the names behind the ids that it bears; `currency` the account's, which amounts without
    one are in.
    """
    language = get_language() or "en"
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
        if item["name"].startswith("deal.") and (
            stood := named.get((IN_PIPELINES.get(name, ""), str(value)))
        ):
            facts.append(Fact(label, stood.name))
        elif found := named.get((name, str(value))):
            facts.append(Fact(str(catalogue.label(item["name"], language)), found.name, found.url))
        elif name != kind and (known := objects.get((kind, str(value)))):
            facts.append(Fact(label, f"{known} ({value})"))
        elif value not in (None, "", [], {}):
            facts.append(Fact(label, _value(item, name, value, currency)))
    return facts[:_MOST_FACTS]


def _value(item: dict[str, Any], name: str, value: Any, currency: str) -> str:
    if name == "source":
        return source_of(str(value))[:_LONGEST_FACT]
    if name in ("from", "to") and value in ConsentValue.values:
        return consent_name(value)
    if name == "fields" and isinstance(value, list):
        return ", ".join(field_name(str(each)) for each in value)
    if name == "products" and isinstance(value, list) and (goods := _goods(item, value, currency)):
        return goods[:_LONGEST_FACT]
    if name == "country" and isinstance(value, str):
        return formats.country(value)[:_LONGEST_FACT]
    if isinstance(value, bool):
        return str(_("Yes")) if value else str(_("No"))
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)[:_LONGEST_FACT]
    # Of whole numbers many are ids and years, whose digits are not grouped.
    plain = localize(value) if isinstance(value, float) else str(value)
    return (amount(item, name, value, currency) or plain)[:_LONGEST_FACT]


def amount(item: dict[str, Any], name: str, value: Any, currency: str) -> str:
    """A property that is an amount of money, as the reader writes it; empty for any other."""
    if name not in _AMOUNTS or item["name"].partition(".")[0] not in SALES:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
        return ""
    said = item["properties"].get("currency")
    return formats.money(value, said.upper() if isinstance(said, str) and said else currency)


def _goods(item: dict[str, Any], products: list[Any], currency: str) -> str:
    """What was bought, each product with its quantity and price; empty when the list is of something else."""
    lines = []
    for product in products:
        if not isinstance(product, dict):
            return ""
        called = product.get("name") or product.get("product_id") or product.get("sku")
        if not called:
            return ""
        count, price = product.get("quantity"), amount(item, "price", product.get("price"), currency)
        times = f"{count} × " if isinstance(count, int | float) and not isinstance(count, bool) else ""
        lines.append(f"{times}{called} ({price})" if price else f"{times}{called}")
    return ", ".join(lines)
