"""`parcours store`: the event store embedded in one process, on loopback.

What it writes to `store.json` in the data directory (its address and passwords, for its owner alone) is how the
other processes find it. It keeps its port from one start to the next.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import structlog

log = structlog.get_logger(__name__)

_MOST_STATEMENTS = 16


class StoreBusy(RuntimeError):
    """Another process owns this store's directory."""


def read_address(data_dir: Path) -> dict[str, Any]:
    """What the store last wrote of itself: `url`, `reader`, `writer` (passwords), `pid`; empty when never started."""
    try:
        return dict(json.loads((data_dir / "store.json").read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _write_address(data_dir: Path, address: dict[str, Any]) -> None:
    path = data_dir / "store.json"
    mine = path.with_name(f"store.json.{os.getpid()}")
    descriptor = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(address, file)
    mine.replace(path)


def _own(data_dir: Path) -> IO[str]:
    """Hold the store's lock until this process ends. Raises StoreBusy."""
    data_dir.mkdir(parents=True, exist_ok=True)
    file = (data_dir / "store.lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise StoreBusy(f"Another process owns the event store in {data_dir}.") from error
    return file


def serve(*, data_dir: Path | None = None, until_stdin_ends: bool = False) -> None:
    """Own the store's directory and answer until SIGTERM or SIGINT, or, when asked, until stdin ends.

    Raises StoreBusy when another process owns it.
    """
    if data_dir is None:
        from django.conf import settings

        data_dir = settings.DATA_DIR
    lock = _own(data_dir)
    # chDB takes the process's zone for its own; the store's is UTC everywhere.
    os.environ["TZ"] = "UTC"
    time.tzset()
    from parcours.events.store.engine import Engine
    from parcours.events.store.http import StoreServer
    from parcours.events.store.schema import migrate

    engine = Engine(data_dir / "store")
    migrate(lambda statement: engine.write(statement.encode(), parameters={}, settings={}).decode())
    known = read_address(data_dir)
    passwords = {user: known.get(user) or secrets.token_urlsafe(24) for user in ("reader", "writer")}
    port = int(known["url"].rpartition(":")[2]) if known else 0
    try:
        server = StoreServer(("127.0.0.1", port), engine=engine, passwords=passwords, most=_MOST_STATEMENTS)
    except OSError:
        server = StoreServer(("127.0.0.1", 0), engine=engine, passwords=passwords, most=_MOST_STATEMENTS)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    _write_address(data_dir, {"url": url, **passwords, "pid": os.getpid()})
    log.info("store listens", url=url)

    def stop(*_: object) -> None:
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    def stop_at_end_of_stdin() -> None:
        sys.stdin.read()
        stop()

    if until_stdin_ends:
        threading.Thread(target=stop_at_end_of_stdin, daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    server.server_close()
    engine.close()
    lock.close()
