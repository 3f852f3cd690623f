"""Chunks read by a thread while others are written: all of them, in their order, and no thread stays."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from parcours.accounts import jobs
from parcours.contacts.importing.ahead import Ahead
from parcours.contacts.tests.conftest import Shop


def numbers(made: list[int], last: int) -> Generator[int]:
    for number in range(1, last + 1):
        made.append(number)
        yield number


def test_all_items_come_in_their_order_and_few_are_made_ahead() -> None:
    made: list[int] = []
    with Ahead(numbers(made, 50), most=2) as items:
        taken = []
        while (item := items.next()) is not None:
            taken.append(item)
            assert len(made) <= len(taken) + 4  # two wait, one is on its way in, one is being made
        assert items.next() is None
    assert taken == list(range(1, 51))


def test_what_is_not_ready_is_not_waited_for() -> None:
    go_on = threading.Event()

    def slow() -> Generator[int]:
        go_on.wait()
        yield 1

    with Ahead(slow(), most=2) as items:
        assert items.next(wait=False) is None
        go_on.set()
        assert items.next() == 1
        assert items.next() is None


def test_an_error_comes_after_what_was_made_before_it_and_only_to_who_waits() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise FileNotFoundError("gone")

    with Ahead(broken(), most=2) as items:
        assert items.next() == 1
        time.sleep(0.05)
        assert items.next(wait=False) is None
        with pytest.raises(FileNotFoundError):
            items.next()


def test_the_thread_ends_with_the_block_whatever_it_is_doing() -> None:
    closed = threading.Event()

    def endless() -> Generator[int]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Ahead(endless(), most=1) as items:
        items.next()
        raise ZeroDivisionError
    assert closed.is_set()
    assert threading.active_count() == before


@pytest.mark.django_db
@pytest.mark.usefixtures("no_uploads")
def test_lines_that_cannot_be_read_are_refused_in_the_senders_language(shop: Shop) -> None:
    body = b"email,city\na@example.org\n"
    answer = shop.client.post(
        "/api/v1/contacts/import", body, content_type="text/csv", headers={"Accept-Language": "fr"}
    )
    assert answer.status_code == 202
    assert jobs.round()
    job = shop.client.get(f"/api/v1/jobs/{answer.json()['job']}").json()
    assert job["refused"] == [{"line": 2, "reason": "La ligne a 1 cellules, l’en-tête en a 2."}]
