"""Orders credited to sends a second way, for `parcours verify`: order by order in Python.

The orders are the rows of the state database, the clicks and opens single events of the store; who was merged into
whom is what the state database says. What reports show is computed by the store alone, from events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from parcours.accounts.models import Account
from parcours.commerce.models import Order
from parcours.contacts.merging import people
from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.lib.instants import to_ms

_AT_ONCE = 1_000
_DAY_MS = 86_400_000

Touch = tuple[bool, int, int, int, int, str]
"""A click or an open by a person: whether it is a click, its instant, load, position, message and send."""


@dataclass
class Credit:
    """The orders credited to the deliveries of a message: how many, their amounts by currency, to which sends."""

    orders: int = 0
    amounts: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    net: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    sends: set[str] = field(default_factory=set)


def credits(account: Account, mark: Watermark) -> dict[int, Credit]:
    """What each message of an account is credited with now; `mark` is the current watermark."""
    found: dict[int, Credit] = defaultdict(Credit)
    for orders in _orders(account.pk):
        touches = _touches(account.pk, {order.contact_id or 0 for order in orders}, mark)
        window = account.attribution_days * _DAY_MS
        credited = []
        for order in orders:
            touch = _deciding(touches.get(order.contact_id or 0, ()), to_ms(order.placed_at), window)
            if touch is not None:
                credited.append((order, touch[4], touch[5]))
        delivered = _delivered(account.pk, {send for _order, _message, send in credited}, mark)
        for order, message, send in credited:
            if (message, send) in delivered:
                credit = found[message]
                credit.orders += 1
                credit.amounts[order.currency] += order.amount
                credit.net[order.currency] += order.net
                credit.sends.add(send)
    return found


def _orders(account_id: int) -> Iterator[list[Order]]:
    """The orders that are somebody's, some of them at a time, those of one contact together."""
    rows = Order.objects.filter(account_id=account_id, contact__isnull=False).order_by("contact_id", "pk")
    fields = ("contact_id", "placed_at", "currency", "amount", "refunded", "cancelled_at")
    some: list[Order] = []
    for order in rows.only(*fields).iterator(chunk_size=_AT_ONCE):
        some.append(order)
        if len(some) == _AT_ONCE:
            yield some
            some = []
    if some:
        yield some


def _touches(account_id: int, contacts: Iterable[int], mark: Watermark) -> Mapping[int, list[Touch]]:
    """The clicks and opens of people, and of those merged into them."""
    ids = list(contacts)
    merged = people.absorbed(ids)
    bound = {"account": account_id, "contacts": [*ids, *merged], "load": mark.load}
    found: dict[int, list[Touch]] = defaultdict(list)
    for row in queries.run("verify_touches", bound):
        person = merged.get(row["contact"], row["contact"])
        clicked = row["name"].endswith(".clicked")
        found[person].append(
            (clicked, row["at_ms"], row["load"], row["position"], row["message"], row["send"])
        )
    return found


def _deciding(touches: Sequence[Touch], placed: int, window: int) -> Touch | None:
    """The latest click at most `window` before an order, both ends in; failing any, the latest open."""
    return max((touch for touch in touches if placed - window <= touch[1] <= placed), default=None)


def _delivered(account_id: int, sends: Iterable[str], mark: Watermark) -> set[tuple[int, str]]:
    """Those of the sends, with their messages, that went out and did not bounce."""
    fates: dict[tuple[int, str], set[str]] = defaultdict(set)
    bound = {"account": account_id, "sends": list(sends), "load": mark.load}
    for row in queries.run("verify_fates", bound) if bound["sends"] else ():
        fates[row["message"], row["send"]].add(row["name"])
    return {sent for sent, names in fates.items() if names == {"email.sent"}}
