"""An empty installation of its own for one benchmark: a data directory, its databases, its processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """A data directory, an account, and the processes started on them."""

    data_dir: Path
    port: int
    environment: dict[str, str]
    account: dict[str, Any] = field(default_factory=dict)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start `parcours …` on this installation."""
        command = [sys.executable, "-m", "parcours", *arguments]
        with (self.data_dir / "log").open("ab") as log:
            process = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Run `parcours …` to its end; answers what it printed."""
        command = [sys.executable, "-m", "parcours", *arguments]
        return subprocess.run(
            command, env=self.environment, check=True, capture_output=True, text=True
        ).stdout

    def wait(self, path: str = "/healthz", *, seconds: float = 60) -> None:
        """Wait until an address answers 200."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} does not answer; see {self.data_dir / 'log'}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End every process that was started."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()


def setup_django() -> None:
    """Make this process one of the installation that its environment names."""
    from parcours.config import startup

    startup.setup_django()


def own_environment(folder: str | Path, **more: str) -> dict[str, str]:
    """The environment of an installation whose data lies in a folder: nothing of another one's stays in it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PARCOURS_")}
    return {**inherited, "PARCOURS_DATA_DIR": str(folder), **more}


def apart(function: str, environment: dict[str, str], *arguments: Any) -> Any:
    """Call `module.function(*arguments)` of this package in a process of its own; answers what it returns (JSON)."""
    module, name = function.rsplit(".", 1)
    command = [
        sys.executable,
        "-c",
        "import json, sys; from importlib import import_module as load;"
        f" print(json.dumps(load('benchmarks.{module}').{name}(*json.loads(sys.argv[1]))))",
        json.dumps(arguments),
    ]
    told = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout
    return json.loads(told.splitlines()[-1])


@contextlib.contextmanager
def installation(**environment: str) -> Iterator[Installation]:
    """An installation with an account, thrown away at the end."""
    data_dir = Path(tempfile.mkdtemp(prefix="parcours-bench-"))
    port = free_port()
    settings = own_environment(data_dir, PARCOURS_PUBLIC_URL=f"http://127.0.0.1:{port}", **environment)
    made = Installation(data_dir, port, settings)
    try:
        made.run("migrate")
        made.account = json.loads(
            made.run("account", "create", "Bench", "--email", "b@example.org", "--password", "bench-1234-x")
        )
        yield made
    finally:
        made.stop()
        shutil.rmtree(data_dir, ignore_errors=True)
