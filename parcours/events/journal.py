"""The journal: the one way from the state database to the event store.

`append` writes a batch of entries in the caller's transaction, so that what changed and what tells of it are
kept or lost together. The collector, which must answer its visitors without waiting for the engine's commits,
appends to a journal of its own (`CollectorJournal`): on SQLite another file, on PostgreSQL the same table.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from parcours.events.entries import Alike, Entry, Moved, Written
from parcours.lib import bulk, clock
from parcours.lib.instants import to_ms

MOST_ENTRIES = 5_000
"""A row holds no more entries than this: what the digest takes at once stays within reach of its memory."""

_WORTH_COMPRESSING = 1_024
_RAW, _ZLIB = b"\x00", b"\x01"
_COLUMNS = ("account_id", "shard", "count", "created_at", "body")
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Written])


def encode(entries: Sequence[Written]) -> bytes:
    """The body of a row: MessagePack, compressed when that is worth its while; the first byte says which."""
    return _wrap(_encoder.encode(entries))


def encode_parts(parts: Sequence[bytes]) -> bytes:
    """The body of a row whose entries are encoded already, each a MessagePack value."""
    return _wrap(b"\xdd" + len(parts).to_bytes(4, "big") + b"".join(parts))


def _wrap(packed: bytes) -> bytes:
    if len(packed) < _WORTH_COMPRESSING:
        return _RAW + packed
    return _ZLIB + zlib.compress(packed, 1)


def decode(body: bytes | memoryview) -> list[Entry]:
    """The entries of a row's body. Raises ValueError when a later, unknown version wrote it."""
    kind, packed = bytes(body[:1]), body[1:]
    if kind not in (_ZLIB, _RAW):
        raise ValueError(f"A journal row begins with {kind!r}, which this version cannot read.")
    written = _decoder.decode(zlib.decompress(packed) if kind == _ZLIB else packed)
    entries: list[Entry] = []
    for each in written:
        if isinstance(each, Alike):
            entries += each.events()
        else:
            entries.append(each)
    return entries


def shard_of(account_id: int) -> int:
    """The shard that digests an account. There is one on SQLite, `PARCOURS_SHARDS` (8) on PostgreSQL."""
    return account_id % settings.SHARDS


def append(entries: Sequence[Written], *, account_id: int) -> None:
    """Append entries in the caller's transaction; they keep their order. Nothing is written for no entry."""
    now, shard = to_ms(clock.now()), shard_of(account_id)
    rows = [(account_id, shard, count, now, encode(part)) for count, part in _parts(entries)]
    bulk.insert_many("events_journalrow", _COLUMNS, rows)


def _parts(entries: Sequence[Written]) -> Iterator[tuple[int, list[Written]]]:
    """The entries by rows, with how many (or how much) each row holds once read back."""
    count, part = 0, list[Written]()
    for entry in entries:
        some = 1
        if isinstance(entry, Alike):
            some = len(entry.contacts)
        elif isinstance(entry, Moved):
            some = entry.weight
        if part and count + some > MOST_ENTRIES:
            yield count, part
            count, part = 0, []
        count += some
        part.append(entry)
    if part:
        yield count, part


class CollectorRow(msgspec.Struct, frozen=True):
    """A row of the collector's journal: `created_at` in milliseconds since 1970."""

    id: int
    account_id: int
    shard: int
    count: int
    created_at: int
    body: bytes


NewRow = tuple[int, int, int, int, bytes]
"""(account_id, shard, count, created_at, body): what `append_many` writes."""


class CollectorJournal(Protocol):
    """Where the collector keeps calls before it answers. Usable from a plain thread, without Django's ORM."""

    separate: bool
    """Whether it lies apart from the state database, so that the digest has to read it as well."""

    def append_many(self, rows: Sequence[NewRow]) -> None:
        """Write rows in one commit; when it returns, they are on disk."""

    def read(self, after_id: int, limit: int, *, shard: int = 0) -> list[CollectorRow]:
        """The rows of a shard after an id, in their order; none where the journal is not separate."""

    def version(self) -> int:
        """A number that is another once somebody else has written to it; always 0 where it is not separate."""

    def trim(self, upto_id: int, *, shard: int = 0) -> int:
        """Delete the rows of a shard until an id included, once a load holds them; answers how many."""

    def head(self, *, account_id: int, after_id: int) -> int:
        """The id of the account's last row after an id; 0 when there is none."""

    def oldest(self, *, account_id: int, after_id: int) -> int:
        """When the oldest of the account's rows after an id was written; 0 when there is none."""

    def close(self) -> None:
        """Let go of the file or the connection."""


