"""The built-in SMTP server, which delivers to nobody: it keeps what it takes, for the demonstration and for trials.

Mails are kept raw in one SQLite file (`DATA_DIR/sink/mails.sqlite3`), with their envelope; a mail is answered 250
once it is committed.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import sqlite3
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings

_TABLE = (
    "CREATE TABLE IF NOT EXISTS mails (id INTEGER PRIMARY KEY, sender TEXT NOT NULL, recipient TEXT NOT NULL,"
    " received_at INTEGER NOT NULL, options TEXT NOT NULL, content BLOB NOT NULL)"
)
_LARGEST_MAIL = 40 * 1024 * 1024


@dataclass(frozen=True)
class SunkMail:
    """A mail that the sink took: its envelope, and its bytes as they came."""

    id: int
    sender: str
    recipient: str
    received_at: int  # machine milliseconds
    options: str
    content: bytes

    def message(self) -> EmailMessage:
        """The mail, parsed."""
        return email.message_from_bytes(self.content, policy=email.policy.default)


def _path(directory: Path | None) -> Path:
    return (directory or Path(settings.DATA_DIR) / "sink") / "mails.sqlite3"


class Handler:
    """Keeps each mail, once for each of its recipients."""

    def __init__(self, directory: Path | None = None) -> None:
        path = _path(directory)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        # What a trial counts must survive kill -9, not the loss of the machine's power.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_TABLE)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = (
            envelope.content if isinstance(envelope.content, bytes) else (envelope.content or "").encode()
        )
        options = " ".join([*map(str, envelope.mail_options), *map(str, envelope.rcpt_options)])
        now = time.time_ns() // 1_000_000
        self._database.executemany(
            "INSERT INTO mails (sender, recipient, received_at, options, content) VALUES (?, ?, ?, ?, ?)",
            [(envelope.mail_from or "", recipient, now, options, content) for recipient in envelope.rcpt_tos],
        )
        return "250 2.0.0 Kept"

    def close(self) -> None:
        self._database.close()


class Sink:
    """The sink on a loopback port, in a thread of its own; `port` 0 takes any free one."""

    def __init__(self, *, directory: Path | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self._handler = Handler(directory)
        self.host, self.port = host, port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mail sink", daemon=True)

    def start(self) -> Sink:
        """Listen; returns once it does."""
        self._thread.start()
        if not self._ready.wait(10):
            raise RuntimeError("The mail sink did not start.")
        return self

    @property
    def url(self) -> str:
        """Its address, as PARCOURS_EMAIL_URL."""
        return f"smtp://{self.host}:{self.port}"

    def _session(self) -> SMTP:
        return SMTP(
            self._handler, data_size_limit=_LARGEST_MAIL, enable_SMTPUTF8=True, hostname="sink.localhost"
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server: Any = self._loop.run_until_complete(
            self._loop.create_server(self._session, self.host, self.port)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())

    def stop(self) -> None:
        """Stop listening; what was kept stays."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._handler.close()


def serve(*, host: str = "127.0.0.1", port: int = 2525) -> None:
    """Run the sink in this process until it is ended."""
    sink = Sink(host=host, port=port).start()
    try:
        while True:
            time.sleep(3600)
    finally:
        sink.stop()


def read_mailbox(
    *, recipient: str | None = None, after: int = 0, limit: int = 1_000, directory: Path | None = None
) -> list[SunkMail]:
    """What the sink took, in the order of its arrival; of one recipient, or of all. Empty when there is no sink."""
    path = _path(directory)
    if not path.exists():
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        rows = database.execute(
            "SELECT id, sender, recipient, received_at, options, content FROM mails"
            " WHERE id > ? AND (? IS NULL OR recipient = ?) ORDER BY id LIMIT ?",
            (after, recipient, recipient, limit),
        ).fetchall()
    finally:
        database.close()
    return [SunkMail(*row) for row in rows]
