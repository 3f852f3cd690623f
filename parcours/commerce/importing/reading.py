"""Files of orders, deals and products as they come: read as those of contacts are, their columns told apart here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from parcours.commerce.importing.kinds import STATES, Kind, plain
from parcours.contacts.importing import cells, formats
from parcours.contacts.importing.formats import CSV, Format, Said
from parcours.contacts.importing.reading import Chunk


@dataclass(slots=True)
class Read:
    """The records of a chunk: what they say, each with its first physical line in the file, and the refused ones."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    refused: list[tuple[int, str]] = field(default_factory=list)


def find_format(path: Path, what: Kind, *, kind: str | None) -> Format:
    """What a file is; `kind` is what its sender says it is.

    Raises Invalid: an empty file, no text, no column with the key, a column twice.
    """

    def recognised(headers: Sequence[str]) -> int:
        return sum(what.field_of(header) is not None for header in headers)

    found = formats.find(path, Said(kind=kind, mend=True), recognised=recognised)
    return replace(found, fields=_fields(what, found.headers)) if found.kind == CSV else found


def _fields(what: Kind, headers: list[str]) -> list[str | None]:
    """For each column, its field; None for one that is left out. Raises Invalid."""
    fields: list[str | None] = []
    seen: dict[str, str] = {}
    for place, header in enumerate(headers):
        name = what.field_of(header)
        if name is not None and name in seen:
            raise formats.invalid(
                _("The columns “%(one)s” and “%(two)s” are the same one twice.")
                % {"one": seen[name][:60], "two": header[:60]},
                f"/{place}",
            )
        if name is not None:
            seen[name] = header
        fields.append(name)
    if what.key not in seen:
        listed = ", ".join(header[:40] for header in headers[:20] if header) or "—"
        raise formats.invalid(
            _("No column is “%(key)s”. The columns found are: %(columns)s.")
            % {"key": what.key, "columns": listed}
        )
    return fields


def read(chunk: Chunk, what: Kind, found: Format) -> Read:
    """What the records of a chunk say."""
    done = Read(refused=[(each.number, each.reason) for each in chunk.unreadable])
    for number, row in zip(chunk.numbers, chunk.rows, strict=True):
        line, reason = _line(row, what, found) if found.kind == CSV else (row, "")
        if line is None:
            done.refused.append((number, reason))
        else:
            done.lines.append(line)
            done.numbers.append(number)
    return done


def _line(row: list[str], what: Kind, found: Format) -> tuple[dict[str, Any] | None, str]:
    """A row as a line; an empty cell says nothing, so it changes nothing."""
    line: dict[str, Any] = {}
    for name, cell in zip(found.fields, row, strict=False):
        if name is None or not cell.strip():
            continue
        value: Any = cell.strip()
        if name in what.amounts:
            value = cells.number(value, found.decimal)
        elif name in what.dates:
            value = cells.day(value, cells.DAY_FIRST)
        elif name == "status":
            value = STATES.get(plain(value), value)
        elif name == "products":
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                return None, _("The column of products holds JSON: an array of objects.")
        line[name] = value
    return line, ""
