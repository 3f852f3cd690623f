"""What others wrote is noticed, and nothing is noticed where nobody wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections

from parcours.lib.changes import Changes

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

Connect = Callable[[], Any]


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """New connections to one database, with an empty table of numbers."""
    made: list[Any] = []

    def connect() -> Any:
        connection = connections.create_connection("default")
        if connection.vendor == "sqlite":  # The test database lies in memory: no other connection sees it.
            connection.settings_dict = {**connection.settings_dict, "NAME": str(tmp_path / "shared")}
        made.append(connection)
        return connection

    run(connect(), "CREATE TABLE numbers_seen (number integer)")
    yield connect
    run(made[0], "DROP TABLE numbers_seen")
    for connection in made:
        connection.close()


def run(connection: Any, statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def is_still(changes: Changes, meanwhile: Callable[[], object] = lambda: None) -> bool:
    """Whether nothing is noticed. On PostgreSQL the server's other databases are, so that it may take some tries."""
    for _ in range(1 if connections["default"].vendor == "sqlite" else 200):
        meanwhile()
        if not changes.any():
            return True
    return False


def test_each_commit_is_noticed_once(connect: Connect) -> None:
    changes, other = Changes(connect()), connect()
    assert changes.any(), "whatever was there before is new"
    assert is_still(changes)
    for number in range(3):
        run(other, f"INSERT INTO numbers_seen VALUES ({number})")
        assert changes.any()
        assert is_still(changes)


def test_what_is_not_committed_is_not_seen(connect: Connect) -> None:
    changes, other = Changes(connect()), connect()
    run(other, "BEGIN")
    run(other, "INSERT INTO numbers_seen VALUES (1)")
    changes.any()
    assert is_still(changes)
    run(other, "COMMIT")
    assert changes.any()


def test_reading_changes_nothing(connect: Connect) -> None:
    changes, other = Changes(connect()), connect()
    changes.any()
    assert is_still(changes, meanwhile=lambda: run(other, "SELECT * FROM numbers_seen"))


def test_a_new_connection_knows_of_nothing_seen_before(connect: Connect) -> None:
    mine, other = connect(), connect()
    changes = Changes(mine)
    changes.any()
    mine.close()
    run(other, "INSERT INTO numbers_seen VALUES (1)")
    assert changes.any()
    assert is_still(changes)
