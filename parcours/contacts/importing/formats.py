"""What a file is: found out before it is read, and said by whoever sends it where that is not enough."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.importing import columns, encodings
from parcours.contacts.importing.cells import COMMA, ISO, POINT
from parcours.contacts.importing.encodings import Found, open_text
from parcours.lib.problems import Invalid

CSV, NDJSON = "csv", "ndjson"
DELIMITERS = (",", ";", "\t", "|")
QUOTES = ('"', "'")
MOST_COLUMNS = 1_000
_START = 1 << 16
_LONGEST_HEADER = 4 * 1024 * 1024
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
    quote: str = '"'
    mend: bool = False  # lines that are not UTF-8 are read as Windows-1252 rather than refused
    stray: int = 0  # the first line in another encoding than the rest, of so many
    strays: int = 0
    types: dict[str, str] = field(default_factory=dict)  # of attributes that the import declares
    decimal: str = POINT
    dates: str = ISO

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Said:
    """What the sender says of a file; "" and None leave it to be found out."""

    kind: str | None = None
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    mend: bool = False
    decimal: str = ""
    dates: str = ""


def find(
    path: Path,
    said: Said,
    *,
    attributes: Sequence[str] = (),
    recognised: Callable[[Sequence[str]], int] | None = None,
) -> Format:
    """What a file is; its columns are not yet told apart (`fields` is empty).

    Cells are separated by what gives the most headers that are recognised: as those of contacts who have these
    `attributes`, unless something else is said to recognise them.

    Raises Invalid: an empty file, no text, no header, more columns than can be.
    """
    known = recognised or partial(columns.recognised, attributes=attributes)
    found = Found(said.encoding) if said.encoding else encodings.find(path)
    with open_text(path, found.encoding) as text:
        start = text.read(_START)
        while start and not start.strip() and (more := text.read(_START)):
            start = more
    if not start.strip():
        raise invalid(_("The file is empty."))
    kind = said.kind
    if kind is None:
        kind = NDJSON if start.lstrip()[:1] == "{" else CSV
    strays = {"mend": said.mend, "stray": found.stray, "strays": found.strays}
    if kind == NDJSON:
        return Format(NDJSON, found.encoding, **strays)  # type: ignore[arg-type]
    skipped = _SEPARATOR_LINE.match(start)
    first = 2 if skipped else 1
    delimiters: Sequence[str] = (skipped[1],) if skipped else DELIMITERS
    if said.delimiter:
        delimiters = (said.delimiter,)
    quote = said.quote or '"'
    best: tuple[tuple[int, int], str, list[str]] | None = None
    for delimiter in delimiters:
        headers = _header(path, found.encoding, delimiter, quote, first)
        rank = (known(headers), len(headers))
        if best is None or rank > best[0]:
            best = (rank, delimiter, headers)
    if best is None or not best[2]:
        raise invalid(_("The file is empty."))
    _rank, delimiter, headers = best
    if len(headers) > MOST_COLUMNS:
        raise invalid(
            _("The file has %(count)d columns; at most %(most)d can be read.")
            % {"count": len(headers), "most": MOST_COLUMNS}
        )
    return Format(
        CSV,
        found.encoding,
        delimiter,
        first,
        [header.strip() for header in headers],
        quote=quote,
        # Whoever separates cells by semicolons does it because commas are in the numbers.
        decimal=said.decimal or (COMMA if delimiter == ";" else POINT),
        dates=said.dates or ISO,
        **strays,  # type: ignore[arg-type]
    )


def mapped(found: Format, mapping: dict[str, str], *, attributes: Sequence[str]) -> Format:
    """The format with each column's field: as said, by header, and for the others as their headers name them.

    Raises Invalid as `columns.map_columns` does.
    """
    if found.kind != CSV:
        return found
    targets = columns.targets(found.headers, mapping)
    return with_targets(found, targets, attributes=attributes)


def with_targets(found: Format, targets: Sequence[str | None], *, attributes: Sequence[str]) -> Format:
    """The format with each column's field said by its place: "" for none, None to find it by the header."""
    fields, types = columns.map_columns(found.headers, attributes, targets)
    return replace(found, fields=fields, types=types)


def _header(path: Path, encoding: str, delimiter: str, quote: str, first: int) -> list[str]:
    with open_text(path, encoding) as text:
        reader = csv.reader(_within(text), delimiter=delimiter, quotechar=quote)
        try:
            for _skipped in range(1, first):
                next(reader)
            return next((row for row in reader if any(cell.strip() for cell in row)), [])
        except (csv.Error, StopIteration):
            return []


def _within(text: Any) -> Iterator[str]:
    """The lines of a text, as many as a header can have."""
    left = _LONGEST_HEADER
    while left > 0 and (line := text.readline(left)):
        left -= len(line)
        yield line


def invalid(detail: str, pointer: str = "") -> Invalid:
    """A file, or what is said of it, that cannot be imported."""
    return Invalid(detail, [{"pointer": pointer, "detail": detail}])
