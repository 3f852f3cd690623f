"""Which account a write key opens, remembered so that a call costs no query."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

REMEMBER_SECONDS = 30.0
REMEMBER_UNKNOWN_SECONDS = 5.0
MOST_UNKNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Source:
    """What the collector needs to know of an account."""

    account_id: int
    zone: str


class Keys:
    """Write keys -> sources. An unknown key is remembered too, so that a flood of them reaches no database."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Source]] = {}
        self._unknown: dict[str, float] = {}
        self._limit = asyncio.Semaphore(4)

    async def find(self, key: str) -> Source | None:
        """The account of a write key, or None. Raises DatabaseError when it cannot be told now."""
        if not key or len(key) > 64 or not key.isprintable():
            return None
        now = time.monotonic()
        known = self._known.get(key)
        if known is not None and now < known[0]:
            return known[1]
        if self._unknown.get(key, 0.0) > now:
            return None
        async with self._limit:
            try:
                source = await asyncio.to_thread(_look_up, key)
            except Exception:
                if known is None:
                    raise
                source = known[1]  # A database that is away must not stop those who are known.
        if source is None:
            self._known.pop(key, None)
            if len(self._unknown) >= MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[key] = time.monotonic() + REMEMBER_UNKNOWN_SECONDS
        else:
            self._known[key] = (time.monotonic() + REMEMBER_SECONDS, source)
        return source


def _look_up(key: str) -> Source | None:
    from django.db import connection

    from parcours.accounts.models import Account

    try:
        found = Account.objects.filter(write_key=key).values_list("id", "timezone").first()
    finally:
        connection.close()
    return None if found is None else Source(account_id=found[0], zone=found[1])
