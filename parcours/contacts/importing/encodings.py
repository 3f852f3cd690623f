"""How the bytes of a file are to be read as text."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from parcours.lib.problems import Invalid

#: What a file may be said to be, by the names under which people know them.
NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "windows-1252": "Windows-1252",
}
_CHUNK = 1 << 20
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 27})
#: Bytes that are not UTF-8 become these, and can be told from everything that a text may hold.
FIRST_STRAY, LAST_STRAY = "\udc80", "\udcff"


@dataclass(frozen=True)
class Found:
    """An encoding; `stray` is the first line that is in another one, of `strays` such lines (0: none)."""

    encoding: str
    stray: int = 0
    strays: int = 0


def find(path: Path) -> Found:
    """UTF-8 (with or without its mark), UTF-16, else Windows-1252, by the whole file.

    Guessing from its start alone finds out at the first accent of line 300,000. A file that holds both UTF-8 and
    lines that are not is what most of its accented lines are. Raises Invalid for what is no text.
    """
    with path.open("rb") as file:
        head = file.read(4096)
        if head.startswith(codecs.BOM_UTF8):
            return _utf8(path, "utf-8-sig")
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return Found("utf-16")
        if len(head) >= 4 and b"\0" in head:
            odd, even = head[1::2].count(0), head[0::2].count(0)
            if max(odd, even) > len(head) // 4:
                return Found("utf-16-le" if odd > even else "utf-16-be")
    if len(head) - len(head.translate(None, _CONTROLS)) > len(head) // 10:
        detail = _("This is not a text: send a CSV or NDJSON file.")
        raise Invalid(detail, [{"pointer": "", "detail": detail}])
    return _utf8(path, "utf-8")


def _utf8(path: Path, encoding: str) -> Found:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return _mixed(path, encoding)
    return Found(encoding)


def _mixed(path: Path, encoding: str) -> Found:
    """Count, line by line, which of those with accents are UTF-8."""
    first, strays, accented = 0, 0, 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_CHUNK), b""), start=1):
            if line.isascii():
                continue
            try:
                line.removeprefix(codecs.BOM_UTF8).decode()
            except UnicodeDecodeError:
                first, strays = first or number, strays + 1
            else:
                accented += 1
    if encoding == "utf-8" and strays > accented:
        return Found("windows-1252", _first_utf8(path) if accented else 0, accented)
    return Found(encoding, first, strays)


def _first_utf8(path: Path) -> int:
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_CHUNK), b""), start=1):
            try:
                if not line.isascii() and line.decode():
                    return number
            except UnicodeDecodeError:
                continue
    return 0


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("windows-1252", "replace"), error.end


codecs.register_error("parcours.windows-1252", _as_windows)


def open_text(path: Path, encoding: str, *, mend: bool = False) -> io.TextIOWrapper:
    """The file as text. Bytes that are not of the encoding stay recognisable (`has_stray`), or, to `mend` a file
    that mixes two, are read as Windows-1252.
    """
    errors = "replace"  # What Windows-1252 does not define becomes "�" rather than the end of the import.
    if encoding.startswith("utf-8"):
        errors = "parcours.windows-1252" if mend else "surrogateescape"
    return io.TextIOWrapper(path.open("rb"), encoding=encoding, errors=errors, newline="")


def has_stray(text: str) -> bool:
    """Whether a text opened as UTF-8 holds bytes that are not."""
    return not text.isascii() and any(FIRST_STRAY <= character <= LAST_STRAY for character in text)


def sound(text: str) -> str:
    """A text opened as UTF-8 whose stray bytes are read as Windows-1252."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "parcours.windows-1252")
