"""Which send each order is credited to, and what messages earn by it, against a plain reading of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.accounts.models import Account
from parcours.events.entries import Event
from parcours.events.models import Load
from parcours.events.store import loads
from parcours.events.watermark import Watermark
from parcours.lib import clock
from parcours.reports import answers, messages, orders
from parcours.reports.readings import after
from tests.fixtures.store import StoreProcess

START = 1_700_000_000_000
DAY = 86_400_000
world_number = iter(range(50_000, 100_000))
instants = st.integers(0, 8).map(lambda n: START + n * DAY // 2)
money = st.sampled_from([0, 1, 9.99, 0.005, 120, "19.90", 33.335])


@dataclass(frozen=True)
class Touch:
    """An open or a click of one of six sends: send n is of message 1 + n % 3, to contact 1 + n % 4."""

    send: int
    name: str
    at: int
    machine: bool

    @property
    def message(self) -> int:
        return 1 + self.send % 3

    @property
    def contact(self) -> int:
        return 1 + self.send % 4


@dataclass(frozen=True)
class Word:
    """One word on an order: what it says, and of whom; contact 0 is a browser that turns out to be contact 4's."""

    order: int
    contact: int
    at: int
    said: dict[str, Any]
    currency: str


@dataclass(frozen=True)
class Back:
    """A refund (of an amount, or of all) or a cancellation."""

    order: int
    cancel: bool
    amount: Any
    currency: str


touches = st.builds(
    Touch,
    send=st.integers(0, 5),
    name=st.sampled_from(["email.opened", "email.clicked", "sms.clicked", "whatsapp.opened"]),
    at=instants,
    machine=st.integers(0, 3).map(lambda n: n == 0),
)
words = st.builds(
    Word,
    order=st.integers(1, 4),
    contact=st.integers(0, 4),
    at=instants,
    said=st.fixed_dictionaries(
        {},
        optional={
            "subtotal": money,
            "revenue": money,
            "total": money,
            "tax": st.sampled_from([0, 2, "1.5"]),
            "shipping": st.sampled_from([0, 5]),
            "value": money,
        },
    ),
    currency=st.sampled_from(["", "EUR", "eur", "USD"]),
)
backs = st.builds(
    Back,
    order=st.integers(1, 4),
    cancel=st.booleans(),
    amount=st.sampled_from([None, 1, 5.5, 1000]),
    currency=st.sampled_from(["", "EUR", "USD"]),
)


