"""Random journeys, random days: whatever the digest and the engine's delays and pauses, what the oracle says."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from parcours.events.entries import Event
from parcours.journeys import actions, work
from parcours.journeys.models import Enrolment, Journey, StepCount
from parcours.journeys.tests.oracle import Happened, Oracle, OracleRun
from parcours.journeys.tests.world import Living
from parcours.lib import clock
from parcours.messaging.models import Send

DAY = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = ("go", "buy", "stop")
TIMES = ("30m", "1h", "2h", "1d")


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A journey of a few steps; ways lead onwards, or back through a delay."""
    size = draw(st.integers(1, 7))
    ids = [f"s{n}" for n in range(size)]
    steps = []
    for place, name in enumerate(ids):
        onward = st.sampled_from([*ids[place + 1 :], None])
        kind = draw(st.sampled_from(["delay", "wait_for", "condition", "send_email", "end"]))
        step: dict[str, Any] = {"id": name, "type": kind}
        if kind == "delay":
            step |= {"for": draw(st.sampled_from(TIMES)), "next": draw(st.sampled_from([*ids, None]))}
        elif kind == "wait_for":
            step |= {"event": draw(st.sampled_from(NAMES)), "then": draw(onward), "else": draw(onward)}
            step |= draw(st.sampled_from([{}, *({"timeout": time} for time in TIMES)]))
            step |= draw(st.sampled_from([{}, {"where": [{"property": "big", "op": "eq", "value": 1}]}]))
        elif kind == "condition":
            count = {"op": "gte", "value": draw(st.integers(1, 2))}
            step |= {"then": draw(onward), "else": draw(onward), "if": draw(st.sampled_from([
                {"field": "country", "op": "eq", "value": "FR"},
                {"event": "buy", "count": count, "window": {"last": draw(st.sampled_from(TIMES))}},
                {"event": "go", "count": count, "scope": "run"},
            ]))}  # fmt: skip
        elif kind == "send_email":
            step |= {"message": "?", "next": draw(onward)}
        steps.append(step)
    entry: dict[str, Any] = {
        "triggers": [{"type": "event", "event": "go"}],
        "mode": draw(st.sampled_from(["once", "multiple"])),
    }
    if entry["mode"] == "multiple":
        entry |= draw(st.sampled_from([{}, {"reentry_after": "2h"}]))
        entry |= draw(st.sampled_from([{}, {"key": "key"}]))
    entry |= draw(st.sampled_from([{}, {}, {"filter": {"field": "country", "op": "eq", "value": "FR"}}]))
    document = {"name": "J", "entry": entry, "start": "s0", "steps": steps}
    leave = {"type": "event", "event": "stop"}
    big = {**leave, "where": [{"property": "big", "op": "eq", "value": 1}]}
    exits = draw(
        st.sampled_from([[], [{"when": leave, "as": "exit"}],
                         [{"when": big, "as": "goal"}, {"when": leave, "as": "exit"}]])
    )  # fmt: skip
    return {**document, "exit": exits} if exits else document


