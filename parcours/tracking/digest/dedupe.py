"""The same message id counts once: for seven days from its receipt, for ever when it came with imported history."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Sequence

from django.db import connection

from parcours.tracking.identity import Item

REMEMBERED_MS = 7 * 86_400_000
_ROWS_AT_ONCE = 2_000
_INSERT = "INSERT INTO events_seenmessage (account_id, hash, received_at, forever)"
#: A memory older than seven days is as none: the row is taken over by the newcomer.
_UNLESS_SEEN = (
    "ON CONFLICT (account_id, hash) DO UPDATE SET received_at = excluded.received_at,"
    " forever = excluded.forever WHERE NOT events_seenmessage.forever"
    " AND events_seenmessage.received_at <= excluded.received_at - {} RETURNING hash"
)


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
    """Remember message ids; answers those that were not, or whose memory has run out and was taken over."""
    rows = [(account_id, mark, item.received_at, item.for_ever) for mark, item in found.items()]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_INSERT} SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bool[])"
                f" {_UNLESS_SEEN.format('%s')}",
                [*(list(column) for column in zip(*rows, strict=True)), REMEMBERED_MS],
            )
            return {bytes(row[0]) for row in cursor.fetchall()}
    new: set[bytes] = set()
    with connection.wrap_database_errors:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            # Django would rewrite each of these thousands of marks, which costs more than the insert.
            marks = ", ".join(["(?, ?, ?, ?)"] * len(some))
            cursor = connection.connection.execute(
                f"{_INSERT} VALUES {marks} {_UNLESS_SEEN.format('?')}",
                [*itertools.chain.from_iterable(some), REMEMBERED_MS],
            )
            new.update(row[0] for row in cursor.fetchall())
    return new
