"""The same message id counts once: for seven days from its receipt, for ever when it came with imported history."""

from __future__ import annotations

import itertools
from collections.abc import Sequence, Set
from hashlib import blake2b

from django.db import connection

from parcours.tracking.identity import Item

REMEMBERED_MS = 7 * 86_400_000
_ROWS_AT_ONCE = 2_000
_INSERT = "INSERT INTO events_seenmessage (account_id, hash, received_at, forever)"
#: A memory older than seven days is as none: the row is taken over by the newcomer.
_UNLESS_SEEN = (
    "ON CONFLICT (account_id, hash) DO UPDATE SET received_at = excluded.received_at,"
    " forever = excluded.forever WHERE NOT events_seenmessage.forever"
    " AND events_seenmessage.received_at <= excluded.received_at - {}"
)


def first_seen(account_id: int, items: Sequence[Item]) -> list[Item]:
    """The items whose message id was not seen before, in their order; they are remembered, in the transaction."""
    marked = [_mark(item.message_id) if item.message_id else b"" for item in items]
    found: dict[bytes, Item] = {}
    for mark, item in zip(marked, items, strict=True):
        if mark and mark not in found:
            found[mark] = item
    if not found:
        return list(items)
    new = _remember(account_id, found)
    return [
        item
        for mark, item in zip(marked, items, strict=True)
        if not mark or (found[mark] is item and mark in new)
    ]


def _mark(message_id: str) -> bytes:
    return blake2b(message_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_Row = tuple[int, bytes, int, bool]


def _remember(account_id: int, found: dict[bytes, Item]) -> Set[bytes]:
    """Remember message ids; answers those that were not, or whose memory has run out and was taken over."""
    # In the order of the index: half the work of a random order.
    rows = [(account_id, mark, found[mark].received_at, found[mark].for_ever) for mark in sorted(found)]
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(
                f"{_INSERT} SELECT * FROM unnest(%s::bigint[], %s::bytea[], %s::bigint[], %s::bool[])"
                f" {_UNLESS_SEEN.format('%s')} RETURNING hash",
                [*(list(column) for column in zip(*rows, strict=True)), REMEMBERED_MS],
            )
            return {bytes(row[0]) for row in cursor.fetchall()}
    seen: set[bytes] = set()
    with connection.wrap_database_errors:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            seen |= _seen_on_sqlite(rows[start : start + _ROWS_AT_ONCE])
    return found.keys() - seen if seen else found.keys()


def _seen_on_sqlite(rows: list[_Row]) -> set[bytes]:
    """Remember some message ids; answers those that were remembered already.

    That all are new, as they nearly always are, is told by the count of rows: to have each row told costs as much
    as the insert, and lets every other thread of the process in between two of them.
    """
    # Django would rewrite each of these thousands of marks, which costs more than the insert.
    execute = connection.connection.execute
    insert = f"{_INSERT} VALUES {', '.join(['(?, ?, ?, ?)'] * len(rows))} {_UNLESS_SEEN.format('?')}"
    bound = [*itertools.chain.from_iterable(rows), REMEMBERED_MS]
    execute("SAVEPOINT seen")
    seen: set[bytes] = set()
    if execute(insert, bound).rowcount != len(rows):
        execute("ROLLBACK TO seen")
        new = {row[0] for row in execute(f"{insert} RETURNING hash", bound).fetchall()}
        seen = {row[1] for row in rows if row[1] not in new}
    execute("RELEASE seen")
    return seen
