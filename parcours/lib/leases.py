"""Who works on a row, and until when.

A worker is named by its machine, its machine's start, its process and its process's start. A lease is counted in
the machine's own time (never the product's clock); the lease of a process of this machine that is dead is freed at
once, that of another machine when it runs out. Every claim writes a new fence (a number that only grows): a stale
worker's commit finds another fence and fails.
"""

from __future__ import annotations

import functools
import os
import socket
from pathlib import Path

from parcours.lib.clock import machine_ms

LEASE_MS = int(float(os.environ.get("PARCOURS_LEASE_SECONDS", "15")) * 1000)
SWEEP_SECONDS = float(os.environ.get("PARCOURS_SWEEP_SECONDS", "5"))


@functools.cache
def boot_id() -> str:
    """What changes when the machine starts anew."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
    except OSError:
        return "unknown"


@functools.cache
def machine() -> str:
    """This machine since its last start."""
    return f"{socket.gethostname()[:40]}/{boot_id()}"


def process_start(pid: int) -> str | None:
    """The start of a process of this machine (clock ticks since boot), or None when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else fields[19]


def me() -> str:
    """The name of this process as a worker."""
    pid = os.getpid()
    return f"{machine()}/{pid}/{process_start(pid)}"


def is_dead(worker: str) -> bool:
    """Whether a worker is surely dead: a process of this machine that no longer runs."""
    where, _, rest = worker.rpartition("/")
    where, _, pid = where.rpartition("/")
    if where != machine() or not pid.isdigit():
        return False
    return process_start(int(pid)) != rest


def until() -> int:
    """When a lease taken now runs out, in machine milliseconds."""
    return machine_ms() + LEASE_MS
