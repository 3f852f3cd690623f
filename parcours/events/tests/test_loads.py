"""Loads reach the store whole, exactly, and once."""

from __future__ import annotations

import json
import math
import threading
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.events.entries import Event, Membership, Moved, Parked
from parcours.events.models import Load
from parcours.events.store import loads, rows
from parcours.events.store.client import client, writer
from parcours.lib import clock
from tests.fixtures.store import TABLES, StoreProcess

VISITOR = uuid.UUID(int=0xABCDEF)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab.é", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
properties = st.dictionaries(st.text("abc.é", min_size=1, max_size=3), json_values, max_size=4)


def make_load(number: int, body: bytes, *, account: int = 1) -> Load:
    return Load(id=number, account_id=account, accepted_upto=clock.now(), body=body)


def full_body(count: int = 100) -> bytes:
    return loads.encode_body(
        events=[
            Event("journey.step_entered", 1_700_000_000_000 + i, 2, f"m{i}", contact=i + 1, journey=9, version=1,
                  step="b", enrolment=i, visit=2, entered_at=5, properties={"from": "a"})
            for i in range(count)
        ],
        profiles=[profile(i + 1) for i in range(count)],
        links=[(uuid.UUID(int=i + 1).hex, i + 1) for i in range(count)],
        memberships=[Membership(3, i + 1, i % 2 == 0, 1_700_000_000_000) for i in range(count)],
        parked=[Parked(9, 1, "b", i, i + 1, 2, 5, 1_700_000_000_000, True) for i in range(count)],
    )  # fmt: skip


def test_the_rows_of_those_who_moved_are_those_of_their_events_and_memberships() -> None:
    moved = [
        Moved(5, 7, True, 1_700_000_000_123, True, [11, 2**40]),
        Moved(6, 8, False, 1_700_000_000_456, False, []),
        Moved(6, 9, False, 1_700_000_000_456, False, [13]),
    ]
    before = [Event("x", 1, 2, "m")] * 3
    events = [event for each in moved for event in each.events()]
    assert [(event.name, event.contact, event.moves) for event in events] == [
        ("segment.entered", 11, False),
        ("segment.entered", 2**40, False),
        ("segment.left", 13, True),
    ]
    here = {"account_id": 1, "load_id": 4}
    assert rows.event_lines(before, **here) + rows.moved_event_lines(
        moved, **here, position=3
    ) == rows.event_lines([*before, *events], **here)
    said = [Membership(5, 1, True, 2)]
    alike = [Membership(each.segment, one, each.member, each.at) for each in moved for one in each.contacts]
    assert rows.membership_lines(said, **here) + rows.moved_lines(
        moved, **here, position=1
    ) == rows.membership_lines(said + alike, **here)


def profile(contact: int, **changes: Any) -> dict[str, Any]:
    texts = (
        "email",
        "phone",
        "external_id",
        "first_name",
        "last_name",
        "locale",
        "timezone",
        "country",
        "city",
    )
    consents = {f"consent_{channel}": "pending" for channel in ("email", "sms", "whatsapp")}
    return {
        "contact": contact,
        **dict.fromkeys(texts, ""),
        **consents,
        "created_at": 1_700_000_000_001,
        "updated_at": 1_700_000_000_002,
        "last_seen_at": None,
        "lists": [],
        "tags": [],
        "attributes": {},
        "gone": 0,
        **changes,
    }


def counts(store: StoreProcess) -> dict[str, int]:
    return {table: store.count(table) for table in TABLES}


WHOLE = {"events": 100, "profiles": 100, "links": 100, "memberships": 100, "runs": 200}


def test_every_column_arrives_as_it_was_said(store: StoreProcess) -> None:
    said = {
        "url": "https://x.example/é?a=1",
        "n": [1, 2.50, "3", None, ""],
        "o": [{"k": 0.1}, {"k": True}],
        "x": {},
    }
    event = Event("order.placed", 1_700_000_000_123, -86_400_001, "m'1", 7, VISITOR.hex, 8, said, 9, 10, "s", 11, 12,
                  13, 14, "send", "order", True)  # fmt: skip
    loads.insert(make_load(5, loads.encode_body(events=[event])))
    row = next(iter(client().query("SELECT * FROM events").named_results()))
    assert row.pop("occurred_at").isoformat() == "2023-11-14T22:13:20.123000+00:00"
    assert row.pop("received_at").isoformat() == "1969-12-30T23:59:59.999000+00:00"
    assert json.loads(row.pop("properties")) == said
    assert row == {
        "account": 1,
        "name": "order.placed",
        "contact": 7,
        "visitor": VISITOR,
        "deal": 8,
        "message_id": "m'1",
        "journey": 9,
        "version": 10,
        "step": "s",
        "enrolment": 11,
        "visit": 12,
        "message": 14,
        "send": "send",
        "order_id": "order",
        "machine": 1,
        "load": 5,
        "position": 0,
        "texts": {"url": ["https://x.example/é?a=1"], "n": ["1", "2.5", "3"], "o.k": ["0.1", "true"]},
        "numbers": {"n": [Decimal(1), Decimal("2.5")], "o.k": [Decimal("0.1")]},
    }


