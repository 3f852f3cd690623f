"""The watermark: complete until `as_of`, and the same load for an answer's `as_of` ever after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import Phase
from hypothesis import settings as chosen
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from parcours.events import journal, watermark
from parcours.events.entries import Touched
from parcours.events.models import JournalRow, Load, Shard
from parcours.lib import clock
from parcours.lib.instants import from_ms, to_ms

pytestmark = [pytest.mark.django_db, pytest.mark.database]
START = from_ms(1_700_000_000_000)
MS = timedelta(milliseconds=1)


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    clock.freeze(START)
    yield
    clock.freeze(None)


def pass_time(ms: int = 1) -> datetime:
    clock.freeze(clock.now() + ms * MS)
    return clock.now()


def accept(account: int = 1) -> None:
    journal.append([Touched([1])], account_id=account)


def compose(account: int = 1, *, most: int = 1000) -> Load:
    """What the digest's first transaction does, without its work."""
    now = clock.now()
    rows = list(JournalRow.objects.filter(account_id=account).order_by("id")[:most])
    JournalRow.objects.filter(id__in=[row.pk for row in rows]).delete()
    left = JournalRow.objects.filter(account_id=account).order_by("created_at").first()
    upto = now if left is None else min(now, left.created_at - MS)
    accepted_from = min(row.created_at for row in rows)
    return Load.objects.create(
        account_id=account,
        accepted_from=accepted_from,
        accepted_upto=watermark.next_upto(account, upto, accepted_from=accepted_from),
    )


def finish(load: Load) -> None:
    load.status = Load.Status.DONE
    load.done_at = clock.now()
    load.save()


def test_an_account_with_nothing_is_complete_now() -> None:
    assert watermark.current(1) == watermark.Watermark(START, 0)
    assert watermark.digested(1)


def test_what_waits_or_is_under_way_holds_the_instant_back() -> None:
    accept()
    accepted = clock.now()
    pass_time(500)
    assert not watermark.digested(1)
    assert watermark.current(1).as_of < accepted
    load = compose()
    pass_time(500)
    assert not watermark.digested(1)
    assert watermark.current(1).as_of < accepted
    assert watermark.current(1).load == 0
    finish(load)
    assert watermark.digested(1)
    assert watermark.current(1) == watermark.Watermark(clock.now(), load.pk)
    assert watermark.current(2) == watermark.Watermark(clock.now(), 0)


def test_a_mark_is_passed_though_more_keeps_coming() -> None:
    accept()
    mark = watermark.mark(1)
    pass_time()
    accept()
    load = compose(most=1)
    assert not watermark.passed(mark)
    finish(load)
    assert watermark.passed(mark)
    compose()
    assert watermark.passed(mark)
    assert not watermark.digested(1)


@pytest.mark.skipif(connection.vendor == "postgresql", reason="There the collector writes to the same table.")
def test_the_collectors_file_counts() -> None:
    file = journal.SQLiteJournal(settings.DATA_DIR / "collector.sqlite3")
    file.append_many([(1, 0, 1, to_ms(START), journal.encode([Touched([1])]))])
    pass_time(10)
    assert not watermark.digested(1)
    assert watermark.digested(2)
    assert watermark.current(1).as_of < START
    last = file.head(account_id=1, after_id=0)
    Shard.objects.create(id=0, collector_upto=last)
    assert watermark.digested(1)
    file.trim(last)


def test_waiting_ends_at_its_deadline() -> None:
    accept()
    assert not watermark.wait_digested(1, 0.05)
    finish(compose())
    assert watermark.wait_digested(1, 0.05)


def test_an_answer_from_before_or_to_come() -> None:
    accept()
    load = compose()
    finish(load)
    assert watermark.at(1, START - timedelta(days=1)).load == 0
    assert watermark.at(1, START + timedelta(days=1)) == watermark.current(1)


class Digesting(RuleBasedStateMachine):
    """Rows come, loads are composed and done, answers are read: what was said once stays true."""

    def __init__(self) -> None:
        super().__init__()
        Load.objects.all().delete()
        JournalRow.objects.all().delete()
        self.open: Load | None = None
        self.answers: list[watermark.Watermark] = []
        self.accepted: list[datetime] = []  # in their order; the first `digested` are in loads that are done
        self.composed = 0
        self.digested = 0

    @rule()
    def time_passes(self) -> None:
        pass_time()

    @rule()
    def much_time_passes(self) -> None:
        pass_time(1000)

    @rule()
    def something_is_accepted(self) -> None:
        accept()
        self.accepted.append(clock.now())

    @precondition(lambda self: self.open is None and len(self.accepted) > self.composed)
    @rule()
    def part_is_composed(self) -> None:
        pass_time(2)  # No load is composed in the millisecond of another.
        self.open = compose(most=2)
        self.composed = min(self.composed + 2, len(self.accepted))

    @precondition(lambda self: self.open is not None)
    @rule()
    def the_load_is_done(self) -> None:
        assert self.open is not None
        finish(self.open)
        self.open = None
        self.digested = self.composed

    @rule()
    def an_answer_is_read(self) -> None:
        found = watermark.current(1)
        self.answers.append(found)
        assert found.load == (
            Load.objects.filter(status="done").order_by("-id").values_list("id", flat=True).first() or 0
        )
        assert all(instant + MS >= found.as_of for instant in self.accepted[self.digested :])
        assert watermark.digested(1) == (self.digested == len(self.accepted))

    @invariant()
    def what_was_answered_is_found_again(self) -> None:
        for answer in self.answers[-4:]:
            assert watermark.at(1, answer.as_of) == answer


def test_answers_stay_true() -> None:
    # Shrinking takes minutes, and the rules that led to a failure are few as it is.
    quick = chosen(max_examples=15, stateful_step_count=25, database=None, phases=[Phase.generate])
    run_state_machine_as_test(Digesting, settings=quick)
