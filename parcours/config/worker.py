"""`parcours work`: one thread for each kind of work, until the process is told to end."""

from __future__ import annotations

import gc
import signal
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import structlog

from parcours.lib.changes import Changes

if TYPE_CHECKING:
    from parcours.events.journal import CollectorJournal

log = structlog.get_logger(__name__)

#: name -> a function that does one round of work and says whether there was any.
Round = Callable[[], bool]
_TICK_SECONDS = 0.1
#: How long work that found nothing to do rests at most. It is woken as soon as anything is written; these are for what
#: falls due by the mere passing of time: a wait in a journey, a send put off, a window that ends, a lease.
_REST_SECONDS = 2.0
_RESTS = {"journeys": _TICK_SECONDS, "messaging": 0.5, "segments": 0.5}
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


class Watch:
    """Says whether anything was written that some work may have to take up; for one thread that does no work."""

    def __init__(self) -> None:
        self._state = Changes()
        self._collected: CollectorJournal | None = None
        self._version = -1

    def changed(self) -> bool:
        """Whether there may be something new since the last time; where that cannot be known, there is."""
        from django.db import Error, close_old_connections

        from parcours.events.journal import open_collector_journal

        try:
            self._collected = self._collected or open_collector_journal()
            version, before = self._collected.version(), self._version
            self._version = version
            return self._state.any() or version != before
        except (Error, sqlite3.Error):
            close_old_connections()
            return True


def _rest(name: str) -> float:
    """How long a kind of work may rest, in seconds, when nothing is written."""
    from parcours.lib import clock

    # An installation on trial may live through hours in a second.
    return _RESTS.get(name, _REST_SECONDS) if clock.is_machine() else _TICK_SECONDS


def _loop(name: str, work: Round, stop: threading.Event, wake: threading.Event) -> None:
    pause, rest = 0.0, _rest(name)
    while not stop.is_set():
        wake.clear()  # Before the round: what is written during it is looked at in the next one.
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
            wake.wait(rest)


def _wake(wakes: dict[str, threading.Event]) -> None:
    for wake in wakes.values():
        wake.set()


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
    stop, kinds = threading.Event(), rounds()
    wakes = {name: threading.Event() for name in kinds}
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    threads = [
        threading.Thread(target=_loop, args=(name, work, stop, wakes[name]), name=name, daemon=True)
        for name, work in kinds.items()
    ]
    quieten()
    for thread in threads:
        thread.start()
    watch, clock_due = Watch(), time.monotonic()
    while (
        not stop.is_set()
    ):  # Not stop.wait: a signal's handler that sets it while waiting could block for ever.
        if time.monotonic() >= clock_due:
            _keep_clock()
            clock_due = time.monotonic() + _CLOCK_EVERY_SECONDS
        time.sleep(_TICK_SECONDS)
        if watch.changed():
            _wake(wakes)
    _wake(wakes)
    for thread in threads:
        thread.join(timeout=8)
