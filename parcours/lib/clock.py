"""The one clock of an installation.

`now()` is the product's time: what delays, windows, attribution and every date shown are counted in. It is the
machine's clock, unless `PARCOURS_CLOCK` gives the installation another start and speed for trials
(`2026-03-28T20:00:00Z*600`). Leases, back-offs on sockets and time-outs are counted in the machine's own time,
never in this one.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_SPEC = re.compile(r"^(?P<start>[^*]+?)(?:\*(?P<speed>\d+(?:\.\d+)?))?$")


class ClockError(ValueError):
    """The text of `PARCOURS_CLOCK` cannot be read."""


@dataclass(frozen=True)
class ClockSpec:
    """A start (UTC) and a speed, in product seconds for each machine second."""

    start: datetime
    speed: float


def parse_clock(text: str) -> ClockSpec:
    """Read `START*SPEED` (the speed is 1 when absent).

    Raises ClockError when the start is not an ISO 8601 instant with its offset, or the speed is not above 0.
    """
    match = _SPEC.match(text.strip())
    if not match:
        raise ClockError(f"PARCOURS_CLOCK: {text!r} is not START*SPEED, such as 2026-03-28T20:00:00Z*600.")
    try:
        start = datetime.fromisoformat(match["start"])
    except ValueError as error:
        raise ClockError(f"PARCOURS_CLOCK: {match['start']!r} is not an ISO 8601 instant.") from error
    if start.tzinfo is None:
        raise ClockError("PARCOURS_CLOCK: the start needs its offset, such as a final Z.")
    speed = float(match["speed"] or 1)
    if speed <= 0:
        raise ClockError("PARCOURS_CLOCK: the speed must be above 0.")
    return ClockSpec(start=start.astimezone(UTC), speed=speed)


class _State:
    """What `now()` is computed from; one per process, set once at start-up."""

    spec: ClockSpec | None = None
    origin: float = 0.0  # the monotonic instant that corresponds to spec.start
    fixed: datetime | None = None


def configure(spec: ClockSpec | None, *, elapsed: float = 0.0) -> None:
    """Set the clock of this process; `elapsed` is the machine seconds since the installation's first start."""
    _State.spec = spec
    _State.origin = time.monotonic() - elapsed


def freeze(instant: datetime | None) -> None:
    """Hold the clock of this process at an instant (trials and tests); None lets it run again."""
    _State.fixed = None if instant is None else cut(instant)


def cut(instant: datetime) -> datetime:
    """The instant in UTC, cut (not rounded) to the millisecond."""
    instant = instant.astimezone(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def now() -> datetime:
    """The product's present instant, in UTC, to the millisecond."""
    if _State.fixed is not None:
        return _State.fixed
    if _State.spec is not None:
        passed = (time.monotonic() - _State.origin) * _State.spec.speed
        return cut(_State.spec.start + timedelta(seconds=passed))
    return cut(datetime.now(UTC))


def speed() -> float:
    """How many product seconds pass in one machine second."""
    return _State.spec.speed if _State.spec is not None else 1.0


def is_machine() -> bool:
    """Whether `now()` is the machine's own time."""
    return _State.spec is None and _State.fixed is None


def machine_ms() -> int:
    """The machine's own time in milliseconds since 1970, for leases and fences; never the product's clock."""
    return time.time_ns() // 1_000_000
