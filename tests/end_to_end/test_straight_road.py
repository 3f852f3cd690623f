"""Twenty contacts go down the straight road while the work process dies, once, at each of its boundaries."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from parcours.lib.crashpoints import EXIT_CODE
from parcours.messaging.sink import Sink
from tests.end_to_end import road
from tests.fixtures.data_dirs import give_schema
from tests.fixtures.installation import Installation, free_port

#: A random share of the boundaries is tried at each run; PARCOURS_SWEEP=all tries every one.
SHARE = 3


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Web and store run throughout; each trial starts the work process itself."""
    folder = tmp_path_factory.mktemp("road")
    mails = Sink(directory=folder / "sink").start()
    environment = {"PARCOURS_EMAIL_URL": mails.url, "PARCOURS_EMAIL_CONNECTIONS": "2"}
    made = Installation(folder, free_port(), environment)
    give_schema(folder)
    with part(made, "store"), part(made, "web", "--port", str(made.port)):
        wait_for(made)
        yield made
    made.stop()
    mails.stop()


@contextmanager
def part(
    installation: Installation, *arguments: str, crash_at: str = ""
) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the installation, ended at the end."""
    environment = installation._environment() | {"PARCOURS_CRASH_AT": crash_at}
    with installation.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "parcours", *arguments], env=environment, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(installation: Installation) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            if httpx.get(f"{installation.url}/healthz", timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        assert time.monotonic() < deadline, installation.log.read_text()[-3000:]
        time.sleep(0.1)


def boundaries() -> list[int]:
    """Which passings of a boundary to die at: the numbers of a random share, or all."""
    every = list(range(1, 121))
    if os.environ.get("PARCOURS_SWEEP") == "all":
        return every
    # The workers of one run must draw the same numbers; each run draws others.
    chance = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))
    return sorted(chance.sample(every[:60], SHARE - 1) + chance.sample(every[60:], 1))


@pytest.mark.parametrize("boundary", boundaries())
def test_nobody_is_lost_and_nobody_written_to_twice(installation: Installation, boundary: int) -> None:
    laid = road.lay(installation, f"Route {boundary}")
    with part(installation, "work", crash_at=f"*:{boundary}") as dying:
        road.drive(laid)
        deadline = time.monotonic() + 90
        while dying.poll() is None and not laid.over():
            assert time.monotonic() < deadline, "The work process neither died nor came to the end."
            time.sleep(0.05)
    died = dying.returncode == EXIT_CODE
    with part(installation, "work"):
        road.wait_until_over(laid, seconds=120)
    unknown = road.assert_nobody_lost_or_doubled(laid, installation)
    assert unknown <= (2 if died else 0), "More of unknown fate than there were connections."
