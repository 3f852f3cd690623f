"""Ids for new runs, known before they are inserted: their events bear them."""

from __future__ import annotations

import threading

from django.db import connection, transaction

_BLOCK = 5_000


class _Pool(threading.local):
    def __init__(self) -> None:
        self.ids: list[int] = []


_pool = _Pool()


def new_ids(count: int) -> list[int]:
    """So many ids of enrolments, never given before; those that are not used are lost."""
    if len(_pool.ids) < count:
        _pool.ids += _take(max(_BLOCK, count))
    taken, _pool.ids = _pool.ids[:count], _pool.ids[count:]
    return taken


def forget() -> None:
    """Drop the ids at hand (tests, whose databases count anew)."""
    _pool.ids = []


def _take(count: int) -> list[int]:
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('journeys_enrolment', 'id')) FROM generate_series(1, %s)",
                [count],
            )
            return [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'journeys_enrolment', 0"
            " WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'journeys_enrolment')"
        )
        cursor.execute("UPDATE sqlite_sequence SET seq = seq + %s WHERE name = 'journeys_enrolment'", [count])
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journeys_enrolment'")
        last = cursor.fetchone()[0]
    return list(range(last - count + 1, last + 1))
