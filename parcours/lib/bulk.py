"""Many rows at a time, the same on SQLite and PostgreSQL.

Table and column names come from the code, never from users; values are always bound.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

#: Rows in a statement, and values bound: SQLite's usual limit is 32,766.
_LARGEST_BLOCK, _MOST_MARKS = 2_500, 32_000
#: How long transactions may follow each other, and a little more than who waits for SQLite sleeps between two looks.
_TURN_SECONDS, _LOOK_SECONDS = 0.4, 0.11


def insert_many(
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
    on_conflict: str = "",
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Insert rows; answers how many were inserted.

    `same` are columns that hold one value in all rows; `on_conflict` is the rest of the clause, such as "DO NOTHING".
    """
    values = rows if isinstance(rows, list) else list(rows)
    if not values:
        return 0
    if same:
        columns, before = [*same, *columns], tuple(same.values())
        values = [(*before, *row) for row in values]
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join(["%s"] * len(columns))
    clause = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    with connections[using].cursor() as cursor:
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks}){clause}', values)
        return int(cursor.rowcount)


def insert_by_blocks(
    table: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    same: Mapping[str, Any] | None = None,
    on_conflict: str = "",
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Insert thousands of rows, on SQLite by thousands in a statement; answers how many were inserted.

    `same` and `on_conflict` are those of `insert_many`. Python's sqlite3 lets other threads run at each statement:
    one for each row would wait for them at each row.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        return insert_many(table, columns, rows, same=same, on_conflict=on_conflict, using=using)
    same = same or {}
    columns = [*same, *columns]
    names = ", ".join(f'"{column}"' for column in columns)
    constants = [f"?{number}" for number in range(1, len(same) + 1)]
    marks = f"({', '.join([*constants, *'?' * (len(columns) - len(same))])})"
    clause = f" ON CONFLICT {on_conflict}" if on_conflict else ""
    most = (_MOST_MARKS - len(same)) // max(1, len(columns) - len(same))
    start = inserted = 0
    with connection.wrap_database_errors:
        for count in _blocks(len(rows), most):
            some = rows[start : start + count]
            # Django would rewrite each of these thousands of marks.
            done = connection.connection.execute(
                f'INSERT INTO "{table}" ({names}) VALUES {", ".join([marks] * count)}{clause}',
                [*same.values(), *itertools.chain.from_iterable(some)],
            )
            start += count
            inserted += done.rowcount
    return inserted


def _blocks(count: int, most: int) -> Iterator[int]:
    """The sizes of the statements that insert so many rows: few sizes, since a connection keeps what each became."""
    while count:
        size = min(_LARGEST_BLOCK, most)
        if count < size:
            size = 1 << count.bit_length() - 1
        yield size
        count -= size


def update_many(
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    key: Sequence[str] = ("id",),
    using: str = DEFAULT_DB_ALIAS,
) -> int:
    """Update rows by their key; each row holds the columns' values, then the key's. Answers how many were changed."""
    values = rows if isinstance(rows, list) else list(rows)
    if not values:
        return 0
    sets = ", ".join(f'"{column}" = %s' for column in columns)
    where = " AND ".join(f'"{column}" = %s' for column in key)
    with connections[using].cursor() as cursor:
        cursor.executemany(f'UPDATE "{table}" SET {sets} WHERE {where}', values)
        return cursor.rowcount


class Turns:
    """Long work of many transactions, one right after the other, that leaves others their turn between some of them.

    On SQLite one connection writes at a time, and those that wait look every tenth of a second whether they may
    (`sqlite3_busy_timeout`): where the next transaction begins at once, they may never.
    """

    def __init__(self, *, using: str = DEFAULT_DB_ALIAS) -> None:
        self._alone = connections[using].vendor != "sqlite"
        self._since = time.monotonic()

    def leave(self) -> None:
        """Between two transactions: let whoever waits write, when they have waited for long enough."""
        if self._alone or time.monotonic() - self._since < _TURN_SECONDS:
            return
        time.sleep(_LOOK_SECONDS)
        self._since = time.monotonic()


@contextlib.contextmanager
def unmapped(*, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """While long work writes all over a database, SQLite keeps to its cache instead of mapping the file in memory.

    Mapped pages count as the process's own: it would seem to grow with the file.
    """
    connection = connections[using]
    if connection.vendor != "sqlite":
        yield
        return
    connection.ensure_connection()
    raw = connection.connection
    mapped = raw.execute("PRAGMA mmap_size").fetchone()
    raw.execute("PRAGMA mmap_size=0")
    try:
        yield
    finally:
        if mapped and connection.connection is raw:
            raw.execute(f"PRAGMA mmap_size={int(mapped[0])}")


def among(column: str, values: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS) -> tuple[str, Any]:
    """A condition "column is one of values" with its one bound value, however many they are.

    `column` is SQL written in the code. On PostgreSQL the values are sent as an array, on SQLite as JSON.
    """
    if connections[using].vendor == "postgresql":
        return f"{column} = ANY(%s)", list(values)
    return f"{column} IN (SELECT value FROM json_each(%s))", json.dumps(list(values))


def reserve_ids(table: str, count: int, *, using: str = DEFAULT_DB_ALIAS) -> list[int]:
    """Ids for `count` rows to be inserted in this transaction, so that rows that refer to them need no second trip.

    On SQLite the transaction holds the only writer's place already; on PostgreSQL the sequence gives them for good.
    """
    with connections[using].cursor() as cursor:
        if connections[using].vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [f'"{table}"', count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return list(range(first, first + count))
