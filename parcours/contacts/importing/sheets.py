"""The cells of a chunk read a column at a time, each distinct cell once: what rows of new contacts say.

It asks nothing of the database, so that one chunk can be read while another is written.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

import msgspec

from parcours.contacts import attributes
from parcours.contacts.attributes import Type
from parcours.contacts.folding import sort_name
from parcours.contacts.importing.columns import LineReader
from parcours.contacts.lines import KEYS, Reader, clean_tags
from parcours.contacts.normalise import Unfit

_MOST_REMEMBERED = 20_000
_ENOUGH = 10_000  # cells, to tell whether most of a column's are distinct
#: Rows that are turned into columns at once: few enough for their cells to stay in the processor's cache meanwhile.
_TURNED = 250
#: Numbers that are written as JSON writes them, and those that are but for noughts at their end.
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,11})\.\d{0,2}[1-9]|-?[1-9]\d{0,11}|0", re.ASCII).fullmatch
_PLAIN_NUMBER = re.compile(r"-?[1-9]\d{0,11}\.\d{1,3}", re.ASCII).fullmatch
_encode = msgspec.json.Encoder(decimal_format="number").encode

_Way = Callable[[str], Any]


class _Column:
    """One column of the file: each distinct cell is read once and remembered for a while, unless most are distinct."""

    def __init__(self, way: _Way) -> None:
        self._way = way
        self._known: dict[str, Any] = {"": None}
        self._unfit: set[str] = set()
        self._looked_at = self._found_new = 0
        self._distinct = False

    def values(self, cells: Sequence[str]) -> tuple[list[Any], set[str]]:
        """What the cells say (None: nothing), and which of them cannot be read."""
        if self._distinct:
            way = self._way
            try:
                return [way(cell) if cell and not cell.isspace() else None for cell in cells], set()
            except Unfit:
                self._distinct = False
                self._looked_at = self._found_new = 0
        try:
            values = list(map(self._known.__getitem__, cells))
        except KeyError:
            self._learn(cells)
            values = list(map(self._known.__getitem__, cells))
        return values, self._unfit.intersection(cells) if self._unfit else set()

    def _learn(self, cells: Sequence[str]) -> None:
        if len(self._known) > _MOST_REMEMBERED:
            self._known = {"": None}
            self._unfit.clear()
        known = self._known
        fresh = set(cells).difference(known)
        self._looked_at += len(cells)
        self._found_new += len(fresh)
        self._distinct = self._looked_at >= _ENOUGH and self._found_new > self._looked_at // 2
        for cell in fresh:
            try:
                known[cell] = None if cell.isspace() else self._way(cell)
            except Unfit:
                known[cell] = None
                self._unfit.add(cell)


@dataclass(slots=True)
class Cells:
    """What the rows of a chunk say, column by column; `able` marks the rows that may be of new contacts."""

    able: list[bool]
    fields: dict[str, list[Any]] = field(default_factory=dict)
    sort_names: list[str | None] = field(default_factory=list)  # empty where no column is of names
    documents: list[str] = field(
        default_factory=list
    )  # the attributes of each row, as JSON; empty for none at all
    untyped: dict[str, list[Any]] = field(
        default_factory=dict
    )  # of attributes that are not declared: None is no value
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
            sort_names=list(compress(self.sort_names, mask)),
            documents=list(compress(self.documents, mask)),
            untyped=some(self.untyped),
            consents=some(self.consents),
            tags=list(compress(self.tags, mask)),
        )


class SheetReader:
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
        self._reading = threading.Lock()
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
    ) -> _Way:
        if group == "attributes":
            return _piece_of(bare, self.types.get(bare, Type.TEXT), lines, place, zone=reader.zone)
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
        with self._reading:
            return self._read(rows)

    def _read(self, rows: Sequence[Sequence[str]]) -> Cells:
        # A file with ids is one that we wrote: its lines are of people known.
        found = Cells(able=[not self._by_id] * len(rows))
        for start in range(0, len(rows), _TURNED):
            self._read_some(rows[start : start + _TURNED], found, start)
        self._need_keys(found)
        return found

    def _read_some(self, rows: Sequence[Sequence[str]], found: Cells, start: int) -> None:
        """Add what some rows say, which are those from `start` on."""
        sheet = list(zip(*rows, strict=False))
        pieces: list[list[Any]] = []
        fields: dict[str, list[Any]] = {}
        for group, name, place, column in self._columns:
            cells = sheet[place]
            values, unfit = column.values(cells)
            if unfit:
                for index, cell in enumerate(cells, start):
                    if cell in unfit:
                        found.able[index] = False
            if group == "attributes":
                pieces.append(values)
                if name not in self.types:
                    found.untyped.setdefault(name, []).extend(values)
            elif group == "consents":
                found.consents.setdefault(name, []).extend(values)
            elif name == "tags":
                found.tags += values
            elif name not in ("id", "lists"):
                fields[name] = values
                found.fields.setdefault(name, []).extend(values)
        if pieces:
            found.documents += ["{" + ",".join(filter(None, row)) + "}" for row in zip(*pieces, strict=True)]
        if "first_name" in fields or "last_name" in fields:
            nobody = [None] * len(rows)
            names = (fields.get(name, nobody) for name in ("first_name", "last_name"))
            found.sort_names += map(sort_name, *names)

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
            if len(set(values)) < len(values):
                counted = Counter(values)
                for index, value in enumerate(values):
                    if value is not None and counted[value] > 1:
                        able[index] = False


def _piece_of(name: str, kind: str, lines: LineReader, place: int, *, zone: str) -> _Way:
    """What makes of a cell the attribute's piece of a JSON object; None where the cell says nothing."""
    start = _encode(name).decode() + ":"

    def piece(cell: str) -> str | None:
        value = attributes.fit(lines.value(place, cell), kind, zone=zone, cell=True)
        return None if value is None else start + _encode(value).decode()

    def number(cell: str) -> str | None:
        if _JSON_NUMBER(cell):
            return start + cell
        return start + repr(float(cell)) if _PLAIN_NUMBER(cell) else piece(cell)

    return number if kind == Type.NUMBER else piece


def _leave(cell: str) -> None:
    """Which contact or lists a cell names is looked up by `Batch`."""
    raise Unfit(cell)
