"""From the events of orders to the orders: the last word on each stands; what is given back adds up.

The digest tells events in the order of their loads, and whoever writes an order writes it in the same way before
its event is digested. Both may happen twice without harm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.products.reading import lines_of
from parcours.events.entries import Event
from parcours.lib import bulk

PLACED, REFUNDED, CANCELLED = "order.placed", "order.refunded", "order.cancelled"
NAMES = frozenset((PLACED, REFUNDED, CANCELLED))
_COLUMNS = (
    *("account_id", "order_id", "contact_id", "visitor", "placed_at", "currency"),
    *amounts.PARTS,
    *("amount", "refunded", "status", "products", "load", "created_at", "updated_at"),
)
_KEPT_ONCE = ("account_id", "order_id", "created_at", "refunded", "status")
_CHANGE_COLUMNS = ("account_id", "order_id", "kind", "message_id", "amount", "currency", "reason", "at")


def order_key(event: Event) -> str:
    """The order that an event is about; one placed without an id is an order by itself."""
    return event.order or (event.message_id if event.name == PLACED else "")


def fold(account: Account, events: Iterable[Event], *, now_ms: int, load: int = 0) -> None:
    """Write what events say of orders, in the caller's transaction. `load` is theirs; 0: not digested yet."""
    placed: dict[str, Event] = {}
    changes: list[Event] = []
    for event in events:
        if event.name == PLACED:
            placed[order_key(event)] = event
        elif event.name in NAMES and event.order:
            changes.append(event)
    if not placed and not changes:
        return
    _place(account, placed, now_ms=now_ms, load=load)
    bulk.insert_many(
        "commerce_orderchange",
        _CHANGE_COLUMNS,
        [_change(account.pk, event) for event in changes],
        on_conflict='("account_id", "message_id") DO NOTHING',
    )
    settle(account.pk, list({*placed, *(event.order for event in changes)}))


def _place(account: Account, placed: dict[str, Event], *, now_ms: int, load: int) -> None:
    sets = ", ".join(
        f'"{column}" = excluded."{column}"'
        for column in _COLUMNS
        if column not in _KEPT_ONCE and (load or column != "load")
    )
    bulk.insert_many(
        "commerce_order",
        _COLUMNS,
        [_row(account, key, event, now_ms=now_ms, load=load) for key, event in placed.items()],
        on_conflict=f'("account_id", "order_id") DO UPDATE SET {sets}',
    )


def _row(account: Account, key: str, event: Event, *, now_ms: int, load: int) -> tuple[Any, ...]:
    properties = event.properties
    parts = (amounts.said(properties, name) for name in amounts.PARTS)
    return (
        account.pk,
        key,
        event.contact or None,
        "" if event.contact else event.visitor,
        event.occurred_at,
        amounts.currency_of(properties) or account.currency,
        *(None if part is None else amounts.to_units(part) for part in parts),
        amounts.to_units(amounts.amount_of(properties) or amounts.from_units(0)),
        0,
        "placed",
        json.dumps(lines_of(properties), ensure_ascii=False),
        load,
        now_ms,
        now_ms,
    )


def _change(account_id: int, event: Event) -> tuple[Any, ...]:
    refund = event.name == REFUNDED
    amount = amounts.refund_of(event.properties) if refund else None
    reason = event.properties.get("reason")
    return (
        account_id,
        event.order,
        "refund" if refund else "cancel",
        event.message_id,
        None if amount is None else amounts.to_units(amount),
        amounts.currency_of(event.properties),
        reason[:200] if isinstance(reason, str) else "",
        event.occurred_at,
    )


def settle(account_id: int, order_ids: Sequence[str]) -> None:
    """Compute anew what is given back of orders, and their status, from their changes.

    A refund in another currency than its order's gives nothing back; one that says no amount gives all back.
    """
    among, bound = bulk.among("order_id", order_ids)
    of_it = "c.account_id = commerce_order.account_id AND c.order_id = commerce_order.order_id"
    refund = f"{of_it} AND c.kind = 'refund' AND c.currency IN ('', commerce_order.currency)"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE commerce_order SET refunded = COALESCE((SELECT SUM(COALESCE(c.amount, commerce_order.amount))"
            f" FROM commerce_orderchange c WHERE {refund}), 0),"
            f" cancelled_at = (SELECT MIN(c.at) FROM commerce_orderchange c WHERE {of_it} AND c.kind = 'cancel')"
            f" WHERE account_id = %s AND {among}",
            [account_id, bound],
        )
        cursor.execute(
            "UPDATE commerce_order SET refunded = CASE WHEN refunded > amount THEN amount ELSE refunded END,"
            " status = CASE WHEN cancelled_at IS NOT NULL THEN 'cancelled'"
            " WHEN refunded > 0 AND refunded < amount THEN 'partially_refunded'"
            f" WHEN EXISTS (SELECT 1 FROM commerce_orderchange c WHERE {refund}) AND refunded >= amount"
            f" THEN 'refunded' ELSE 'placed' END WHERE account_id = %s AND {among}",
            [account_id, bound],
        )


def give(account_id: int, visitors: Sequence[tuple[str, int]]) -> None:
    """Give contacts the orders of the visitors that they turned out to be: pairs of visitor and contact."""
    bulk.update_many(
        "commerce_order",
        ("contact_id", "visitor"),
        [(contact, "", account_id, visitor) for visitor, contact in visitors if visitor],
        key=("account_id", "visitor"),
    )
