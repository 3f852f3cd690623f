"""The metrics of messages, and the lists behind them, against a plain reading of what became of each send."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.accounts.models import Account
from parcours.contacts.models import Contact
from parcours.events.entries import Entry, Event
from parcours.events.watermark import Watermark
from parcours.reports import answers, messages
from parcours.reports.readings import after
from parcours.reports.tests.test_step_figures import Loads
from tests.fixtures.store import StoreProcess

START = 1_700_000_000_000
LINKS = ("https://example.org/a", "https://example.org/b?c=1")
world_number = iter(range(1, 10_000))
few = st.integers(0, 2)


@dataclass(frozen=True)
class Told:
    """What became of one send, as it was drawn; `opens` and `clicks` are by people and by machines."""

    message: int
    journey: int
    contact: int
    sent: bool  # false: another's events, of a send that is none of ours
    bounced: bool
    tracked: tuple[bool, bool]
    opens: tuple[int, int]
    clicks: tuple[int, int]
    complaints: int
    opt_outs: int
    opt_ins: int
    at: int

    def seen(self, what: tuple[int, int], machines: bool) -> int:
        return what[0] + (what[1] if machines else 0)


sends = st.builds(
    Told,
    message=st.integers(1, 2),
    journey=st.integers(7, 8),
    contact=st.integers(1, 4),
    sent=st.integers(0, 9).map(lambda n: n > 0),
    bounced=st.integers(0, 4).map(lambda n: n == 0),
    tracked=st.tuples(st.booleans(), st.booleans()),
    opens=st.tuples(few, few),
    clicks=st.tuples(few, few),
    complaints=st.integers(0, 1),
    opt_outs=few,
    opt_ins=st.integers(0, 1),
    at=st.integers(0, 5).map(lambda n: START + n * 1000),
)


def entries_of(told: Told, send: int, world: int) -> list[Entry]:
    """The events of a send, each under an id of its own."""
    made: list[Entry] = []

    def add(name: str, machine: bool = False, **properties: Any) -> None:
        made.append(
            Event(
                name, told.at + len(made), told.at, f"{world}.{send}.{len(made)}", told.contact,
                properties=properties, journey=told.journey, message=told.message + 10 * world,
                send=f"send {send}", machine=machine,
            )
        )  # fmt: skip

    if told.sent:
        marks = {"tracked_opens": told.tracked[0], "tracked_clicks": told.tracked[1]}
        add("email.sent", **{name: False for name, tracked in marks.items() if not tracked})
    add("email.bounced" if told.bounced else "email.delivered")
    for machine in (False, True):
        for _ in range(told.opens[machine]):
            add("email.opened", machine)
        for number in range(told.clicks[machine]):
            add("email.clicked", machine, original_url=LINKS[number])
    for _ in range(told.complaints):
        add("email.complained")
    for value, times in (("opted_out", told.opt_outs), ("opted_in", told.opt_ins)):
        for _ in range(times):
            add("email.subscription_updated", to=value)
    return made


def rate(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def oracle(every: list[Told], machines: bool) -> dict[str, float | int | None]:
    """Contract §6, said in Python."""
    sent = [told for told in every if told.sent]
    good = [told for told in sent if not told.bounced]
    opens = {index: told.seen(told.opens, machines) for index, told in enumerate(good)}
    clicks = {index: told.seen(told.clicks, machines) for index, told in enumerate(good)}
    openers = {told.contact for index, told in enumerate(good) if opens[index]}
    clickers = {told.contact for index, told in enumerate(good) if clicks[index]}
    opens_known = not sent or any(told.tracked[0] for told in sent)
    clicks_known = not sent or any(told.tracked[1] for told in sent)
    seen = [index for index, told in enumerate(good) if told.tracked[0]]
    followed = [index for index, told in enumerate(good) if told.tracked[1]]
    return {
        "sends": len(sent),
        "bounces": len(sent) - len(good),
        "bounce_rate": rate(len(sent) - len(good), len(sent)),
        "undelivered": 0,
        "undelivered_rate": None,
        "deliveries": len(good),
        "delivery_rate": rate(len(good), len(sent)),
        "recipients": len({told.contact for told in good}),
        "opened": len(openers) if opens_known else None,
        "open_rate": rate(sum(opens[index] > 0 for index in seen), len(seen)),
        "total_opens": sum(opens.values()) if opens_known else None,
        "clicked": len(clickers) if clicks_known else None,
        "click_rate": rate(sum(clicks[index] > 0 for index in followed), len(followed)),
        "total_clicks": sum(clicks.values()) if clicks_known else None,
        "clicks_per_unique_open": rate(len(openers & clickers), len(openers))
        if opens_known and clicks_known
        else None,
        "abuse_reports": sum(told.complaints for told in good),
        "abuse_rate": rate(sum(told.complaints > 0 for told in good), len(good)),
        "unsubscribed": len({told.contact for told in good if told.opt_outs}),
        "unsubscribe_rate": rate(sum(told.opt_outs > 0 for told in good), len(good)),
    }


@pytest.fixture
def account(db: None, store: StoreProcess) -> Account:
    made = Account.objects.create(name="Oracle", write_key="w")
    for number in range(1, 5):
        Contact.objects.create(pk=number, account=made, email=f"c{number}@example.org")
    return made


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drawn=st.lists(sends, max_size=15),
    chosen=st.sampled_from([(1,), (2,), (1, 2)]),
    journey=st.sampled_from([0, 7]),
    machines=st.booleans(),
    page=st.sampled_from([3, 8, 100]),
)
def test_every_metric_is_the_oracle_s_and_the_length_of_its_list(
    account: Account, drawn: list[Told], chosen: tuple[int, ...], journey: int, machines: bool, page: int
) -> None:
    world = next(world_number)
    writer = Loads(account)
    writer.number = world
    entries = [entry for send, told in enumerate(drawn) for entry in entries_of(told, send, world)]
    mark = writer.put(entries)
    scope = messages.Scope(
        account.pk, [message + 10 * world for message in chosen], journey=journey, machines=machines
    )
    meant = [told for told in drawn if told.message in chosen and journey in (0, told.journey)]

    metrics = messages.metrics(scope, mark=mark)

    assert metrics == oracle(meant, machines)
    for metric in (*messages.SENDS, *messages.PEOPLE, *messages.EVENTS):
        items = every_item(scope, metric, mark, page)
        number = metrics[metric]
        if metric == "clicks_per_unique_open" and number is not None:
            number = round(number * (metrics["opened"] or 0))
        if number is not None:
            assert len(items) == number, metric
        if metric in messages.PEOPLE:
            assert len({item["contact"] for item in items}) == len(items), metric
        assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True), metric
    links = {
        row["url"]: (row["total_clicks"], row["clicked"]) for row in messages.clicks_by_link(scope, mark=mark)
    }
    assert links == links_of(meant, machines)


def every_item(scope: messages.Scope, metric: str, mark: Watermark, page: int) -> list[dict[str, Any]]:
    """Every item of a list, so many at a time."""
    items: list[dict[str, Any]] = []
    kind = int if metric in messages.PEOPLE else str
    cursor = None
    while True:
        read = answers.recipients(scope, metric, mark=mark, after=cursor, limit=page)
        items += read["items"]
        if not read["next"]:
            return items
        cursor = after(read["next"], int, kind)


def links_of(meant: list[Told], machines: bool) -> dict[str, tuple[int, int]]:
    clicks: Counter[str] = Counter()
    people: dict[str, set[int]] = {}
    for told in meant:
        if not told.sent or told.bounced:
            continue
        for by_machine in (False, True) if machines else (False,):
            for number in range(told.clicks[by_machine]):
                clicks[LINKS[number]] += 1
                people.setdefault(LINKS[number], set()).add(told.contact)
    return {url: (total, len(people[url])) for url, total in clicks.items()}


def test_what_is_not_tracked_is_unknown_rather_than_none(account: Account) -> None:
    told = Told(1, 7, 1, True, False, (False, False), (0, 0), (0, 0), 0, 0, 0, START)
    world = next(world_number)
    writer = Loads(account)
    writer.number = world
    mark = writer.put(entries_of(told, 1, world))

    metrics = messages.metrics(messages.Scope(account.pk, [1 + 10 * world]), mark=mark)

    for name in ("opened", "open_rate", "total_opens", "clicked", "click_rate", "total_clicks"):
        assert metrics[name] is None, name
    assert (metrics["sends"], metrics["deliveries"], metrics["abuse_reports"]) == (1, 1, 0)
