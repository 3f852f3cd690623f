"""Files of contacts as they come, read some thousands of records at a time, however large."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
from django.utils.translation import gettext as _

from parcours.contacts.importing.encodings import has_stray, open_text
from parcours.contacts.importing.formats import CSV, Format

AT_ONCE = 5_000
_MOST_CHARACTERS = 2 * 1024 * 1024
_LONGEST_CELL = 1024 * 1024 + 1
_LONGEST_LINE = 32 * 1024 * 1024
_LONGEST_JSON = 1024 * 1024


@dataclass(slots=True)
class Unreadable:
    """A record that cannot be read: its first physical line in the file, why, and what it is."""

    number: int
    reason: str
    raw: str


@dataclass(slots=True)
class Chunk:
    """Some thousands of records, in their order; `rows` are cells (CSV) or objects (NDJSON)."""

    base: int  # the number of the first physical line held
    lines: list[str] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # for each row, its first physical line in the file
    ends: dict[int, int] = field(default_factory=dict)  # the last one, of rows that have several
    unreadable: list[Unreadable] = field(default_factory=list)
    position: int = 0  # bytes read until here, for the progress

    @property
    def count(self) -> int:
        """How many records these are, those that cannot be read included."""
        return len(self.rows) + len(self.unreadable)

    def raw(self, index: int) -> str:
        """A row as it stands in the file."""
        first = self.numbers[index]
        last = self.ends.get(first, first)
        return "".join(self.lines[first - self.base : last + 1 - self.base])


class _Lines:
    """The physical lines of a text, counted and held until the chunk that they are in is done."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._next = iter(partial(text.readline, _LONGEST_LINE), "")
        self._text = text
        self._again: deque[str] = deque()
        self.number = 0
        self.ended = False
        self.held: list[str] = []
        self.base = 1
        self.characters = 0
        self.too_long: list[int] = []

    def __iter__(self) -> Iterator[str]:
        held = self.held
        while True:
            line = self._again.popleft() if self._again else next(self._next, "")
            if not line:
                self.ended = True
                return
            self.number += 1
            self.characters += len(line)
            if len(line) >= _LONGEST_LINE and line[-1] not in "\r\n":
                self._drop_rest()
                held.append("")
                continue
            held.append(line)
            yield line

    def _drop_rest(self) -> None:
        self.too_long.append(self.number)
        while (rest := self._text.readline(_LONGEST_LINE)) and rest[-1] not in "\r\n":
            pass

    def back_to(self, number: int) -> None:
        """Read what follows a physical line once more."""
        place = number + 1 - self.base
        self._again.extendleft(reversed([line for line in self.held[place:] if line]))
        del self.held[place:]
        self.number = number
        self.ended = False

    def between(self, first: int, last: int) -> str:
        return "".join(self.held[first - self.base : last + 1 - self.base])

    def forget(self) -> list[str]:
        """What was held, which is held no more."""
        lines = self.held[:]
        self.held.clear()
        self.base, self.characters = self.number + 1, 0
        return lines


def chunks(path: Path, found: Format, *, skip: int = 0, size: int = AT_ONCE) -> Iterator[Chunk]:
    """The records of a file, in order, without the first `skip`; empty lines are none.

    The same file gives the same records each time, however they are grouped.
    """
    with open_text(path, found.encoding, mend=found.mend) as text:
        lines = _Lines(text)
        raw = cast(BinaryIO, text.buffer)
        chunk = Chunk(base=1)
        left = skip
        for number, row, reason in _csv(lines, found) if found.kind == CSV else _json(lines):
            if left:
                left -= 1
                if not left or lines.characters > _MOST_CHARACTERS:
                    lines.forget()
                    chunk = Chunk(base=lines.base)
                continue
            if row is None:
                chunk.unreadable.append(Unreadable(number, reason, lines.between(number, number)))
            else:
                chunk.rows.append(row)
                chunk.numbers.append(number)
                if lines.number != number:
                    chunk.ends[number] = lines.number
            if chunk.count >= size or lines.characters > _MOST_CHARACTERS:
                chunk.position, chunk.lines = raw.tell(), lines.forget()
                yield chunk
                chunk = Chunk(base=lines.base)
        chunk.position, chunk.lines = raw.tell(), lines.forget()
        if chunk.count:
            yield chunk


_Told = tuple[int, Any, str]


def _csv(lines: _Lines, found: Format) -> Iterator[_Told]:
    csv.field_size_limit(_LONGEST_CELL)
    feed = iter(lines)
    for _skipped in range(1, found.first):
        next(feed, None)
    reader = csv.reader(feed, delimiter=found.delimiter, quotechar=found.quote)
    width = len(found.headers)
    header_seen = False
    while True:
        number = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            yield from _dropped(lines)
            return
        except csv.Error:
            yield from _dropped(lines)
            lines.back_to(number)
            yield number, None, _("A cell is too long, or its quotation mark is never closed.")
            feed, reader = _anew(lines, found)
            continue
        if lines.too_long:
            yield from _dropped(lines)
            number = lines.number
        joined = "".join(cells)
        if not joined or joined.isspace():
            continue
        if not header_seen:
            header_seen = True
            continue
        wrong = len(cells) != width and (len(cells) < width or any(cells[width:]))
        several = lines.number > number or lines.ended
        if several and (wrong or lines.ended or _is_open(lines.between(number, lines.number), found)):
            # A mark that opens a cell and is never closed would swallow the lines that follow: they are read again.
            lines.back_to(number)
            yield number, None, _("A quotation mark opens a cell and is never closed.")
            feed, reader = _anew(lines, found)
        elif wrong:
            reason = _("The line has %(cells)d cells, the header has %(width)d.")
            yield number, None, reason % {"cells": len(cells), "width": width}
        elif found.strays and has_stray(joined):
            yield (
                number,
                None,
                _("The line is not in %(encoding)s, as the rest of the file is.") % {"encoding": "UTF-8"},
            )
        else:
            yield number, cells, ""


def _anew(lines: _Lines, found: Format) -> tuple[Iterator[str], Any]:
    feed = iter(lines)
    return feed, csv.reader(feed, delimiter=found.delimiter, quotechar=found.quote)


def _is_open(raw: str, found: Format) -> bool:
    """Whether a record of several lines is held together by marks that do not go in pairs."""
    try:
        list(
            csv.reader(
                io.StringIO(raw, newline=""), delimiter=found.delimiter, quotechar=found.quote, strict=True
            )
        )
    except csv.Error:
        return True
    return False


def _dropped(lines: _Lines) -> Iterator[_Told]:
    while lines.too_long:
        yield lines.too_long.pop(0), None, _("The line is too long.")


def _json(lines: _Lines) -> Iterator[_Told]:
    decoder = msgspec.json.Decoder()
    for text in lines:
        yield from _dropped(lines)
        if text.isspace():
            continue
        if len(text) > _LONGEST_JSON:
            yield lines.number, None, _("The line is too long.")
            continue
        try:
            line = decoder.decode(text.encode("utf-8", "surrogateescape"))
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            yield lines.number, None, _("The line is not JSON: %(why)s.") % {"why": str(error)[:200]}
            continue
        if not isinstance(line, dict):
            yield lines.number, None, _("A line is an object.")
            continue
        yield lines.number, line, ""
    yield from _dropped(lines)


def sample(path: Path, found: Format, *, count: int) -> Sequence[list[str]]:
    """The cells of the first records of a CSV file."""
    for chunk in chunks(path, found, size=count):
        return list(chunk.rows[:count])
    return []
