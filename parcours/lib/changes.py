"""Whether anything was written to the state database since one last asked: a glance, on either database."""

from __future__ import annotations

from typing import Any

from django.db import connection as of_this_thread

#: Each answers the same until somebody commits. SQLite counts the commits of other connections than the one that
#: asks; on PostgreSQL a snapshot names the transactions that it sees.
_STATE = {"sqlite": "PRAGMA data_version", "postgresql": "SELECT pg_current_snapshot()::text"}


class Changes:
    """What was seen of a database through one connection. On SQLite that connection's own commits are not told."""

    def __init__(self, connection: Any = of_this_thread) -> None:
        self._connection = connection
        self._seen: tuple[Any, Any] | None = None

    def any(self) -> bool:
        """Whether there may be something new since the last time; at first, and once connected anew, there is."""
        with self._connection.cursor() as cursor:
            cursor.execute(_STATE[self._connection.vendor])
            found = (self._connection.connection, cursor.fetchone()[0])
        is_new = found != self._seen
        self._seen = found
        return is_new
