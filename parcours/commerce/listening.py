"""Takes from each load of the digest what it tells of orders and products."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parcours.accounts.models import Account
from parcours.commerce.deals import linking
from parcours.commerce.orders import folding
from parcours.commerce.products import actions as products
from parcours.commerce.products import reading
from parcours.events.entries import Event
from parcours.lib.instants import to_ms
from parcours.tracking.fanout import Batch


@dataclass(frozen=True)
class Told:
    """What a load tells of the shop."""

    account: Account
    orders: list[Event]
    deals: list[Event]
    products: dict[str, dict[str, Any]]


class Listener:
    """Told of every load by the digest."""

    def prepare(self, batch: Batch) -> Told | None:
        """What is to be written; nothing for most loads."""
        orders = [event for event in batch.events if event.name in folding.NAMES]
        deals = [event for event in batch.events if event.deal and event.name == linking.STAGE_CHANGED]
        seen = reading.seen(batch.events)
        if not orders and not deals and not seen and not batch.linked:
            return None
        return Told(Account.objects.get(pk=batch.account_id), orders, deals, seen)

    def apply(self, batch: Batch, prepared: Told | None) -> None:
        if prepared is None:
            return
        now_ms = to_ms(batch.now)
        folding.give(batch.account_id, batch.linked)
        folding.fold(prepared.account, prepared.orders, now_ms=now_ms, load=batch.load_id)
        linking.follow(prepared.account, prepared.deals, now=batch.now)
        products.note(prepared.account, prepared.products, now_ms=now_ms)


listener = Listener()
