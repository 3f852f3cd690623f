"""Puts into the inbox what the engine has to take up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.db import connection

from parcours.contacts.merging.people import survivors
from parcours.lib import bulk

_COLUMNS = (
    *("account_id", "journey_id", "kind", "contact_id", "at", "origin_at", "cause_id", "run_key", "event"),
    "error",
)
_LOCKS = 0x6A6F7572  # a namespace of PostgreSQL's advisory locks: this inbox


class NewRow(NamedTuple):
    """A row of the inbox; see `models.Inbox`. Instants are in milliseconds."""

    account_id: int
    journey_id: int
    kind: str
    contact_id: int
    at: int
    origin_at: int
    cause_id: str
    run_key: str = ""
    event: str = ""


def put(rows: Sequence[NewRow], *, account_id: int) -> None:
    """Write rows, in the caller's transaction; a cause that is there already, or was taken up, is left out.

    What concerns a contact merged away concerns who they are now.
    """
    if not rows:
        return
    lock(account_id)
    now_are = survivors(account_id, {row.contact_id for row in rows})
    if now_are:
        rows = [row._replace(contact_id=now_are.get(row.contact_id, row.contact_id)) for row in rows]
    bulk.insert_many(
        "journeys_inbox",
        _COLUMNS,
        [(*row, "") for row in rows],
        on_conflict="(journey_id, contact_id, kind, cause_id) DO NOTHING",
    )


def lock(account_id: int) -> None:
    """Until the transaction ends, nobody else writes to the account's inbox.

    So an event of a load finds either no entry, or an entry that the engine takes up after the load: none falls
    between the two. On SQLite there is one writer at a time as it is.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCKS, account_id])
