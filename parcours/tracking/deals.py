"""The door by which tracking asks about deals, which an upper package keeps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from parcours.accounts.models import Account


class Deals(Protocol):
    """What the keeper of deals answers."""

    def find(
        self, account: Account, references: Sequence[Mapping[str, Any]], *, now: datetime
    ) -> Sequence[int | None]:
        """The deal that each `{id | external_id}` names, None for an unknown one; in the caller's transaction."""

    def contacts(
        self, account_id: int, moments: Iterable[tuple[int, int]]
    ) -> Mapping[tuple[int, int], Sequence[int]]:
        """For pairs of a deal and an instant (ms), who was tied to it then."""


_keepers: list[Deals] = []


def register(keeper: Deals) -> None:
    """Say who keeps deals; the package that does calls it when it starts."""
    _keepers[:] = [keeper]


def keeper() -> Deals:
    """Who keeps deals. Raises LookupError before anybody said so."""
    if not _keepers:
        raise LookupError("Nobody keeps deals.")
    return _keepers[0]
