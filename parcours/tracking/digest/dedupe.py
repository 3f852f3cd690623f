"""The same message id counts once: for seven days from its receipt, for ever when it came with imported history."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from django.db import connection

from parcours.tracking.identity import Item

REMEMBERED_MS = 7 * 86_400_000
_ROWS_AT_ONCE = 2_000


def first_seen(account_id: int, items: Sequence[Item]) -> list[Item]:
    """The items whose message id was not seen before, in their order; they are remembered, in the transaction."""
    found: dict[bytes, Item] = {}
    kept: list[Item | bytes] = []
    for item in items:
        if not item.message_id:
            kept.append(item)
            continue
        mark = hashlib.blake2b(item.message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if mark not in found:
            found[mark] = item
            kept.append(mark)
    if not found:
        return list(items)
    new = _remember(account_id, found)
    return [
        found[each] if isinstance(each, bytes) else each
        for each in kept
        if not isinstance(each, bytes) or each in new
    ]


def _remember(account_id: int, found: dict[bytes, Item]) -> set[bytes]:
    new: set[bytes] = set()
    marks = list(found)
    with connection.cursor() as cursor:
        for start in range(0, len(marks), _ROWS_AT_ONCE):
            some = marks[start : start + _ROWS_AT_ONCE]
            values: list[Any] = []
            for mark in some:
                item = found[mark]
                values += (account_id, mark, item.received_at, item.for_ever)
            # A memory older than seven days is as none: the row is taken over by the newcomer.
            cursor.execute(
                "INSERT INTO events_seenmessage (account_id, hash, received_at, forever) VALUES "
                + ", ".join(["(%s, %s, %s, %s)"] * len(some))
                + " ON CONFLICT (account_id, hash) DO UPDATE SET received_at = excluded.received_at,"
                " forever = excluded.forever WHERE NOT events_seenmessage.forever"
                " AND events_seenmessage.received_at <= excluded.received_at - %s RETURNING hash",
                [*values, REMEMBERED_MS],
            )
            new.update(bytes(row[0]) for row in cursor.fetchall())
    return new