def test_profiles_and_links_are_read_at_a_watermark(store: StoreProcess) -> None:
    first = profile(1, email="a@example.org", lists=[4, 5], tags=["é'"], last_seen_at=1_700_000_000_003,
                    attributes={"size": 41.5, "colours": ["red", "blue"]})  # fmt: skip
    loads.insert(make_load(1, loads.encode_body(events=[], profiles=[first], links=[(VISITOR.hex, 1)])))
    body = loads.encode_body(events=[], profiles=[profile(1, gone=1), profile(2)], merges=[(1, 2)])
    loads.insert(make_load(2, body))

    def at(load: int) -> list[dict[str, Any]]:
        query = "SELECT * FROM profiles_at(account = {account:UInt32}, load = {load:UInt64}) ORDER BY contact"
        return list(client().query(query, parameters={"account": 1, "load": load}).named_results())

    assert at(0) == []
    (found,) = at(1)
    assert (found["email"], found["lists"], found["tags"]) == ("a@example.org", [4, 5], ["é'"])
    assert found["texts"] == {"size": ["41.5"], "colours": ["red", "blue"]}
    assert found["numbers"] == {"size": [Decimal("41.5")]}
    assert found["last_seen_at"].isoformat() == "2023-11-14T22:13:20.003000+00:00"
    assert [(each["contact"], each["gone"], each["email"]) for each in at(2)] == [(1, 1, ""), (2, 0, "")]
    links = client().query("SELECT * FROM links_at(account = 1, load = 9) ORDER BY merged").result_rows
    assert links == [(VISITOR, 0, 1), (uuid.UUID(int=0), 1, 2)]


def test_runs_tell_what_the_journeys_events_say(store: StoreProcess) -> None:
    def event(name: str, at: int, step: str = "", **said: Any) -> Event:
        return Event(name, at, at, name, contact=4, journey=9, version=2, step=step, enrolment=6, visit=at,
                     entered_at=1, properties=said)  # fmt: skip

    body = loads.encode_body(
        events=[
            event("journey.entered", 1),
            event("journey.entered", 1, holdout=True),
            event("journey.step_entered", 1, "a", **{"from": ""}),
            event("journey.step_entered", 2, "b", **{"from": "a"}),
            event("journey.exited", 3, "b", reason="goal"),
            event("journey.completed", 4, "b"),
            Event("page.viewed", 1, 1, "p", contact=4),
        ],
        parked=[Parked(9, 2, "b", 6, 4, 2, 1, 3, True), Parked(9, 2, "b", 6, 4, 2, 1, 3, False)],
    )
    loads.insert(make_load(1, body))
    found = client().query(
        "SELECT toString(kind), step, from_step, visit, reason FROM runs ORDER BY position"
    )
    assert found.result_rows == [
        ("entered", "", "", 1, ""),
        ("held_out", "", "", 1, ""),
        ("step", "a", "", 1, ""),
        ("step", "b", "a", 2, ""),
        ("exited", "b", "", 3, "goal"),
        ("completed", "b", "", 4, ""),
        ("parked", "b", "", 2, ""),
        ("resumed", "b", "", 2, ""),
    ]
    assert store.count("runs", "contact = 4 AND enrolment = 6 AND version = 2 AND journey = 9") == 8


@pytest.mark.parametrize("again", [True, False])
def test_a_load_put_twice_counts_once(store: StoreProcess, again: bool) -> None:
    load = make_load(1, full_body())
    loads.insert(load, again=again)
    loads.insert(load, again=again)
    assert counts(store) == WHOLE


def test_other_loads_and_accounts_are_not_taken_for_the_same(store: StoreProcess) -> None:
    body = full_body()
    for number in (1, 2):
        loads.insert(make_load(number, body, account=number))
    assert counts(store) == {table: count * 2 for table, count in WHOLE.items()}


def test_a_token_noted_for_rows_that_never_appeared_is_repaired(store: StoreProcess) -> None:
    load = make_load(1, full_body())
    loads.insert(load)
    writer().command("ALTER TABLE events DELETE WHERE position >= 40", settings={"mutations_sync": "2"})
    writer().command("ALTER TABLE runs DELETE WHERE 1", settings={"mutations_sync": "2"})
    loads.insert(load)
    assert counts(store) == WHOLE


