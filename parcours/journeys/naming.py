"""The names of journeys' steps, for sentences, for choosing, and for criteria that name them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from parcours.contacts import naming
from parcours.journeys.models import Journey, Version


def steps(account_id: int, journey_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """For each journey of the account, the names of the steps of all its versions and its draft, by their ids.

    A step without a name is called by its id; the draft has the last word, then the newer versions.
    """
    journeys = Journey.objects.filter(account_id=account_id, pk__in=journey_ids)
    drafts = dict(journeys.values_list("pk", "draft"))
    found: dict[int, dict[str, str]] = {pk: {} for pk in drafts}
    versions = Version.objects.filter(journey_id__in=drafts).order_by("number")
    for pk, document in [*versions.values_list("journey_id", "document"), *drafts.items()]:
        found[pk].update(_of(document))
    return found


def _of(document: Any) -> dict[str, str]:
    listed = document.get("steps") if isinstance(document, dict) else None
    return {
        step["id"]: str(step.get("name") or step["id"])
        for step in listed or ()
        if isinstance(step, dict) and isinstance(step.get("id"), str)
    }


def step_ids(account_id: int, journey_id: int) -> frozenset[str] | None:
    """The ids of the steps of all versions; None when the account has no such journey."""
    found = steps(account_id, [journey_id]).get(journey_id)
    return None if found is None else frozenset(found)


class StepNames:
    """A source of names: a step's id is "journey/step", and so is what is searched: "journey/part of a name"."""

    def names(self, account_id: int, ids: Collection[str]) -> dict[str, str]:
        wanted = [one.partition("/") for one in ids]
        numbers = {int(journey) for journey, _, _ in wanted if _is_id(journey)}
        known = steps(account_id, numbers)
        return {
            f"{journey}/{step}": known[int(journey)][step]
            for journey, _, step in wanted
            if _is_id(journey) and step in known.get(int(journey), {})
        }

    def search(self, account_id: int, text: str, limit: int) -> list[tuple[str, str]]:
        journey, _, wanted = text.partition("/")
        if not _is_id(journey):
            return []
        known = steps(account_id, [int(journey)]).get(int(journey), {})
        return naming.best(((f"{journey}/{step}", name) for step, name in known.items()), wanted, limit)

    def url(self, id: str) -> str:
        return ""


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
