"""Rows inserted by thousands: all of them, once, on either database."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from parcours.lib import bulk

TABLE = "contacts_attributedefinition"


@pytest.mark.django_db
@pytest.mark.database
@pytest.mark.parametrize("insert", [bulk.insert_many, bulk.insert_by_blocks])
@pytest.mark.parametrize("count", [0, 1, 3, 2_499, 5_001])
def test_rows_are_inserted_and_those_there_already_let_be(count: int, insert: Any) -> None:
    from parcours.accounts.models import Account

    account = Account.objects.create(name="Shop", write_key="bulk")
    same = {"account_id": account.pk, "type": "text", "created_at": 1}
    rows = [(f"a{number}",) for number in range(count)]
    some = rows[::2]
    assert insert(TABLE, ["name"], some, same=same) == len(some)
    same["type"] = "number"
    made = insert(TABLE, ["name"], rows, same=same, on_conflict="DO NOTHING")
    assert made == count - len(some)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, type, account_id FROM {TABLE} ORDER BY id")
        found = cursor.fetchall()
    assert len(found) == count
    assert set(found) == {
        (name, "number" if number % 2 else "text", account.pk) for number, (name,) in enumerate(rows)
    }


@given(count=st.integers(0, 20_000), most=st.integers(1, 5_000))
def test_blocks_add_up_and_their_sizes_are_few(count: int, most: int) -> None:
    blocks = list(bulk._blocks(count, most))
    assert sum(blocks) == count
    assert all(0 < size <= most for size in blocks)
    assert len({size for size in blocks if size & (size - 1)}) <= 1


def test_whoever_waits_for_the_database_has_a_turn(tmp_path: Path) -> None:
    """Beside one who writes transaction upon transaction, as jobs on everybody do."""
    if connection.vendor != "sqlite":
        pytest.skip("Others need no turn.")
    path, over = tmp_path / "database.sqlite3", threading.Event()

    def opened() -> sqlite3.Connection:
        made = sqlite3.connect(path, timeout=20, isolation_level=None)
        made.execute("PRAGMA journal_mode=WAL")
        return made

    def work() -> None:
        with closing(opened()) as mine:
            turns = bulk.Turns()
            while not over.is_set():
                mine.execute("BEGIN IMMEDIATE")
                time.sleep(0.15)
                mine.execute("COMMIT")
                turns.leave()

    with closing(opened()) as other:
        other.execute("CREATE TABLE t (at)")
        worker = threading.Thread(target=work)
        worker.start()
        try:
            waited = []
            for _ in range(3):
                began = time.monotonic()
                other.execute("INSERT INTO t VALUES (1)")
                waited.append(time.monotonic() - began)
        finally:
            over.set()
            worker.join()
    assert max(waited) < 3, waited
