"""The browser tracker, `/t.js`, as the front end built it."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import parcours.ui

TRACKER = Path(parcours.ui.__file__).parent / "static" / "ui" / "dist" / "t.js"
_LOOK_AGAIN_SECONDS = 2.0
_HEADERS = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"cache-control", b"public, max-age=3600"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
]

Served = tuple[int, bytes, list[tuple[bytes, bytes]]]


class Tracker:
    """Keeps the file in memory, and reads it anew when it changed."""

    def __init__(self, path: Path = TRACKER) -> None:
        self._path = path
        self._looked = 0.0
        self._changed = 0.0
        self._body = b""
        self._etag = b""

    def answer(self, if_none_match: bytes) -> Served:
        """Status, body and headers for a reader who holds `if_none_match` (RFC 9110, 13.1.2)."""
        self._look()
        if not self._body:
            return 404, b"The tracker is not built: run `make setup`.\n", [(b"content-type", b"text/plain")]
        headers = [*_HEADERS, (b"etag", self._etag)]
        if self._etag in (tag.strip() for tag in if_none_match.replace(b"W/", b"").split(b",")):
            return 304, b"", headers
        return 200, self._body, headers

    def _look(self) -> None:
        if time.monotonic() - self._looked < _LOOK_AGAIN_SECONDS and self._body:
            return
        self._looked = time.monotonic()
        try:
            changed = self._path.stat().st_mtime
            if changed != self._changed:
                self._body = self._path.read_bytes()
                self._etag = b'"' + hashlib.sha256(self._body).hexdigest()[:16].encode() + b'"'
                self._changed = changed
        except OSError:
            self._body = b""
