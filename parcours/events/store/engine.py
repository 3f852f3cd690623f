"""chDB, the embedded ClickHouse: one engine in this process, a connection of its own for each statement.

A connection costs half a millisecond, and keeps a statement's settings (its limits, its deduplication token) from
every other's. Statements on several connections run side by side.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb

from parcours.events.store.guard import Refused, check_read

DATABASE = "parcours"
READONLY_CODE = 164
_CODE = re.compile(r"Code: (\d+)\. ")
_SETTING = re.compile(r"^[a-z][a-z0-9_]*$")
_STRUCTURE = re.compile(r"^[A-Za-z0-9_(), ]+$")
_UNKNOWN_TABLE_FORM = 36


@dataclass(frozen=True)
class External:
    """A table that comes with a statement, and is gone with it: its columns as in CREATE TABLE, and its rows."""

    name: str
    structure: str
    format: str
    rows: bytes


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

    def read(
        self,
        statement: bytes,
        *,
        parameters: Mapping[str, str],
        settings: Mapping[str, str],
        tables: Sequence[External] = (),
    ) -> bytes:
        """The answer to a statement that may only read, `tables` besides. Raises StatementError."""
        try:
            check_read(statement)
        except Refused as error:
            message = f"Code: {READONLY_CODE}. DB::Exception: {error} (READONLY)"
            raise StatementError(READONLY_CODE, message) from error
        limits = {**settings, "readonly": "1"}
        return self._query(statement, parameters=parameters, settings=limits, tables=tables)

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

    def _open(self, settings: Mapping[str, str], tables: Sequence[External] = ()) -> Any:
        connection = chdb.connect(self._path)
        try:
            connection.query(f"USE {DATABASE}")
            for table in tables:
                _lay(connection, table)
            pairs = [f"{name} = {_quote(value)}" for name, value in settings.items() if _SETTING.match(name)]
            if pairs:
                connection.query("SET " + ", ".join(pairs))
        except (RuntimeError, chdb.ChdbError) as error:
            connection.close()
            raise _error(error) from error
        except BaseException:
            connection.close()
            raise
        return connection

    def _query(
        self,
        statement: bytes,
        *,
        parameters: Mapping[str, str],
        settings: Mapping[str, str],
        tables: Sequence[External] = (),
    ) -> bytes:
        connection = self._open(settings, tables)
        try:
            answer = connection.query(statement.decode(), "TabSeparated", params=dict(parameters))
            return bytes(answer.bytes() or b"")
        except (RuntimeError, chdb.ChdbError) as error:
            raise _error(error) from error
        finally:
            connection.close()


def _lay(connection: Any, table: External) -> None:
    """Make a table that only this connection sees, and that ends with it."""
    if not (_SETTING.match(table.name) and _STRUCTURE.match(table.structure) and table.format.isalnum()):
        raise StatementError(_UNKNOWN_TABLE_FORM, f"The table {table.name} cannot be made. (BAD_ARGUMENTS)")
    connection.query(f"CREATE TEMPORARY TABLE {table.name} ({table.structure})")
    inserter = connection.send_insert(f"INSERT INTO {table.name}", table.format)
    try:
        inserter.append(table.rows)
        inserter.finish()
    except BaseException:
        inserter.cancel()
        raise
