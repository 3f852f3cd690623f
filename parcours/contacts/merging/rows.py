"""Contacts, their lists and tags, read and written for a merge or its undoing; in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection

from parcours.contacts.folding import sort_name
from parcours.contacts.lines import CHANNELS, COLUMNS, KEYS
from parcours.contacts.person import Person
from parcours.lib import bulk

_CONSENTS = tuple(f"consent_{channel}" for channel in CHANNELS)
_READ = f"SELECT id, {', '.join(COLUMNS)}, attributes, {', '.join(_CONSENTS)} FROM contacts_contact"
_WRITTEN = (*COLUMNS, "sort_name", "attributes", *_CONSENTS, "updated_at", "erased_at")
_encode = msgspec.json.Encoder(decimal_format="number").encode


def to_json(value: Any) -> str:
    """JSON as columns keep it."""
    return _encode(value).decode()


Lists = dict[int, list[tuple[int, int, str, int]]]
"""Contact -> its memberships: row, list, source, since when (ms)."""


def living(account_id: int, contact_ids: Sequence[int]) -> dict[int, Person]:
    """The account's contacts of these ids who are neither erased nor merged away."""
    among, bound = bulk.among("id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_READ} WHERE account_id = %s AND erased_at IS NULL AND {among} ORDER BY id",
            [account_id, bound],
        )
        return {row[0]: Person(row, 0) for row in cursor.fetchall()}


def write(people: Iterable[Person], *, now_ms: int) -> None:
    """Write contacts as they are in memory, living; the keys that they take must be free."""
    rows = [
        (
            *(person.values[name] for name in COLUMNS),
            sort_name(person.values["first_name"], person.values["last_name"]),
            to_json(person.attributes),
            *(person.consents[channel] for channel in CHANNELS),
            now_ms,
            None,
            person.id,
        )
        for person in people
    ]
    bulk.update_many("contacts_contact", _WRITTEN, rows)


def empty(contact_ids: Sequence[int], *, now_ms: int) -> None:
    """Leave nothing in contacts but their line."""
    among, bound = bulk.among("id", list(contact_ids))
    nothing = ", ".join(f"{column} = NULL" for column in COLUMNS if column != "created_at")
    pending = ", ".join(f"{column} = 'pending'" for column in _CONSENTS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE contacts_contact SET {nothing}, sort_name = NULL, {pending}, attributes = %s, updated_at = %s,"
            f" erased_at = %s WHERE {among}",
            ["{}", now_ms, now_ms, bound],
        )


def free_keys(contact_ids: Sequence[int]) -> None:
    """Let keys go, so that others can take them in the same transaction."""
    among, bound = bulk.among("id", list(contact_ids))
    nothing = ", ".join(f"{key} = NULL" for key in KEYS)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE contacts_contact SET {nothing} WHERE {among}", [bound])


def lists_of(contact_ids: Sequence[int]) -> Lists:
    """The lists that contacts are on."""
    found: Lists = {contact: [] for contact in contact_ids}
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id, id, list_id, source, joined_at FROM contacts_listmember WHERE {among}"
            " ORDER BY id",
            [bound],
        )
        for contact, *membership in cursor.fetchall():
            found[contact].append(tuple(membership))
    return found


def tags_of(contact_ids: Sequence[int]) -> dict[int, list[str]]:
    """The tags of contacts."""
    found: dict[int, list[str]] = {contact: [] for contact in contact_ids}
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT contact_id, name FROM contacts_tag WHERE {among} ORDER BY id", [bound])
        for contact, name in cursor.fetchall():
            found[contact].append(name)
    return found


def delete(table: str, ids: Sequence[Any], *, column: str = "id") -> None:
    """Delete rows by one of their columns."""
    if not ids:
        return
    among, bound = bulk.among(column, list(ids))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {among}", [bound])


def holders(account_id: int, keys: Mapping[str, Any]) -> dict[str, int]:
    """Who has these keys now: kind -> contact."""
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        for kind in KEYS:
            if keys.get(kind) is None:
                continue
            among, bound = bulk.among(kind, [keys[kind]])
            cursor.execute(
                f"SELECT id FROM contacts_contact WHERE account_id = %s AND {among}", [account_id, bound]
            )
            row = cursor.fetchone()
            if row is not None:
                found[kind] = row[0]
    return found
