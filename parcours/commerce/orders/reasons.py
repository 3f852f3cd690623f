"""Why orders of erased people were given back or cancelled: somebody wrote it, and it says nothing any more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parcours.commerce.models import Order, OrderChange


def on_erased(*, account_id: int, people: Sequence[tuple[int, Any, Any]], **_kwargs: Any) -> None:
    """In the transaction of an erasure."""
    _empty(account_id, [contact for contact, _email, _phone in people])


def on_forgotten(*, account_id: int, contact_ids: Sequence[int], **_kwargs: Any) -> None:
    """Once what was under way at an erasure is digested, refunds among it."""
    _empty(account_id, contact_ids)


def _empty(account_id: int, contacts: Sequence[int]) -> None:
    orders = Order.objects.filter(account_id=account_id, contact_id__in=contacts).values("order_id")
    OrderChange.objects.filter(account_id=account_id, order_id__in=orders).exclude(reason="").update(
        reason=""
    )