def test_history_of_many_years_is_one_load(store: StoreProcess) -> None:
    year = 365 * 86_400_000
    events = [Event("x", i * year, 1, f"m{i}") for i in range(-20, 60)]
    loads.insert(make_load(1, loads.encode_body(events=events)))
    assert store.count("events") == len(events)


def test_kills_in_the_middle_of_inserts_lose_nothing_and_double_nothing(store: StoreProcess) -> None:
    body = full_body(1_000)
    numbers = range(1, 13)
    done = threading.Event()

    def put() -> None:
        for number in numbers:
            loads.insert(make_load(number, body), again=False)
        done.set()

    thread = threading.Thread(target=put)
    thread.start()
    kills = 0
    while not done.wait(0.15) and kills < 3:
        store.kill()
        kills += 1
        store.start()
    thread.join(60)
    assert done.is_set()
    assert kills >= 2
    per_load = client().query(
        "SELECT load, count(), uniqExact(position) FROM events GROUP BY load ORDER BY load"
    )
    assert per_load.result_rows == [(number, 1_000, 1_000) for number in numbers]
    assert counts(store) == {table: count * 10 * len(numbers) for table, count in WHOLE.items()}


def oracle(value: Any, path: str, texts: dict[str, list[str]], numbers: dict[str, list[Decimal]]) -> None:
    """The meaning of `flatten`, said again in the plainest way."""
    if isinstance(value, dict):
        for key, inner in value.items():
            oracle(inner, f"{path}.{key}" if path else key, texts, numbers)
    elif isinstance(value, list):
        for inner in value:
            oracle(inner, path, texts, numbers)
    elif isinstance(value, bool):
        texts.setdefault(path, []).append(str(value).lower())
    elif isinstance(value, (int, float)):
        exact = Decimal(repr(value))
        text = f"{exact:f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        texts.setdefault(path, []).append("0" if text == "-0" else text)
        if abs(exact) < Decimal(10) ** 28:
            numbers.setdefault(path, []).append(Decimal(round(exact * 10**10)) / 10**10)
    elif value:
        texts.setdefault(path, []).append(value)


@given(properties)
@settings(max_examples=300)
def test_flatten_says_what_the_oracle_says(said: dict[str, Any]) -> None:
    texts: dict[str, list[str]] = {}
    numbers: dict[str, list[Decimal]] = {}
    for key, value in said.items():
        oracle(value, key, texts, numbers)
    with_context = {
        path: [Decimal(f"{value:.10f}") if abs(value) < 10**15 else value for value in values]
        for path, values in numbers.items()
    }
    found_texts, found = rows.flatten(said)
    assert found_texts == texts
    assert {path: [float(value) for value in values] for path, values in found.items()} == {
        path: [float(value) for value in values] for path, values in with_context.items()
    }


@given(st.floats() | st.integers())
def test_numbers_are_kept_to_ten_decimals(value: float) -> None:
    found = rows.decimal(value)
    if isinstance(value, float) and not math.isfinite(value):
        assert found is None
    elif abs(Decimal(value)) < 10**27:
        assert found is not None
        assert abs(found - Decimal(repr(value))) <= Decimal("5E-11")
        assert found.as_tuple().exponent >= -10  # type: ignore[operator]
    elif abs(Decimal(value)) >= 2 * 10**28:
        assert found is None


def test_the_store_flattens_as_python_does(store: StoreProcess) -> None:
    given_: list[dict[str, Any]] = []

    @given(properties)
    @settings(max_examples=150, database=None)
    def collect(said: dict[str, Any]) -> None:
        given_.append(said)

    collect()
    events = [Event("x", 1, 1, str(number), properties=said) for number, said in enumerate(given_)]
    loads.insert(make_load(1, loads.encode_body(events=events)))
    found = client().query("SELECT texts, numbers, properties FROM events ORDER BY position").result_rows
    for said, (texts, numbers, kept) in zip(given_, found, strict=True):
        assert (texts, numbers) == rows.flatten(said)
        assert json.loads(kept) == said


def test_speed_of_a_load_is_worth_printing(store: StoreProcess, capsys: pytest.CaptureFixture[str]) -> None:
    said = {"url": "https://shop.example/p/12", "path": "/p/12", "utm_source": "x", "browser": "Firefox",
            "device_type": "desktop", "total": 12.5}  # fmt: skip
    events = [Event("page.viewed", 1, 1, f"m{i}", contact=i, properties=said) for i in range(10_000)]
    load = make_load(1, loads.encode_body(events=events))
    start = time.perf_counter()
    loads.insert(load, again=False)
    with capsys.disabled():
        print(f"\n10,000 events into the store: {time.perf_counter() - start:.3f} s")
    assert store.count("events") == 10_000
