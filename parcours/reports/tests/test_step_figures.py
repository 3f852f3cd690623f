"""The figures of a journey, and the lists behind them, against a plain reading of the runs' histories."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.accounts.models import Account
from parcours.contacts.models import Contact
from parcours.events.entries import Entry, Event, Parked
from parcours.events.models import Load
from parcours.events.store import loads
from parcours.events.watermark import Watermark
from parcours.journeys.engine import programs
from parcours.journeys.models import Journey, Version
from parcours.lib import clock
from parcours.lib.instants import from_ms, iso
from parcours.reports import answers
from parcours.reports.filters import RunFilter
from tests.fixtures.store import StoreProcess

STEPS = ("a", "b", "c")
START = 1_700_000_000_000


@dataclass
class Run:
    """One run as it was drawn: who, when it entered, the steps it passed, how it stands at the end."""

    contact: int
    entered_at: int
    version: int
    path: list[str]
    end: str  # active, completed, parked, resumed, exited:REASON, parked then archived
    enrolment: int = 0
    at: list[int] = field(default_factory=list)


run_strategy = st.builds(
    Run,
    contact=st.integers(1, 5),
    entered_at=st.integers(0, 20).map(lambda n: START + n * 1000),
    version=st.integers(1, 2),
    path=st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
    end=st.sampled_from(
        [
            "active",
            "completed",
            "parked",
            "resumed",
            "exited:goal",
            "exited:archived",
            "parked exited:archived",
        ]
    ),
)


def entries_of(run: Run, journey: int) -> list[Entry]:
    """The run's history as the engine writes it."""
    links: dict[str, Any] = {
        "journey": journey, "version": run.version, "enrolment": run.enrolment, "contact": run.contact,
        "entered_at": run.entered_at,
    }  # fmt: skip

    def event(name: str, at: int, visit: int, step: str, **properties: Any) -> Event:
        id = f"{run.enrolment}.{visit}.{name}"
        return Event(name, at, at, id, step=step, visit=visit, properties=properties, **links)

    def parked(at: int, flag: bool) -> Parked:
        visit = len(run.path)
        return Parked(
            journey, run.version, run.path[-1], run.enrolment, run.contact, visit, run.entered_at, at, flag
        )

    told: list[Entry] = [event("journey.entered", run.entered_at, 0, "")]
    before = ""
    for visit, step in enumerate(run.path, start=1):
        at = run.entered_at + visit * 7
        run.at.append(at)
        told.append(event("journey.step_entered", at, visit, step, **{"from": before}))
        before = step
    last, visit = run.path[-1], len(run.path)
    end_at = run.at[-1] + 3
    for word in run.end.split():
        if word == "parked":
            told.append(parked(end_at, True))
        elif word == "resumed":
            told += [parked(end_at, True), parked(end_at + 1, False)]
        elif word == "completed":
            told.append(event("journey.completed", end_at, visit, last))
        elif word.startswith("exited"):
            if "parked" in run.end:
                told.append(parked(end_at, False))
            told.append(event("journey.exited", end_at, visit, last, reason=word.partition(":")[2]))
    return told


@pytest.fixture
def world(db: None, store: StoreProcess) -> tuple[Account, Journey]:
    account = Account.objects.create(name="Oracle", write_key="w", timezone="Europe/Paris")
    for number in range(1, 6):
        Contact.objects.create(pk=number, account=account, email=f"c{number}@example.org")
    return account, make_journey(account, mode="multiple")


def make_journey(account: Account, *, mode: str) -> Journey:
    """A journey of two versions that goes from a to b to c; figures do not ask how runs came to pass elsewhere."""
    programs.forget()
    after = dict(pairwise(STEPS))
    steps = [{"id": step, "type": "delay", "for": "1d", "next": after.get(step)} for step in STEPS]
    entry = {"triggers": [{"type": "manual"}], "mode": mode}
    document = {"name": "J", "entry": entry, "start": "a", "steps": steps}
    for step in steps:
        if step["next"] is None:
            del step["next"]
    journey = Journey.objects.create(account=account, name="J", version=2, status="active")
    for number in (1, 2):
        Version.objects.create(journey=journey, number=number, document=document)
    return journey


def passing_once(runs: list[Run]) -> list[Run]:
    """Those of the runs that a journey of mode once could have: one for each contact, no step twice."""
    kept = {run.contact: run for run in runs}
    for run in kept.values():
        run.path = list(dict.fromkeys(run.path))
    return list(kept.values())


class Loads:
    """Puts histories into the store, each call in a load of its own."""

    def __init__(self, account: Account) -> None:
        self.account, self.number = account, 0

    def put(self, entries: list[Entry]) -> Watermark:
        self.number += 1
        body = loads.encode_body(
            events=[entry for entry in entries if isinstance(entry, Event)],
            profiles=[],
            links=[],
            memberships=[],
            parked=[entry for entry in entries if isinstance(entry, Parked)],
        )
        loads.insert(Load(id=self.number, account_id=self.account.pk, accepted_upto=clock.now(), body=body))
        return Watermark(as_of=clock.now(), load=self.number)


def chosen_by(runs: list[Run], chosen: RunFilter) -> list[Run]:
    return [
        run
        for run in runs
        if (not chosen.since or run.entered_at >= chosen.since)
        and (not chosen.until or run.entered_at < chosen.until)
        and (not chosen.version or run.version == chosen.version)
    ]


def stands(run: Run) -> str:
    """active, parked or ended."""
    if run.end in ("active", "resumed"):
        return "active"
    return "parked" if run.end == "parked" else "ended"


