from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from parcours.events import journal
from parcours.events.entries import Entry
from tests.fixtures.installation import Account, Installation, free_port


@dataclass
class Collector:
    """`parcours collect`, alone, and what it kept."""

    installation: Installation
    account: Account
    other: Account
    http: httpx.Client

    def post(self, path: str, body: Any, *, key: str | None = None, **options: Any) -> httpx.Response:
        """POST a body (bytes, or what becomes JSON) with the account's write key."""
        auth = (self.account.write_key if key is None else key, "")
        if isinstance(body, bytes):
            return self.http.post(path, content=body, auth=auth, **options)
        return self.http.post(path, json=body, auth=auth, **options)

    def kept(self, account: Account | None = None) -> list[Entry]:
        """Everything in the collector's journal for an account, in its order."""
        wanted = int((account or self.account).id)
        opened = journal.SQLiteJournal(self.installation.data_dir / "collector.sqlite3")
        try:
            rows = opened.read(0, 1_000_000)
        finally:
            opened.close()
        return [entry for row in rows if row.account_id == wanted for entry in journal.decode(row.body)]


def start_collector(installation: Installation) -> subprocess.Popen[bytes]:
    """Start `parcours collect` and wait until it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "parcours", "collect", "--port", str(installation.port)],
        env=installation._environment(),
    )
    deadline = time.monotonic() + 120
    while True:
        try:
            httpx.get(f"{installation.url}/robots.txt", timeout=1)
            return process
        except httpx.HTTPError:
            assert process.poll() is None, "The collector ended as it started."
            assert time.monotonic() < deadline, "The collector did not start within two minutes."
            time.sleep(0.05)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A collector with two accounts; what tests send stays for the module, so they name their own subjects."""
    installation = Installation(data_dir=tmp_path_factory.mktemp("collector"), port=free_port())
    account = installation.create_account("Maison Verte", email="a@example.org")
    other = installation.create_account("Autre", email="b@example.org")
    process = start_collector(installation)
    with httpx.Client(base_url=installation.url, timeout=30) as http:
        yield Collector(installation, account, other, http)
    process.terminate()
    process.wait(20)
    installation.stop()