class SQLiteJournal:
    """A file of its own, so that no visitor waits for the engine's commits. Its ids only grow.

    A row's id is remembered by the digest as "read until here": ids therefore start, at each opening, above
    every id that an older copy of the file can have given.
    """

    separate = True

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE IF NOT EXISTS journal (id INTEGER PRIMARY KEY AUTOINCREMENT,"
            " account_id INTEGER NOT NULL, shard INTEGER NOT NULL, count INTEGER NOT NULL,"
            " created_at INTEGER NOT NULL, body BLOB NOT NULL)",
            "CREATE INDEX IF NOT EXISTS journal_account ON journal (account_id, id, created_at)",
        ):
            self._connection.execute(statement)

    def raise_ids(self) -> None:
        """Make the next ids higher than any given so far, whatever copy of the file this is."""
        floor = clock.machine_ms() * 1_000
        with self._lock, self._transaction() as cursor:
            cursor.execute(
                "INSERT INTO sqlite_sequence (name, seq) SELECT 'journal', 0 WHERE NOT EXISTS "
                "(SELECT 1 FROM sqlite_sequence WHERE name = 'journal')"
            )
            cursor.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'journal'", (floor,))

    def _transaction(self) -> _Transaction:
        return _Transaction(self._connection)

    def append_many(self, rows: Sequence[NewRow]) -> None:
        with self._lock, self._transaction() as cursor:
            cursor.executemany(
                "INSERT INTO journal (account_id, shard, count, created_at, body) VALUES (?, ?, ?, ?, ?)",
                rows,
            )

    def read(self, after_id: int, limit: int, *, shard: int = 0) -> list[CollectorRow]:
        with self._lock:
            found = self._connection.execute(
                "SELECT id, account_id, shard, count, created_at, body FROM journal"
                " WHERE id > ? AND shard = ? ORDER BY id LIMIT ?",
                (after_id, shard, limit),
            ).fetchall()
        return [CollectorRow(*row) for row in found]

    def version(self) -> int:
        return self._one("PRAGMA data_version", ())

    def trim(self, upto_id: int, *, shard: int = 0) -> int:
        with self._lock, self._transaction() as cursor:
            return cursor.execute(
                "DELETE FROM journal WHERE id <= ? AND shard = ?", (upto_id, shard)
            ).rowcount

    def head(self, *, account_id: int, after_id: int) -> int:
        return self._one(
            "SELECT max(id) FROM journal WHERE account_id = ? AND id > ?", (account_id, after_id)
        )

    def oldest(self, *, account_id: int, after_id: int) -> int:
        return self._one(
            "SELECT min(created_at) FROM journal WHERE account_id = ? AND id > ?", (account_id, after_id)
        )

    def _one(self, statement: str, values: tuple[int, ...]) -> int:
        with self._lock:
            return int(self._connection.execute(statement, values).fetchone()[0] or 0)

    def close(self) -> None:
        with self._lock:
            self._connection.close()


class _Transaction:
    """BEGIN IMMEDIATE … COMMIT, or ROLLBACK when the block raises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def __enter__(self) -> sqlite3.Cursor:
        return self._connection.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        self._connection.execute("COMMIT" if kind is None else "ROLLBACK")


class PostgresJournal:
    """The state database's own journal table, through a connection of its own."""

    separate = False

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection = connections.create_connection(DEFAULT_DB_ALIAS)
        self._connection.inc_thread_sharing()

    def append_many(self, rows: Sequence[NewRow]) -> None:
        with self._lock:
            self._connection.close_if_unusable_or_obsolete()
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO events_journalrow (account_id, shard, count, created_at, body)"
                    " SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::int[], %s::bigint[],"
                    " %s::bytea[])",
                    [list(column) for column in zip(*rows, strict=True)],
                )

    def read(self, after_id: int, limit: int, *, shard: int = 0) -> list[CollectorRow]:
        return []

    def version(self) -> int:
        return 0

    def trim(self, upto_id: int, *, shard: int = 0) -> int:
        return 0

    def head(self, *, account_id: int, after_id: int) -> int:
        return 0

    def oldest(self, *, account_id: int, after_id: int) -> int:
        return 0

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def open_collector_journal(*, writer: bool = False) -> CollectorJournal:
    """The collector's journal of this installation; `writer` when rows will be appended to it."""
    if connections[DEFAULT_DB_ALIAS].vendor == "postgresql":
        return PostgresJournal()
    journal = SQLiteJournal(settings.DATA_DIR / "collector.sqlite3")
    if writer:
        journal.raise_ids()
    return journal
