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
from collections.abc import Callable
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

    def __init__(
        self, directory: Path | None = None, *, refuses: Callable[[str], bool] | None = None
    ) -> None:
        path = _path(directory)
        self._refuses = refuses
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=30)
        # What a trial counts must survive kill -9, not the loss of the machine's power.
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._database.execute(_TABLE)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self._refuses is not None and self._refuses(address):
            return "550 5.1.1 No such mailbox here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Recipient is welcome"

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
    """The sink on a loopback port, in a thread of its own; `port` 0 takes any free one.

    Addresses that `refuses` names get a permanent refusal, as from a server that does not know them.
    """

    def __init__(
        self,
        *,
        directory: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        refuses: Callable[[str], bool] | None = None,
    ) -> None:
        self._handler = Handler(directory, refuses=refuses)
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
        self._loop.run_until_complete(self._end_sessions())
        self._loop.close()

    async def _end_sessions(self) -> None:
        sessions = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for session in sessions:
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    def stop(self) -> None:
        """Stop listening; what was kept stays."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._handler.close()


def serve(*, host: str = "127.0.0.1", port: int = 2525, refuses: Callable[[str], bool] | None = None) -> None:
    """Run the sink in this process until it is ended."""
    sink = Sink(host=host, port=port, refuses=refuses).start()
    try:
        while True:
            time.sleep(3600)
    finally:
        sink.stop()


def read_mailbox(
    *, recipient: str | None = None, after: int = 0, limit: int = 1_000, directory: Path | None = None
) -> list[SunkMail]:
    """What the sink took, in the order of its arrival; of one recipient, or of all. Empty when there is no sink."""
    return _read(
        "id > ? AND (? IS NULL OR recipient = ?) ORDER BY id LIMIT ?",
        (after, recipient, recipient, limit),
        directory,
    )


def latest_mails(
    *, recipient: str | None = None, limit: int = 100, directory: Path | None = None
) -> list[SunkMail]:
    """The mails that the sink took last, the newest first; of one recipient, or of all."""
    return _read(
        "(? IS NULL OR recipient = ?) ORDER BY id DESC LIMIT ?", (recipient, recipient, limit), directory
    )


def read_mail(id: int, *, directory: Path | None = None) -> SunkMail | None:
    """One mail by its number, or None."""
    found = _read("id = ?", (id,), directory)
    return found[0] if found else None


def count_mails(*, recipient: str | None = None, directory: Path | None = None) -> int:
    """How many mails the sink took; of one recipient, or of all."""
    rows = _query(
        "SELECT count(*) FROM mails WHERE ? IS NULL OR recipient = ?", (recipient, recipient), directory
    )
    return int(rows[0][0]) if rows else 0


def _read(where: str, values: tuple[Any, ...], directory: Path | None) -> list[SunkMail]:
    columns = "id, sender, recipient, received_at, options, content"
    return [SunkMail(*row) for row in _query(f"SELECT {columns} FROM mails WHERE {where}", values, directory)]


def _query(statement: str, values: tuple[Any, ...], directory: Path | None) -> list[Any]:
    path = _path(directory)
    if not path.exists():
        return []
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return database.execute(statement, values).fetchall()
    finally:
        database.close()
