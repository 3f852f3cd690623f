"""What fails alone is parked alone; who is stale commits nothing; who is dead holds nobody up."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import OperationalError

from parcours.contacts import actions as contacts
from parcours.journeys import actions, work
from parcours.journeys.engine import parts
from parcours.journeys.engine.walk import drawn
from parcours.journeys.models import EngineWorker, Enrolment, Inbox, Part, StepCount
from parcours.journeys.tests.world import ENTRY, World, standing
from parcours.lib import leases
from parcours.lib.clock import machine_ms

pytestmark = pytest.mark.database
REST = [{"id": "rest", "type": "delay", "for": "1d", "next": "end"}, {"id": "end", "type": "end"}]


def test_a_run_that_fails_is_parked_with_its_error_and_the_others_go_on(world: World) -> None:
    journey = world.journey(REST)
    people = world.contacts(9)
    world.enrol(journey, people)
    world.settle()
    Enrolment.objects.filter(contact_id=people[4]).update(step="gone")
    world.later(days=1)
    world.settle()
    assert standing(journey) == {("completed", "end"): 8, ("failed", "gone"): 1}
    assert "gone" in Enrolment.objects.get(status="failed").error
    assert [(entry.contact, entry.parked) for entry in world.parked()] == [(people[4], True)]
    world.later(days=30)
    assert world.settle() == 0
    Enrolment.objects.filter(contact_id=people[4]).update(step="rest")
    assert actions.retry_parked(journey) == 1
    world.settle()
    assert standing(journey) == {("completed", "end"): 9}
    assert [entry.parked for entry in world.parked()] == [True, False]


def test_an_entry_that_fails_waits_aside_with_its_error(world: World) -> None:
    entry = {"triggers": [{"type": "event", "event": "visit"}]}
    journey = world.journey(REST, entry=entry)
    first, second = world.contacts(2)
    for contact in (first, second):
        world.event(journey, ENTRY, contact, "visit")
    Inbox.objects.filter(contact_id=first).update(event="{")
    world.settle()
    assert Enrolment.objects.get().contact_id == second
    assert Inbox.objects.get().error
    assert world.settle() == 0


def test_a_database_that_is_away_for_a_moment_parks_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    journey = world.journey([{"id": "add", "type": "add_to_list", "list": world.list.pk}])
    world.enrol(journey, world.contacts(3))

    def away(**_: Any) -> None:
        raise OperationalError("the connection is lost")

    with monkeypatch.context() as patch:
        patch.setattr(contacts, "add_to_list", away)
        with pytest.raises(OperationalError):
            work.round()
    assert standing(journey) == {}
    Part.objects.update(lease_until=0)
    world.settle()
    assert standing(journey) == {("completed", "add"): 3}


def test_a_stale_worker_commits_nothing(world: World) -> None:
    journey = world.journey(REST)
    held = parts.claim(journey.pk)
    assert held is not None
    assert held.whole
    parts.check(held, release=False)
    Part.objects.update(worker="another", fence=held.fence + 1)
    with pytest.raises(parts.StaleClaim):
        parts.check(held, release=False)
    Part.objects.update(worker=parts.me(), fence=held.fence)
    actions.pause(journey, now=world.account.created_at)
    with pytest.raises(parts.StaleClaim):
        parts.check(held, release=False)


def test_parts_held_by_a_dead_process_of_this_machine_are_freed_at_once(world: World) -> None:
    journey = world.journey(REST)
    world.enrol(journey, world.contacts(3))
    Part.objects.update(worker=f"{leases.machine()}/4194300/1", lease_until=machine_ms() + 60_000)
    assert not work.round()
    parts.sweep(force=True)
    world.settle()
    assert standing(journey) == {("active", "rest"): 3}


def test_parts_held_by_a_live_worker_elsewhere_are_left_to_it_and_shared(world: World) -> None:
    journey = world.journey(REST)
    people = world.contacts(64)
    world.enrol(journey, people)
    other = "elsewhere/12345678/7/7"
    theirs = list(range(parts.PARTS // 2))
    Part.objects.filter(number__in=theirs).update(worker=other, lease_until=machine_ms() + 60_000)
    world.settle()
    entered = set(Enrolment.objects.values_list("contact_id", flat=True))
    assert entered == {contact for contact in people if contact % parts.PARTS not in theirs}
    Part.objects.update(lease_until=0)
    EngineWorker.objects.create(worker=other, seen_at=machine_ms())
    parts._presence.said_at = 0
    held = parts.claim(journey.pk)
    assert held is not None
    assert sorted(held.numbers) == theirs
    parts.let_go(held)
    parts._presence.said_at = 0
    EngineWorker.objects.all().delete()
    world.settle()
    assert Enrolment.objects.count() == 64


def test_more_than_a_batch_is_taken_in_the_order_of_its_instants(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parcours.journeys.engine import loading

    monkeypatch.setattr(loading, "BATCH", 7)
    journey = world.journey(REST)
    people = world.contacts(40)
    world.enrol(journey, people)
    assert world.settle() >= 6
    world.later(days=1)
    assert world.settle() >= 6
    assert standing(journey) == {("completed", "end"): 40}
    assert StepCount.objects.get(step="end").passages == 40


def test_a_run_far_behind_is_caught_up_by_and_by(world: World) -> None:
    steps = [{"id": "tick", "type": "delay", "for": "1m", "next": "tock"},
             {"id": "tock", "type": "delay", "for": "1m", "next": "tick"}]  # fmt: skip
    journey = world.journey(steps)
    world.enrol(journey, world.contacts(2))
    world.later(days=1)
    assert world.settle() > 5
    assert Counter(Enrolment.objects.values_list("visit", flat=True)) == {1441: 2}


def test_a_share_is_held_out_and_uses_up_its_entry(world: World) -> None:
    journey = world.journey(REST, settings={"holdout": 50})
    people = world.contacts(60)
    world.enrol(journey, people)
    world.settle()
    world.enrol(journey, people)
    world.settle()
    held_out = {contact for contact in people if drawn(journey.pk, contact) < 50}
    assert 10 < len(held_out) < 50
    assert standing(journey) == {("holdout", ""): len(held_out), ("active", "rest"): 60 - len(held_out)}
    assert StepCount.objects.get(step="*holdout").passages == len(held_out)
    assert sum(1 for event in world.told("journey.entered") if event.properties.get("holdout")) == len(
        held_out
    )
