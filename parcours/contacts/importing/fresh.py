"""Contacts whom nobody knows yet, made thousands at a time.

Most lines of a large file name people who are new and whom no other line names. They need none of what `Batch`
does for each line: their cells are read a column at a time (`sheets`), and their rows go into the database as they
are, which itself says who was known. Every other line (somebody known, named twice, or with a fault) is left to
`Batch`, so that this is only a faster way to the same result; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Any

from django.db import connection

from parcours.contacts import attributes
from parcours.contacts.batch import Batch
from parcours.contacts.importing.sheets import Cells
from parcours.contacts.lines import CHANNELS, KEYS
from parcours.contacts.merging.people import by_former_keys
from parcours.contacts.models import ConsentValue
from parcours.contacts.rows import insert_first_consents, insert_members
from parcours.lib import bulk

_PENDING = ConsentValue.PENDING.value

#: Columns by their names: a value for each row, or the one of all of them.
_Columns = dict[str, list[str] | str]


@dataclass(frozen=True)
class Everyone:
    """What an import says of everyone in its file."""

    lists: Sequence[int] = ()
    tags: Sequence[str] = ()
    consents: Mapping[str, str] = field(default_factory=dict)


def put(batch: Batch, cells: Cells, everyone: Everyone) -> tuple[list[bool], list[int]]:
    """Create the contacts of the rows that nobody known is meant by; answers which rows these are, and the ids.

    To be called first of all that the batch does: what it leaves is for `fold`.
    """
    nobody = [False] * len(cells.able)
    if batch.sent_ms is not None:  # Somebody was erased since the file was sent: each line is looked at.
        return nobody, []
    if not _fits(batch, cells, everyone):
        return nobody, []
    mask = _unmerged(batch.account_id, cells)
    if not any(mask):
        return nobody, []
    cells = cells.only(mask)
    consents = _consents(cells, everyone)
    ids, made = _insert(batch, cells, consents)
    if not all(made):
        left = iter(made)
        mask = [fine and next(left) for fine in mask]
        ids, cells = list(compress(ids, made)), cells.only(made)
        consents = {
            name: value if isinstance(value, str) else list(compress(value, made))
            for name, value in consents.items()
        }
    if ids:
        _add(batch, ids, cells, consents, everyone)
    return mask, ids


def _fits(batch: Batch, cells: Cells, everyone: Everyone) -> bool:
    """Whether the account's lists are still there, and it has room for the attributes of these columns."""
    return (
        batch.know_lists(everyone.lists)
        and len(batch.types) + len(cells.untyped) <= attributes.MOST_ATTRIBUTES
    )


def _unmerged(account_id: int, cells: Cells) -> list[bool]:
    """The rows that may be of new contacts, and bear no key that a merge took out of use."""
    keys = {key: cells.fields[key] for key in KEYS if key in cells.fields}
    former = by_former_keys(account_id, {key: set(values) - {None} for key, values in keys.items()})
    mask = cells.able
    if former:
        for key, values in keys.items():
            mask = [fine and (key, value) not in former for fine, value in zip(mask, values, strict=True)]
    return mask


def _insert(batch: Batch, cells: Cells, consents: _Columns) -> tuple[list[int], list[bool]]:
    """Insert the rows whose keys nobody has; answers an id for each row, and which rows were inserted."""
    count = len(cells.able)
    ids = bulk.reserve_ids("contacts_contact", count)
    same: dict[str, Any] = {"account_id": batch.account_id, "updated_at": batch.now_ms}
    columns: dict[str, Sequence[Any]] = {"id": ids, **cells.fields}
    if "created_at" in columns:
        columns["created_at"] = [batch.now_ms if at is None else at for at in columns["created_at"]]
    else:
        same["created_at"] = batch.now_ms
    if cells.sort_names:
        columns["sort_name"] = cells.sort_names
    told: _Columns = {"attributes": cells.documents or "{}", **consents}
    for name, values in told.items():
        if isinstance(values, str):
            same[name] = values
        else:
            columns[name] = values
    made = bulk.insert_by_blocks(
        "contacts_contact",
        list(columns),
        list(zip(*columns.values(), strict=True)),
        same=same,
        on_conflict="DO NOTHING",
    )
    if made == count:
        return ids, [True] * count
    there = _among(ids)
    return ids, [each in there for each in ids]


def _consents(cells: Cells, everyone: Everyone) -> _Columns:
    """Of each channel's column the consents of the rows, or the one of all of them."""
    consents: _Columns = {}
    for channel in CHANNELS:
        default = everyone.consents.get(channel, _PENDING)
        told = cells.consents.get(channel)
        consents[f"consent_{channel}"] = default if told is None else [value or default for value in told]
    return consents


def _among(ids: Sequence[int]) -> set[int]:
    """Those of some ids that are of contacts."""
    among, bound = bulk.among("id", ids)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id FROM contacts_contact WHERE {among}", [bound])
        return {row[0] for row in cursor.fetchall()}


def _add(batch: Batch, ids: Sequence[int], cells: Cells, consents: _Columns, everyone: Everyone) -> None:
    """All that goes with contacts just made: attributes, tags, lists, the history of consents, and what is told."""
    now, account_id = batch.now_ms, batch.account_id
    batch.declare(name for name, values in cells.untyped.items() if any(values))
    _insert_tags(account_id, ids, cells.tags, everyone.tags)
    members = [(list_id, contact_id) for list_id in everyone.lists for contact_id in ids]
    insert_members(members, source=batch.source.name, now_ms=now)
    batch.teller.created(ids)
    for channel in CHANNELS:
        values = consents[f"consent_{channel}"]
        told = {values} if isinstance(values, str) else set(values)
        if told == {_PENDING}:
            continue
        insert_first_consents(account_id, ids, channel, source=batch.source, now_ms=now)
        for value in sorted(told - {_PENDING}):
            those = ids if isinstance(values, str) else list(compress(ids, map(value.__eq__, values)))
            batch.teller.consents(those, channel, _PENDING, value)
    for list_id in everyone.lists:
        batch.teller.joined(ids, list_id)
    batch.teller.touched(ids)


def _insert_tags(
    account_id: int, ids: Sequence[int], told: Sequence[tuple[str, ...] | None], all_bear: Sequence[str]
) -> None:
    if not told and not all_bear:
        return
    rows = []
    for contact_id, own in zip(ids, told or repeat(None), strict=False):
        for name in dict.fromkeys((*(own or ()), *all_bear)):
            rows.append((account_id, contact_id, name))
    bulk.insert_many("contacts_tag", ("account_id", "contact_id", "name"), rows)
