"""`parcours work`: one thread for each kind of work, until the process is told to end."""

from __future__ import annotations

import gc
import signal
import threading
import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)

#: name -> a function that does one round of work and says whether there was any.
Round = Callable[[], bool]
_IDLE_SECONDS = 0.1
_CLOCK_EVERY_SECONDS = 2.0
_LONGEST_PAUSE = 5.0


def rounds() -> dict[str, Round]:
    """The kinds of work of this installation."""
    from parcours.accounts import jobs
    from parcours.contacts import search
    from parcours.contacts.merging import forgetting
    from parcours.events import housekeeping
    from parcours.journeys import work as journeys
    from parcours.messaging import work as messaging
    from parcours.segments import work as segments
    from parcours.tracking import work as tracking

    return {
        "forgetting": forgetting.round,
        "housekeeping": housekeeping.round,
        "jobs": jobs.round,
        "search": search.round,
        "journeys": journeys.round,
        "messaging": messaging.round,
        "segments": segments.round,
        "digest": tracking.round,
    }


def _loop(name: str, work: Round, stop: threading.Event) -> None:
    pause = 0.0
    while not stop.is_set():
        try:
            busy = work()
            pause = 0.0
        except Exception:
            # One kind of work that fails must not end the others: it is told, and tried again later.
            from django.db import close_old_connections

            close_old_connections()
            pause = min(_LONGEST_PAUSE, max(0.2, pause * 2))
            log.exception("work failed", work=name, next_try_in=pause)
            stop.wait(pause)
            continue
        if not busy:
            stop.wait(_IDLE_SECONDS)


def _keep_clock() -> None:
    from django.db import DatabaseError, close_old_connections

    from parcours.config import startup

    try:
        startup.keep_clock()
    except DatabaseError as error:
        close_old_connections()
        log.warning("clock not kept", error=str(error))


def quieten() -> None:
    """Let this process look for cycles seldom.

    Work goes through batches of thousands of small objects that die together: looking for cycles among them at each
    thousandth costs a quarter of the digest's time, and finds none.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def run() -> None:
    """Work until SIGTERM or SIGINT; what is under way is finished first."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    threads = [
        threading.Thread(target=_loop, args=(name, work, stop), name=name, daemon=True)
        for name, work in rounds().items()
    ]
    quieten()
    for thread in threads:
        thread.start()
    clock_due = time.monotonic()
    while (
        not stop.is_set()
    ):  # Not stop.wait: a signal's handler that sets it while waiting could block for ever.
        if time.monotonic() >= clock_due:
            _keep_clock()
            clock_due = time.monotonic() + _CLOCK_EVERY_SECONDS
        time.sleep(0.1)
    for thread in threads:
        thread.join(timeout=8)
