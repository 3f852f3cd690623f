"""Jobs: done once, whole, by one worker, and gone on with after a death."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, transaction

from parcours.accounts import actions, jobs
from parcours.accounts.models import Account, Job
from parcours.lib import clock
from parcours.lib.problems import Problem

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
TOTAL = 10


class Counting:
    """A runner that does TOTAL lines, one transaction each, from where the job stands; it can die on the way."""

    def __init__(self, *, die_at: int | None = None, error: type[BaseException] = KeyboardInterrupt) -> None:
        self.die_at, self.error = die_at, error
        self.done: list[int] = []

    def __call__(self, running: jobs.Running) -> None:
        while running.job.done_lines < TOTAL:
            line = running.job.done_lines
            if line == self.die_at:
                self.die_at = None
                raise self.error
            with transaction.atomic():
                self.done.append(line)
                running.advance(accepted=1, lines=1)


@pytest.fixture(autouse=True)
def _kinds() -> Iterator[None]:
    before = dict(jobs._runners)
    yield
    jobs._runners.clear()
    jobs._runners.update(before)


@pytest.fixture
def account() -> Account:
    return actions.create_account(name="A", email="ada@example.org", password="correct horse battery").account


def enqueue(account: Account, runner: Any) -> Job:
    jobs.register("trial", runner)
    return jobs.enqueue(account, "trial", {})


def test_a_job_is_done_and_tells_what_it_refused(account: Account) -> None:
    def run(running: jobs.Running) -> None:
        running.advance(accepted=2, lines=3, refused=[{"line": 2, "reason": "No address."}], bytes_done=30)

    job = enqueue(account, run)
    assert jobs.round() is True
    assert jobs.round() is False
    job.refresh_from_db()
    told = jobs.as_json(job)
    assert (told["status"], told["accepted"], told["refused_count"]) == ("finished", 2, 1)
    assert told["refused"] == [{"line": 2, "reason": "No address."}]
    assert told["progress"] == {"bytes": 30, "total_bytes": 0, "lines": 3}
    assert job.finished_at is not None


def test_a_job_whose_worker_died_goes_on_where_its_rows_say(account: Account) -> None:
    runner = Counting(die_at=4)
    job = enqueue(account, runner)
    with pytest.raises(KeyboardInterrupt):
        jobs.round()
    Job.objects.filter(pk=job.pk).update(worker="another-machine/0/1/2")
    assert jobs.round() is False, "its lease still runs"
    Job.objects.filter(pk=job.pk).update(lease_until=clock.machine_ms() - 1)
    assert jobs.round() is True
    job.refresh_from_db()
    assert (job.status, job.accepted, runner.done) == ("finished", TOTAL, list(range(TOTAL)))


def test_a_worker_that_lost_its_job_commits_nothing_more(account: Account) -> None:
    def run(running: jobs.Running) -> None:
        running.advance(accepted=1)
        Job.objects.filter(pk=running.job.pk).update(fence=99)  # Another worker has taken it.
        running.advance(accepted=1)

    job = enqueue(account, run)
    assert jobs.round() is True
    job.refresh_from_db()
    assert (job.status, job.accepted) == ("running", 1)


def test_a_problem_fails_the_job_with_its_sentence_and_a_fault_of_ours_tells_nothing(
    account: Account,
) -> None:
    def refuse(running: jobs.Running) -> None:
        raise Problem(422, "invalid", "The column “email” is missing.")

    def break_down(running: jobs.Running) -> None:
        raise ZeroDivisionError("secret of the inside")

    first, second = enqueue(account, refuse), None
    jobs.round()
    second = enqueue(account, break_down)
    jobs.round()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, first.error) == ("failed", "The column “email” is missing.")
    assert second.status == "failed"
    assert "secret" not in second.error


def test_a_database_that_goes_away_gives_the_job_back(account: Account) -> None:
    runner = Counting(die_at=3, error=OperationalError)
    job = enqueue(account, runner)
    with pytest.raises(OperationalError):
        jobs.round()
    assert jobs.round() is True
    job.refresh_from_db()
    assert (job.status, runner.done) == ("finished", list(range(TOTAL)))


def test_an_unknown_kind_is_refused_at_the_door(account: Account) -> None:
    with pytest.raises(LookupError):
        jobs.enqueue(account, "nothing-does-this", {})
