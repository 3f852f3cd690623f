"""Orders written by programs, imports and pages: each change of one is an event, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.lines import Given, Reader, Refused, find_contacts
from parcours.commerce.models import Order
from parcours.commerce.orders import folding
from parcours.commerce.products import actions as products
from parcours.commerce.products import reading
from parcours.events import journal
from parcours.events.entries import Event
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid

FIELDS = (
    *("order_id", "contact", "email", "external_id", "phone", "contact_id", "placed_at", "currency"),
    *amounts.PARTS,
    *("products", "status", "refunded", "cancelled_at"),
)
#: What the API tells of an order and nobody can set: it may come back as it was read.
TOLD_ONLY = ("id", "amount", "net", "created_at", "updated_at")
_STATUSES = ("placed", "partially_refunded", "refunded", "cancelled")


@dataclass
class Line:
    """What a line says of an order, checked as far as it can be alone; what it does not mention is not in it."""

    order_id: str
    contact: Given | None = None
    values: dict[str, Any] = field(default_factory=dict)  # columns
    refunded: Decimal | None = None  # in all; None: nothing said
    all_refunded: bool = False
    cancelled_at: datetime | None = None


@dataclass
class Outcome:
    """What became of lines: for each the id of its order (None: refused), and the refusals by place."""

    orders: list[str | None]
    created: int = 0
    changed: int = 0
    refused: list[tuple[int, Refused]] = field(default_factory=list)


def read(reader: Reader, given: Mapping[str, Any]) -> Line:
    """A line as the API, an import or a page gives it. Raises Refused with all its faults."""
    said = reader.open(given, FIELDS, ignored=TOLD_ONLY)
    line = Line(order_id=reader.key(said, "order_id"))
    line.contact = reader.contact(said) or _flat_contact(reader, said)
    values = line.values
    for name in amounts.PARTS:
        if name in said:
            values[name] = reader.amount(said, name)
    if "currency" in said:
        values["currency"] = reader.currency(said)
    if "placed_at" in said:
        instant = reader.instant(said, "placed_at")
        if instant is not None:
            values["placed_at"] = instant
    if said.get("products") is not None:
        values["products"] = _products(reader, said["products"])
    if said.get("refunded") not in (None, ""):
        line.refunded = reader.amount(said, "refunded")
    line.cancelled_at = reader.instant(said, "cancelled_at")
    status = said.get("status")
    if status not in (None, "", *_STATUSES):
        reader.fault("status", _("This must be one of %(allowed)s.") % {"allowed": ", ".join(_STATUSES)})
    if status == "cancelled" and line.cancelled_at is None:
        line.cancelled_at = reader.now
    line.all_refunded = status == "refunded" and line.refunded is None
    reader.close()
    return line


def _flat_contact(reader: Reader, said: Given) -> Given | None:
    """The contact of a line that has no room for objects, such as one of CSV."""
    names = {"contact_id": "id", "external_id": "external_id", "email": "email", "phone": "phone"}
    return reader.contact_keys({key: said[name] for name, key in names.items() if name in said}, "contact")


def _products(reader: Reader, value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        reader.fault("products", _("Products are an array of objects."))
        return []
    if len(value) > reading.MOST_LINES:
        reader.fault("products", _("An order has at most %(most)d lines.") % {"most": reading.MOST_LINES})
        return []
    for place, each in enumerate(value):
        for name in ("price", "quantity"):
            if name in each:
                before = len(reader.faults)
                reader.amount(each, name)
                for fault in reader.faults[before:]:
                    fault["pointer"] = f"/products/{place}{fault['pointer']}"
    return reading.lines_of({"products": value})


def save_many(
    account: Account,
    lines: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    source: str,
    history: bool = False,
    sent: datetime | None = None,
) -> Outcome:
    """Make or correct orders, in one transaction: of lines about one order the last stands; what a line does not
    mention stays, null clears.

    Each order made or changed is an `order.placed`, which starts journeys when it is new and `history` is false; what
    is already as said tells nothing. Contacts are found or made by their keys; an unknown `id` refuses its line, and
    so does who was erased since a file's line was `sent`.
    """
    done = Outcome(orders=[None] * len(lines))
    reader = Reader(account, now=now)
    read_lines: list[tuple[int, Line]] = []
    for place, given in enumerate(lines):
        try:
            read_lines.append((place, read(reader, given)))
        except Refused as refusal:
            done.refused.append((place, refusal))
    with transaction.atomic():
        people, faults = find_contacts(
            account, [line.contact for _place, line in read_lines], now=now, source=source, sent=sent
        )
        known = _known(account, {line.order_id for _place, line in read_lines})
        writer = _Writer(account, known, now=now, history=history)
        for number, (place, line) in enumerate(read_lines):
            wrong = faults.get(number) or writer.take(line, people[number])
            if wrong:
                done.refused.append((place, Refused(wrong)))
            else:
                done.orders[place] = line.order_id
        done.created, done.changed = writer.write()
    done.refused.sort(key=lambda each: each[0])
    return done


def _known(account: Account, order_ids: set[str]) -> dict[str, Order]:
    """The orders of these ids, locked until the transaction's end."""
    rows = Order.objects.select_for_update().filter(account=account, order_id__in=sorted(order_ids))
    return {order.order_id: order for order in rows.order_by("pk")}