def exact(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def amount_of(said: dict[str, Any]) -> Decimal:
    """Fineprint, “Amount of an order”."""
    got = {
        name: exact(said.get(name)) for name in ("subtotal", "revenue", "total", "tax", "shipping", "value")
    }
    if got["subtotal"] is not None:
        return got["subtotal"]
    if got["revenue"] is not None:
        return got["revenue"]
    if got["total"] is not None:
        rest = got["total"] - (got["tax"] or 0) - (got["shipping"] or 0)
        if rest >= 0:
            return rest
    return got["value"] or Decimal(0)


def two(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@dataclass
class World:
    """What was drawn, and the rules of the contract said in Python."""

    sent: set[int]
    bounced: set[int]
    touches: list[Touch]
    words: list[Word]
    backs: list[Back]
    window: int

    def credited(self) -> dict[int, tuple[int, str, Decimal, Decimal]]:
        """Order -> (send, currency, amount, net) of the orders that are credited."""
        last = {word.order: word for word in self.words}
        found = {}
        for order, word in last.items():
            buyer = word.contact or 4
            known = [
                (touch.name.endswith("clicked"), touch.at, place, touch.send)
                for place, touch in enumerate(self.touches)
                if touch.contact == buyer
                and not touch.machine
                and word.at - self.window * DAY <= touch.at <= word.at
            ]
            if not known:
                continue
            amount, currency = amount_of(word.said), word.currency.upper() or "EUR"
            given = sum(
                (amount if back.amount is None else Decimal(str(back.amount)))
                for back in self.backs
                if back.order == order and not back.cancel and back.currency in ("", currency)
            )
            cancelled = any(back.order == order and back.cancel for back in self.backs)
            net = Decimal(0) if cancelled else max(Decimal(0), amount - given)
            found[order] = (max(known)[3], currency, amount, net)
        return found

    def of(self, message: int) -> dict[int, tuple[int, str, Decimal, Decimal]]:
        good = self.sent - self.bounced
        return {
            order: said
            for order, said in self.credited().items()
            if 1 + said[0] % 3 == message and said[0] in good
        }

    def metrics(self, message: int) -> dict[str, Any]:
        good = [send for send in self.sent - self.bounced if 1 + send % 3 == message]
        mine = self.of(message)
        own = [said for said in mine.values() if said[1] == "EUR"]
        revenue = sum((said[2] for said in own), Decimal(0))
        people = len({1 + send % 4 for send in good})
        return {
            "orders": len(mine),
            "revenue": two(revenue),
            "net_revenue": two(sum((said[3] for said in own), Decimal(0))),
            "average_order_revenue": two(revenue / len(mine)) if mine else None,
            "order_rate": len({said[0] for said in mine.values()}) / len(good) if good else None,
            "revenue_per_recipient": two(revenue / people) if people else None,
        }

    def events(self, number: int) -> list[Event]:
        """All of it, told of contacts and messages that no other world has."""
        made: list[Event] = []

        def add(name: str, at: int, contact: int, **links: Any) -> None:
            who = contact and 10 * number + contact
            made.append(Event(name, at, at, f"{number}.{len(made)}", who, **links))

        for send in sorted(self.sent):
            links = {"message": 10 * number + 1 + send % 3, "send": f"send {send}"}
            add("email.sent", START, 1 + send % 4, **links)
            if send in self.bounced:
                add("email.bounced", START, 1 + send % 4, **links)
        for touch in self.touches:
            links = {"message": 10 * number + touch.message, "send": f"send {touch.send}"}
            add(touch.name, touch.at, touch.contact, machine=touch.machine, **links)
        for word in self.words:
            said = {**word.said, **({"currency": word.currency} if word.currency else {})}
            visitor = "" if word.contact else f"{number:032x}"
            add(
                "order.placed",
                word.at,
                word.contact,
                visitor=visitor,
                properties=said,
                order=f"{number}-{word.order}",
            )
        for back in self.backs:
            said = {"currency": back.currency} if back.currency else {}
            if back.amount is not None:
                said["amount"] = back.amount
            name = "order.cancelled" if back.cancel else "order.refunded"
            add(name, START, 0, properties=said, order=f"{number}-{back.order}")
        return made


def put(account: Account, number: int, events: list[Event]) -> Watermark:
    """Put events into the store in a load of that number; the world's visitor is its contact 4."""
    body = loads.encode_body(events=events, links=[(f"{number:032x}", 10 * number + 4)])
    loads.insert(Load(id=number, account_id=account.pk, accepted_upto=clock.now(), body=body))
    return Watermark(as_of=clock.now(), load=number)


@pytest.fixture
def account(db: None, store: StoreProcess) -> Account:
    return Account.objects.create(name="Oracle", write_key="w")


def every_item(scope: messages.Scope, metric: str, mark: Watermark) -> list[dict[str, Any]]:
    """Every item of a list, three at a time."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = answers.recipients(scope, metric, mark=mark, after=cursor, limit=3)
        items += page["items"]
        if not page["next"]:
            return items
        cursor = after(page["next"], int, str)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    world=st.builds(
        World,
        sent=st.sets(st.integers(0, 5), min_size=3),
        bounced=st.sets(st.integers(0, 5), max_size=1),
        touches=st.lists(touches, max_size=14),
        words=st.lists(words, max_size=6),
        backs=st.lists(backs, max_size=3),
        window=st.integers(1, 3),
    )
)
def test_every_order_is_credited_as_the_oracle_says(account: Account, world: World) -> None:
    world.bounced &= world.sent
    number = next(world_number)
    mark = put(account, number, world.events(number))
    for message in (1, 2):
        scope = messages.Scope(account.pk, [10 * number + message], window=world.window)
        found = messages.figures(scope, mark=mark)
        wanted = world.metrics(message)
        assert {name: found.metrics[name] for name in wanted} == wanted
        mine = world.of(message)
        others: dict[str, Decimal] = {}
        for _send, currency, amount, _net in mine.values():
            if currency != "EUR":
                others[currency] = others.get(currency, Decimal(0)) + amount
        assert found.other_currencies == {code: two(amount) for code, amount in others.items()}
        if message > 1:
            continue
        items = every_item(scope, "orders", mark)
        assert {
            item["order"]: (item["send"], item["currency"], item["amount"], item["net"]) for item in items
        } == {f"{number}-{order}": (f"send {said[0]}", *said[1:]) for order, said in mine.items()}
        assert len(items) == wanted["orders"]
        assert len(every_item(scope, "revenue", mark)) == sum(said[1] == "EUR" for said in mine.values())
        sends = [item["send"] for item in every_item(scope, "order_rate", mark)]
        assert sorted(sends) == sorted({f"send {said[0]}" for said in mine.values()})


def test_without_tracking_nobody_knows_what_a_message_earned(account: Account) -> None:
    number = next(world_number)
    properties = {"tracked_opens": False, "tracked_clicks": False}
    sent = Event("email.sent", START, START, f"{number}", 1, message=number, send="s", properties=properties)
    mark = put(account, number, [sent])
    found = messages.figures(messages.Scope(account.pk, [number]), mark=mark)
    assert {name: found.metrics[name] for name in orders.METRICS} == dict.fromkeys(orders.METRICS)