@st.composite
def days(draw: st.DrawFn) -> list[tuple[int, dict[int, tuple[str, dict[str, Any]]], str]]:
    """Half hours, what each of four contacts does in it, and what the machinery does at its end."""
    properties = st.fixed_dictionaries({}, optional={"big": st.just(1), "key": st.sampled_from(["x", "y"])})
    did = st.dictionaries(st.integers(0, 3), st.tuples(st.sampled_from(NAMES), properties), max_size=3)
    machinery = st.sampled_from(["nothing", "digest", "engine", "live", "live", "pause", "resume"])
    instants = sorted(draw(st.sets(st.integers(0, 40), min_size=3, max_size=9)))
    return [(30 * instant, draw(did), draw(machinery)) for instant in instants]


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(wanted=st.lists(documents(), min_size=1, max_size=4), timeline=days())
def test_runs_are_where_the_oracle_says_whatever_the_delays(
    living: Living, wanted: list[dict[str, Any]], timeline: list[Any]
) -> None:
    # The clock goes back to the morning: that of an account never does, so each example has its own.
    Journey.objects.update(status="archived")
    world = Living(digest=living.digest)
    world.at(DAY)
    for document in wanted:
        for step in document["steps"]:
            if step["type"] == "send_email":
                step["message"] = world.message.pk
    journeys = [_active(world, document) for document in wanted]
    countries = ["FR", "DE", "FR", "FR"]
    people = [world.contacts(1, country=country)[0] for country in countries]
    history: dict[int, list[Happened]] = defaultdict(list)
    for minute, did, machinery in timeline:
        world.at(DAY + timedelta(minutes=minute))
        for person, (name, properties) in did.items():
            world.did(people[person], name, **properties)
            history[person].append(Happened(minute, name, properties))
        _run(world, machinery, journeys)
        for journey in journeys:
            _balanced(journey)
    _run(world, "resume", journeys)
    world.at(DAY + timedelta(minutes=timeline[-1][0], hours=1))
    world.live()
    end = timeline[-1][0] + 60
    for journey, document in zip(journeys, wanted, strict=True):
        for person, contact in enumerate(people):
            said = Oracle(document, countries[person], history[person]).until(end)
            assert _runs(journey, contact) == [_told(run) for run in said]
        _balanced(journey)
    _counted(world, journeys)


def _active(world: Living, document: dict[str, Any]) -> Journey:
    made = actions.create(world.account, document, now=clock.now())
    return actions.activate(made, now=clock.now())


def _run(world: Living, machinery: str, journeys: list[Journey]) -> None:
    match machinery:
        case "digest":
            world.digest.round()
        case "engine":
            work.round()
        case "live":
            world.live()
        case "pause":
            actions.pause(journeys[0], now=clock.now())
        case "resume":
            actions.resume(journeys[0], now=clock.now())


def _runs(journey: Journey, contact: int) -> list[Any]:
    return [
        (
            run.run_key,
            _minutes(run.entered_at),
            run.status,
            run.reason,
            run.step,
            _minutes(run.step_at),
            run.visit,
        )
        for run in Enrolment.objects.filter(journey=journey, contact_id=contact).order_by("entered_at", "id")
    ]


def _told(run: OracleRun) -> Any:
    step, at = run.path[-1]
    return run.key, run.entered_at, run.status, run.reason, step, at, len(run.path)


def _minutes(instant: datetime) -> int:
    return (instant - DAY) // timedelta(minutes=1)


def _balanced(journey: Journey) -> None:
    """J1: entered = active + completed + exited + failed, at every instant."""
    now = Counter(Enrolment.objects.filter(journey=journey).values_list("status", flat=True))
    counted: Counter[str] = Counter()
    for step, number in StepCount.objects.filter(journey=journey).values_list("step", "passages"):
        counted[step.partition(":")[0]] += number
    assert counted["*entered"] == sum(now.values())
    assert counted["*completed"] == now["completed"]
    assert counted["*exited"] == now["exited"]


def _counted(world: Living, journeys: list[Journey]) -> None:
    """Counters, sends and what the store was told agree; no passage is told twice."""
    for journey in journeys:
        counts = {
            step: number
            for step, number in StepCount.objects.filter(journey=journey).values_list("step", "passages")
            if not step.startswith("*")
        }
        visits = Enrolment.objects.filter(journey=journey).values_list("visit", flat=True)
        assert sum(counts.values()) == sum(visits)
        sends = Send.objects.filter(journey_id=journey.pk)
        emails = [
            step["id"] for step in journey.versions.get().document["steps"] if step["type"] == "send_email"
        ]
        assert sends.count() == sum(counts.get(step, 0) for step in emails)
        assert len(set(sends.values_list("enrolment_id", "step", "visit"))) == sends.count()
    told = [
        entry for entry in world.entries() if isinstance(entry, Event) and entry.name.startswith("journey.")
    ]
    assert len({event.message_id for event in told}) == len(told)
