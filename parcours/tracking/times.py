"""Instants as callers write them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from parcours.lib.instants import to_ms
from parcours.tracking.refusals import Reason, Refused

DAY_MS = 86_400_000
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2262, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=1000)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def parse_ms(value: object, *, zone: str, name: str = "timestamp") -> int | None:
    """Milliseconds since 1970 of an ISO 8601 text, cut; None when it is absent, null or empty.

    A date alone, or a time without offset, is in `zone`. Raises Refused when the text is no instant, or one
    outside the years that the event store holds.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise Refused(Reason.BAD_TIMESTAMP, f"`{name}` must be a text, an ISO 8601 instant.")
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is None:
            instant = instant.replace(tzinfo=_zone(zone))
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused(Reason.BAD_TIMESTAMP, f"`{name}` is not an ISO 8601 instant.") from None
    if not _EARLIEST <= instant < _LATEST:
        raise Refused(Reason.BAD_TIMESTAMP, f"`{name}` is outside the years 1900 to 2261.")
    return to_ms(instant)


def occurred_ms(*, timestamp: int | None, sent_at: int | None, received: int) -> tuple[int, bool]:
    """When a call occurred, by the server's clock, and whether it claimed to be over a day in the future.

    The sender's clock may be wrong: with `sentAt`, what counts is how long before sending it happened. Nothing
    occurs after its receipt.
    """
    if timestamp is None:
        return received, False
    occurred = received - (sent_at - timestamp) if sent_at is not None else timestamp
    if occurred < -2_208_988_800_000:  # 1900, before which the event store holds nothing
        occurred = timestamp if timestamp <= received else received
    return min(occurred, received), occurred - received > DAY_MS
