"""Loads: what goes into the event store together, once, whatever is killed in between.

A load's body holds everything that it says; its rows go in by one insert for each table, under the load's id as
`insert_deduplication_token`. A repeated insert therefore counts once. One thing can still go wrong: ClickHouse notes
a token just before it makes the rows visible, and when it is killed between the two, the repeated insert is taken
for a duplicate of rows that nobody has. So whoever cannot be sure that an insert is the first counts the load's rows
afterwards, and puts in anew what is not whole.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import lz4.frame
import msgspec
import structlog

from parcours.events.entries import Event, Membership, Moved, Parked
from parcours.events.models import Load
from parcours.events.store import rows
from parcours.events.store.client import patiently, writer
from parcours.lib.crashpoints import point

log = structlog.get_logger(__name__)

_PATIENCE_SECONDS = 30.0
_MOST_ATTEMPTS = 5


class Body(msgspec.Struct, array_like=True):
    """What a load holds; `links` are (visitor, contact), `merges` (contact merged away, contact)."""

    events: list[Event]
    profiles: list[dict[str, Any]] = []
    links: list[tuple[str, int]] = []
    memberships: list[Membership] = []
    parked: list[Parked] = []
    merges: list[tuple[int, int]] = []
    moved: list[Moved] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Body)


def encode_body(
    *,
    events: Sequence[Event],
    profiles: Sequence[Mapping[str, Any]] = (),
    links: Sequence[tuple[str, int]] = (),
    memberships: Sequence[Membership] = (),
    parked: Sequence[Parked] = (),
    merges: Sequence[tuple[int, int]] = (),
    moved: Sequence[Moved] = (),
) -> bytes:
    """A load's body: its events with their subjects known, contacts' snapshots, and the rest."""
    body = (events, profiles, links, memberships, parked, merges, moved)
    return lz4.frame.compress(_encoder.encode(body))


def decode_body(body: bytes | memoryview | None) -> Body:
    """What a load's body holds. Raises ValueError when it was emptied: the load is done."""
    if body is None:
        raise ValueError("The load's body was emptied: the load is done.")
    return _decoder.decode(lz4.frame.decompress(bytes(body)))


Table = tuple[str, int, bytes]
"""The name of a table, the number of rows for it, and the rows in JSONCompactEachRow."""


def insert(load: Load, *, again: bool = True, found: Sequence[Table] | None = None) -> None:
    """Put a load's rows into the store, exactly once however often this is called.

    `again` false says that this is surely the first call for the load, and saves the counting; `found` is what
    `tables` makes of the load's body, when the caller has it at hand. Waits up to half a
    minute for a store that is away. Raises clickhouse-connect's errors.
    """
    if found is None:
        found = tables(decode_body(load.body), account_id=load.account_id, load_id=load.pk)
    for table, count, lines in found:
        _insert_table(load, table, count, lines, again=again)


def tables(body: Body, *, account_id: int, load_id: int) -> list[Table]:
    """The tables that a body has rows for."""
    run_count, run_lines = rows.run_lines(body.events, body.parked, account_id=account_id, load_id=load_id)
    links = rows.link_lines(body.links, body.merges, account_id=account_id, load_id=load_id)
    events = rows.event_lines(body.events, account_id=account_id, load_id=load_id)
    events += rows.moved_event_lines(
        body.moved, account_id=account_id, load_id=load_id, position=len(body.events)
    )
    memberships = rows.membership_lines(body.memberships, account_id=account_id, load_id=load_id)
    memberships += rows.moved_lines(
        body.moved, account_id=account_id, load_id=load_id, position=len(body.memberships)
    )
    moved = sum(len(each.contacts) for each in body.moved)
    found = [
        ("events", len(body.events) + moved, events),
        ("runs", run_count, run_lines),
        ("links", len(body.links) + len(body.merges), links),
        ("memberships", len(body.memberships) + moved, memberships),
        (
            "profiles",
            len(body.profiles),
            rows.profile_lines(body.profiles, account_id=account_id, load_id=load_id),
        ),
    ]
    return [each for each in found if each[1]]


def _insert_table(load: Load, table: str, count: int, lines: bytes, *, again: bool) -> None:
    tries = 0

    def put(attempt: int) -> None:
        nonlocal tries
        tries += 1
        token = f"{load.pk}:{table}" if attempt == 1 else f"{load.pk}:{table}:{attempt}"
        _put(table, lines, token=token)

    patiently(lambda: put(1), seconds=_PATIENCE_SECONDS)
    if not again and tries == 1:
        return
    for attempt in range(2, _MOST_ATTEMPTS):
        if patiently(lambda: _count(load, table)) == count:
            return
        log.warning("load put in anew", load=load.pk, table=table, attempt=attempt)
        patiently(lambda: _remove(load, table))
        patiently(functools.partial(put, attempt), seconds=_PATIENCE_SECONDS)
    if patiently(lambda: _count(load, table)) != count:
        raise RuntimeError(f"Load {load.pk} is not whole in the store's table {table}.")


def _put(table: str, lines: bytes, *, token: str) -> None:
    writer().raw_insert(
        table,
        rows.COLUMNS[table],
        lines,
        fmt="JSONCompactEachRow",
        settings={"insert_deduplication_token": token},
    )
    point("digest.inserted_table")


def _count(load: Load, table: str) -> int:
    found = writer().query(
        f"SELECT count() FROM {table} WHERE account = {{account:UInt32}} AND load = {{load:UInt64}}",
        parameters={"account": load.account_id, "load": load.pk},
    )
    return int(found.result_rows[0][0])


def _remove(load: Load, table: str) -> None:
    writer().command(
        f"ALTER TABLE {table} DELETE WHERE account = {{account:UInt32}} AND load = {{load:UInt64}}",
        parameters={"account": load.account_id, "load": load.pk},
        settings={"mutations_sync": "2"},
    )
