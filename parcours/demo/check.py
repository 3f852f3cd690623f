"""Compares the demonstration's numbers, one by one, with those of a plain script.

What must be found is worked out from three things alone: the purchases file, the mails in the sink's mailbox, and
the rule by which the pretended audience acts. Nothing here asks Parcours for anything but the numbers it shows.
"""

from __future__ import annotations

import email
import email.policy
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from parcours.demo import story
from parcours.demo.audience import bounces, reaction
from parcours.demo.customers import Customer, purchases
from parcours.demo.http import Api
from parcours.demo.state import State
from parcours.messaging import sink


@dataclass
class Expected:
    """What a journey's steps and messages must show."""

    steps: dict[str, set[str]] = field(default_factory=dict)  # step -> customers who pass
    messages: dict[str, dict[str, int]] = field(default_factory=dict)


class Mailbox:
    """The mails that arrived: subject -> addresses, in plain Python."""

    def __init__(self) -> None:
        self.received: dict[str, Counter[str]] = defaultdict(Counter)
        for mail in _every_mail():
            headers = email.message_from_bytes(mail.content, policy=email.policy.default)
            self.received[str(headers["Subject"])][mail.recipient] += 1

    def twice(self) -> list[tuple[str, str]]:
        """Whoever received a message more than once."""
        return [(subject, who) for subject, box in self.received.items() for who, n in box.items() if n > 1]


def _every_mail() -> Iterator[sink.SunkMail]:
    after = 0
    while mails := sink.read_mailbox(after=after, limit=1000):
        yield from mails
        after = mails[-1].id


def _subject(key: str, customer: Customer, url: str) -> str:
    template: str = story.messages(url=url)[key]["subject"]
    return template.replace("{{ contact.first_name }}", customer.first_name)


class Audience:
    """Who was written to, and what they did, message by message, following the rules of consent and suppression."""

    def __init__(self, *, url: str, box: Mailbox) -> None:
        self.url, self.box = url, box
        self.gone: set[str] = set()  # bounced or unsubscribed: nothing more goes to them
        self.problems: list[str] = []

    def write(self, key: str, customers: set[str]) -> tuple[set[str], dict[str, int]]:
        """Send a message to customers: who clicked, and the message's figures."""
        figures: Counter[str] = Counter()
        clicked: set[str] = set()
        for number in sorted(customers):
            customer = Customer(number)
            address, subject = customer.email, _subject(key, customer, self.url)
            arrived = self.box.received[subject][address] == 1
            if customer.consent != "opted_in" or number in self.gone:
                if arrived:
                    self.problems.append(f"{address} received “{subject}” and should not have.")
                continue
            figures["sends"] += 1
            if bounces(address):
                figures["bounces"] += 1
                self.gone.add(number)
                if arrived:
                    self.problems.append(f"{address} was refused “{subject}”, yet it arrived.")
                continue
            if not arrived:
                self.problems.append(f"{address} did not receive “{subject}”.")
            does = reaction(address, subject)
            figures["deliveries"] += 1
            figures["opened"] += does.opens
            figures["clicked"] += does.clicks
            figures["unsubscribed"] += does.unsubscribes
            if does.unsubscribes:
                self.gone.add(number)
            if does.clicks:
                clicked.add(number)
        figures["recipients"] = figures["deliveries"]
        names = ("sends", "deliveries", "bounces", "recipients", "opened", "clicked", "unsubscribed")
        return clicked, {name: figures[name] for name in names}


def expected(*, last_day: date, limit: int, url: str, box: Mailbox) -> tuple[dict[str, Expected], list[str]]:
    """What each journey must show, and what is wrong with the mailbox itself."""
    bought: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for purchase in purchases(last_day=last_day):
        if not limit or int(purchase.customer) <= limit:
            bought[purchase.customer].append((purchase.day, Decimal(purchase.dollars)))
    since, idle_since = story.recent_since(last_day), story.lapsed_since(last_day)
    recent, rich, lapsed = set(), set(), set()
    for number, orders in bought.items():
        lately = [amount for day, amount in orders if day >= since]
        if len(lately) >= story.RECENT_ORDERS:
            recent.add(number)
            if sum(lately) >= story.CLUB_AMOUNT:
                rich.add(number)
        if len(orders) >= story.LAPSED_ORDERS and all(day < idle_since for day, _ in orders):
            lapsed.add(number)

    audience = Audience(url=url, box=box)
    loyal, lost = Expected(), Expected()
    _, loyal.messages["thanks"] = audience.write("thanks", recent)
    clicked, loyal.messages["club"] = audience.write("club", rich)
    loyal.steps = {
        "thanks": recent,
        "pause": recent,
        "spent": recent,
        "club": rich,
        "answer": rich,
        "join": clicked,
        "note": recent - rich,
        "end": recent,
    }
    interested, lost.messages["come_back"] = audience.write("come_back", lapsed)
    _, lost.messages["last_word"] = audience.write("last_word", lapsed - interested)
    lost.steps = {
        "come_back": lapsed,
        "answer": lapsed,
        "interested": interested,
        "last_word": lapsed - interested,
        "pause": lapsed - interested,
        "inactive": lapsed - interested,
        "end": lapsed,
    }
    problems = audience.problems + [
        f"{who} received “{subject}” more than once." for subject, who in box.twice()
    ]
    return {"loyal": loyal, "lapsed": lost}, problems


def differences(api: Api, state: State) -> list[str]:
    """Every difference between the numbers shown and those expected; none when all agree."""
    told: dict[str, Any] = state["story"]
    last_day = date.fromisoformat(told["last_day"])
    wanted, found = expected(last_day=last_day, limit=told["limit"], url=api.url, box=Mailbox())
    for name, right in wanted.items():
        read = api.call("GET", f"journeys/{told['journeys'][name]}/statistics")
        for step in read["steps"]:
            who = right.steps[step["id"]]
            shown = (step["passages"], step["contacts"], step["waiting"], step["failed"])
            if shown != (len(who), len(who), 0, 0):
                found.append(
                    f"{name}/{step['id']}: shows {shown}, expected {len(who)} passages and contacts."
                )
            path = f"journeys/{told['journeys'][name]}/steps/{step['id']}/contacts?as_of={read['as_of']}"
            listed = {line["email"] for line in api.pages(path)}
            if listed != {Customer(number).email for number in who}:
                found.append(f"{name}/{step['id']}: the list is not of the people expected.")
        entered = len(next(iter(right.steps.values())))
        if (read["entered"], read["completed"], read["active"]) != (entered, entered, 0):
            found.append(
                f"{name}: entered {read['entered']}, completed {read['completed']}, expected {entered}."
            )
        for message, figures in right.messages.items():
            metrics = api.call("GET", f"messages/{told['messages'][message]}/report")["metrics"]
            for metric, number in figures.items():
                if metrics[metric] != number:
                    found.append(f"{message}/{metric}: shows {metrics[metric]}, expected {number}.")
    return found


def wait_until_over(api: Api, state: State, *, seconds: float) -> None:
    """Wait until nobody is under way in the two journeys. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        story_told = state.get("story")
        if story_told:
            reads = [
                api.call("GET", f"journeys/{story_told['journeys'][name]}/statistics")
                for name in ("loyal", "lapsed")
            ]
            if all(read["entered"] > 0 and read["active"] == 0 for read in reads):
                return
        time.sleep(1)
        state.values = State(state.path.parent).values
    raise TimeoutError(f"The journeys are not over after {seconds} s.")
