"""Which journeys depend on a segment."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from parcours.journeys.models import Enrolment, Journey, Version
from parcours.segments.names import Use


def uses(account_id: int, segment_id: int) -> list[Use]:
    """The journeys, but the archived, that a segment moves: as written, as published, or as runs under way go on."""
    journeys = Journey.objects.filter(account_id=account_id).exclude(status=Journey.Status.ARCHIVED)
    under_way = Enrolment.objects.filter(account_id=account_id, status=Enrolment.Status.ACTIVE)
    followed = under_way.values_list("journey_id", "version").distinct()
    documents: dict[int, list[Any]] = {journey.pk: [journey.draft] for journey in journeys}
    versions = Version.objects.filter(journey__in=journeys)
    wanted = Q(number=F("journey__version"))
    for journey_id, number in followed:
        wanted |= Q(journey_id=journey_id, number=number)
    for journey_id, document in versions.filter(wanted).values_list("journey_id", "document"):
        documents[journey_id].append(document)
    return [
        Use(
            "journey",
            pgettext_lazy("kind", "Journey"),
            journey.pk,
            journey.name,
            reverse("journeys:edit", args=[journey.pk]),
        )
        for journey in journeys.order_by("name", "pk")
        if _names(documents[journey.pk], str(segment_id))
    ]


def _names(document: Any, segment: str) -> bool:
    """Whether some part of a document says `"segment": ID`."""
    stack = [document]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            if "segment" in one and str(one["segment"]) == segment:
                return True
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
    return False
