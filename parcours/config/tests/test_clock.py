"""The installation's clock: its start, its speed, and that it never goes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours.accounts.models import Installation
from parcours.config import startup
from parcours.lib import clock
from parcours.lib.instants import from_ms

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 28, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _machine_clock() -> Iterator[None]:
    yield
    clock.configure(None)


def first_started(seconds_ago: float, *, reached: datetime | None = None) -> None:
    Installation.objects.update_or_create(
        id=1,
        defaults={
            "first_started_at": from_ms(clock.machine_ms()) - timedelta(seconds=seconds_ago),
            "clock_high_water": reached,
        },
    )


def test_the_clock_starts_where_it_says_and_runs_at_its_speed(settings: Any) -> None:
    settings.CLOCK = "2026-03-28T20:00:00Z*600"
    startup.start_clock()
    first = clock.now()
    assert timedelta() <= first - START < timedelta(seconds=600)
    time.sleep(0.05)
    passed = (clock.now() - first).total_seconds()
    assert passed >= 0.05 * 600 - 1


def test_it_is_counted_from_the_installations_first_start(settings: Any) -> None:
    settings.CLOCK = "2026-03-28T20:00:00Z*600"
    first_started(3600)
    startup.start_clock()
    assert abs(clock.now() - (START + timedelta(hours=600))) < timedelta(minutes=20)


@pytest.mark.parametrize(
    "spec", ["2026-03-28T20:00:00Z*600", "2026-03-28T20:00:00Z*2", "2020-01-01T00:00:00Z", ""]
)
def test_it_never_goes_back_whatever_changed_meanwhile(settings: Any, spec: str) -> None:
    reached = datetime(2031, 1, 1, tzinfo=UTC)
    first_started(-7200, reached=reached)  # The machine's clock went back two hours, too.
    settings.CLOCK = spec
    startup.start_clock()
    assert clock.now() >= reached
    first = clock.now()
    assert clock.now() >= first


def test_how_far_it_has_come_is_kept_and_only_grows(settings: Any) -> None:
    settings.CLOCK = "2026-03-28T20:00:00Z*1000"
    startup.start_clock()
    startup.keep_clock()
    first = Installation.objects.get(id=1).clock_high_water
    assert first is not None
    assert first >= START
    clock.freeze(START - timedelta(days=1))
    try:
        startup.keep_clock()
    finally:
        clock.freeze(None)
    assert Installation.objects.get(id=1).clock_high_water == first


def test_the_machines_own_clock_needs_no_keeping(settings: Any) -> None:
    settings.CLOCK = ""
    startup.start_clock()
    startup.keep_clock()
    assert Installation.objects.get(id=1).clock_high_water is None


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-03-28T20:00:00", "2026-03-28T20:00:00Z*0", "2026-03-28T20:00:00Z*-1"]
)
def test_a_clock_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(clock.ClockError):
        clock.parse_clock(text)
