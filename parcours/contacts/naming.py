"""Names of what events point to: lists from here, journeys, messages and segments from the packages above."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from parcours.contacts.lines import whole_id
from parcours.contacts.models import List


@dataclass(frozen=True)
class Named:
    """Something that an event points to: its name and its page."""

    name: str
    url: str


Namer = Callable[[int, list[int]], Mapping[int, Named]]


def _lists(account_id: int, ids: list[int]) -> Mapping[int, Named]:
    rows = List.objects.filter(account_id=account_id, pk__in=ids).values_list("pk", "name")
    return {pk: Named(name, reverse("lists:list", args=[pk])) for pk, name in rows}


_namers: dict[str, Namer] = {"list": _lists}


def register(kind: str, namer: Namer) -> None:
    """Say who names the things of a kind (`journey`, `message`, `segment`): `namer(account_id, ids)`."""
    _namers[kind] = namer


def names(account_id: int, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Named]:
    """The names of (kind, id) pairs, in one call for each kind; those that are gone are left out."""
    asked: dict[str, set[int]] = {}
    for kind, text in wanted:
        number = whole_id(text)
        if kind in _namers and number is not None:
            asked.setdefault(kind, set()).add(number)
    return {
        (kind, str(number)): named
        for kind, numbers in asked.items()
        for number, named in _namers[kind](account_id, sorted(numbers)).items()
    }
