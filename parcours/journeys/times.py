"""When a delay ends: elapsed hours, or the same hour on a later day where the contact lives."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from parcours.lib.durations import parse_duration, split_duration

LONGEST = timedelta(days=3_653)
"""No delay is longer: ten years."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


@functools.cache
def zone_of(name: str) -> ZoneInfo:
    """A zone by its name; one that is not known is read as UTC, so that no run is lost for it."""
    return ZoneInfo(name if name in _names() else "UTC")


def after(instant: int, duration: str, zone: str) -> int:
    """The end of a delay begun at an instant; both in milliseconds since 1970, UTC.

    "24h" is elapsed time. "1d" and "1w" end at the same local hour on a later day of the zone: an hour that does not
    exist moves forward and one that exists twice is the first (RFC 5545, section 3.3.5). Raises DurationError.
    """
    number, unit = split_duration(duration)
    if unit not in "dw":
        return instant + parse_duration(duration) // _MS
    here = zone_of(zone)
    start = _EPOCH + instant * _MS
    days = timedelta(days=number * (7 if unit == "w" else 1))
    local = start.astimezone(here).replace(tzinfo=None) + days
    return (local.replace(tzinfo=here, fold=0).astimezone(UTC) - _EPOCH) // _MS
