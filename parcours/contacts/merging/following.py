"""Rows of other tables that follow a contact into another, and go back when the merge is undone.

A package above registers its tables when it starts. What needs more than a new owner listens to the signals of
`contacts.signals` instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import connection

from parcours.lib import bulk

Moved = dict[int, dict[str, list[int]]]
"""Contact merged away -> table.column -> the ids of its rows that moved."""

_tables: dict[str, tuple[str, str, str]] = {}


def register(table: str, column: str, *, only: str = "") -> None:
    """Rows of `table` (with an `id`) whose `column` names the contact follow; `only` is a condition of SQL."""
    _tables[f"{table}.{column}"] = (table, column, only)


def follow(into: Mapping[int, int]) -> Moved:
    """Give the rows of contacts merged away (the keys of `into`) to those who stand for them; answers which."""
    moved: Moved = {contact: {} for contact in into}
    for key, (table, column, only) in _tables.items():
        rows = _rows(table, column, only, list(into))
        bulk.update_many(table, (column,), [(into[contact], row) for row, contact in rows])
        for row, contact in rows:
            moved[contact].setdefault(key, []).append(row)
    return moved


def _rows(table: str, column: str, only: str, contacts: Sequence[int]) -> list[tuple[int, int]]:
    among, bound = bulk.among(column, contacts)
    condition = f" AND {only}" if only else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, {column} FROM {table} WHERE {among}{condition} ORDER BY id", [bound])
        return cursor.fetchall()


def go_back(contact: int, *, into: int, moved: Mapping[str, Sequence[int]]) -> None:
    """Give back what followed a contact into another, as far as it is still there."""
    for key, rows in moved.items():
        known = _tables.get(key)
        if known is None or not rows:
            continue
        table, column, only = known
        among, bound = bulk.among("id", list(rows))
        condition = f" AND {only}" if only else ""
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE {column} = %s AND {among}{condition}",
                [contact, into, bound],
            )
