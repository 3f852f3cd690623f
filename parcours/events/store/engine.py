"""chDB, the embedded ClickHouse: one engine in this process, a connection of its own for each statement.

A connection costs half a millisecond, and keeps a statement's settings (its limits, its deduplication token) from
every other's. Statements on several connections run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import chdb

from parcours.events.store.guard import Refused, check_read

DATABASE = "parcours"
READONLY_CODE = 164
_CODE = re.compile(r"Code: (\d+)\. ")
_SETTING = re.compile(r"^[a-z][a-z0-9_]*$")


class StatementError(Exception):
    """The engine refused a statement; `code` is ClickHouse's number of the exception."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _error(error: Exception) -> StatementError:
    message = str(error)
    found = _CODE.search(message)
    return StatementError(int(found[1]) if found else 1002, message[found.start() :] if found else message)


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Engine:
    """The store's directory, open in this process; a second process that opens it gets an error."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self._path = str(path)
        # This handle keeps the engine alive between statements.
        self._keeper = chdb.connect(self._path)
        self._keeper.query(f"CREATE DATABASE IF NOT EXISTS {DATABASE} ENGINE = Atomic")

    def close(self) -> None:
        """Flush and close; everything acknowledged is on disk before, too."""
        self._keeper.close()

    def read(self, statement: bytes, *, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        """The answer to a statement that may only read. Raises StatementError."""
        try:
            check_read(statement)
        except Refused as error:
            message = f"Code: {READONLY_CODE}. DB::Exception: {error} (READONLY)"
            raise StatementError(READONLY_CODE, message) from error
        return self._query(statement, parameters=parameters, settings={**settings, "readonly": "1"})

    def write(self, statement: bytes, *, parameters: Mapping[str, str], settings: Mapping[str, str]) -> bytes:
        """The answer to any statement. Raises StatementError."""
        return self._query(statement, parameters=parameters, settings=settings)

    def insert(
        self, statement: bytes, format_name: str, data: Iterable[bytes], *, settings: Mapping[str, str]
    ) -> int:
        """Insert rows that come in a ClickHouse format; answers how many. Raises StatementError."""
        connection = self._open(settings)
        try:
            inserter = connection.send_insert(statement.decode(), format_name)
            try:
                for part in data:
                    inserter.append(part)
                return int(inserter.finish().rows_written)
            except BaseException:
                inserter.cancel()
                raise
        except (RuntimeError, chdb.ChdbError) as error:
            raise _error(error) from error
        finally:
            connection.close()

    def _open(self, settings: Mapping[str, str]) -> Any:
        connection = chdb.connect(self._path)
        try:
            connection.query(f"USE {DATABASE}")
            pairs = [f"{name} = {_quote(value)}" for name, value in settings.items() if _SETTING.match(name)]
            if pairs:
                connection.query("SET " + ", ".join(pairs))
        except (RuntimeError, chdb.ChdbError) as error:
            connection.close()
            raise _error(error) from error
        return connection

    def _query(
        self, statement: bytes, *, parameters: Mapping[str, str], settings: Mapping[str, str]
    ) -> bytes:
        connection = self._open(settings)
        try:
            answer = connection.query(statement.decode(), "TabSeparated", params=dict(parameters))
            return bytes(answer.bytes() or b"")
        except (RuntimeError, chdb.ChdbError) as error:
            raise _error(error) from error
        finally:
            connection.close()
