"""Names behind ids, for timelines, for sentences and for choosing: each package says where those of its things are.

A source belongs to a kind: list, segment, journey, step, message… A step's id is "journey/step". The kinds of other
systems' objects (campaign, form…) are answered from the names last seen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.urls import reverse

from parcours.accounts.models import BusinessUnit
from parcours.contacts.models import List
from parcours.contacts.search import fold
from parcours.events import names as objects

MOST_SEARCHED = 5_000
"""So many of an account's things of one kind are looked through by name at most, those last made."""


@dataclass(frozen=True)
class Named:
    """Something that has an id: its name, and its page where it has one."""

    name: str
    url: str


class Source(Protocol):
    """Where the names of one kind are."""

    def names(self, account_id: int, ids: Collection[str]) -> dict[str, str]:
        """id -> name; ids that are unknown in the account are left out."""

    def search(self, account_id: int, text: str, limit: int) -> list[tuple[str, str]]:
        """(id, name) of those whose name holds the text, whatever its case and accents, by name."""

    def url(self, id: str) -> str:
        """The page of one of them; empty when it has none."""


@dataclass(frozen=True)
class Rows:
    """The rows of a model that have a `name`. `model` is called once the models are ready; `key` is what criteria and
    events call a row by; `account` leads to its account; `page` is the URL whose one argument is the key."""

    model: Callable[[], Any]
    key: str = "pk"
    account: str = "account_id"
    page: str = ""

    def names(self, account_id: int, ids: Collection[str]) -> dict[str, str]:
        wanted = [one for one in ids if self.key != "pk" or _is_number(one)]
        found = self.model().objects.filter(**{self.account: account_id, f"{self.key}__in": wanted})
        return {str(key): name for key, name in found.values_list(self.key, "name") if name}

    def search(self, account_id: int, text: str, limit: int) -> list[tuple[str, str]]:
        found = self.model().objects.filter(**{self.account: account_id}).order_by("-pk")
        rows = found.values_list(self.key, "name")[:MOST_SEARCHED]
        return best(((str(key), name or str(key)) for key, name in rows), text, limit)

    def url(self, id: str) -> str:
        return reverse(self.page, args=[id]) if self.page else ""


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


@dataclass(frozen=True)
class Objects:
    """The names that events or the API gave to objects of another system."""

    kind: str

    def names(self, account_id: int, ids: Collection[str]) -> dict[str, str]:
        return {
            one: name
            for (_, one), name in objects.by_ids(account_id, [(self.kind, id) for id in ids]).items()
        }

    def search(self, account_id: int, text: str, limit: int) -> list[tuple[str, str]]:
        return objects.search(account_id, self.kind, text, limit=limit)

    def url(self, _id: str) -> str:
        return ""


def best(rows: Iterable[tuple[str, str]], text: str, limit: int) -> list[tuple[str, str]]:
    """Those whose name holds the text, by name; those that begin with it come first."""
    wanted = fold(text.strip())
    found = [(fold(name), id, name) for id, name in rows]
    held = sorted(one for one in found if wanted in one[0])
    held.sort(key=lambda one: not one[0].startswith(wanted))
    return [(id, name) for _, id, name in held[:limit]]


_sources: dict[str, Source] = {
    "list": Rows(lambda: List, page="lists:list"),
    "business_unit": Rows(lambda: BusinessUnit),
    **{kind: Objects(kind) for kind in objects.KINDS},
}


def register(kind: str, source: Source) -> None:
    """Say where the names of a kind are."""
    _sources[kind] = source


def kinds() -> frozenset[str]:
    """The kinds whose names can be found."""
    return frozenset(_sources)


def lookup(account_id: int, mentioned: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of (kind, id) pairs, in a query or two for each kind; those without a name are left out."""
    wanted: dict[str, set[str]] = {}
    for kind, id in mentioned:
        if kind in _sources:
            wanted.setdefault(kind, set()).add(id)
    return {
        (kind, id): name
        for kind, ids in wanted.items()
        for id, name in _sources[kind].names(account_id, ids).items()
    }


def named(account_id: int, mentioned: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Named]:
    """The names of (kind, id) pairs with their pages; those that are gone are left out."""
    found = lookup(account_id, mentioned)
    return {(kind, id): Named(name, _sources[kind].url(id)) for (kind, id), name in found.items()}


def search(account_id: int, kind: str, text: str = "", *, limit: int) -> list[tuple[str, str]]:
    """(id, name) of an account's things of a kind whose name holds a text. Raises KeyError for an unknown kind."""
    return _sources[kind].search(account_id, text, limit)
