"""From the bytes of a request to entries of the journal: reading, checking, refusing.

What Segment's clients send is taken as it is; what cannot be kept is refused with a reason, alone when it is one
call of a batch.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import msgspec

from parcours.events import catalogue
from parcours.events.entries import Call
from parcours.lib.ids import new_id
from parcours.tracking.names import event_name, names_nobody
from parcours.tracking.reading import read_object
from parcours.tracking.refusals import Reason, Refused
from parcours.tracking.times import occurred_ms, parse_ms

CALL_LIMIT = 32 * 1024
BATCH_LIMIT = 500 * 1024
ID_LIMIT = 255
NAME_LIMIT = 255

KINDS = frozenset({"identify", "track", "page", "screen", "group", "alias"})

_encoder = msgspec.msgpack.Encoder()


class Batch(msgspec.Struct):
    """The frame of a batch; its calls are read one by one, so that a bad one spoils no other."""

    batch: list[msgspec.Raw]
    write_key: Any = msgspec.field(default=None, name="writeKey")
    sent_at: Any = msgspec.field(default=None, name="sentAt")


_batches = msgspec.json.Decoder(Batch)


class TooLarge(Exception):
    """The body is larger than may be, as sent or once decompressed."""


class Unreadable(Exception):
    """The body cannot be read; the text says why."""


def decompress(body: bytes, *, limit: int) -> bytes:
    """The content of a gzip body (RFC 1952). Raises Unreadable when it is cut or damaged, TooLarge past `limit`."""
    out = bytearray()
    while body:
        reader = zlib.decompressobj(wbits=31)
        try:
            out += reader.decompress(body, limit + 1 - len(out))
        except zlib.error:
            raise Unreadable("The body is not gzip, though Content-Encoding says so.") from None
        if len(out) > limit:
            raise TooLarge
        if not reader.eof:
            raise Unreadable("The gzip body is cut short.")
        body = reader.unused_data
    return bytes(out)


@dataclass(frozen=True, slots=True)
class Sender:
    """What is known of a request's sender, beside its calls."""

    zone: str
    received: int
    agent: str = ""
    source: str = ""


def read_batch(body: bytes) -> Batch:
    """The frame of a batch. Raises Unreadable."""
    try:
        return _batches.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"The body is not a batch: {str(error)[:200]}.") from None


def take_call(
    raw: bytes | msgspec.Raw, *, kind: str | None, sent_at: Any, sender: Sender, size: int
) -> bytes:
    """Check one call (`kind` None: its `type` says) and answer its journal entry, encoded. Raises Refused."""
    if size > CALL_LIMIT:
        raise Refused(Reason.TOO_LARGE, f"A call may be 32 KB; this one is {size} bytes.")
    return encode_call(check_call(read_object(raw), kind=kind, sent_at=sent_at, sender=sender))


def encode_call(call: Call) -> bytes:
    """A call as the journal keeps it. Raises Refused when a number in it has no place there."""
    try:
        return _encoder.encode(call)
    except OverflowError:
        raise Refused(Reason.NUMBER, "A whole number must fit 64 bits.") from None


def check_call(body: dict[str, Any], *, kind: str | None, sent_at: Any, sender: Sender) -> Call:
    """The journal entry of one call, as sent. Raises Refused."""
    if kind is None:
        kind = body.get("type")
        if not isinstance(kind, str) or kind not in KINDS:
            raise Refused(
                Reason.UNKNOWN_TYPE, "`type` must be identify, track, page, screen, group or alias."
            )
    message_id = _identifier(body, "messageId")
    user, anonymous = _identifier(body, "userId"), _identifier(body, "anonymousId")
    if kind == "alias":
        if not _identifier(body, "previousId"):
            raise Refused(Reason.NO_PREVIOUS_ID, "alias needs `previousId`.")
        if not user or names_nobody(user):
            raise Refused(Reason.NO_SUBJECT, "alias needs a `userId` that names someone.")
    elif names_nobody(user) and names_nobody(anonymous) and not _has_address(kind, body):
        raise Refused(Reason.NO_SUBJECT, "A `userId` or an `anonymousId` that names someone is needed.")
    for name in ("properties", "traits", "context"):
        if body.get(name) is not None and not isinstance(body[name], dict):
            raise Refused(Reason.BAD_PROPERTIES, f"`{name}` must be an object.")
    if kind == "track":
        _check_event(body.get("event"))
    timestamp = parse_ms(body.get("timestamp") or body.get("originalTimestamp"), zone=sender.zone)
    sent = _sent_ms(body.get("sentAt") or sent_at, sender.zone)
    occurred, from_future = occurred_ms(timestamp=timestamp, sent_at=sent, received=sender.received)
    body.pop("claimedTimestamp", None)
    if from_future:
        body["claimedTimestamp"] = body.get("timestamp") or body.get("originalTimestamp")
    return Call(
        kind=kind,
        body=cast(Any, body),  # Written as it came: the digest reads of it what `Said` names.
        received_at=sender.received,
        occurred_at=occurred,
        message_id=message_id or new_id(),
        agent=sender.agent,
        source=sender.source,
    )


def _sent_ms(value: Any, zone: str) -> int | None:
    return _sent_text_ms(value, zone) if isinstance(value, str) else parse_ms(value, zone=zone, name="sentAt")


@lru_cache(maxsize=256)
def _sent_text_ms(value: str, zone: str) -> int | None:
    """All the calls of a batch were sent at the same instant: it is read once."""
    return parse_ms(value, zone=zone, name="sentAt")


def _identifier(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if type(value) in (int, float):
        value = body[name] = str(value)
    if not isinstance(value, str):
        raise Refused(Reason.BAD_ID, f"`{name}` must be a text.")
    if len(value) > ID_LIMIT:
        raise Refused(Reason.BAD_ID, f"`{name}` may have {ID_LIMIT} characters.")
    return value


def _has_address(kind: str, body: dict[str, Any]) -> bool:
    """Whether a form or an identify names its person by an address instead of an id."""
    held = [body.get("traits")]
    if kind == "track" and body.get("event") == "form.submitted":
        held.append(body.get("properties"))
    elif kind != "identify":
        return False
    return any(isinstance(part, dict) and (part.get("email") or part.get("phone")) for part in held)


def _check_event(name: object) -> None:
    if not isinstance(name, str) or not name.strip():
        raise Refused(Reason.NO_EVENT, "track needs `event`, the event's name.")
    if len(name) > NAME_LIMIT:
        raise Refused(Reason.NO_EVENT, f"An event's name may have {NAME_LIMIT} characters.")
    refusal = _name_refusal(name)
    if refusal:
        raise Refused(Reason.UNKNOWN_EVENT, refusal)


@lru_cache(maxsize=10_000)
def _name_refusal(name: str) -> str | None:
    """Why nobody outside may send an event of this name, or None."""
    ours, _ = event_name(name)
    if catalogue.is_inside(ours):
        return f"`{ours}` is an event of the system itself."
    return catalogue.refusal(ours)
