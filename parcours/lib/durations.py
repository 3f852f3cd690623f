"""Durations as the contract writes them: a whole number and a unit, "45s", "30m", "12h", "90d", "2w"."""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}
_DURATION = re.compile(r"^(\d{1,9})([smhdw])$")


class DurationError(ValueError):
    """A text that is not a duration."""


def split_duration(text: object) -> tuple[int, str]:
    """The number and the unit of a duration. Raises DurationError."""
    match = _DURATION.match(text) if isinstance(text, str) else None
    if match is None:
        raise DurationError(f'{text!r} is not a duration: a whole number and s, m, h, d or w, such as "90d".')
    return int(match[1]), match[2]


def parse_duration(text: object) -> timedelta:
    """Elapsed time: a day is 86,400 seconds and a week 7 days. Raises DurationError."""
    number, unit = split_duration(text)
    return timedelta(seconds=number * _UNITS[unit])


def is_calendar(text: object) -> bool:
    """Whether a delay counts days of the contact's zone (d, w) rather than elapsed time (s, m, h)."""
    return split_duration(text)[1] in "dw"
