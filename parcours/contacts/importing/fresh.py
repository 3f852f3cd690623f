"""Contacts whom nobody knows yet, made column by column.

Most lines of a large file name people who are new and whom no other line names. They need none of what `Batch`
does for each line: their cells are read a column at a time, each distinct cell once, and their rows go into the
database as they are. Every other line (somebody known, named twice, or with a fault) is left to `Batch`, so that this
is only a faster way to the same result; a test compares the two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress, repeat
from typing import Any

import msgspec

from parcours.contacts import attributes
from parcours.contacts import batch as batches
from parcours.contacts.attributes import Type
from parcours.contacts.batch import Batch
from parcours.contacts.folding import sort_name
from parcours.contacts.importing.columns import LineReader
from parcours.contacts.lines import CHANNELS, COLUMNS, KEYS, Reader, clean_tags
from parcours.contacts.models import ConsentValue
from parcours.contacts.normalise import Unfit
from parcours.contacts.rows import insert_consent_changes, insert_members
from parcours.lib import bulk

_PENDING = ConsentValue.PENDING.value
_MOST_REMEMBERED = 20_000
_FIRST_NAME, _LAST_NAME = COLUMNS.index("first_name"), COLUMNS.index("last_name")
#: Numbers that are written as JSON writes them, and those that are but for noughts at their end.
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,11})\.\d{0,2}[1-9]|-?[1-9]\d{0,11}|0", re.ASCII)
_PLAIN_NUMBER = re.compile(r"-?[1-9]\d{0,11}\.\d{1,3}", re.ASCII)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Column:
    """One column of the file: each distinct cell is read once and remembered for a while, unless most are distinct."""

    def __init__(self, way: Callable[[str], Any]) -> None:
        self._way = way
        self._known: dict[str, Any] = {"": None}
        self._unfit: set[str] = set()
        self._distinct = False

    def values(self, cells: Sequence[str]) -> tuple[list[Any], set[str]]:
        """What the cells say (None: nothing), and which of them cannot be read."""
        if self._distinct:
            way = self._way
            try:
                return [way(cell) if cell and not cell.isspace() else None for cell in cells], set()
            except Unfit:
                self._distinct = False
        known = self._known
        if len(known) > _MOST_REMEMBERED:
            known = self._known = {"": None}
            self._unfit.clear()
        fresh = set(cells).difference(known)
        self._distinct = len(fresh) > len(cells) // 2
        for cell in fresh:
            try:
                known[cell] = None if cell.isspace() else self._way(cell)
            except Unfit:
                known[cell] = None
                self._unfit.add(cell)
        return [known[cell] for cell in cells], self._unfit.intersection(cells) if self._unfit else set()


@dataclass(slots=True)
class Cells:
    """What the rows of a chunk say, column by column; `able` marks the rows that may be of new contacts."""

    able: list[bool]
    fields: dict[str, list[Any]] = field(default_factory=dict)
    attributes: dict[str, list[Any]] = field(default_factory=dict)  # as pieces of JSON
    consents: dict[str, list[Any]] = field(default_factory=dict)
    tags: list[tuple[str, ...] | None] = field(default_factory=list)

    def only(self, mask: Sequence[bool]) -> Cells:
        """Those rows alone."""
        if all(mask):
            return self

        def some(columns: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
            return {name: list(compress(values, mask)) for name, values in columns.items()}

        return Cells(
            able=list(compress(self.able, mask)),
            fields=some(self.fields),
            attributes=some(self.attributes),
            consents=some(self.consents),
            tags=list(compress(self.tags, mask)),
        )


@dataclass(frozen=True)
class Everyone:
    """What an import says of everyone in its file."""

    lists: Sequence[int] = ()
    tags: Sequence[str] = ()
    consents: Mapping[str, str] = field(default_factory=dict)


class FreshReader:
    """Reads the cells of one import. `types` are those of the account's attributes as they are now."""

    def __init__(
        self,
        lines: LineReader,
        reader: Reader,
        *,
        types: Mapping[str, str],
        key: str,
        now_ms: Callable[[], int],
    ) -> None:
        self.types = dict(types)
        self._key = key
        self._by_id = "id" in lines.fields
        self._columns: list[tuple[str, str, int, _Column]] = []
        for place, name in enumerate(lines.fields):
            if name is None or name == "updated_at":
                continue
            group, dot, bare = name.partition(".")
            way = self._way(name, group if dot else "", bare, lines, place, reader, now_ms)
            self._columns.append((group if dot else "", bare if dot else name, place, _Column(way)))

    def _way(
        self,
        name: str,
        group: str,
        bare: str,
        lines: LineReader,
        place: int,
        reader: Reader,
        now_ms: Callable[[], int],
    ) -> Callable[[str], Any]:
        if group == "attributes":
            kind, start = self.types.get(bare, Type.TEXT), _encode(bare).decode() + ":"

            def piece(cell: str) -> str | None:
                if kind == Type.NUMBER:
                    if _JSON_NUMBER.fullmatch(cell):
                        return start + cell
                    if _PLAIN_NUMBER.fullmatch(cell):
                        return start + repr(float(cell))
                value = attributes.fit(lines.value(place, cell), kind, zone=reader.zone, cell=True)
                return None if value is None else start + _encode(value).decode()

            return piece
        if group == "consents":
            return lambda cell: reader.consent(lines.value(place, cell))
        if name == "tags":
            return lambda cell: tuple(clean_tags(lines.value(place, cell)))
        if name in ("id", "lists"):
            return _leave
        if name in ("created_at", "last_seen_at"):
            return lambda cell: reader.instant(name, lines.value(place, cell), now_ms())
        return reader.cell_reader(name)

    def read(self, rows: Sequence[Sequence[str]]) -> Cells:
        """The rows' cells; a row with a cell that cannot be read is left to `Batch`, which says why."""
        # A file with ids is one that we wrote: its lines are of people known.
        found = Cells(able=[not self._by_id] * len(rows))
        able = found.able
        sheet = list(zip(*rows, strict=False)) if rows else []
        for group, name, place, column in self._columns:
            cells = sheet[place] if sheet else ()
            values, unfit = column.values(cells)
            if unfit:
                for index, cell in enumerate(cells):
                    if cell in unfit:
                        able[index] = False
            if group == "attributes":
                found.attributes[name] = values
            elif group == "consents":
                found.consents[name] = values
            elif name == "tags":
                found.tags = values
            elif name not in ("id", "lists"):
                found.fields[name] = values
        self._need_keys(found)
        return found

    def _need_keys(self, found: Cells) -> None:
        """Rows without a key, or with one that another row of the chunk has, are not of new contacts for sure."""
        able = found.able
        keys = [found.fields[key] for key in KEYS if key in found.fields]
        asked = [found.fields.get(self._key, [None] * len(able))] if self._key else keys
        if not asked:
            able[:] = [False] * len(able)
        for index, some in enumerate(zip(*asked, strict=True)):
            if not any(some):
                able[index] = False
        for values in keys:
            counted = Counter(values)
            if len(counted) < len(values):
                for index, value in enumerate(values):
                    if value is not None and counted[value] > 1:
                        able[index] = False


