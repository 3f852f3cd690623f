"""Which journeys depend on a segment."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import pgettext_lazy

from parcours.journeys.models import Enrolment, Journey, Version
from parcours.segments.names import Use


def in_force(account_id: int) -> list[tuple[Journey, list[Any]]]:
    """The journeys, but the archived, with their documents: as written, as published, as runs under way go on."""
    journeys = Journey.objects.filter(account_id=account_id).exclude(status=Journey.Status.ARCHIVED)
    under_way = Enrolment.objects.filter(account_id=account_id, status=Enrolment.Status.ACTIVE)
    followed = under_way.values_list("journey_id", "version").distinct()
    found = {journey.pk: (journey, [journey.draft]) for journey in journeys.order_by("name", "pk")}
    versions = Version.objects.filter(journey__in=journeys)
    wanted = Q(number=F("journey__version"))
    for journey_id, number in followed:
        wanted |= Q(journey_id=journey_id, number=number)
    for journey_id, document in versions.filter(wanted).values_list("journey_id", "document"):
        found[journey_id][1].append(document)
    return list(found.values())


def uses(account_id: int, segment_id: int) -> list[Use]:
    """The journeys that a segment moves."""
    return [
        Use(
            "journey",
            pgettext_lazy("kind", "Journey"),
            journey.pk,
            journey.name,
            reverse("journeys:edit", args=[journey.pk]),
        )
        for journey, documents in in_force(account_id)
        if _names(documents, str(segment_id))
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
