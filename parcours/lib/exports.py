"""Lists handed over as files: streamed, so that a million lines cost no more memory than one."""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse

_HIDDEN = re.compile(r"^[\s\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2069\x00-\x1f\x7f]+")
_FORMULA = ("=", "+", "-", "@", "|", "%", "＝", "＋", "－", "＠")
_PLAIN_NUMBER = re.compile(r"[+-]?\d[\d .,]*")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # without it, spreadsheets read UTF-8 as something else


def defuse(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, made plain by a leading apostrophe.

    What hides the formula (white space, byte-order and direction marks, control characters) is looked through. An
    ordinary negative number or international phone number stays as it is.
    """
    if not isinstance(value, str):
        return value
    bare = _HIDDEN.sub("", value)
    if bare.startswith(_FORMULA) and not _PLAIN_NUMBER.fullmatch(bare):
        return "'" + value
    return value


class _Line:
    """What csv.writer writes to: hands each line back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """The lines of a CSV file (RFC 4180) in UTF-8 with its mark, formulas defused, one by one."""
    writer: Any = csv.writer(_Line())
    yield BYTE_ORDER_MARK + writer.writerow([defuse(name) for name in header]).encode()
    for row in rows:
        yield writer.writerow([defuse(value) for value in row]).encode("utf-8", "replace")


def streamed(
    request: HttpRequest, chunks: Iterator[bytes], *, content_type: str, filename: str
) -> StreamingHttpResponse:
    """An answer that is a file to keep, sent as it is made.

    Under ASGI, Django would first gather a synchronous iterator whole; there it is read in a thread, piece by piece.
    """
    asynchronous = isinstance(request, ASGIRequest)
    response = StreamingHttpResponse(
        _in_thread(chunks) if asynchronous else chunks, content_type=content_type
    )
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response


_GATHERED = 1 << 16


def _piece(chunks: Iterator[bytes]) -> bytes:
    """Some tens of kilobytes of the chunks; nothing at their end."""
    gathered = bytearray()
    for chunk in chunks:
        gathered += chunk
        if len(gathered) >= _GATHERED:
            break
    else:
        close_old_connections()
    return bytes(gathered)


async def _in_thread(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while piece := await sync_to_async(_piece)(chunks):
        yield piece
