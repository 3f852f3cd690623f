"""Publishes the draft of a journey under way as its next version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction
from django.utils.translation import gettext as _

from parcours.accounts import plans
from parcours.events import journal
from parcours.journeys import queries
from parcours.journeys.document import Document
from parcours.journeys.engine import parts, programs
from parcours.journeys.engine.commit import write_runs
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.runs import FAILED, RUN_COLUMNS, Run
from parcours.journeys.models import Journey, Version
from parcours.journeys.reading import escape
from parcours.lib import bulk
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid, Problem

Moved = Mapping[str, str | None]
"""Old step -> new step, or None to complete those who stand there."""


def publish(journey: Journey, document: Document, *, follow: bool, moved: Moved, now: datetime) -> Journey:
    """Put the checked draft in force.

    With `follow`, those under way go on in it at the same step, without a passage and since when they entered it;
    who stands at a step that is gone, or whose type changed, goes where `moved` says. Without, they end in the
    version by which they entered. Raises Problem (403, 409), and Invalid when `moved` leaves somebody nowhere.
    """
    plans.require_full(journey.account)
    with transaction.atomic():
        locked = Journey.objects.select_for_update().get(pk=journey.pk)
        if locked.status not in (Journey.Status.ACTIVE, Journey.Status.PAUSED) or locked.draft is None:
            raise Problem(409, "conflict", _("There is no draft to publish on this journey."))
        if locked.draft != journey.draft:
            raise Problem(409, "conflict", _("The draft has just been changed: look at it again."))
        # Batches under way were decided on the version before: their commits must fail.
        parts.steal(locked.pk)
        number = locked.version + 1
        if follow:
            _check(locked, document, moved)
        Version.objects.create(journey=locked, number=number, document=locked.draft, published_at=now)
        locked.version, locked.draft, locked.name = number, None, document.name
        locked.updated_at = now
        locked.save(update_fields=["version", "draft", "name", "updated_at"])
        if follow:
            _follow(locked, document, moved, to_ms(now))
    return locked


def _gone(known: programs.Programs, document: Document, version: int, step: str) -> bool:
    before, after = known.versions[version].document.steps.get(step), document.steps.get(step)
    return before is None or after is None or before.type != after.type


def _check(journey: Journey, document: Document, moved: Moved) -> None:
    known = queries.published(journey)
    faults: list[Fault] = [
        Fault(
            pointer=f"/moved/{escape(step)}",
            detail=_("%(number)d contacts stand at “%(step)s”, which is gone: say where they go.")
            % {"number": number, "step": step},
        )
        for version, step, number in queries.standing(journey)
        if _gone(known, document, version, step) and step not in moved
    ]
    faults += [
        Fault(pointer=f"/moved/{escape(old)}", detail=_("There is no step “%(step)s”.") % {"step": new})
        for old, new in moved.items()
        if new is not None and new not in document.steps
    ]
    if faults:
        raise Invalid(_("Some contacts would stand nowhere."), faults)


def _follow(journey: Journey, document: Document, moved: Moved, now: int) -> None:
    known = queries.published(journey)
    outcome = Outcome(journey.pk, now)
    for version, step, _number in queries.standing(journey):
        if version == journey.version:
            continue
        if not _gone(known, document, version, step):
            # They decide again at their step, as of when they entered it: a delay may have become longer.
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE journeys_enrolment SET version = %s, waiting = '',"
                    " due_at = CASE WHEN status = 'active' THEN step_at END"
                    " WHERE journey_id = %s AND version = %s AND step = %s AND status IN ('active', 'failed')",
                    [journey.version, journey.pk, version, step],
                )
            continue
        for run in _standing_at(journey, version, step):
            if run.status == FAILED:
                outcome.park(run, "", parked=False)
            run.version = journey.version
            outcome.go(run, moved[step], max(now, run.step_at))
    if outcome.runs:
        write_runs(outcome, known)
        changed = [(journey.version, number) for number in outcome.runs]
        bulk.update_many("journeys_enrolment", ("version",), changed)
        journal.append(outcome.entries, account_id=journey.account_id)


def _standing_at(journey: Journey, version: int, step: str) -> list[Run]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(RUN_COLUMNS)} FROM journeys_enrolment"
            " WHERE journey_id = %s AND version = %s AND step = %s AND status IN ('active', 'failed')",
            [journey.pk, version, step],
        )
        return [Run(*row) for row in cursor.fetchall()]
