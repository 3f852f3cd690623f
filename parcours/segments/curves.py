"""How a segment's size went, as lines to draw: a small one beside its name, a large one on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from parcours.lib.instants import from_ms, to_ms
from parcours.segments.models import Segment, SegmentSize
from parcours.ui import formats

SHOWN = timedelta(days=30)
YOUNG = timedelta(days=3)
"""A segment younger than this is drawn by the hour: by the day there would be little to see."""
_SLOTS_A_DAY = 24
_HOUR_MS = 3_600_000
_STEPS = (1, 2, 5, 10)

#: An instant and the number of profiles then.
Point = tuple[datetime, int]


@dataclass(frozen=True)
class Sparkline:
    """A line in a box of `WIDTH` by `HEIGHT`, with where it ends; `first` and `last` are sizes, for its text."""

    line: str
    end: tuple[float, float]
    first: int
    last: int
    since: datetime

    WIDTH = 96
    HEIGHT = 28


@dataclass(frozen=True)
class Mark:
    """A point of the large curve: where, in percent of its box from the left and from the top, and what it says."""

    left: float
    top: float
    at: str
    profiles: int


@dataclass(frozen=True)
class Chart:
    """The large curve in a box of 100 by 100, stretched to whatever room there is."""

    line: str
    area: str
    marks: Sequence[Mark]
    heights: Sequence[tuple[float, int]]  # top in percent, profiles: the lines behind
    instants: Sequence[str]  # evenly spread below, as read in the reader's zone
    lowest: int
    highest: int


def history(
    segments: Sequence[Segment], *, now: datetime, over: timedelta = SHOWN, by_hour: bool = False
) -> dict[int, list[Point]]:
    """The sizes of segments over the time that ends now, the last of each day (UTC), in one query; oldest first.

    The figures that the segments have now come last. By the hour, the last size of each hour is told.
    """
    since = now - over
    rows = (
        SegmentSize.objects.filter(segment__in=[one.pk for one in segments], slot__gte=slot_of(since))
        .annotate(
            rank=Window(
                RowNumber(),
                partition_by=[F("segment_id"), F("slot") / (1 if by_hour else _SLOTS_A_DAY)],
                order_by=F("slot").desc(),
            )
        )
        .filter(rank=1)
        .order_by("slot")
        .values_list("segment_id", "at", "profiles")
    )
    found: dict[int, list[Point]] = {one.pk: [] for one in segments}
    for segment_id, at, profiles in rows:
        found[segment_id].append((at, profiles))
    for one in segments:
        points = found[one.pk]
        if one.figures_at is not None:
            points[:] = [point for point in points if point[0] < one.figures_at]
            points.append((one.figures_at, one.profiles))
    return found


def slot_of(at: datetime) -> int:
    """The hour of an instant, counted from 1970 UTC."""
    return to_ms(at) // _HOUR_MS


def sparkline(points: Sequence[Point]) -> Sparkline | None:
    """The small curve; None while there is not even one size."""
    if not points:
        return None
    pad = 3.0
    left, right = to_ms(points[0][0]), to_ms(points[-1][0])
    sizes = [size for _, size in points]
    low, high = min(sizes), max(sizes)
    placed = []
    for at, size in points:
        x = pad + (Sparkline.WIDTH - 2 * pad) * ((to_ms(at) - left) / (right - left) if right > left else 1)
        share = (size - low) / (high - low) if high > low else 0.5
        placed.append((round(x, 1), round(pad + (Sparkline.HEIGHT - 2 * pad) * (1 - share), 1)))
    if len(placed) == 1 or right == left:
        placed = [(pad, placed[-1][1]), placed[-1]]
    line = " ".join(f"{x},{y}" for x, y in placed)
    return Sparkline(line, placed[-1], sizes[0], sizes[-1], points[0][0])


def chart(points: Sequence[Point], *, by_hour: bool = False) -> Chart | None:
    """The large curve, its instants said as days, or by the hour; None with fewer than two sizes."""
    if len(points) < 2:
        return None
    sizes = [size for _, size in points]
    low, high = min(sizes), max(sizes)
    step = _step(max(1, high if low < high / 2 else high - low))
    floor = 0 if low < high / 2 else low // step * step
    if low == high:  # a line in the middle
        floor = max(0, floor - step)
    top = floor
    while top < high or top == floor:
        top += step
    left, right = to_ms(points[0][0]), to_ms(points[-1][0])
    span = max(1, right - left)
    parts = min(4, span // (_HOUR_MS if by_hour else _SLOTS_A_DAY * _HOUR_MS))  # no instant is named twice
    marks = [
        Mark(
            left=round(100 * (to_ms(at) - left) / span, 2),
            top=round(100 * (1 - (size - floor) / (top - floor)), 2),
            at=_said(at, by_hour),
            profiles=size,
        )
        for at, size in points
    ]
    line = " ".join(f"{mark.left},{mark.top}" for mark in marks)
    return Chart(
        line=line,
        area=f"0,100 {line} 100,100",
        marks=marks,
        heights=[
            (round(100 * (1 - (height - floor) / (top - floor)), 2), height)
            for height in range(floor, top + 1, step)
        ],
        instants=[_said(from_ms(left + span * part // max(1, parts)), by_hour) for part in range(parts + 1)],
        lowest=low,
        highest=high,
    )


def _said(at: datetime, by_hour: bool) -> str:
    return f"{formats.day(at)} {formats.hour(at)}" if by_hour else formats.day(at)


def _step(spread: int) -> int:
    """The distance between the lines behind a curve: 1, 2 or 5 times a power of ten, for about four lines."""
    power = 1
    while True:
        for step in _STEPS:
            if step * power * 4 >= spread:
                return step * power
        power *= 10
