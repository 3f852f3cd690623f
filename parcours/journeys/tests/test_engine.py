"""One road after another: what the engine does with a few contacts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours.contacts.models import AttributeDefinition, Contact, ListMember
from parcours.journeys import actions, work
from parcours.journeys.models import Enrolment, Journey, StepCount, Taken
from parcours.journeys.tests.world import ENTRY, START, Living, World, standing
from parcours.lib import clock
from parcours.messaging.models import Send

pytestmark = pytest.mark.database


def _straight(world: World) -> list[dict]:
    return [
        {"id": "hello", "type": "send_email", "message": str(world.message.pk), "next": "pause"},
        {"id": "pause", "type": "delay", "for": "1d", "next": "again"},
        {"id": "again", "type": "send_email", "message": world.message.pk, "next": "bye"},
        {"id": "bye", "type": "end"},
    ]


def test_a_straight_road_sends_once_at_each_step_and_completes(world: World) -> None:
    journey = world.journey(_straight(world))
    people = world.contacts(20)
    world.enrol(journey, people)
    world.settle()
    assert standing(journey) == {("active", "pause"): 20}
    assert Send.objects.count() == 20
    world.later(hours=23, minutes=59)
    assert world.settle() == 0
    world.later(minutes=1)
    world.settle()
    assert standing(journey) == {("completed", "bye"): 20}
    assert Send.objects.filter(journey_id=journey.pk).count() == 40
    assert {send.contact_id for send in Send.objects.filter(step="again")} == set(people)
    assert world.passages() == {"hello": 20, "pause": 20, "again": 20, "bye": 20}
    assert dict(StepCount.objects.values_list("step", "passages")) == {
        **world.passages(),
        "*entered": 20,
        "*completed": 20,
    }


def test_a_step_is_entered_at_the_instant_of_its_cause_whatever_the_delay_of_the_worker(world: World) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "a", "type": "delay", "for": "1h", "next": "b"},
        {"id": "b", "type": "delay", "for": "30m", "next": "c"},
        {"id": "c", "type": "delay", "for": "1d"},
    ]
    journey = world.journey(steps)
    world.enrol(journey, world.contacts(1))
    world.later(hours=5)
    world.settle()
    run = Enrolment.objects.get()
    assert (run.entered_at, run.step, run.step_at) == (START, "c", START + timedelta(hours=1, minutes=30))
    assert run.due_at == START + timedelta(days=1, hours=1, minutes=30)
    assert [event.properties["from"] for event in world.told("journey.step_entered")] == ["", "a", "b"]


def test_a_condition_on_a_field_sends_each_their_way(world: World) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "if", "type": "condition", "if": {"field": "country", "op": "eq", "value": "FR"},
         "then": "fr", "else": "other"},
        {"id": "fr", "type": "delay", "for": "1d"},
        {"id": "other", "type": "end"},
    ]  # fmt: skip
    journey = world.journey(steps)
    world.enrol(journey, world.contacts(3, country="FR") + world.contacts(2, country="DE"))
    world.settle()
    assert standing(journey) == {("active", "fr"): 3, ("completed", "other"): 2}


def test_what_follows_a_change_of_the_contact_sees_it(world: World) -> None:
    steps: list[dict[str, Any]] = [
        {"id": "mark", "type": "update_contact", "set": {"attributes.level": "gold"}, "next": "join"},
        {"id": "join", "type": "add_to_list", "list": world.list.pk, "next": "if"},
        {"id": "if", "type": "condition",
         "if": {"all": [{"field": "attributes.level", "op": "eq", "value": "gold"},
                        {"list": str(world.list.pk), "op": "member"}]},
         "then": "leave", "else": "wrong"},
        {"id": "leave", "type": "remove_from_list", "list": world.list.pk, "next": "right"},
        {"id": "right", "type": "end"},
        {"id": "wrong", "type": "end"},
    ]  # fmt: skip
    AttributeDefinition.objects.create(account=world.account, name="level", type="text")
    journey = world.journey(steps)
    people = world.contacts(5)
    world.enrol(journey, people)
    world.settle()
    assert standing(journey) == {("completed", "right"): 5}
    assert {contact.attributes["level"] for contact in Contact.objects.all()} == {"gold"}
    assert not ListMember.objects.exists()
    joined = world.told("list.joined")
    assert {(event.contact, event.journey, event.step) for event in joined} == {
        (contact, journey.pk, "join") for contact in people
    }


def test_once_lets_a_contact_in_once_in_its_life(world: World) -> None:
    journey = world.journey([{"id": "end", "type": "end"}])
    [contact] = world.contacts(1)
    for _ in range(3):
        world.enrol(journey, [contact])
        world.settle()
        world.later(days=400)
    assert standing(journey) == {("completed", "end"): 1}
    assert sorted(Taken.objects.values_list("verdict", flat=True)) == ["already_entered"] * 2 + ["entered"]


def test_multiple_lets_in_again_after_its_time_and_never_twice_at_once(living: Living) -> None:
    entry = {"triggers": [{"type": "event", "event": "visit"}], "mode": "multiple", "reentry_after": "2d"}
    journey = living.journey([{"id": "rest", "type": "delay", "for": "1d"}], entry=entry)
    [contact] = living.contacts(1)
    living.event(journey, ENTRY, contact, "visit")
    living.live()
    for hours in (23, 24, 2 * 24 - 0.001, 2 * 24):
        living.at(START + timedelta(hours=hours))
        living.event(journey, ENTRY, contact, "visit")
        living.live()
    verdicts = list(Taken.objects.order_by("at").values_list("verdict", flat=True))
    assert verdicts == ["entered", "under_way", "under_way", "too_soon", "entered"]
    assert list(Enrolment.objects.order_by("id").values_list("status", flat=True)) == ["completed", "active"]


def test_a_cause_delivered_again_is_dropped(living: Living) -> None:
    entry = {"triggers": [{"type": "event", "event": "visit"}], "mode": "multiple"}
    journey = living.journey([{"id": "end", "type": "end"}], entry=entry)
    [contact] = living.contacts(1)
    for _ in range(3):
        living.event(journey, ENTRY, contact, "visit", message_id="the-same")
        living.live()
        living.later(days=30)
    assert Enrolment.objects.count() == 1


def test_a_key_tells_runs_apart(living: Living) -> None:
    entry = {"triggers": [{"type": "event", "event": "order.placed"}], "mode": "multiple", "key": "order_id"}
    journey = living.journey([{"id": "rest", "type": "delay", "for": "1d"}], entry=entry)
    [contact] = living.contacts(1)
    for key in ("A", "B", "A", ""):
        living.event(journey, ENTRY, contact, "order.placed", key=key, order_id=key)
    living.live()
    assert sorted(Enrolment.objects.values_list("run_key", flat=True)) == ["", "A", "B"]
    living.later(days=1)
    living.live()
    assert standing(journey) == {("completed", "rest"): 3}


def test_the_filter_refuses_and_uses_nothing_up(world: World) -> None:
    entry = {"triggers": [{"type": "api"}], "filter": {"field": "country", "op": "eq", "value": "FR"}}
    journey = world.journey([{"id": "end", "type": "end"}], entry=entry)
    [contact] = world.contacts(1, country="DE")
    world.enrol(journey, [contact])
    world.settle()
    Contact.objects.filter(pk=contact).update(country="FR")
    world.enrol(journey, [contact])
    world.settle()
    assert sorted(Taken.objects.values_list("verdict", flat=True)) == ["entered", "filter"]


def test_a_paused_journey_moves_no_one_and_loses_no_one(world: World) -> None:
    journey = world.journey(_straight(world))
    first, late = world.contacts(5), world.contacts(3)
    world.enrol(journey, first)
    world.settle()
    actions.pause(journey, now=clock.now())
    world.enrol(journey, late)
    world.later(days=3)
    assert world.settle() == 0
    assert standing(journey) == {("active", "pause"): 5}
    actions.resume(journey, now=clock.now())
    world.settle()
    assert standing(journey) == {("completed", "bye"): 8}
    assert Send.objects.count() == 16
    assert set(Enrolment.objects.values_list("entered_at", flat=True)) == {START}


def test_archiving_ends_the_runs_under_way_for_good(world: World) -> None:
    journey = world.journey(_straight(world))
    world.enrol(journey, world.contacts(5))
    world.settle()
    actions.archive(journey, now=clock.now())
    world.later(days=3)
    assert world.settle() == 0
    assert standing(journey) == {("exited", "pause"): 5}
    assert [event.properties for event in world.told("journey.exited")] == [{"reason": "archived"}] * 5
    sends = Send.objects.values_list("status", "reason")
    assert list(sends) == [("skipped", "journey_archived")] * 5, (
        "What was still to be sent is skipped, and says why."
    )


def test_an_archiving_killed_half_way_is_finished_by_the_work(world: World) -> None:
    journey = world.journey(_straight(world))
    world.enrol(journey, world.contacts(5))
    world.settle()
    Journey.objects.update(status=Journey.Status.ARCHIVED)
    work.end_unended()
    assert standing(journey) == {("exited", "pause"): 5}


def test_those_on_the_list_at_activation_enter_where_the_entry_says_so(world: World) -> None:
    people = world.contacts(4)
    world.on_list(people)
    entry = {"triggers": [{"type": "list_joined", "list": world.list.pk}], "include": "both"}
    journey = world.journey(_straight(world), entry=entry)
    world.settle()
    assert standing(journey) == {("active", "pause"): 4}


def test_contacts_taken_out_by_hand_are_removed(world: World) -> None:
    journey = world.journey(_straight(world))
    people = world.contacts(3)
    world.enrol(journey, people)
    world.settle()
    actions.cancel(journey, people[:1], now=clock.now())
    world.settle()
    assert standing(journey) == {("exited", "pause"): 1, ("active", "pause"): 2}


def test_one_day_is_the_same_hour_where_the_contact_lives(world: World) -> None:
    world.at(datetime(2026, 3, 28, 9, 0, tzinfo=UTC))
    journey = world.journey([{"id": "rest", "type": "delay", "for": "1d"}])
    [paris] = world.contacts(1, timezone="Europe/Paris")
    [utc] = world.contacts(1)
    world.enrol(journey, [paris, utc])
    world.settle()
    due = dict(Enrolment.objects.values_list("contact_id", "due_at"))
    assert due == {
        paris: datetime(2026, 3, 29, 8, 0, tzinfo=UTC),
        utc: datetime(2026, 3, 29, 9, 0, tzinfo=UTC),
    }


def test_a_day_of_a_time_out_has_24_hours(world: World) -> None:
    world.at(datetime(2026, 3, 28, 9, 0, tzinfo=UTC))
    journey = world.journey([{"id": "rest", "type": "wait_for", "event": "bought", "timeout": "1d"}])
    [paris] = world.contacts(1, timezone="Europe/Paris")
    world.enrol(journey, [paris])
    world.settle()
    assert Enrolment.objects.get().due_at == datetime(2026, 3, 29, 9, 0, tzinfo=UTC)
