"""Pairs of likely duplicates, as their people are merged."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from parcours.contacts.merging import rows
from parcours.lib import bulk


def follow(into: Mapping[int, int]) -> None:
    """In the transaction of a merge: pairs of those merged away are pairs of who they are now."""
    contacts = list(into)
    one, bound = bulk.among("one_id", contacts)
    other, again = bulk.among("other_id", contacts)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, account_id, one_id, other_id, score, reasons, found_at, dismissed_at, dismissed_by"
            f" FROM merging_pair WHERE {one} OR {other}",
            [bound, again],
        )
        found = cursor.fetchall()
    rows.delete("merging_pair", [row[0] for row in found])
    moved = []
    for _id, account_id, first, second, *rest in found:
        low, high = sorted((into.get(first, first), into.get(second, second)))
        if low != high:
            moved.append((account_id, low, high, *rest))
    bulk.insert_many(
        "merging_pair",
        (
            *("account_id", "one_id", "other_id", "score", "reasons", "found_at"),
            *("dismissed_at", "dismissed_by"),
        ),
        moved,
        on_conflict="(one_id, other_id) DO NOTHING",
    )
