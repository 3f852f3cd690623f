"""Files sent to us, kept until their import has ended."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from parcours.lib.ids import new_id
from parcours.lib.problems import Invalid, Problem

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EXCEL = b"\xd0\xcf\x11\xe0"
_STEP = 1 << 20


def folder() -> Path:
    """Where uploads lie."""
    return Path(settings.DATA_DIR) / "uploads"


def save(chunks: Iterable[bytes]) -> Path:
    """Keep what is sent, unpacked when it is gzip, and answer where.

    Raises Problem 413 when it is larger than `PARCOURS_IMPORT_MAX_BYTES` once unpacked, Invalid for a broken gzip
    and for what is a workbook or an archive rather than a text.
    """
    folder().mkdir(parents=True, exist_ok=True)
    path = folder() / new_id()
    try:
        with path.open("xb") as file:
            os.fchmod(file.fileno(), 0o600)
            size = 0
            for chunk in _unpacked(iter(chunks)):
                size += len(chunk)
                if size > settings.IMPORT_MAX_BYTES:
                    raise Problem(
                        413,
                        "too-large",
                        _("The file is larger than %(most)d MB once unpacked.")
                        % {"most": settings.IMPORT_MAX_BYTES // _STEP},
                    )
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= 4:
            break
    if head.startswith((_ZIP, _EXCEL)):
        raise _invalid(_("This is a workbook or an archive: save it as CSV, then send that file."))
    if not head.startswith(_GZIP):
        yield head
        yield from chunks
        return
    yield from _gunzip(head, chunks)


def _gunzip(head: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Unpack by steps, so that a bomb is stopped by the size of what came out, never held whole."""
    unpacker = zlib.decompressobj(wbits=31)
    pending = head
    try:
        while True:
            if unpacker.eof and (pending or unpacker.unused_data):
                pending = unpacker.unused_data + pending
                if not pending.strip(b"\0"):
                    pending = b""
                else:
                    unpacker = zlib.decompressobj(wbits=31)
            if pending:
                yield unpacker.decompress(pending, _STEP)
                pending = unpacker.unconsumed_tail
                continue
            more = next(chunks, None)
            if more is None:
                break
            pending = more
        yield unpacker.flush()
        if not unpacker.eof:
            raise zlib.error("truncated")
    except zlib.error as error:
        raise _invalid(_("The compressed file is broken or cut short.")) from error


def _invalid(detail: str) -> Invalid:
    return Invalid(detail, [{"pointer": "", "detail": detail}])