filters = st.builds(
    RunFilter,
    since=st.sampled_from([0, START + 5_000]),
    until=st.sampled_from([0, START + 12_000]),
    version=st.sampled_from([0, 1, 2]),
)
world_number = iter(range(1, 10_000))
page_sizes = st.sampled_from([2, 5, 100])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    runs=st.lists(run_strategy, max_size=25),
    chosen=filters,
    mode=st.sampled_from(["once", "multiple"]),
    page=page_sizes,
)
def test_every_figure_is_the_length_of_its_list(
    world: tuple[Account, Journey], runs: list[Run], chosen: RunFilter, mode: str, page: int
) -> None:
    account, _ = world
    journey = make_journey(account, mode=mode)
    if mode == "once":
        runs = passing_once(runs)
    entries: list[Entry] = []
    for number, run in enumerate(runs, start=1):
        run.enrolment, run.at = number, []
        entries += entries_of(run, journey.pk)
    writer = Loads(account)
    writer.number = next(world_number)
    mark = writer.put(entries)
    runs = chosen_by(runs, chosen)

    told = answers.statistics(journey, mark=mark, chosen=chosen)

    assert told["entered"] == len(runs)
    assert told["contacts"] == len({run.contact for run in runs})
    assert told["completed"] == sum(run.end == "completed" for run in runs)
    assert told["failed"] == sum(stands(run) == "parked" for run in runs)
    assert told["active"] == sum(stands(run) == "active" for run in runs)
    assert told["exited"]["goal"] == told["goals"] == sum(run.end == "exited:goal" for run in runs)
    assert told["exited"]["archived"] == sum(run.end.endswith("exited:archived") for run in runs)
    assert (
        told["entered"] == told["active"] + told["completed"] + sum(told["exited"].values()) + told["failed"]
    )
    for state in ("entered", "active", "completed", "exited", "failed", "goals"):
        number = told[state] if state != "exited" else sum(told["exited"].values())
        assert number == len(state_list(journey, state, mark, chosen, page)), state

    for step in told["steps"]:
        id = step["id"]
        passed: Counter[int] = Counter()
        times: dict[int, list[int]] = {}
        for run in runs:
            for place, at in zip(run.path, run.at, strict=True):
                if place == id:
                    passed[run.contact] += 1
                    times.setdefault(run.contact, []).append(at)
        assert step["passages"] == passed.total()
        assert step["contacts"] == len(passed)
        listed = pages(lambda cursor, id=id: answers.step_contacts(
            journey, id, mark=mark, chosen=chosen, after=cursor, limit=page))  # fmt: skip
        assert {line["email"]: (line["passages"], line["first_at"], line["last_at"]) for line in listed} == {
            f"c{who}@example.org": (passed[who], iso(from_ms(min(at))), iso(from_ms(max(at))))
            for who, at in times.items()
        }
        assert [line["last_at"] for line in listed] == sorted(
            (line["last_at"] for line in listed), reverse=True
        )
        for parked, name in ((False, "waiting"), (True, "failed")):
            here = [
                run
                for run in runs
                if run.path[-1] == id and stands(run) == ("parked" if parked else "active")
            ]
            present = pages(lambda cursor, id=id, parked=parked: answers.step_present(
                journey, id, parked=parked, mark=mark, chosen=chosen, after=cursor, limit=page))  # fmt: skip
            assert step[name] == len(here)
            assert sorted(line["enrolment"] for line in present) == sorted(str(run.enrolment) for run in here)


def state_list(
    journey: Journey, state: str, mark: Watermark, chosen: RunFilter, page: int
) -> list[dict[str, Any]]:
    return pages(
        lambda cursor: answers.state_contacts(
            journey, state, reason="", mark=mark, chosen=chosen, after=cursor, limit=page
        )
    )


def pages(read: Any) -> list[dict[str, Any]]:
    """Every item of a list, page after page."""
    from parcours.reports.readings import after

    items, cursor = [], None
    while True:
        page = read(cursor)
        items += page["items"]
        if not page["next"]:
            return items
        cursor = after(page["next"], int, int)


@pytest.mark.django_db
def test_what_comes_later_does_not_change_an_answer(world: tuple[Account, Journey]) -> None:
    account, journey = world
    put = Loads(account).put
    early = put(entries_of(Run(1, START, 1, ["a"], "active", enrolment=1), journey.pk))
    late = put(entries_of(Run(2, START, 1, ["a", "b"], "completed", enrolment=2), journey.pk))

    before = answers.statistics(journey, mark=early, chosen=RunFilter())
    after = answers.statistics(journey, mark=late, chosen=RunFilter())

    assert (before["entered"], after["entered"]) == (1, 2)
    assert [step["passages"] for step in before["steps"]] == [1, 0, 0]
    assert [step["passages"] for step in after["steps"]] == [2, 1, 0]


@pytest.mark.django_db
def test_an_erased_contact_stays_in_the_list_without_any_datum(world: tuple[Account, Journey]) -> None:
    account, journey = world
    mark = Loads(account).put(entries_of(Run(3, START, 1, ["a"], "active", enrolment=1), journey.pk))
    Contact.objects.filter(pk=3).update(erased_at=clock.now(), email=None)

    told = answers.step_contacts(journey, "a", mark=mark, chosen=RunFilter(), after=None, limit=10)

    assert told["contacts"] == 1
    assert [(line["contact"], line["email"], line["name"]) for line in told["items"]] == [(None, None, None)]
