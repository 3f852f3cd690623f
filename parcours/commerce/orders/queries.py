"""What is asked of orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    ExpressionWrapper,
    F,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)

from parcours.commerce import amounts
from parcours.commerce.models import Order, OrderChange
from parcours.contacts import queries as contacts
from parcours.contacts.models import Contact
from parcours.lib.instants import iso

_AT_ONCE = 1_000
CSV_COLUMNS = (
    *("order_id", "placed_at", "status", "email", "external_id", "currency", "amount"),
    *("refunded", "subtotal", "tax", "shipping", "discount", "total", "products"),
)


def search(
    account_id: int,
    *,
    text: str = "",
    country: str = "FR",
    status: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    contact: int | None = None,
    order_id: str = "",
) -> QuerySet[Order]:
    """Orders, the latest placed first, whose id begins with the text or whose contact a search for it finds.

    Placed from `since` (in) until `until` (out).
    """
    found = Order.objects.filter(account_id=account_id)
    if text := " ".join(text.replace("\0", "").split()):
        buyer = contacts.named_by("contact_id", account_id, text=text, country=country)
        found = found.filter(Q(order_id__istartswith=text) | buyer)
    if status:
        found = found.filter(status=status)
    if since is not None:
        found = found.filter(placed_at__gte=since)
    if until is not None:
        found = found.filter(placed_at__lt=until)
    if contact is not None:
        found = found.filter(contact_id=contact)
    if order_id:
        found = found.filter(order_id=order_id)
    return found.select_related("contact").order_by("-placed_at", "-pk")


def after(rows: QuerySet[Order], placed_at: datetime, pk: int) -> QuerySet[Order]:
    """The rest of a search, behind the last order shown."""
    return rows.filter(Q(placed_at__lt=placed_at) | Q(placed_at=placed_at, pk__lt=pk))


def totals(rows: QuerySet[Order], *, currency: str) -> dict[str, Any]:
    """How many orders, what they amount to and what is left of it in a currency, and the currencies of others."""
    whole = BigIntegerField()
    rest = ExpressionWrapper(F("amount") - F("refunded"), output_field=whole)
    left = Case(When(cancelled_at__isnull=True, then=rest), default=Value(0), output_field=whole)
    found = (
        rows.order_by()
        .values("currency")
        .annotate(
            orders=Count("pk"), revenue=Sum("amount"), left=Sum(left, output_field=amounts.AmountField())
        )
    )
    by_currency = {row["currency"]: row for row in found}
    own = by_currency.pop(currency, {"orders": 0, "revenue": None, "left": None})
    return {
        "orders": own["orders"] + sum(row["orders"] for row in by_currency.values()),
        "revenue": own["revenue"] or Decimal(0),
        "net": own["left"] or Decimal(0),
        "others": {code: row["revenue"] for code, row in sorted(by_currency.items())},
    }


def _amount(value: Decimal | None) -> int | float | None:
    return None if value is None else amounts.plain(value)


def contact_json(contact: Contact | None) -> dict[str, Any] | None:
    """Whose an order or a deal is: its keys; null for nobody, and for the erased."""
    if contact is None or contact.erased_at is not None:
        return None
    return {"id": str(contact.pk), "email": contact.email, "external_id": contact.external_id}


def as_json(order: Order) -> dict[str, Any]:
    """An order as the API tells it."""
    return {
        "id": str(order.pk),
        "order_id": order.order_id,
        "contact": contact_json(order.contact),
        "placed_at": iso(order.placed_at),
        "currency": order.currency,
        **{name: _amount(getattr(order, name)) for name in amounts.PARTS},
        "amount": _amount(order.amount),
        "refunded": _amount(order.refunded),
        "net": _amount(order.net),
        "status": order.status,
        "cancelled_at": None if order.cancelled_at is None else iso(order.cancelled_at),
        "products": order.products,
        "created_at": iso(order.created_at),
        "updated_at": iso(order.updated_at),
    }


def changes(order: Order) -> list[OrderChange]:
    """The refunds and cancellations of an order, oldest first."""
    return list(
        OrderChange.objects.filter(account_id=order.account_id, order_id=order.order_id).order_by("at", "pk")
    )


def csv_rows(rows: QuerySet[Order]) -> Iterator[list[Any]]:
    """Orders as the rows of a file, `CSV_COLUMNS`; a thousand at a time, however many."""
    last: Order | None = None
    while True:
        some = list((rows if last is None else after(rows, last.placed_at, last.pk))[:_AT_ONCE])
        for order in some:
            yield _csv_row(as_json(order))
        if len(some) < _AT_ONCE:
            return
        last = some[-1]


def _csv_row(told: Mapping[str, Any]) -> list[Any]:
    person = told["contact"] or {}
    names = (line.get("name") or line["product_id"] for line in told["products"])
    return [
        *(
            told["order_id"],
            told["placed_at"],
            told["status"],
            person.get("email"),
            person.get("external_id"),
        ),
        *(
            told["currency"],
            told["amount"],
            told["refunded"],
            told["subtotal"],
            told["tax"],
            told["shipping"],
        ),
        *(told["discount"], told["total"], _joined(names)),
    ]


def _joined(names: Iterable[str]) -> str:
    return ", ".join(names)
