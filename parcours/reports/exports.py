"""Reports as CSV: streamed, in UTF-8 with its mark (spreadsheets need it), formulas defused."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Any

_HIDDEN = re.compile(r"^[\s\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069\x00-\x1f\x7f]+")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "|", "%")


def defuse(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, made plain by a leading apostrophe.

    What hides the formula (white space, byte-order and direction marks, control characters) is looked through. An
    ordinary negative number or international phone number stays as it is.
    """
    if not isinstance(value, str):
        return value
    bare = _HIDDEN.sub("", value)
    if bare.startswith(_FORMULA) and not re.fullmatch(r"[+-]?\d[\d .,]*", bare):
        return "'" + value
    return value


class _Line:
    """What csv.writer writes to: hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """The lines of a CSV file (RFC 4180), one by one."""
    writer = csv.writer(_Line())
    yield b"\xef\xbb\xbf"
    yield writer.writerow(list(header)).encode()
    for row in rows:
        yield writer.writerow([defuse(value) for value in row]).encode()