def _leave(cell: str) -> None:
    """Which contact or lists a cell names is looked up by `Batch`."""
    raise Unfit(cell)


def put(batch: Batch, cells: Cells, everyone: Everyone) -> tuple[list[bool], list[int]]:
    """Create the contacts of the rows that nobody known is meant by; answers which rows these are, and the ids.

    To be called first of all that the batch does: what it leaves is for `fold`.
    """
    for key in KEYS:
        if key in cells.fields:
            batch.load_keys(key, cells.fields[key])
    mask = cells.able
    if batch.sent_ms is not None:  # Somebody was erased since the file was sent: each line is looked at.
        return [False] * len(mask), []
    if not _fits(batch, cells, everyone):
        return [False] * len(mask), []
    for key in KEYS:
        known = batch.by_key[key]
        if known and key in cells.fields:
            mask = [fine and value not in known for fine, value in zip(mask, cells.fields[key], strict=True)]
    count = sum(mask)
    if not count:
        return mask, []
    return mask, _insert(batch, cells.only(mask), everyone, count)


def _fits(batch: Batch, cells: Cells, everyone: Everyone) -> bool:
    """Whether the account's lists are still there, and it has room for the attributes of these columns."""
    fresh = [name for name in cells.attributes if name not in batch.types]
    return batch.know_lists(everyone.lists) and len(batch.types) + len(fresh) <= attributes.MOST_ATTRIBUTES


def _insert(batch: Batch, cells: Cells, everyone: Everyone, count: int) -> list[int]:
    now, account_id = batch.now_ms, batch.account_id
    ids = bulk.reserve_ids("contacts_contact", count)
    consents = {
        channel: _with_default(cells.consents.get(channel), everyone.consents.get(channel, _PENDING), count)
        for channel in CHANNELS
    }
    columns = [cells.fields.get(name) or [None] * count for name in COLUMNS if name != "created_at"]
    created = [now if at is None else at for at in cells.fields.get("created_at") or [None] * count]
    columns.insert(COLUMNS.index("created_at"), created)
    bulk.insert_by_blocks(
        "contacts_contact",
        ("id", "account_id", *batches.WRITTEN),
        list(
            zip(
                ids,
                repeat(account_id),
                *columns,
                map(sort_name, columns[_FIRST_NAME], columns[_LAST_NAME]),
                _documents(cells, count),
                *consents.values(),
                repeat(now),
            )
        ),
    )
    batch.declare(name for name, values in cells.attributes.items() if any(values))
    _insert_tags(account_id, ids, cells.tags, everyone.tags)
    members = [(list_id, contact_id) for list_id in everyone.lists for contact_id in ids]
    insert_members(members, source=batch.source.name, now_ms=now)
    batch.teller.created(ids)
    for channel, values in consents.items():
        changed = [
            (contact_id, channel, _PENDING, value)
            for contact_id, value in zip(ids, values, strict=True)
            if value != _PENDING
        ]
        insert_consent_changes(account_id, changed, source=batch.source, now_ms=now)
        for value in {each[3] for each in changed}:
            those = [each[0] for each in changed if each[3] == value]
            batch.teller.consents(those, channel, _PENDING, value)
    for list_id in everyone.lists:
        batch.teller.joined(ids, list_id)
    batch.teller.touched(ids)
    return ids


def _with_default(values: list[Any] | None, default: str, count: int) -> list[str]:
    return [default] * count if values is None else [value or default for value in values]


def _documents(cells: Cells, count: int) -> Iterable[str]:
    """The attributes of each row as a JSON object."""
    if not cells.attributes:
        return ["{}"] * count
    rows = zip(*cells.attributes.values(), strict=True)
    return ["{" + ",".join(filter(None, pieces)) + "}" for pieces in rows]


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
