"""A contact under way in a batch: as it was read, and as the lines have made it since."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from parcours.contacts.lines import CHANNELS, COLUMNS, KEYS
from parcours.contacts.models import ConsentValue

_WIDTH = len(COLUMNS)
_PENDING = ConsentValue.PENDING.value


class Person:
    """A contact under way in a batch."""

    __slots__ = ("attributes", "consents", "id", "lists", "new", "original", "tags", "values")

    def __init__(self, row: Sequence[Any] | None, created_at: int) -> None:
        self.new = row is None
        self.tags: list[str] = []
        self.lists: list[int] = []
        self.original = row
        if row is None:
            self.id = 0
            self.values: dict[str, Any] = dict.fromkeys(COLUMNS)
            self.values["created_at"] = created_at
            self.attributes: dict[str, Any] = {}
            self.consents = dict.fromkeys(CHANNELS, _PENDING)
        else:
            self.id = row[0]
            self.values = dict(zip(COLUMNS, row[1 : _WIDTH + 1], strict=True))
            self.attributes = json.loads(row[_WIDTH + 1])
            self.consents = dict(zip(CHANNELS, row[_WIDTH + 2 :], strict=True))

    def before(self, names: Sequence[str] | None = None) -> dict[str, Any]:
        """What changed fields and attributes (`names`: those of `changes`) held when the contact was read; None for
        nothing.
        """
        names = self.changes() if names is None else names
        if self.original is None or not names:
            return {}
        held = dict(zip(COLUMNS, self.original[1 : _WIDTH + 1], strict=True))
        attributes = json.loads(self.original[_WIDTH + 1])
        return {
            name: attributes.get(name.removeprefix("attributes."))
            if name.startswith("attributes.")
            else held[name]
            for name in names
        }

    def original_consents(self) -> tuple[str, ...]:
        """The consents as they were read, in the order of the channels."""
        return () if self.original is None else tuple(self.original[_WIDTH + 2 :])

    def value(self, name: str) -> Any:
        """What a field or an attribute (`attributes.points`) holds now; None for nothing."""
        if name.startswith("attributes."):
            return self.attributes.get(name.removeprefix("attributes."))
        return self.values[name]

    def changes(self) -> list[str]:
        """The names of the fields and attributes that are not as they were read."""
        if self.original is None:
            return []
        names = [
            name
            for name, before in zip(COLUMNS, self.original[1 : _WIDTH + 1], strict=True)
            if self.values[name] != before
        ]
        before = json.loads(self.original[_WIDTH + 1])
        if before != self.attributes:
            both = dict.fromkeys((*before, *self.attributes))
            names += [f"attributes.{name}" for name in both if before.get(name) != self.attributes.get(name)]
        return names

    def moved_keys(self) -> bool:
        """Whether a key that it had is now another: the old one must be let go before others can take it."""
        row = self.original
        return row is not None and any(
            row[place] is not None and row[place] != self.values[key]
            for place, key in enumerate(KEYS, start=1)
        )

    def consents_changed(self) -> bool:
        return self.original is not None and self.original_consents() != tuple(self.consents.values())
