"""Files of contacts as they come: found out, then read record by record, however large."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from django.utils.translation import gettext as _

from parcours.contacts.importing import columns
from parcours.lib.problems import Invalid

CSV, NDJSON = "csv", "ndjson"
_DELIMITERS = (",", ";", "\t", "|")
_LONGEST_CELL = 16 * 1024 * 1024
_LONGEST_LINE = 32 * 1024 * 1024
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


def find_encoding(path: Path) -> str:
    """UTF-8 (with or without its mark), UTF-16, else Windows-1252, by the whole file: guessing from its start alone
    finds out at the first accent of line 300,000."""
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(codecs.BOM_UTF8):
            return "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if len(head) >= 4 and b"\0" in head:
            odd, even = head[1::2].count(0), head[0::2].count(0)
            if max(odd, even) > len(head) // 4:
                return "utf-16-le" if odd > even else "utf-16-be"
        decoder = codecs.getincrementaldecoder("utf-8")()
        file.seek(0)
        try:
            while chunk := file.read(1 << 20):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "windows-1252"
    return "utf-8"


def find_format(path: Path, *, kind: str | None, attributes: Sequence[str]) -> Format:
    """What a file is, by all that can be told before it is read. `kind` is what its sender says it is.

    Raises Invalid: an empty file, no header, no column that says who each contact is, a column twice.
    """
    encoding = find_encoding(path)
    with _open(path, encoding) as text:
        start = text.read(_CHUNK)
    if not start.strip():
        raise _invalid(_("The file is empty."))
    if kind is None:
        kind = NDJSON if start.lstrip()[:1] == "{" else CSV
    if kind == NDJSON:
        return Format(NDJSON, encoding)
    first, skipped = 1, _SEPARATOR_LINE.match(start)
    delimiters: Sequence[str] = _DELIMITERS
    if skipped:
        first, delimiters = 2, (skipped[1],)
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for delimiter in delimiters:
        headers = _header(start, delimiter, first)
        rank = (columns.recognised(headers, attributes), len(headers))
        if best is None or rank > best[0]:
            best = (rank, delimiter, headers)
    if best is None:
        raise _invalid(_("The file is empty."))
    fields = columns.map_columns(best[2], attributes)
    return Format(CSV, encoding, best[1], first, [header.strip() for header in best[2]], fields)


def _header(start: str, delimiter: str, first: int) -> list[str]:
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=delimiter)
    try:
        for _skipped in range(1, first):
            next(reader)
        return next((row for row in reader if any(cell.strip() for cell in row)), [])
    except csv.Error:
        return []


def _open(path: Path, encoding: str) -> io.TextIOWrapper:
    # What Windows-1252 does not define becomes "�" rather than the end of the import.
    return io.TextIOWrapper(path.open("rb"), encoding=encoding, errors="replace", newline="")


def _invalid(detail: str) -> Invalid:
    return Invalid(detail, [{"pointer": "", "detail": detail}])


class _Lines:
    """The physical lines of a text, counted; one longer than can be is dropped and remembered."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text
        self.number = 0
        self.too_long: list[int] = []

    def __iter__(self) -> Iterator[str]:
        while line := self.text.readline(_LONGEST_LINE):
            self.number += 1
            if len(line) == _LONGEST_LINE and line[-1] not in "\r\n":
                self.too_long.append(self.number)
                while (rest := self.text.readline(_LONGEST_LINE)) and rest[-1] not in "\r\n":
                    pass
                continue
            yield line


def records(path: Path, found: Format) -> Iterator[Record]:
    """The records of a file, in order; empty lines are none. The same file gives the same records each time."""
    with _open(path, found.encoding) as text:
        lines = _Lines(text)
        source = _csv_records(lines, found) if found.kind == CSV else _json_records(lines)
        raw = cast(BinaryIO, text.buffer)
        for number, line, reason in source:
            while lines.too_long:
                yield Record(lines.too_long.pop(0), None, _("The line is too long."), raw.tell())
            if line is not None or reason:
                yield Record(number, line, reason, raw.tell())
        for number in lines.too_long:
            yield Record(number, None, _("The line is too long."), raw.tell())


def _csv_records(lines: _Lines, found: Format) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    csv.field_size_limit(_LONGEST_CELL)
    feed = iter(lines)
    for _skipped in range(1, found.first):
        next(feed, None)
    reader = csv.reader(feed, delimiter=found.delimiter)
    width = len(found.fields)
    header_seen = False
    while True:
        number = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield number, None, _("A cell is too long, or its quotation mark is never closed.")
            continue
        if not any(cells) or not any(cell.strip() for cell in cells):
            continue
        if not header_seen:
            header_seen = True
            continue
        if len(cells) != width and (len(cells) < width or any(cells[width:])):
            reason = _("The line has %(cells)d cells, the header has %(width)d.")
            yield number, None, reason % {"cells": len(cells), "width": width}
            continue
        yield number, columns.line_of(cells, found.fields), ""


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
            yield lines.number, None, _("A contact is an object.")
            continue
        yield lines.number, line, ""
