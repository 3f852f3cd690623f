"""What texts, numbers and instants are to criteria: the one definition that Python and SQL share.

* Texts are compared after NFC and lower case (`fold`). ClickHouse's `lowerUTF8(normalizeUTF8NFC(x))` gives the same
  for every character that Python's Unicode tables know.
* A text is also a number when it reads `-?digits[.digits]`, with at most 28 digits before the point and 10 after:
  what the event store holds exactly.
* A text is also an instant when it is an ISO 8601 date or date and time of the years 1900 to 2299. Without an offset
  it is in the account's zone: an hour that does not exist moves forward, one that exists twice is the first.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from zoneinfo import ZoneInfo

NUMBER = r"^-?[0-9]{1,28}(\.[0-9]{1,10})?$"
DATE = (
    r"^(19|2[0-2])[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    r"([T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,9})?)?(Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?)?$"
)
SCALE = 10
_TOO_LARGE = Decimal(10) ** 28
_EXACT = Context(prec=2_000)
_NUMBER = re.compile(NUMBER[:-1] + r"\Z")
_DATE = re.compile(DATE[:-1] + r"\Z")
_EPOCH = datetime(1970, 1, 1)
_MS = timedelta(milliseconds=1)
DAY_MS = 86_400_000
_FAR = 2**62


def fold(text: str) -> str:
    """A text as it is compared: Unicode NFC, then lower case; accents stay."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).lower()


def as_number(text: str) -> Decimal | None:
    """The number that a text reads as, exactly; None when it is not one."""
    return Decimal(text) if _NUMBER.match(text) else None


def exact_number(value: int | float | Decimal) -> Decimal | None:
    """A JSON number as a decimal, 10 digits after the point at most; None when it has more or is too large."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite() or number.copy_abs() >= _TOO_LARGE:
        return None
    exponent = _EXACT.normalize(number).as_tuple().exponent
    return number if isinstance(exponent, int) and exponent >= -SCALE else None


def is_date_alone(text: str) -> bool:
    """Whether a text that is an instant names a day only."""
    return len(text) == 10


def as_instant(text: str, zone: str) -> int | None:
    """The instant that a text reads as, in milliseconds since 1970 UTC, cut; None when it is not one."""
    if not _DATE.match(text):
        return None
    try:
        local = datetime.fromisoformat(text[:10])
    except ValueError:
        return None
    clock, offset = text[11:], None
    if clock.endswith("Z"):
        clock, offset = clock[:-1], 0
    else:
        at = max(clock.rfind("+"), clock.rfind("-"))
        if at > 0:
            sign = -1 if clock[at] == "-" else 1
            digits = clock[at + 1 :].replace(":", "")
            clock, offset = clock[:at], sign * (int(digits[:2]) * 60 + int(digits[2:])) * 60_000
    ms = (local - _EPOCH) // _MS
    if clock:
        ms += (int(clock[:2]) * 60 + int(clock[3:5])) * 60_000
        if len(clock) > 5:
            ms += int(clock[6:8]) * 1000 + int(clock[9:12].ljust(3, "0") or 0)
    return ms - (local_offset(ms, zone) if offset is None else offset)


def local_offset(local_ms: int, zone: str) -> int:
    """How far ahead of UTC a zone's clocks are, in milliseconds, when they show a local time (in ms since 1970)."""
    local = (_EPOCH + local_ms * _MS).replace(tzinfo=_zone(zone))
    return (local.utcoffset() or timedelta()) // _MS


@functools.lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@functools.lru_cache(maxsize=64)
def transitions(zone: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The changes of a zone's offset from 1900 to 2300, for SQL: local times (ms) from which another offset holds,
    and the offsets (ms): the first before any change, then one after each.

    A change from a to b at the instant T is felt from the local time T + max(a, b): the hour that is skipped is
    still read with a, and so is the first pass of an hour that comes twice.
    """
    here = _zone(zone)
    at, end = datetime(1899, 12, 30, tzinfo=UTC), datetime(2300, 1, 3, tzinfo=UTC)

    def offset(instant: datetime) -> timedelta:
        return instant.astimezone(here).utcoffset() or timedelta()

    before = offset(at)
    thresholds: list[int] = []
    offsets = [before // _MS]
    day = timedelta(days=1)
    while at < end:
        following = at + day
        after = offset(following)
        if after != before:
            low, high = at, following
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            change = (high.replace(tzinfo=None) - _EPOCH) // _MS
            thresholds.append(change + max(before, after) // _MS)
            offsets.append(after // _MS)
        at, before = following, after
    return tuple(thresholds), tuple(offsets)


def local_ranges(low: int | None, high: int | None, zone: str) -> list[tuple[int, int]]:
    """The local times (ms, both ends in) of a zone whose instants are from `low` to `high`, both in; None: no end.

    There is one range, but where clocks went forward: an hour that was skipped is read as the one after it.
    """
    thresholds, offsets = transitions(zone)
    since = (-_FAR, *thresholds)
    until = (*(threshold - 1 for threshold in thresholds), _FAR)
    found: list[tuple[int, int]] = []
    for start, end, offset in zip(since, until, offsets, strict=True):
        first = start if low is None else max(start, low + offset)
        last = end if high is None else min(end, high + offset)
        if first > last:
            continue
        if found and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


def end_of_day(text: str, zone: str) -> int | None:
    """The first instant after the day that a date alone names, in ms; None when the text is no date."""
    start = as_instant(text, "UTC")
    return None if start is None else start + DAY_MS - local_offset(start + DAY_MS, zone)
