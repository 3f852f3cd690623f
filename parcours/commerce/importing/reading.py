"""Files of orders, deals and products as they come: found out, then read record by record, however large."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from django.utils.translation import gettext as _

from parcours.commerce.importing.kinds import STATES, Kind, plain
from parcours.contacts.importing import cells, encodings
from parcours.lib.problems import Invalid

CSV, NDJSON = "csv", "ndjson"
_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_CELL = 1024 * 1024
_LONGEST_LINE = 8 * 1024 * 1024
_LONGEST_JSON = 1024 * 1024
_CHUNK = 1 << 16
_SEPARATOR_LINE = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


@dataclass(frozen=True)
class Format:
    """How a file is to be read."""

    kind: str
    encoding: str
    delimiter: str = ","
    first: int = 1  # the physical line of the header (CSV)
    headers: list[str] = field(default_factory=list)
    fields: list[str | None] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Record:
    """One record: what it says, or why it cannot be read; `number` is its first physical line in the file."""

    number: int
    line: dict[str, Any] | None
    reason: str
    position: int  # bytes read until here, for the progress


def find_format(path: Path, what: Kind, *, kind: str | None) -> Format:
    """What a file is; `kind` is what its sender says it is.

    Raises Invalid: an empty file, no text, no column with the key, a column twice.
    """
    found = encodings.find(path)
    with encodings.open_text(path, found.encoding, mend=True) as text:
        start = text.read(_CHUNK)
    if not start.strip():
        raise _invalid(_("The file is empty."))
    if kind is None:
        kind = NDJSON if start.lstrip()[:1] == "{" else CSV
    if kind == NDJSON:
        return Format(NDJSON, found.encoding)
    skipped = _SEPARATOR_LINE.match(start)
    first = 2 if skipped else 1
    best: tuple[tuple[int, int], str, list[str]] = ((-1, -1), ",", [])
    for delimiter in (skipped[1],) if skipped else _DELIMITERS:
        headers = _header(start, delimiter, first)
        known = sum(what.field_of(header) is not None for header in headers)
        best = max(best, ((known, len(headers)), delimiter, headers), key=lambda each: each[0])
    headers = [header.strip() for header in best[2]]
    return Format(CSV, found.encoding, best[1], first, headers, _fields(what, headers))


def _fields(what: Kind, headers: list[str]) -> list[str | None]:
    """For each column, its field; None for one that is left out. Raises Invalid."""
    fields: list[str | None] = []
    seen: dict[str, str] = {}
    for header in headers:
        name = what.field_of(header)
        if name is not None and name in seen:
            raise _invalid(
                _("The columns “%(one)s” and “%(two)s” are the same one twice.")
                % {"one": seen[name][:60], "two": header[:60]}
            )
        if name is not None:
            seen[name] = header
        fields.append(name)
    if what.key not in seen:
        listed = ", ".join(header[:40] for header in headers[:20] if header) or "—"
        raise _invalid(
            _("No column is “%(key)s”. The columns found are: %(columns)s.")
            % {"key": what.key, "columns": listed}
        )
    return fields


def _header(start: str, delimiter: str, first: int) -> list[str]:
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    try:
        for _skipped in range(1, first):
            next(reader)
        return next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _invalid(detail: str) -> Invalid:
    return Invalid(detail, [{"pointer": "", "detail": detail}])


class _Lines:
    """The physical lines of a text, counted, none longer than can be read."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.number = text, 0

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(_LONGEST_LINE):
            self.number += 1
            while len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
                rest = self.text.readline(_LONGEST_LINE)
                if not rest or rest[-1] in "\r\n":
                    break
            yield line


def records(path: Path, what: Kind, found: Format) -> Iterator[Record]:
    """The records of a file, in order; empty lines are none. The same file gives the same records each time."""
    with encodings.open_text(path, found.encoding, mend=True) as text:
        lines = _Lines(text)
        source = _csv_records(lines, what, found) if found.kind == CSV else _json_records(lines)
        raw = cast(BinaryIO, text.buffer)
        for number, line, reason in source:
            yield Record(number, line, reason, raw.tell())


def _csv_records(
    lines: _Lines, what: Kind, found: Format
) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    csv.field_size_limit(_LONGEST_CELL)
    feed = iter(lines)
    for _skipped in range(1, found.first):
        next(feed, None)
    reader = csv.reader(feed, delimiter=found.delimiter)
    width, header_seen = len(found.fields), False
    while True:
        number = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None, _("A cell is too long, or its quotation mark is never closed.")
            continue
        if not any(cell.strip() for cell in row):
            continue
        if not header_seen:
            header_seen = True
            continue
        if len(row) < width or any(row[width:]):
            reason = _("The line has %(cells)d cells, the header has %(width)d.")
            yield number, None, reason % {"cells": len(row), "width": width}
            continue
        line, reason = _line(row, what, found)
        yield number, line, reason


def _line(row: list[str], what: Kind, found: Format) -> tuple[dict[str, Any] | None, str]:
    """A row as a line; an empty cell says nothing, so it changes nothing."""
    line: dict[str, Any] = {}
    # Whoever separates cells by semicolons does it because commas are in the numbers.
    european = found.delimiter == ";"
    for name, cell in zip(found.fields, row, strict=False):
        if name is None or not cell.strip():
            continue
        value: Any = cell.strip()
        if name in what.amounts:
            value = cells.number(value, cells.COMMA if european else cells.POINT)
        elif name in what.dates:
            value = cells.day(value, cells.DAY_FIRST)
        elif name == "status":
            value = STATES.get(plain(value), value)
        elif name == "products":
            try:
                value = json.loads(value)
            except ValueError:
                return None, _("The column of products holds JSON: an array of objects.")
        line[name] = value
    return line, ""


def _json_records(lines: _Lines) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    decoder = msgspec.json.Decoder()
    for text in lines:
        if text.isspace():
            continue
        if len(text) > _LONGEST_JSON:
            yield lines.number, None, _("The line is too long.")
            continue
        try:
            line = decoder.decode(text.encode("utf-8", "surrogatepass"))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield lines.number, None, _("The line is not JSON: %(why)s.") % {"why": str(error)[:200]}
            continue
        if not isinstance(line, dict):
            yield lines.number, None, _("A line is an object.")
            continue
        yield lines.number, line, ""