class _Writer:
    """The orders of a batch under way, and the events that tell of them."""

    def __init__(self, account: Account, known: dict[str, Order], *, now: datetime, history: bool) -> None:
        self.account, self.now, self.history = account, now, history
        self.known = known
        self.new: set[str] = set()
        self.changed: set[str] = set()
        self.changes: list[Event] = []

    def take(self, line: Line, contact: int | None) -> list[Fault]:
        """Fold a line into its order; answers why it cannot be, with nothing changed."""
        order = self.known.get(line.order_id)
        if order is None:
            if contact is None:
                return [Fault(pointer="/contact", detail=_("Say whose order it is."))]
            order = Order(
                account=self.account,
                order_id=line.order_id,
                currency=self.account.currency,
                placed_at=self.now,
            )
            self.known[line.order_id] = order
            self.new.add(line.order_id)
        before = _facts(order)
        for name, value in line.values.items():
            setattr(order, name, value)
        if contact is not None:
            order.contact_id = contact
        order.amount = amounts.amount_of(_properties(order)) or Decimal(0)
        if _facts(order) != before:
            self.changed.add(line.order_id)
        self._take_back(order, line)
        return []

    def _take_back(self, order: Order, line: Line) -> None:
        """What the line says was given back or cancelled, beyond what is known."""
        said = order.amount if line.all_refunded else line.refunded
        if said is not None and said > order.refunded:
            more = min(said, order.amount) - order.refunded
            if more > 0:
                self.changes.append(self._change(folding.REFUNDED, order, amount=more))
                order.refunded += more
        if line.cancelled_at is not None and order.cancelled_at is None:
            order.cancelled_at = max(line.cancelled_at, order.placed_at)
            self.changes.append(self._change(folding.CANCELLED, order, at=order.cancelled_at))

    def _change(
        self, name: str, order: Order, *, amount: Decimal | None = None, at: datetime | None = None
    ) -> Event:
        return change_event(
            name, order, amount=amount, at=at or self.now, now=self.now, moves=not self.history
        )

    def write(self) -> tuple[int, int]:
        """Write the orders and tell the journal; answers how many are new and how many changed."""
        events = [
            self._placed(self.known[order_id], moves=not self.history and order_id in self.new)
            for order_id in dict.fromkeys((*self.new, *self.changed))
        ]
        events.sort(key=lambda event: event.occurred_at)
        events += self.changes
        now_ms = to_ms(self.now)
        folding.fold(self.account, events, now_ms=now_ms)
        products.note(self.account, reading.seen(events), now_ms=now_ms)
        journal.append(events, account_id=self.account.pk)
        return len(self.new), len(self.changed - self.new)

    def _placed(self, order: Order, *, moves: bool) -> Event:
        return Event(
            name=folding.PLACED,
            occurred_at=to_ms(order.placed_at),
            received_at=to_ms(self.now),
            message_id=new_id(),
            contact=order.contact_id or 0,
            visitor="" if order.contact_id else order.visitor,
            properties=_properties(order),
            order=order.order_id,
            moves=moves,
        )


