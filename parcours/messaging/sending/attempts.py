"""The attempt log: what this worker began and what it was answered, beside the database.

A claim covers hundreds of sends and its commit is far behind the sockets. So that a kill leaves no more sends of
unknown fate than were under way, each worker appends to a file of its own, by one `write` each, before a send's
SMTP transaction and right after its answer. What `write` took outlives the process (not the machine: a log bears
its machine's boot, and without its log every claim of a worker is of unknown fate).
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

_RECORD = struct.Struct(
    "<cQqhH"
)  # kind, send, product instant in milliseconds, reply code, length of the text
BEGUN, ACCEPTED, REFUSED, DEFERRED = b"B", b"A", b"R", b"D"
_LONGEST_TEXT = 500
_TRUNCATE_ABOVE = 1_000_000


@dataclass(frozen=True)
class Attempt:
    """The last word of a log on one send."""

    kind: bytes
    at: int
    code: int
    text: str


def _directory() -> Path:
    return Path(settings.DATA_DIR) / "attempts"


def path_of(worker: str) -> Path:
    """The log of a worker (see `lib.leases`)."""
    return _directory() / f"{worker.replace('/', '_')}.log"


class AttemptLog:
    """The log that this process writes."""

    def __init__(self, worker: str) -> None:
        self.path = path_of(worker)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._file).st_size

    def write(self, kind: bytes, send: int, *, at: int, code: int = 0, text: str = "") -> None:
        """Append one record; it is in the kernel's hands when this returns."""
        encoded = text.encode("utf-8", "replace")[:_LONGEST_TEXT]
        record = _RECORD.pack(kind, send, at, code, len(encoded)) + encoded
        written = os.write(self._file, record)
        if written != len(record):
            raise OSError("The attempt log could not be written whole: is the disk full?")
        self._size += written

    def settled(self) -> None:
        """Everything logged so far is in the database: an old log is emptied."""
        if self._size > _TRUNCATE_ABOVE:
            os.ftruncate(self._file, 0)
            self._size = 0

    def close(self) -> None:
        os.close(self._file)


def read(worker: str) -> dict[int, Attempt] | None:
    """The last word on each send of a worker's log, or None when there is no log to trust."""
    try:
        data = path_of(worker).read_bytes()
    except OSError:
        return None
    attempts: dict[int, Attempt] = {}
    position = 0
    while position + _RECORD.size <= len(data):
        kind, send, at, code, length = _RECORD.unpack_from(data, position)
        position += _RECORD.size
        text = data[position : position + length].decode("utf-8", "replace")
        position += length
        attempts[send] = Attempt(kind, at, code, text)
    return attempts


def discard(worker: str) -> None:
    """Remove the log of a worker that is dead and has no claim left."""
    path_of(worker).unlink(missing_ok=True)
