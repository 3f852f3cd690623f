"""Ends and revivals of many runs at once, asked for by people rather than by steps."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from parcours.events import journal
from parcours.journeys.engine import programs
from parcours.journeys.engine.commit import write_runs
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.runs import RUN_COLUMNS, Run
from parcours.journeys.models import Journey
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.messaging.actions import drop_queued

_AT_ONCE = 5_000
_SELECT = f"SELECT {', '.join(RUN_COLUMNS)} FROM journeys_enrolment WHERE journey_id = %s"


def end_archived(journey: Journey) -> int:
    """End the runs of an archived journey, some thousands in one transaction; answers how many.

    The engine commits nothing more for such a journey, so nobody else moves them. Killed half-way, it is called again.
    """
    ended, after = 0, 0
    while True:
        with transaction.atomic():
            # By contact, as their unique index has them: each transaction goes on where the last one stopped.
            runs = _locked(
                "status IN ('active', 'failed') AND contact_id > %s", "contact_id", [journey.pk, after]
            )
            now = to_ms(clock.now())
            outcome = Outcome(journey.pk, now)
            for run in runs:
                outcome.leave(run, "archived", max(now, run.step_at))
            _write(outcome, journey)
        ended += len(runs)
        if len(runs) < _AT_ONCE:
            drop_queued(journey_id=journey.pk)
            return ended
        # The last contact may have more runs than were read.
        after = runs[-1].contact - 1


def retry_parked(journey: Journey, *, step: str | None = None) -> int:
    """Let parked runs go on from where they stopped, at a step or at all; answers how many."""
    retried = 0
    with transaction.atomic():
        wanted, values = ("status = 'failed' AND step = %s", [step]) if step else ("status = 'failed'", [])
        while runs := _locked(wanted, "id", [journey.pk, *values]):
            outcome = Outcome(journey.pk, to_ms(clock.now()))
            for run in runs:
                outcome.park(run, "", parked=False)
            _write(outcome, journey)
            retried += len(runs)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE journeys_inbox SET error = '' WHERE journey_id = %s AND error <> ''", [journey.pk]
            )
    return retried


def _locked(condition: str, order: str, values: list[Any]) -> list[Run]:
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} AND {condition} ORDER BY {order} LIMIT {_AT_ONCE}{lock}", values)
        return [Run(*row) for row in cursor.fetchall()]


def _write(outcome: Outcome, journey: Journey) -> None:
    if outcome.empty:
        return
    write_runs(outcome, programs.of(journey.pk, journey.version))
    journal.append(outcome.entries, account_id=journey.account_id)
