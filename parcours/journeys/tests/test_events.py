"""Journeys and events: triggers, waits, exits and conditions, through the real digest and the real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from parcours.contacts import actions as contacts
from parcours.journeys import actions, trace, work
from parcours.journeys.models import Enrolment, Inbox, Taken
from parcours.journeys.tests.world import START, Living, standing
from parcours.lib import clock
from parcours.lib.instants import iso

pytestmark = pytest.mark.database
WAIT: list[dict[str, Any]] = [
    {"id": "w", "type": "wait_for", "event": "order.placed", "where": [{"property": "total", "op": "gte", "value": 50}],
     "timeout": "2h", "then": "yes", "else": "no"},
    {"id": "yes", "type": "delay", "for": "10d"},
    {"id": "no", "type": "delay", "for": "10d"},
]  # fmt: skip
ON_SIGNUP = {"triggers": [{"type": "event", "event": "signup"}], "mode": "multiple"}


def test_joining_a_list_lets_in_after_activation_only(living: Living) -> None:
    early, late = living.contacts(2), living.contacts(3)
    entry = {"triggers": [{"type": "list_joined", "list": str(living.list.pk)}]}

    def join(people: list[int]) -> None:
        contacts.add_to_list(
            account_id=living.account.pk, list_id=living.list.pk, contact_ids=people, source="test", now=clock.now()
        )  # fmt: skip

    join(early)
    living.later(seconds=1)
    journey = living.journey([{"id": "rest", "type": "delay", "for": "1d"}], entry=entry)
    join(late)
    living.live()
    assert set(Enrolment.objects.values_list("contact_id", flat=True)) == set(late)
    living.later(days=1)
    living.live()
    assert standing(journey) == {("completed", "rest"): 3}


def test_an_event_lets_in_when_it_is_young_enough_and_matches(living: Living) -> None:
    entry = {
        "triggers": [
            {"type": "event", "event": "signup", "max_age": "1h",
             "where": [{"property": "plan", "op": "eq", "value": "pro"}]}
        ]
    }  # fmt: skip
    journey = living.journey([{"id": "end", "type": "end"}], entry=entry)
    living.later(days=1)
    young, old, other = living.contacts(3)
    living.did(young, "signup", plan="PRO", ago=timedelta(hours=1))
    living.did(old, "signup", plan="pro", ago=timedelta(hours=1, milliseconds=1))
    living.did(other, "signup", plan="free")
    living.live()
    run = Enrolment.objects.get()
    assert (run.contact_id, run.entered_at) == (young, clock.now())
    assert run.origin_at == clock.now() - timedelta(hours=1)
    assert standing(journey) == {("completed", "end"): 1}
    assert "signup" in run.context


def test_a_wait_ends_on_the_event_or_at_the_time_out(living: Living) -> None:
    journey = living.journey(WAIT, entry=ON_SIGNUP)
    buys, cheap, edge, late = living.contacts(4)
    for contact in (buys, cheap, edge, late):
        living.did(contact, "signup")
    living.live()
    living.later(hours=1)
    living.did(buys, "order.placed", total=80)
    living.did(cheap, "order.placed", total=20)
    living.live()
    living.later(hours=1)
    living.did(edge, "order.placed", total=50)  # at the very instant of the time-out
    living.live()
    living.later(milliseconds=1)
    living.did(late, "order.placed", total=50)
    living.live()
    at = dict(Enrolment.objects.values_list("contact_id", "step"))
    assert at == {buys: "yes", cheap: "no", edge: "yes", late: "no"}
    since = dict(Enrolment.objects.values_list("contact_id", "step_at"))
    assert since[buys] == START + timedelta(hours=1)
    assert since[edge] == since[cheap] == START + timedelta(hours=2)
    assert not Inbox.objects.exists()
    assert standing(journey) == {("active", "yes"): 2, ("active", "no"): 2}


def test_what_a_machine_did_moves_nobody_unless_it_is_asked_for(living: Living) -> None:
    of_machines = [{"property": "machine", "op": "eq", "value": True}]

    def steps(**more: Any) -> list[dict[str, Any]]:
        wait = {"id": "w", "type": "wait_for", "event": "email.clicked", "timeout": "2h", **more}
        return [{**wait, "then": "yes", "else": "yes"}, {"id": "yes", "type": "delay", "for": "10d"}]

    def entry(**more: Any) -> dict[str, Any]:
        return {"triggers": [{"type": "event", "event": "email.opened", **more}]}

    exits = [{"when": {"type": "event", "event": "email.complained"}}]
    people = living.journey(steps(), entry=entry(), exit=exits)
    machines = living.journey(steps(where=of_machines), entry=entry(where=of_machines))
    prefetched, opened = living.contacts(2)
    living.did(prefetched, "email.opened", machine=True)
    living.did(opened, "email.opened")
    living.live()
    assert dict(Enrolment.objects.values_list("journey_id", "contact_id")) == {
        people.pk: opened,
        machines.pk: prefetched,
    }
    living.later(minutes=1)
    for contact in (prefetched, opened):
        living.did(contact, "email.clicked", machine=True)
    living.did(opened, "email.complained", machine=True)
    living.live()
    assert standing(people) == {("active", "w"): 1}
    assert standing(machines) == {("active", "yes"): 1}
    living.did(opened, "email.clicked")
    living.live()
    assert standing(people) == {("active", "yes"): 1}


def test_a_late_event_ends_a_wait_whose_time_out_was_not_acted_on(living: Living) -> None:
    journey = living.journey(WAIT, entry=ON_SIGNUP)
    [contact] = living.contacts(1)
    living.did(contact, "signup")
    living.live()
    actions.pause(journey, now=clock.now())
    living.later(hours=5)
    living.did(contact, "order.placed", total=60, ago=timedelta(hours=4))
    living.live()
    actions.resume(journey, now=clock.now())
    living.live()
    run = Enrolment.objects.get()
    assert (run.step, run.step_at) == ("yes", START + timedelta(hours=1))


def test_a_first_wait_looks_back_to_when_the_entering_event_occurred(living: Living) -> None:
    journey = living.journey(WAIT, entry=ON_SIGNUP)
    living.later(hours=3)
    before, since = living.contacts(2)
    living.did(before, "order.placed", total=60, ago=timedelta(hours=2))
    living.did(since, "order.placed", total=60, ago=timedelta(minutes=30))
    living.live()
    for contact in (before, since):
        living.did(contact, "signup", ago=timedelta(hours=1))
    living.live()
    assert dict(Enrolment.objects.values_list("contact_id", "step")) == {before: "w", since: "yes"}
    assert standing(journey)["active", "yes"] == 1


def test_the_event_that_brought_the_run_to_a_wait_does_not_end_it(living: Living) -> None:
    steps = [{**WAIT[0], "event": "signup", "where": []}, *WAIT[1:]]
    living.journey(steps, entry=ON_SIGNUP)
    [contact] = living.contacts(1)
    living.did(contact, "signup")
    living.live()
    assert Enrolment.objects.get(status="active").step == "w"
    living.later(minutes=1)
    living.did(contact, "signup")
    living.live()
    assert Enrolment.objects.get(status="active").step == "yes"
    assert sorted(Taken.objects.values_list("verdict", flat=True)) == ["entered", "under_way"]


def test_with_a_key_an_event_ends_its_own_runs_wait_alone(living: Living) -> None:
    steps: list[dict[str, Any]] = [{**WAIT[0], "event": "order.refunded", "where": []}, *WAIT[1:]]
    entry = {"triggers": [{"type": "event", "event": "order.placed"}], "mode": "multiple", "key": "order_id"}
    living.journey(steps, entry=entry)
    [contact] = living.contacts(1)
    for order in ("A", "B"):
        living.did(contact, "order.placed", order_id=order)
    living.live()
    living.later(minutes=1)
    living.did(contact, "order.refunded", order_id="B")
    living.did(contact, "order.refunded")
    living.live()
    assert dict(Enrolment.objects.values_list("run_key", "step")) == {"A": "w", "B": "yes"}


def test_exits_by_an_event_and_by_criteria_first_listed_wins(living: Living) -> None:
    leave = [
        {"when": {"event": "order.placed", "count": {"op": "gte", "value": 2}, "scope": "run"}, "as": "goal"},
        {"when": {"type": "event", "event": "order.placed",
                  "where": [{"property": "total", "op": "gt", "value": 100}]}},
    ]  # fmt: skip
    journey = living.journey(
        [{"id": "rest", "type": "delay", "for": "9d"}], entry=ON_SIGNUP, exit=leave
    )  # fmt: skip
    one, two, both = living.contacts(3)
    for contact in (one, two, both):
        living.did(contact, "signup")
    living.live()
    living.later(minutes=1)
    living.did(one, "order.placed", total=150)
    living.did(two, "order.placed", total=5)
    living.did(both, "order.placed", total=5)
    living.live()
    living.later(minutes=1)
    living.did(two, "order.placed", total=5)
    living.did(both, "order.placed", total=500)
    living.live()
    assert dict(Enrolment.objects.values_list("contact_id", "reason")) == {
        one: "exit",
        two: "goal",
        both: "goal",
    }
    assert standing(journey) == {("exited", "rest"): 3}


def test_who_meets_an_exit_already_is_not_let_in(living: Living) -> None:
    leave = [{"when": {"field": "country", "op": "eq", "value": "FR"}, "as": "goal"}]
    living.journey([{"id": "rest", "type": "delay", "for": "9d"}], entry=ON_SIGNUP, exit=leave)
    [french] = living.contacts(1, country="FR")
    [german] = living.contacts(1, country="DE")
    for contact in (french, german):
        living.did(contact, "signup")
    living.live()
    assert Enrolment.objects.get().contact_id == german
    assert Taken.objects.get(contact_id=french).verdict == "exit_met"
    contacts.update_fields(living.account, [german], sets={"country": "FR"}, source="test", now=clock.now())
    living.live()
    assert Enrolment.objects.get().reason == "goal"


def test_a_wait_for_criteria_ends_when_the_contact_changes(living: Living) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "w", "type": "wait_for", "criteria": {"field": "country", "op": "eq", "value": "FR"},
         "timeout": "1d", "then": "yes", "else": "no"},
        *WAIT[1:],
    ]  # fmt: skip
    living.journey(steps, entry=ON_SIGNUP)
    [french] = living.contacts(1, country="FR")
    changes, stays = living.contacts(2)
    for contact in (french, changes, stays):
        living.did(contact, "signup")
    living.live()
    living.later(hours=1)
    contacts.update_fields(living.account, [changes], sets={"country": "FR"}, source="test", now=clock.now())
    living.live()
    living.later(days=1)
    living.live()
    assert dict(Enrolment.objects.values_list("contact_id", "step")) == {
        french: "yes",
        changes: "yes",
        stays: "no",
    }


def test_a_condition_sees_every_event_accepted_before_the_run_reached_it(living: Living) -> None:
    bought = {"event": "order.placed", "window": {"last": "1h"}}
    steps: list[dict[str, Any]] = [
        {"id": "rest", "type": "delay", "for": "2h", "next": "if"},
        {"id": "if", "type": "condition", "if": bought, "then": "yes", "else": "no"},
        *WAIT[1:],
    ]
    living.journey(steps, entry=ON_SIGNUP)
    inside, after = living.contacts(2)
    for contact in (inside, after):
        living.did(contact, "signup")
    living.live()
    living.at(START + timedelta(hours=1))
    living.did(inside, "order.placed", total=1)
    living.at(START + timedelta(hours=2, milliseconds=1))
    living.did(after, "order.placed", total=1)
    living.later(hours=3)  # The worker is late; nothing was digested meanwhile.
    assert not work.round()
    living.live()
    assert dict(Enrolment.objects.values_list("contact_id", "step")) == {inside: "yes", after: "no"}
    assert set(Enrolment.objects.values_list("step_at", flat=True)) == {START + timedelta(hours=2)}


def test_an_erased_contact_is_removed_and_nothing_is_kept(living: Living) -> None:
    journey = living.journey([{"id": "rest", "type": "delay", "for": "9d"}], entry=ON_SIGNUP)
    [contact] = living.contacts(1)
    living.did(contact, "signup", secret="sesame")
    living.live()
    contacts.erase(account_id=living.account.pk, contact_ids=[contact], now=clock.now())
    living.live()
    run = Enrolment.objects.get()
    assert (run.status, run.reason, run.context) == ("exited", "removed", "{}")
    assert standing(journey) == {("exited", "rest"): 1}


def test_the_trace_tells_each_step_when_and_why_and_why_one_is_not_in(living: Living) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "hi", "type": "send_email", "name": "Bonjour", "message": living.message.pk, "next": "w"},
        *WAIT[:1],
        {"id": "yes", "type": "end"},
        {"id": "no", "type": "end"},
    ]
    entry = {**ON_SIGNUP, "filter": {"field": "country", "op": "ne", "value": "DE"}}
    journey = living.journey(steps, entry=entry)
    [goes] = living.contacts(1)
    [refused] = living.contacts(1, country="DE")
    for contact in (goes, refused):
        living.did(contact, "signup")
    living.live()
    living.later(hours=1)
    living.did(goes, "order.placed", total=60)
    living.live()
    told = trace.of(journey, goes)
    assert told["as_of"] >= iso(clock.now())
    [run] = told["runs"]
    assert (run["status"], run["entered_at"], run["ended_at"]) == (
        "completed", iso(START), iso(START + timedelta(hours=1)),
    )  # fmt: skip
    assert [(step["step"], step["type"], step["from"], step["way"]) for step in run["steps"]] == [
        ("hi", "send_email", None, None), ("w", "wait_for", "hi", None), ("yes", "end", "w", "then"),
    ]  # fmt: skip
    assert run["steps"][0]["name"] == "Bonjour"
    assert run["steps"][0]["send"]["status"] == "queued"
    told = trace.of(journey, refused)
    assert (told["runs"], told["refused"]) == ([], [{"at": iso(START), "reason": "filter"}])
