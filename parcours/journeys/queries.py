"""Journeys as they are now, for pages and for the packages above."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from parcours.contacts.merging.people import ever_merged
from parcours.journeys.engine import programs
from parcours.journeys.engine.programs import Programs
from parcours.journeys.graph import on_a_loop
from parcours.journeys.models import Enrolment, Journey, StepCount


def shown(journeys: QuerySet[Journey]) -> list[dict[str, Any]]:
    """Journeys with how many runs entered and how many are under way, in three queries however many there are."""
    found = list(journeys)
    entered: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    ends = Q(step="*completed") | Q(step__startswith="*exited:")
    for journey, step, passages in StepCount.objects.filter(
        Q(step="*entered") | ends, journey__in=found
    ).values_list("journey_id", "step", "passages"):
        (entered if step == "*entered" else ended)[journey] += passages
    parked = Enrolment.objects.filter(journey__in=found, status=Enrolment.Status.FAILED)
    ended.update(parked.values_list("journey_id", flat=True))
    return [
        {
            "journey": journey,
            "entered": entered[journey.pk],
            "active": entered[journey.pk] - ended[journey.pk],
        }
        for journey in found
    ]


def standing(journey: Journey) -> list[tuple[int, str, int]]:
    """Where runs stand now, parked ones included: (version, step, how many)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT version, step, count(*) FROM journeys_enrolment"
            " WHERE journey_id = %s AND status IN ('active', 'failed') GROUP BY version, step",
            [journey.pk],
        )
        return cursor.fetchall()


def published(journey: Journey) -> Programs:
    """The journey's versions, parsed. It must have been activated once."""
    return programs.of(journey.pk, journey.version)


def passed_once(journey: Journey) -> frozenset[str]:
    """The steps that a contact can pass at most once: in mode `once`, those that no loop leads back to.

    Of all versions together: a step that one of them lets a contact pass again is left out. Empty for a journey that
    can be entered again, and where contacts were merged: two who both passed are one who passed twice.
    """
    if not journey.version or ever_merged(journey.account_id):
        return frozenset()
    documents = [program.document for program in programs.of(journey.pk, journey.version).versions.values()]
    if any(document.mode != "once" for document in documents):
        return frozenset()
    steps = {step for document in documents for step in document.steps}
    return frozenset(steps - {step for document in documents for step in on_a_loop(document.steps)})
