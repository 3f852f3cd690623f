"""Work that has nothing to do rests, and is woken by whatever is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from parcours.config import worker
from parcours.events.journal import open_collector_journal
from parcours.lib import clock
from parcours.messaging import work as messaging

_LONG = 30.0


class Running:
    """One kind of work in a thread of its own, as the process runs it."""

    def __init__(self, work: Callable[[], bool]) -> None:
        self.stop, self.wake = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=worker._loop, args=("work", work, self.stop, self.wake))
        self.thread.start()

    def end(self) -> None:
        self.stop.set()
        self.wake.set()
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def resting_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_REST_SECONDS", _LONG)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end, "too long"
        time.sleep(0.005)


def test_idle_work_rests_until_it_is_woken(resting_long: None) -> None:
    looks: list[float] = []

    def work() -> bool:
        looks.append(time.monotonic())
        return False

    running = Running(work)
    try:
        wait_for(lambda: len(looks) == 1)
        time.sleep(0.3)
        assert len(looks) == 1
        running.wake.set()
        wait_for(lambda: len(looks) == 2)
    finally:
        running.end()


def test_what_is_written_during_a_round_is_looked_at_next(resting_long: None) -> None:
    """The watch may wake work that is under way and has looked already."""
    looks = 0

    def work() -> bool:
        nonlocal looks
        looks += 1
        if looks == 1:
            running.wake.set()
        return False

    ready = threading.Event()
    running = Running(lambda: ready.wait() and work())
    try:
        ready.set()
        wait_for(lambda: looks == 2)
        time.sleep(0.2)
        assert looks == 2
    finally:
        running.end()


def test_on_a_trials_clock_work_looks_as_often_as_ever() -> None:
    assert worker._rest("segments") > worker._rest("journeys") == worker._TICK_SECONDS
    clock.freeze(clock.now())
    try:
        assert worker._rest("segments") == worker._TICK_SECONDS
    finally:
        clock.freeze(None)


@pytest.mark.django_db
def test_a_call_that_was_collected_is_noticed(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path
    collected = open_collector_journal(writer=True)
    try:
        if not collected.separate:
            pytest.skip("It lies in the state database.")
        watch = worker.Watch()
        assert watch.changed()
        assert not watch.changed()
        collected.append_many([(1, 0, 1, 1, b"")])
        assert watch.changed()
        assert not watch.changed()
    finally:
        collected.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.database
def test_idle_work_writes_nothing(settings: Any, tmp_path: Any) -> None:
    """Else each kind of work would wake all others for ever."""
    settings.DATA_DIR = tmp_path
    rounds = worker.rounds()
    assert rounds["messaging"] is messaging.round
    for work in rounds.values():  # The first rounds take the shards, and end what other tests left.
        while work():
            pass
    with CaptureQueriesContext(connection) as captured:
        busy = [name for name, work in rounds.items() if work()]
    assert busy == []
    asked = [query["sql"] for query in captured]
    assert len(asked) > 5
    assert [sql for sql in asked if not sql.lstrip().upper().startswith(("SELECT", "WITH"))] == []
