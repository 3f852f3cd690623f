"""The mere passing of time moves contacts in and out, at the millisecond, without a computation in full."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.segments import actions, flips, full
from parcours.segments.models import Flips, Segment, Upkeep
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
START = datetime(2026, 11, 22, 9, tzinfo=UTC)
SECOND, MS = timedelta(seconds=1), timedelta(milliseconds=1)


@pytest.fixture
def now() -> Iterator[datetime]:
    """A clock that stands still until a test moves it."""
    clock.freeze(START)
    yield START
    clock.freeze(None)


def at(firm: Firm, instant: datetime) -> None:
    clock.freeze(instant)
    firm.catch_up()


def computed(*segments: Segment) -> list[Any]:
    return [Segment.objects.get(pk=one.pk).computed_at for one in segments]


def test_an_event_leaves_its_window_at_the_millisecond(firm: Firm, now: datetime) -> None:
    ann, bob = firm.people({"email": "ann@example.org"}, {"email": "bob@example.org"})
    recent = firm.segment({"event": "order.placed", "window": {"last": "2h"}}, name="Recent")
    idle = firm.segment(
        {"event": "order.placed", "window": {"last": "2h"}, "count": {"op": "eq", "value": 0}}, name="Idle"
    )
    nested = firm.segment({"not": {"segment": recent.pk, "op": "member"}}, name="Nested")
    clock.freeze(START + SECOND)
    first = computed(recent, idle, nested)
    firm.happens("order.placed", ann)
    firm.happens("order.placed", bob, at=START - timedelta(minutes=90))
    firm.catch_up()
    assert firm.members(recent) == sorted([ann, bob])
    at(firm, START + timedelta(minutes=30))
    assert firm.members(recent) == sorted([ann, bob])
    at(firm, START + timedelta(minutes=30) + MS)
    assert firm.members(recent) == [ann]
    at(firm, START + timedelta(hours=2) + SECOND)
    assert (firm.members(recent), firm.members(idle), firm.members(nested)) == ([ann], [bob], [bob])
    at(firm, START + timedelta(hours=2) + SECOND + MS)
    assert firm.members(recent) == []
    assert firm.members(idle) == firm.members(nested) == sorted([ann, bob])
    assert computed(recent, idle, nested) == first, "nothing was computed in full"
    assert [move[:2] for move in firm.told(recent)][2:] == [("segment.left", bob), ("segment.left", ann)]


def test_an_event_of_the_future_counts_when_it_occurs(firm: Firm, now: datetime) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    ever = firm.segment({"event": "webinar.held"}, name="Ever")
    soon = firm.segment({"event": "webinar.held", "window": {"last": "10m"}}, name="Soon")
    clock.freeze(START + SECOND)
    firm.happens("webinar.held", ann, at=START + timedelta(hours=3))
    later = firm.segment({"event": "webinar.held"}, name="Made after")
    assert firm.members(ever) == firm.members(soon) == firm.members(later) == []
    at(firm, START + timedelta(hours=3) - MS)
    assert firm.members(ever) == firm.members(soon) == firm.members(later) == []
    at(firm, START + timedelta(hours=3))
    assert firm.members(ever) == firm.members(soon) == firm.members(later) == [ann]
    at(firm, START + timedelta(hours=3, minutes=10))
    assert firm.members(soon) == [ann]
    at(firm, START + timedelta(hours=3, minutes=10) + MS)
    assert firm.members(soon) == []
    assert firm.members(ever) == [ann]


def test_dates_of_contacts_and_of_events_come_and_pass(firm: Firm, now: datetime) -> None:
    firm.account.attributes.create(name="renewal", type="date", created_at=START)
    soon = firm.segment({"field": "attributes.renewal", "op": "within_next", "value": "1d"}, name="Soon")
    past = firm.segment({"field": "attributes.renewal", "op": "not_within_last", "value": "2h"}, name="Past")
    new = firm.segment({"field": "created_at", "op": "within_last", "value": "3h"}, name="New")
    due = firm.segment(
        {"event": "order.placed", "where": [{"property": "due", "op": "within_next", "value": "1h"}]},
        name="Due",
    )
    clock.freeze(START + SECOND)
    # The account is in Paris: noon there, without an offset, is 11:00 UTC.
    (ann,) = firm.people({"email": "ann@example.org", "attributes": {"renewal": "2026-11-23T12:00:00"}})
    firm.happens("order.placed", ann, due="2026-11-22T13:30:00+01:00")
    firm.catch_up()
    assert (firm.members(soon), firm.members(past)) == ([], [ann])
    assert (firm.members(new), firm.members(due)) == ([ann], [])
    at(firm, datetime(2026, 11, 22, 11, 30, tzinfo=UTC))
    assert (firm.members(soon), firm.members(due)) == ([ann], [ann])
    at(firm, datetime(2026, 11, 22, 12, 30, 0, 1000, tzinfo=UTC))
    assert (firm.members(new), firm.members(due)) == ([], [])
    # The instant of answers runs a little ahead of a clock that stands still: at 11:00 itself, only who leaves first.
    noon = datetime(2026, 11, 23, 11, tzinfo=UTC)
    at(firm, noon - MS)
    assert (firm.members(soon), firm.members(past)) == ([ann], [ann])
    at(firm, noon)
    assert firm.members(past) == []
    at(firm, noon + SECOND)
    assert (firm.members(soon), firm.members(past)) == ([], [])
    at(firm, datetime(2026, 11, 23, 13, tzinfo=UTC) + MS)
    assert firm.members(past) == [ann]


def test_a_past_tied_to_a_contact_leaves_its_window_too(firm: Firm, now: datetime) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    readers = firm.segment({"event": "page.viewed", "window": {"last": "3h"}})
    clock.freeze(START + SECOND)
    firm.calls("page", anonymousId="a1", properties={"url": "https://x.org/"})
    firm.catch_up()
    clock.freeze(START + timedelta(hours=1))
    firm.calls("identify", anonymousId="a1", traits={"email": "ann@example.org"})
    firm.catch_up()
    assert firm.members(readers) == [ann]
    at(firm, START + timedelta(hours=3) + SECOND)
    assert firm.members(readers) == [ann]
    at(firm, START + timedelta(hours=3) + SECOND + MS)
    assert firm.members(readers) == []


def test_beyond_the_horizon_flips_are_found_in_time(firm: Firm, now: datetime) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    recent = firm.segment({"event": "order.placed", "window": {"last": "15h"}})
    clock.freeze(START + SECOND)
    firm.happens("order.placed", ann)
    firm.catch_up()
    assert not Flips.objects.exists(), "what flips in fifteen hours is not kept yet"
    assert recent.flips_until is not None
    assert START <= recent.flips_until - flips.HORIZON <= START + SECOND
    first = computed(recent)
    for hours in (5.5, 11, 14):
        at(firm, START + timedelta(hours=hours))
    assert Flips.objects.count() == 1
    at(firm, START + timedelta(hours=15) + SECOND)
    assert firm.members(recent) == [ann]
    at(firm, START + timedelta(hours=15) + SECOND + MS)
    assert firm.members(recent) == []
    assert computed(recent) == first
    assert not Flips.objects.exists()


def test_after_a_stop_of_days_everything_is_caught_up(firm: Firm, now: datetime) -> None:
    ann, bob = firm.people({"email": "ann@example.org"}, {"email": "bob@example.org"})
    recent = firm.segment({"event": "order.placed", "window": {"last": "1d"}})
    clock.freeze(START + SECOND)
    firm.happens("order.placed", ann)
    firm.happens("order.placed", bob, at=START - timedelta(hours=20))
    firm.catch_up()
    assert firm.members(recent) == sorted([ann, bob])
    at(firm, START + timedelta(hours=20))
    assert firm.members(recent) == [ann], "stopped past what was known ahead"
    at(firm, START + timedelta(days=9))
    assert firm.members(recent) == []
    assert sorted(move[:2] for move in firm.told(recent))[2:] == [
        ("segment.left", ann),
        ("segment.left", bob),
    ]


def test_too_many_flips_are_a_computation_in_full(
    firm: Firm, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flips, "MOST", 3)
    people = firm.people(*({"email": f"c{place}@example.org"} for place in range(8)))
    for place, contact in enumerate(people):
        firm.happens("order.placed", contact, at=START - timedelta(minutes=10 * min(place, 4)))
    recent = firm.segment({"event": "order.placed", "window": {"last": "1h"}})
    assert firm.members(recent) == sorted(people)
    # Four flip together, the first of all: one too many.
    assert recent.next_at == START + timedelta(minutes=20) + MS
    at(firm, START + timedelta(minutes=20))
    assert firm.members(recent) == sorted(people)
    at(firm, START + timedelta(minutes=20) + MS)
    assert firm.members(recent) == sorted(people[:4])
    at(firm, START + timedelta(minutes=50) + MS)
    assert firm.members(recent) == sorted(people[:1])
    at(firm, START + timedelta(minutes=60) + MS)
    assert firm.members(recent) == []


def test_the_night_is_at_the_hour_of_the_account(firm: Firm, now: datetime) -> None:
    night = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert full.next_night(firm.account, night) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert full.next_night(firm.account, night + timedelta(days=7)) == datetime(2026, 4, 5, 1, tzinfo=UTC)
    october = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert full.next_night(firm.account, october) == datetime(2026, 10, 25, 2, tzinfo=UTC)
    segment = firm.segment({"all": []})
    assert segment.next_at == datetime(2026, 11, 23, 2, tzinfo=UTC)
    actions.set_night(account=firm.account, hour=22, now=clock.now())
    segment.refresh_from_db()
    assert segment.next_at == datetime(2026, 11, 22, 21, tzinfo=UTC)
    # The hour that clocks skip on that night is the one after.
    actions.set_night(account=firm.account, hour=2, now=clock.now())
    assert full.next_night(firm.account, night) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert Upkeep.objects.get(pk=firm.account.pk).night_hour == 2


def test_a_paused_segment_flips_no_more(firm: Firm, now: datetime) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    recent = firm.segment({"event": "order.placed", "window": {"last": "1h"}})
    clock.freeze(START + SECOND)
    firm.happens("order.placed", ann)
    firm.catch_up()
    assert Flips.objects.filter(segment=recent).count() == 1
    actions.pause(segment=Segment.objects.get(pk=recent.pk), now=clock.now())
    assert not Flips.objects.exists()
    at(firm, START + timedelta(hours=2))
    assert firm.members(recent) == [ann]
    actions.activate(segment=Segment.objects.get(pk=recent.pk), now=clock.now())
    firm.catch_up()
    assert firm.members(recent) == []


def test_sizes_are_kept_by_the_hour_then_by_the_day(firm: Firm, now: datetime) -> None:
    (ann,) = firm.people({"email": "ann@example.org", "city": "Paris"})
    segment = firm.segment({"field": "city", "op": "eq", "value": "paris"})
    firm.people({"email": "bob@example.org", "city": "Paris"})
    firm.catch_up()
    assert list(segment.sizes.values_list("profiles", flat=True)) == [2]
    at(firm, START + timedelta(hours=1))
    firm.people({"id": str(ann), "city": "Lyon"})
    firm.catch_up()
    assert list(segment.sizes.order_by("at").values_list("profiles", flat=True)) == [2, 1]
    for day in (1, 20):
        at(firm, START + timedelta(days=day))
    sizes = list(segment.sizes.order_by("at").values_list("profiles", flat=True))
    assert sizes == [1, 1, 1], "of the first day, only the last one is kept"
    slots = segment.sizes.values_list("slot", "at")
    assert all(slot == to_ms(instant) // 3_600_000 for slot, instant in slots)
