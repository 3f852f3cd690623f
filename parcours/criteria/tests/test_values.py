"""Texts, numbers and dates are the same thing in Python and in the store."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.criteria import store, values
from parcours.criteria.compile import Statement
from parcours.criteria.nodes import Kind, Moment, Test
from parcours.criteria.sql_tests import Bound, Elements, Tests

ZONES = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "Africa/Casablanca",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_every_character_is_folded_alike(store_process: Any) -> None:
    """Every character that Python's Unicode tables know, alone and between others, and texts of several."""
    known = [chr(code) for code in range(1, 0x110000) if unicodedata.category(chr(code)) not in ("Cs", "Cn")]
    known += ["ΟΔΟΣ", "ΑΣ Β", "aΣ.", "E\u0301", "I\u0307", "ẞß", "A\u0345Σ", "Σ'Α", "\u1100\u1161"]
    lines = ["a" + "b ".join(known[start : start + 500]) for start in range(0, len(known), 500)]
    sql = "SELECT arrayMap(x -> lowerUTF8(normalizeUTF8NFC(x)), {lines:Array(String)})"
    for start in range(0, len(lines), 100):
        some = lines[start : start + 100]
        assert store.run(Statement(sql, {"lines": some}))[0][0] == [values.fold(line) for line in some]


@pytest.mark.parametrize("zone", ZONES)
def test_local_ranges_are_the_times_read_as_those_instants(zone: str) -> None:
    thresholds, _offsets = values.transitions(zone)
    around = [threshold for threshold in thresholds if threshold > 0][:40:7] or [0]
    half_hour = 1_800_000
    for threshold in around:
        local = [threshold + step * half_hour for step in range(-60, 60)]
        read = {one: one - values.local_offset(one, zone) for one in local}
        for low in list(read.values())[::17]:
            high = low + 7 * half_hour
            ranges = values.local_ranges(low, high, zone)
            for one in local:
                assert any(first <= one <= last for first, last in ranges) == (low <= read[one] <= high)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    instant=st.datetimes(min_value=datetime(1900, 1, 3), max_value=datetime(2299, 12, 29)),
    zone=st.sampled_from(ZONES),
    form=st.sampled_from(["date", "minutes", "seconds", "Z", "+05:30", "-0800", "blank"]),
)
def test_a_date_is_read_as_the_standard_library_reads_it(instant: datetime, zone: str, form: str) -> None:
    text = {
        "date": instant.strftime("%Y-%m-%d"),
        "minutes": instant.strftime("%Y-%m-%dT%H:%M"),
        "seconds": instant.strftime("%Y-%m-%dT%H:%M:%S"),
        "blank": instant.strftime("%Y-%m-%d %H:%M:%S.%f"),
    }.get(form, instant.strftime("%Y-%m-%dT%H:%M:%S.%f") + form)
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=ZoneInfo(zone))
    assert values.as_instant(text, zone) == (parsed - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize("zone", ZONES)
def test_the_store_reads_dates_alike(store_process: Any, zone: str) -> None:
    texts = [
        "",
        "x",
        "2026-02-30",
        "2026-02-29",
        "2024-02-29",
        "2026-13-01",
        "2026-1-1",
        "1899-12-31",
        "2300-01-01",
    ]
    texts += [
        "2026-01-01T24:00",
        "2026-01-01T10",
        "2026-01-01t10:00",
        "2026-01-01T10:00:60",
        "2026-01-01T10:00+24:00",
    ]
    start = datetime(1900, 1, 1)
    for step in range(1_500):
        local = start + timedelta(hours=step * 2_300, minutes=step % 60, milliseconds=step)
        texts.append(
            local.isoformat(timespec=("minutes", "seconds", "milliseconds")[step % 3])
            + ("", "Z", "-03:30")[step // 3 % 3]
        )
    texts += [
        f"2026-{month:02d}-{day:02d}T{hour:02d}:30"
        for month in (3, 4, 10, 11)
        for day in range(1, 31)
        for hour in (1, 2, 3)
    ]
    read = [values.as_instant(text, zone) for text in texts]
    for moments, op in (
        ((Moment(at=1_795_348_800_000),), "lt"),
        ((Moment(at=0), Moment(ago=86_400_000)), "between"),
    ):
        bound = Bound()
        for now_ms in (1_795_348_800_000, None):
            tests = Tests(bound, bound.whole(1_795_348_800_000), zone, now_ms)
            met = tests.elements(Test(Kind.INSTANT, op, moments=moments), Elements("[text]"))
            sql = f"SELECT groupArray({met}) FROM (SELECT arrayJoin({bound.add(texts, 'Array(String)')}) AS text)"
            bounds = [moment.when(1_795_348_800_000) for moment in moments]
            low, high = (None, bounds[0] - 1) if op == "lt" else (bounds[0], bounds[1])
            expected = [one is not None and (low is None or one >= low) and one <= high for one in read]
            found = store.run(Statement(sql, bound.parameters))[0][0]
            assert [text for text, a, b in zip(texts, found, expected, strict=True) if bool(a) != b] == []
