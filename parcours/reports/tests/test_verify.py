"""`parcours verify`: it finds nothing on a world that went its way, and finds whatever was altered behind its back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from parcours.commerce.models import Order
from parcours.events import journal
from parcours.events.entries import Event, Touched
from parcours.events.store.client import writer
from parcours.journeys import actions
from parcours.journeys.models import Enrolment, Journey, StepCount
from parcours.journeys.tests.world import Living
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.messaging.models import Send
from parcours.reports.verify import verify
from parcours.segments import work as segments_work
from parcours.segments.actions import create as create_segment
from parcours.segments.models import Segment
from tests.fixtures.store import StoreProcess

pytestmark = pytest.mark.database


@pytest.fixture
def told(db: None, store: StoreProcess) -> Iterator[tuple[Living, Journey, Segment]]:
    """Twelve contacts at all places of a journey, seven sends, and a segment of five members."""
    living = Living()
    segment = create_segment(
        account=living.account,
        name="Acheteurs",
        criteria={"event": "order.placed", "count": {"op": "gte", "value": 1}},
        now=clock.now(),
    )
    journey = living.journey(
        [
            {"id": "hello", "type": "send_email", "message": str(living.message.pk), "next": "buys"},
            {"id": "buys", "type": "wait_for", "event": "order.placed", "timeout": "1d", "then": "rest", "else": "end"},
            {"id": "rest", "type": "delay", "for": "5d", "next": "end"},
            {"id": "end", "type": "end"},
        ],
        exit=[{"when": {"type": "event", "event": "quit"}, "as": "exit"}],
    )  # fmt: skip
    people = living.contacts(12)
    journal.append([Touched(people)], account_id=living.account.pk)
    living.enrol(journey, people[:8])
    settle(living)
    for contact in people[:5]:
        living.did(contact, "order.placed", total=10)
    living.did(people[5], "quit")
    settle(living)
    living.later(days=2)
    settle(living)
    living.enrol(journey, people[8:])
    settle(living)
    send(living)
    settle(living)
    living.later(hours=1)
    living.did(people[1], "order.placed", total=12.5)
    settle(living)
    segment.refresh_from_db()
    yield living, journey, segment
    clock.freeze(None)


def settle(living: Living) -> None:
    for _ in range(20):
        living.live()
        if not segments_work.round():
            return
    raise AssertionError("The segments never come to rest.")


def send(living: Living) -> None:
    """What the sending loop does, without a server: every send is accepted, but for one that is refused."""
    at = to_ms(clock.now())
    sends = list(Send.objects.order_by("pk"))
    for number, row in enumerate(sends):
        row.status, row.sent_at = (Send.Status.SENT, clock.now())
        names = ["sent", "delivered"]
        if number == 0:
            row.status, row.bounced_at, names = Send.Status.REFUSED, clock.now(), ["sent", "bounced"]
        row.save()
        links: dict[str, Any] = {
            "contact": row.contact_id,
            "journey": row.journey_id,
            "message": row.message_id,
            "send": str(row.pk),
        }
        told = [Event(f"email.{name}", at, at, f"send-{row.pk}-{name}", **links) for name in names]
        told.append(Event("email.opened", at, at, new_id(), **links))
        journal.append(told, account_id=living.account.pk)


def differences(living: Living) -> set[tuple[str, str, float, tuple[float, float], str]]:
    return {
        (finding.kind, each.figure, each.shown, each.expected, each.by)
        for finding in verify(living.account, seconds=1)
        for each in finding.differences
    }


def test_all_agree_on_what_went_its_way(told: tuple[Living, Journey, Segment]) -> None:
    living, _journey, segment = told
    empty = living.journey([{"id": "end", "type": "end"}], name="Vide")
    actions.pause(empty, now=clock.now())
    found = list(verify(living.account, seconds=2))

    assert [each.kind for each in found] == ["journey", "journey", "message", "orders", "segment"]
    for finding in found:
        assert (finding.differences, finding.unsettled) == ([], ""), finding
        assert finding.compared > 3
    assert segment.profiles == 5
    assert Send.objects.count() == 12


def test_whatever_is_altered_behind_its_back_is_reported(told: tuple[Living, Journey, Segment]) -> None:
    living, journey, segment = told
    run = Enrolment.objects.filter(journey=journey, status="active", step="rest").first()
    assert run is not None
    Enrolment.objects.filter(pk=run.pk).update(status="completed", due_at=None)
    StepCount.objects.filter(journey=journey, step="hello").update(passages=13)
    lost = Send.objects.order_by("pk").last()
    assert lost is not None
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_send WHERE id = %s", [lost.pk])
    Segment.objects.filter(pk=segment.pk).update(profiles=6)
    assert Order.objects.filter(amount=Decimal("12.5")).update(amount=Decimal(20)) == 1
    message = living.message.pk

    assert differences(living) == {
        ("journey", "completed", 2, (3, 3), "runs"),
        ("journey", "steps.rest.waiting", 5, (4, 4), "runs"),
        ("journey", "steps.hello.passages", 12, (13, 13), "counters"),
        ("message", "sends", 12, (11, 11), "sends"),
        ("orders", f"messages.{message}.revenue.EUR", 12.5, (20, 20), "orders"),
        ("orders", f"messages.{message}.net_revenue", 12.5, (20, 20), "orders"),
        ("segment", "profiles", 6, (5, 5), "list"),
    }

    writer().command(
        f"ALTER TABLE runs DELETE WHERE journey = {journey.pk} AND kind = 'completed' SETTINGS mutations_sync = 1"
    )
    assert ("journey", "completed", 0, (2, 2), "events") in differences(living)