def _facts(order: Order) -> tuple[Any, ...]:
    """What an order's event says: unchanged, there is nothing to tell."""
    parts = (getattr(order, name) for name in amounts.PARTS)
    return (order.contact_id, order.placed_at, order.currency, *parts, order.products)


def _properties(order: Order) -> dict[str, Any]:
    """The properties of an order's `order.placed`."""
    properties: dict[str, Any] = {"order_id": order.order_id, "currency": order.currency}
    for name in amounts.PARTS:
        value = getattr(order, name)
        if value is not None:
            properties[name] = amounts.plain(value)
    if order.products:
        properties["products"] = order.products
    return properties


def change_event(
    name: str,
    order: Order,
    *,
    amount: Decimal | None,
    at: datetime,
    now: datetime,
    reason: str = "",
    moves: bool = True,
) -> Event:
    """The event of a refund (of an amount) or of a cancellation."""
    properties: dict[str, Any] = {"order_id": order.order_id, "currency": order.currency}
    if amount is not None:
        properties["amount"] = amounts.plain(amount)
    if reason:
        properties["reason"] = reason
    return Event(
        name=name,
        occurred_at=min(to_ms(at), to_ms(now)),
        received_at=to_ms(now),
        message_id=new_id(),
        contact=order.contact_id or 0,
        visitor="" if order.contact_id else order.visitor,
        properties=properties,
        order=order.order_id,
        moves=moves,
    )


def save(account: Account, line: Mapping[str, Any], *, now: datetime, source: str) -> tuple[Order, bool]:
    """Make or correct one order; answers it, and whether it is new. Raises Invalid with all the faults."""
    done = save_many(account, [line], now=now, source=source)
    if done.refused:
        raise done.refused[0][1].as_problem()
    return Order.objects.get(account=account, order_id=done.orders[0]), bool(done.created)


def refund(order: Order, *, given: Mapping[str, Any], now: datetime) -> Order:
    """Give back an amount of an order; all that is left when none is said. Raises Invalid."""
    reader = Reader(order.account, now=now)
    said = reader.open(given, ("amount", "at", "reason"))
    amount = reader.amount(said, "amount")
    at = reader.instant(said, "at") or now
    reason = reader.text(said, "reason", longest=200)
    with transaction.atomic():
        order = Order.objects.select_for_update().select_related("account").get(pk=order.pk)
        left = order.amount - order.refunded
        if order.cancelled_at is not None:
            reader.fault("amount", _("This order is cancelled: there is nothing to give back."))
        elif not left:
            reader.fault("amount", _("This order is refunded already."))
        elif amount is not None and not 0 < amount <= left:
            reader.fault(
                "amount", _("At most %(left)s is left to give back.") % {"left": amounts.plain(left)}
            )
        _close(reader)
        _tell(
            order,
            change_event(
                folding.REFUNDED,
                order,
                amount=left if amount is None else amount,
                at=max(at, order.placed_at),
                now=now,
                reason=reason,
            ),
            now=now,
        )
    order.refresh_from_db()
    return order


def cancel(order: Order, *, given: Mapping[str, Any], now: datetime) -> Order:
    """Cancel an order, for good. Raises Invalid when it is cancelled already."""
    reader = Reader(order.account, now=now)
    said = reader.open(given, ("at", "reason"))
    at = reader.instant(said, "at") or now
    reason = reader.text(said, "reason", longest=200)
    with transaction.atomic():
        order = Order.objects.select_for_update().select_related("account").get(pk=order.pk)
        if order.cancelled_at is not None:
            reader.faults.append(Fault(pointer="", detail=_("This order is cancelled already.")))
        _close(reader)
        event = change_event(
            folding.CANCELLED, order, amount=None, at=max(at, order.placed_at), now=now, reason=reason
        )
        _tell(order, event, now=now)
    order.refresh_from_db()
    return order


def _close(reader: Reader) -> None:
    try:
        reader.close()
    except Refused as refusal:
        raise Invalid(str(refusal), refusal.faults) from refusal


def _tell(order: Order, event: Event, *, now: datetime) -> None:
    folding.fold(order.account, [event], now_ms=to_ms(now))
    journal.append([event], account_id=order.account_id)
