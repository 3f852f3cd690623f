"""`parcours run` on real processes: each that is killed comes back, and none outlives the supervisor."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

PARTS = ("web", "work", "store")
BACK_WITHIN_SECONDS = 5.0
#: On a machine that is busy with other things, a process takes its time to import what it needs.
BACK_WHEN_BUSY_SECONDS = 60.0
#: A loaded machine with cold caches takes its time to import everything the first time.
FIRST_START_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], *, seconds: float) -> float:
    """Wait for a condition; answers how long that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Installation:
    """An installation of its own under `parcours run`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.environment = {**os.environ, "PARCOURS_DATA_DIR": str(directory)}
        self.environment.pop("PARCOURS_PUBLIC_URL", None)
        command = [sys.executable, "-m", "parcours", "run", "--port", str(self.port)]
        self.log = (directory / "log").open("wb")
        self.process = subprocess.Popen(command, env=self.environment, stderr=self.log)

    def pid(self, part: str) -> int:
        try:
            return int((self.directory / "run" / f"{part}.pid").read_text())
        except (OSError, ValueError):
            return 0

    def pids(self) -> dict[str, int]:
        return {part: self.pid(part) for part in PARTS}

    def ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = Installation(tmp_path_factory.mktemp("supervised"))
    try:
        until(running.ready, seconds=FIRST_START_SECONDS)
        yield running
    finally:
        running.end()


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_back_within_seconds(installation: Installation, part: str) -> None:
    before = installation.pids()
    busy = os.getloadavg()[0] > 2 * (os.cpu_count() or 1)
    within = BACK_WHEN_BUSY_SECONDS if busy else BACK_WITHIN_SECONDS
    os.kill(before[part], signal.SIGKILL)
    began = time.monotonic()
    until(lambda: installation.pid(part) != before[part], seconds=BACK_WITHIN_SECONDS)
    until(lambda: alive(installation.pid(part)) and installation.ready(), seconds=within)
    took = time.monotonic() - began
    print(f"{part} was ready again {took:.1f} s after its death")
    after = installation.pids()
    assert {name for name in PARTS if after[name] != before[name]} == {part}, "the others were left alone"


def test_an_account_made_beside_the_running_installation_is_served_at_once(
    installation: Installation,
) -> None:
    command = [sys.executable, "-m", "parcours", "account", "create", "Shop", "--email", "ada@example.org"]
    made = subprocess.run(
        [*command, "--password", "correct horse battery", "--timezone", "Europe/Paris"],
        env=installation.environment,
        capture_output=True,
        check=True,
        text=True,
    )
    told = json.loads(made.stdout)
    answer = httpx.get(
        f"http://127.0.0.1:{installation.port}/api/v1/account",
        headers={"Authorization": f"Bearer {told['api_key']}"},
    )
    assert (answer.json()["id"], answer.json()["timezone"]) == (told["account"], "Europe/Paris")
    assert answer.json()["write_key"] == told["write_key"]


def test_a_second_supervisor_on_the_same_port_says_so_and_ends(installation: Installation) -> None:
    command = [sys.executable, "-m", "parcours", "run", "--port", str(installation.port)]
    second = subprocess.run(
        command, env=installation.environment, capture_output=True, timeout=30, text=True, check=False
    )
    assert second.returncode != 0
    assert str(installation.port) in second.stderr
    assert installation.ready()


def test_a_body_without_end_is_cut_short_and_many_requests_at_once_are_answered(
    installation: Installation,
) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024 * 1024

    address = f"http://127.0.0.1:{installation.port}/api/v1/account"
    told = httpx.patch(address, content=b"x" * (11 * 1024 * 1024), timeout=30)
    assert (told.status_code, told.json()["type"]) == (413, "too-large")
    with contextlib.suppress(httpx.WriteError):  # Closed before all was written: refused as well.
        assert httpx.patch(address, content=endless(), timeout=30).status_code == 413
    with ThreadPoolExecutor(40) as many, httpx.Client(timeout=60) as client:
        answers = list(many.map(lambda _: client.get(address).status_code, range(120)))
    assert set(answers) == {401}


def test_metrics_tell_of_requests_and_queues(installation: Installation) -> None:
    address = f"http://127.0.0.1:{installation.port}/metrics"
    told = httpx.get(address).text
    assert "parcours_http_requests_total{" in told
    assert "parcours_digest_lag_seconds 0.0" in told
    assert httpx.get(address, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_an_import_goes_through_the_running_server(installation: Installation, tmp_path: Path) -> None:
    def parcours(*arguments: str) -> Any:
        command = [sys.executable, "-m", "parcours", *arguments]
        done = subprocess.run(
            command, env=installation.environment, capture_output=True, check=True, timeout=120
        )
        return json.loads(done.stdout)

    made = parcours("account", "create", "Import", "--email", "eve@example.org", "--password", "secret")
    file = tmp_path / "contacts.csv"
    file.write_text("email\nada@example.org\nbob@example.org\n")
    job = parcours("import", "contacts", str(file), "--account", made["account"])
    assert (job["status"], job["accepted"], job["refused"]) == ("finished", 2, [])
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    keys = httpx.get(f"http://127.0.0.1:{installation.port}/api/v1/api-keys", headers=headers).json()["items"]
    assert [key["revoked_at"] is None for key in keys] == [False, True], (
        "its key was for the time of the import"
    )


def test_the_end_of_the_supervisor_is_the_end_of_all(tmp_path: Path) -> None:
    running = Installation(tmp_path)
    try:
        until(running.ready, seconds=FIRST_START_SECONDS)
        pids = running.pids()
        running.process.kill()
        running.process.wait(10)
        until(lambda: not any(alive(pid) for pid in pids.values()), seconds=BACK_WITHIN_SECONDS)
    finally:
        running.end()
