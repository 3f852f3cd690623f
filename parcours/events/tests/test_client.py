"""A command has the event store for its own time, whoever runs one already, and leaves none behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from parcours.events.store.server import read_address
from parcours.lib.leases import process_start

COMMAND = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "parcours.config.settings"
import django
django.setup()
from parcours.events.store.client import client, ensure_store, writer
with ensure_store():
    writer().insert("links", [[1, os.getpid()]], column_names=["account", "contact"])
    print(client().command("SELECT count() FROM links"), flush=True)
    sys.stdin.read()
"""


def command(folder: Path) -> subprocess.Popen[str]:
    """A command that uses the store, and ends when its stdin does."""
    environment = {**os.environ, "PARCOURS_DATA_DIR": str(folder)}
    environment.pop("PARCOURS_EVENTS_URL", None)
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(60) == 0


def said(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds."""
    deadline = time.monotonic() + 10
    while process_start(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.05)
    return process_start(pid) is None


def test_commands_share_a_store_and_leave_none_behind(tmp_path: Path) -> None:
    first = command(tmp_path)
    assert said(first) == 1
    pid = read_address(tmp_path)["pid"]
    second = command(tmp_path)
    assert said(second) == 2
    end(second)
    assert read_address(tmp_path)["pid"] == pid
    end(first)
    assert gone(pid)
    third = command(tmp_path)
    assert said(third) == 3
    end(third)


def test_the_store_of_a_killed_command_ends(tmp_path: Path) -> None:
    killed = command(tmp_path)
    assert said(killed) == 1
    pid = read_address(tmp_path)["pid"]
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    assert gone(pid)
