"""Delays where clocks jump: reliability's zones, each against a date reckoned by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parcours.journeys.times import after, zone_of
from parcours.lib.instants import from_ms, to_ms

ZONES = "Europe/Paris America/New_York Australia/Lord_Howe Pacific/Apia Asia/Kathmandu Africa/Casablanca UTC".split()


def local(text: str, zone: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)


@pytest.mark.parametrize(
    ("start", "duration", "zone", "end"),
    [
        # Over the changes, the hour stays.
        ("2026-03-28 09:00", "1d", "Europe/Paris", "2026-03-29 09:00"),
        ("2026-10-24 09:00", "1d", "Europe/Paris", "2026-10-25 09:00"),
        # An hour that does not exist moves forward.
        ("2026-03-28 02:30", "1d", "Europe/Paris", "2026-03-29 03:30"),
        ("2026-03-07 02:15", "1d", "America/New_York", "2026-03-08 03:15"),
        ("2026-10-03 02:10", "1d", "Australia/Lord_Howe", "2026-10-04 02:40"),
        # Samoa had no 30 December 2011.
        ("2011-12-29 10:00", "1d", "Pacific/Apia", "2011-12-31 10:00"),
        ("2011-12-23 10:00", "2w", "Pacific/Apia", "2012-01-06 10:00"),
        ("2026-02-27 23:59", "1w", "Asia/Kathmandu", "2026-03-06 23:59"),
        ("2026-02-14 12:00", "2d", "Africa/Casablanca", "2026-02-16 12:00"),
        ("2028-02-28 08:00", "1d", "UTC", "2028-02-29 08:00"),
    ],
)
def test_days_keep_the_hour_of_the_zone(start: str, duration: str, zone: str, end: str) -> None:
    assert from_ms(after(to_ms(local(start, zone)), duration, zone)) == local(end, zone).astimezone(UTC)


def test_an_hour_that_exists_twice_counts_the_first_time() -> None:
    end = from_ms(after(to_ms(local("2026-10-24 02:30", "Europe/Paris")), "1d", "Europe/Paris"))
    assert end == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@given(
    st.sampled_from(ZONES),
    st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1)),
    st.integers(0, 400),
)
def test_hours_are_elapsed_time_and_days_land_on_the_hour_or_after(
    zone: str, start: datetime, number: int
) -> None:
    instant = to_ms(start.replace(tzinfo=UTC))
    assert after(instant, f"{number}h", zone) == instant + number * 3_600_000
    end = from_ms(after(instant, f"{number}d", zone)).astimezone(zone_of(zone))
    wanted = from_ms(instant).astimezone(zone_of(zone)).replace(tzinfo=None) + timedelta(days=number)
    assert timedelta(0) <= end.replace(tzinfo=None) - wanted <= timedelta(days=1)


def test_an_unknown_zone_is_read_as_utc() -> None:
    assert after(0, "1d", "Mars/Base") == 86_400_000
