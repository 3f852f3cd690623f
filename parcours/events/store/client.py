"""How every part of the installation talks to the event store: clickhouse-connect's ordinary client.

The store is the embedded one (`parcours store` on loopback), or the ClickHouse of `PARCOURS_EVENTS_URL`. Reads and
writes go by two clients: the reader's statements run with `readonly = 1` and with limits.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

import clickhouse_connect
import structlog
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import OperationalError
from clickhouse_connect.driver.httputil import get_pool_manager
from django.conf import settings

from parcours.events.store import schema
from parcours.events.store.server import read_address

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")

READ_LIMITS: dict[str, str] = {
    "readonly": "1",
    "max_execution_time": "60",
    "max_memory_usage": str(4 * 1024**3),
    "max_bytes_before_external_group_by": str(1024**3),
    "max_bytes_before_external_sort": str(1024**3),
    "max_result_rows": "5000000",
    "max_result_bytes": str(1024**3),
    "result_overflow_mode": "throw",
    "max_query_size": str(16 * 1024**2),
    "max_ast_elements": "500000",
    "max_expanded_ast_elements": "5000000",
    "max_ast_depth": "5000",
}
"""What a read may use at most; `queries.run` can ask for other limits."""

WRITE_SETTINGS: dict[str, str] = {
    # A load of history may hold events of many years.
    "max_partitions_per_insert_block": "0",
    "async_insert": "0",
    "date_time_input_format": "best_effort",
}
_WAIT_SECONDS = 10.0
_pool = get_pool_manager(maxsize=32, num_pools=8)
_clients = threading.local()


class StoreUnreachable(OperationalError):
    """The event store does not answer."""


def is_embedded() -> bool:
    """Whether the store is the one in this installation's data directory."""
    return not settings.EVENTS_URL


def _location() -> dict[str, Any]:
    """Where the store is now: host, port, names and passwords. Raises StoreUnreachable."""
    if is_embedded():
        known = read_address(settings.DATA_DIR)
        if not known:
            raise StoreUnreachable("The event store was never started here: `parcours store` starts it.")
        url = urlsplit(known["url"])
        return {"host": url.hostname, "port": url.port, "database": "parcours", "passwords": known}
    url = urlsplit(settings.EVENTS_URL)
    return {
        "host": url.hostname,
        "port": url.port or (8443 if url.scheme == "https" else 8123),
        "interface": url.scheme,
        "database": url.path.strip("/") or "default",
        "username": url.username or "default",
        "password": url.password or "",
    }


def _connect(user: str, values: dict[str, str], *, forms: bool) -> Client:
    place = _location()
    passwords = place.pop("passwords", None)
    if passwords:
        place |= {"username": user, "password": passwords[user]}
    connected = clickhouse_connect.get_client(
        **place,
        compress=not passwords,
        pool_mgr=_pool,
        autogenerate_session_id=False,
        connect_timeout=3,
        send_receive_timeout=300,
        query_limit=0,
        form_encode_query_params=forms,
        tz_mode="aware",
        show_clickhouse_errors="scrub",
    )
    # The store says of a reader's limits that they cannot be changed, and the client then refuses to send them.
    # They are ours to choose with each statement: the store takes them before it sets `readonly`.
    connected.server_settings = {}
    for name, value in values.items():
        connected.set_client_setting(name, value)
    return connected


def _mine(user: str, values: dict[str, str], *, forms: bool = False) -> Client:
    """This thread's client; a new one when the store moved (another address, other passwords)."""
    place = repr(sorted(read_address(settings.DATA_DIR).items())) if is_embedded() else settings.EVENTS_URL
    held: dict[str, tuple[str, Client]] = _clients.__dict__
    name = f"{user} by forms" if forms else user
    found = held.get(name)
    if found is None or found[0] != place:
        held[name] = found = (place, _connect(user, values, forms=forms))
    return found[1]


def client(*, forms: bool = False) -> Client:
    """This thread's client for reads. Raises OperationalError when the store does not answer.

    `forms`: statements go in the body even where tables go with them; addresses have an end.
    """
    return _mine("reader", READ_LIMITS, forms=forms)


def writer() -> Client:
    """This thread's client for inserts and changes of schema. Raises OperationalError when there is no answer."""
    return _mine("writer", WRITE_SETTINGS)


def patiently(work: Callable[[], Answer], *, seconds: float = _WAIT_SECONDS) -> Answer:
    """Do work that may be repeated (a read, an insert under its token), again while the store is away.

    A store that was killed is back within seconds. Raises the last error after `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = 0.05
    while True:
        try:
            return work()
        except OperationalError:
            if time.monotonic() + pause > deadline:
                raise
            time.sleep(pause)
            pause = min(1.0, pause * 2)


def reachable() -> bool:
    """Whether the store answers now."""
    try:
        return bool(client().ping())
    except OperationalError:
        return False


def migrate() -> None:
    """Bring the schema of a ClickHouse server up to date; the embedded store does so itself when it starts.

    Raises OperationalError when the server does not answer.
    """
    if not is_embedded():
        schema.migrate(lambda statement: writer().raw_query(statement).decode())


@contextlib.contextmanager
def ensure_store() -> Iterator[None]:
    """The running store, or one of our own for the time of the block (for commands).

    The store of our own ends with this process, even when it is killed. Raises StoreUnreachable when it cannot start.
    """
    if not is_embedded() or reachable():
        yield
        return
    command = [sys.executable, "-m", "parcours.events.store", str(settings.DATA_DIR)]
    # What it says is a log: it goes to stderr, so that a command's own output stays alone.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=2)  # noqa: S603 - our own program
    try:
        deadline = time.monotonic() + 30
        while not (read_address(settings.DATA_DIR) and reachable()):
            if time.monotonic() > deadline:
                raise StoreUnreachable("The event store did not start within 30 seconds.")
            if process.poll() is not None and not _another_starts(deadline):
                raise StoreUnreachable(f"The event store could not start (exit code {process.returncode}).")
            time.sleep(0.05)
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)


def _another_starts(deadline: float) -> bool:
    """Whether the store that took the directory before ours answers before the deadline."""
    while time.monotonic() < deadline - 20:
        if reachable():
            return True
        time.sleep(0.05)
    return False
