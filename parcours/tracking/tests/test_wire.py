"""What of a call is taken, as it is sent by anybody."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.events import journal
from parcours.events.entries import Call
from parcours.events.store import rows
from parcours.lib.instants import to_ms
from parcours.tracking.collector import wire
from parcours.tracking.digest import naming
from parcours.tracking.refusals import Reason, Refused
from parcours.tracking.times import parse_ms

RECEIVED = 1_774_728_000_000  # 2026-03-28T20:00:00Z
SENDER = wire.Sender(zone="Europe/Paris", received=RECEIVED)


def take(call: bytes | dict[str, Any], *, kind: str | None = "track", sent_at: Any = None) -> Call:
    raw = call if isinstance(call, bytes) else json.dumps(call).encode()
    part = wire.take_call(raw, kind=kind, sent_at=sent_at, sender=SENDER, size=len(raw))
    [entry] = journal.decode(journal.encode_parts([part]))
    assert isinstance(entry, Call)
    return entry


def refusal(call: bytes | dict[str, Any], *, kind: str | None = "track") -> Reason:
    with pytest.raises(Refused) as caught:
        take(call, kind=kind)
    assert caught.value.detail
    return caught.value.reason


def track(**fields: Any) -> dict[str, Any]:
    return {"event": "Tried", "userId": "u-1", **fields}


def test_a_call_is_kept_as_sent() -> None:
    call = take(track(messageId="m-1", properties={"price": 19.99, "tags": ["a"]}, anonymousId=None))
    assert call.kind == "track"
    assert call.message_id == "m-1"
    assert call.body.properties == {"price": 19.99, "tags": ["a"]}
    assert call.received_at == call.occurred_at == RECEIVED


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"event":"x","userId":"u","properties":{"n":NaN}}', Reason.NOT_JSON),
        (b'{"event":"x","userId":"u","properties":{"n":Infinity}}', Reason.NOT_JSON),
        (b'{"event":"x","userId":"u","properties":{"n":1e999}}', Reason.NUMBER),
        (b'{"event":"x","userId":"u","properties":{"n":' + b"9" * 5000 + b"}}", Reason.NUMBER),
        (b'{"event":"x","userId":"u","properties":{"n":18446744073709551616}}', Reason.NUMBER),
        (
            b'{"event":"x","userId":"u","properties":{"n":' + b"[" * 10_000 + b"]" * 10_000 + b"}}",
            Reason.TOO_DEEP,
        ),
        (b'{"event":"x","userId":"u","properties":{"n":' + b"[" * 40 + b"]" * 40 + b"}}", Reason.TOO_DEEP),
        (b'{"event":"x","userId":"u"', Reason.NOT_JSON),
        (b'{"event":"x","userId":"\xff"}', Reason.NOT_JSON),
        (b"", Reason.NOT_JSON),
        (b"[1, 2]", Reason.NOT_AN_OBJECT),
        (b'"track"', Reason.NOT_AN_OBJECT),
        (b'{"event":"x","userId":{"id":1}}', Reason.BAD_ID),
        (b'{"event":"x","userId":true}', Reason.BAD_ID),
        (b'{"event":"x","userId":["u"]}', Reason.BAD_ID),
        (b'{"event":"x","userId":"' + b"u" * 256 + b'"}', Reason.BAD_ID),
        (b'{"event":"x","userId":"u","messageId":{}}', Reason.BAD_ID),
        (b'{"event":"x"}', Reason.NO_SUBJECT),
        (b'{"event":"x","userId":"","anonymousId":null}', Reason.NO_SUBJECT),
        (b'{"event":"x","userId":"[object Object]"}', Reason.NO_SUBJECT),
        (b'{"event":"x","userId":" Undefined "}', Reason.NO_SUBJECT),
        (b'{"userId":"u"}', Reason.NO_EVENT),
        (b'{"event":" ","userId":"u"}', Reason.NO_EVENT),
        (b'{"event":7,"userId":"u"}', Reason.NO_EVENT),
        (b'{"event":"page.seen","userId":"u"}', Reason.UNKNOWN_EVENT),
        (b'{"event":"journey.entered","userId":"u"}', Reason.UNKNOWN_EVENT),
        (b'{"event":"x","userId":"u","properties":[]}', Reason.BAD_PROPERTIES),
        (b'{"event":"x","userId":"u","context":"web"}', Reason.BAD_PROPERTIES),
        (b'{"event":"x","userId":"u","timestamp":"yesterday"}', Reason.BAD_TIMESTAMP),
        (b'{"event":"x","userId":"u","timestamp":1700000000}', Reason.BAD_TIMESTAMP),
        (b'{"event":"x","userId":"u","timestamp":"0001-01-01T00:00:00Z"}', Reason.BAD_TIMESTAMP),
        (b'{"event":"x","userId":"u","p":"' + b"x" * 33_000 + b'"}', Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_kept_is_refused(raw: bytes, reason: Reason) -> None:
    assert refusal(raw) == reason


@pytest.mark.parametrize("kind", [None, "track"])
@pytest.mark.parametrize("given", [[], {}, 7, None, "purchase", ["track"]])
def test_the_type_of_a_call_in_a_batch_must_be_one(kind: str | None, given: Any) -> None:
    call = track(type=given)
    if kind is None:
        assert refusal(call, kind=None) == Reason.UNKNOWN_TYPE
    else:
        assert take(call, kind=kind).kind == "track"


def test_the_limit_of_a_call_is_32_kb() -> None:
    frame = len(json.dumps(track(pad="")).encode())
    take(track(pad="x" * (32 * 1024 - frame)))
    assert refusal(track(pad="x" * (32 * 1024 - frame + 1))) == Reason.TOO_LARGE


def test_what_no_text_can_hold_is_replaced() -> None:
    call = take(
        b'{"event":"x","userId":"u","properties":{"a":"b\\u0000c","d":"\\ud83d!","e":"\\ud83d\\ude00"}}'
    )
    assert call.body.properties == {"a": "bc", "d": "�!", "e": "😀"}


def test_numbers_are_taken_as_ids_and_strange_names_as_names() -> None:
    call = take(b'{"event":"x","userId":42,"userId":43,"properties":{"__proto__":{"a":1},"constructor":2}}')
    assert call.body.user_id == "43"
    assert call.body.properties is not None
    assert call.body.properties["__proto__"] == {"a": 1}


def test_alias_needs_both_ids() -> None:
    assert refusal({"userId": "u"}, kind="alias") == Reason.NO_PREVIOUS_ID
    assert refusal({"previousId": "a", "userId": "null"}, kind="alias") == Reason.NO_SUBJECT
    assert take({"previousId": "a", "userId": "u"}, kind="alias").kind == "alias"


def test_an_address_can_stand_for_an_id_in_identify_and_in_forms() -> None:
    assert take({"traits": {"email": "a@b.example"}}, kind="identify").kind == "identify"
    assert take({"event": "form.submitted", "properties": {"email": "a@b.example"}}).kind == "track"
    assert refusal({"event": "x", "properties": {"email": "a@b.example"}}) == Reason.NO_SUBJECT


DAY = 86_400_000


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "occurred"),
    [
        (None, None, RECEIVED),
        ("2026-03-28T19:00:00Z", None, RECEIVED - 3_600_000),
        ("2026-03-28T20:00:00", None, RECEIVED - 3_600_000),  # without an offset: the account's, Paris
        ("2026-03-28", None, RECEIVED - 21 * 3_600_000),
        ("2026-03-28T19:59:59.9999Z", None, RECEIVED - 1),  # cut, not rounded
        ("2020-01-01T00:00:10Z", "2020-01-01T00:00:40Z", RECEIVED - 30_000),
        ("2030-01-01T00:00:10Z", "2030-01-01T00:00:40Z", RECEIVED - 30_000),
        (
            "2026-03-28T19:00:00Z",
            "2026-03-28T18:00:00Z",
            RECEIVED,
        ),  # sent before it happened: not after receipt
        ("2026-03-28T21:00:00Z", None, RECEIVED),
        ("2099-01-01T00:00:00Z", None, RECEIVED),
        ("1970-01-01T00:00:00Z", None, 0),
        (None, "2020-01-01T00:00:40Z", RECEIVED),
    ],
)
def test_when_it_occurred(timestamp: str | None, sent_at: str | None, occurred: int) -> None:
    assert take(track(timestamp=timestamp, sentAt=sent_at)).occurred_at == occurred
    assert take(track(timestamp=timestamp), sent_at=sent_at).occurred_at == occurred


def test_an_event_from_the_future_is_marked() -> None:
    assert take(track(timestamp="2099-01-01T00:00:00Z")).body.claimed_timestamp == "2099-01-01T00:00:00Z"
    assert take(track(timestamp="2026-03-29T19:00:00Z", claimedTimestamp="x")).body.claimed_timestamp is None


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones()).filter(lambda at: 1901 < at.year < 2200))
def test_instants_with_an_offset_are_read_exactly(instant: Any) -> None:
    text = instant.isoformat()
    offset = instant.utcoffset()
    if offset.total_seconds() % 60 == 0:
        assert parse_ms(text, zone="Asia/Kathmandu") == to_ms(instant)


def test_gzip_is_read_to_the_limit() -> None:
    assert wire.decompress(gzip.compress(b"x" * 1000), limit=1000) == b"x" * 1000
    assert wire.decompress(gzip.compress(b"ab") + gzip.compress(b"cd"), limit=4) == b"abcd"
    with pytest.raises(wire.TooLarge):
        wire.decompress(gzip.compress(b"x" * 1001), limit=1000)
    with pytest.raises(wire.TooLarge):
        wire.decompress(gzip.compress(b"x" * 1000) * 2, limit=1000)
    with pytest.raises(wire.Unreadable):
        wire.decompress(gzip.compress(b"x" * 1000)[:-6], limit=1000)
    with pytest.raises(wire.Unreadable):
        wire.decompress(b'{"event":"x"}', limit=1000)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.characters(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["userId", "event", "email", "page", "url", "userAgent", "x"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
calls = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            *("type", "userId", "anonymousId", "previousId", "event", "messageId", "timestamp", "sentAt"),
            *("properties", "traits", "context", "name", "category", "groupId"),
        ),
        values,
    )
    | {"type": st.sampled_from(sorted(wire.KINDS)), "event": st.sampled_from(["x", "form.submitted"])},
)


@settings(deadline=None)
@given(calls, st.sampled_from([None, *sorted(wire.KINDS)]))
def test_any_call_is_kept_whole_or_refused(call: dict[str, Any], kind: str | None) -> None:
    try:
        taken = take(json.dumps(call).encode(), kind=kind)
    except Refused:
        return
    try:
        item = naming.from_call(take(json.dumps(call).encode(), kind=kind), account_id=1)
    except naming.Dropped:
        return
    if item.event is not None:
        assert rows.event_lines([item.event], account_id=1, load_id=1)
        assert len(item.event.order) <= 255
    for name in ("properties", "traits"):
        if isinstance(call.get(name), dict):
            assert _comparable(getattr(taken.body, name)) == _comparable(json.loads(json.dumps(call[name])))


def _comparable(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_comparable(key): _comparable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_comparable(item) for item in value]
    assert not isinstance(value, float) or math.isfinite(value)
    return value
