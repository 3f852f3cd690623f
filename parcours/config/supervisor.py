"""`parcours run`: keeps the installation's processes alive on one machine.

Each part is a process of its own (Python work beside the collector would starve it). One that dies is started
again at once, and after a short pause that doubles when it keeps dying.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

_HEALTHY_AFTER = 10.0
_LONGEST_PAUSE = 2.0  # with its start, a part is back within five seconds however often it is killed
_PR_SET_PDEATHSIG = 1


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_supervisor = os.getpid()


def _die_with_parent() -> None:
    """Runs in the child: the kernel ends it when the supervisor dies, so that none is left holding a lock."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != _supervisor:  # It died before the kernel was asked.
        os._exit(1)


@dataclass
class Part:
    """One process to keep alive."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = 0.0
    not_before: float = field(default=0.0)


class Supervisor:
    """Starts parts, restarts those that die, ends them all together."""

    def __init__(self, *, data_dir: Path, parts: list[Part]) -> None:
        self.parts = parts
        self.run_dir = data_dir / "run"
        self.stopping = False

    def _start(self, part: Part) -> None:
        command = [sys.executable, "-m", "parcours", *part.arguments]
        # The supervisor has one thread, so that code run between fork and exec is safe.
        part.process = subprocess.Popen(command, preexec_fn=_die_with_parent)  # noqa: S603, PLW1509
        part.started = time.monotonic()
        self.run_dir.mkdir(parents=True, exist_ok=True)
        (self.run_dir / f"{part.name}.pid").write_text(str(part.process.pid))
        log.info("part started", part=part.name, pid=part.process.pid)

    def _watch(self, part: Part) -> None:
        if part.process is None:
            if time.monotonic() >= part.not_before:
                self._start(part)
            return
        code = part.process.poll()
        if code is None:
            return
        lived = time.monotonic() - part.started
        part.pause = 0.0 if lived > _HEALTHY_AFTER else min(_LONGEST_PAUSE, max(0.1, part.pause * 2))
        part.not_before = time.monotonic() + part.pause
        part.process = None
        log.warning("part died", part=part.name, code=code, lived_seconds=round(lived, 1), pause=part.pause)

    def stop(self, *_: object) -> None:
        """Ask for the end; `run` returns once every part has ended."""
        self.stopping = True

    def run(self) -> None:
        """Keep the parts alive until told to stop (SIGTERM or SIGINT)."""
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        while not self.stopping:
            for part in self.parts:
                self._watch(part)
            time.sleep(0.05)
        for part in reversed(self.parts):
            if part.process is not None:
                part.process.terminate()
        deadline = time.monotonic() + 10
        for part in self.parts:
            if part.process is None:
                continue
            try:
                part.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                part.process.kill()
                part.process.wait()
            (self.run_dir / f"{part.name}.pid").unlink(missing_ok=True)


def parts_of(*, host: str, port: int, embedded_store: bool) -> list[Part]:
    """The parts of an installation on one machine."""
    parts = [Part("web", ["web", "--host", host, "--port", str(port)]), Part("work", ["work"])]
    if embedded_store:
        parts.insert(0, Part("store", ["store"]))
    return parts


def run(*, host: str, port: int, besides: Mapping[str, list[str]] | None = None) -> None:
    """Prepare the database, then supervise web, work and store; `besides`: name -> arguments of further parts."""
    from django.conf import settings

    from parcours.config import startup

    startup.migrate()
    startup.start_clock()
    parts = parts_of(host=host, port=port, embedded_store=not settings.EVENTS_URL)
    parts += [Part(name, arguments) for name, arguments in (besides or {}).items()]
    Supervisor(data_dir=settings.DATA_DIR, parts=parts).run()
