"""What one person is made of two contacts: pure, no database.

The contact that is kept wins; what it has not is filled from the other. A choice names, for a field, the contact
whose value is taken, were it none. An opt-out of either stands.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from parcours.contacts.lines import CHANNELS, COLUMNS
from parcours.contacts.models import ConsentValue
from parcours.contacts.person import Person

FIELDS = tuple(name for name in COLUMNS if name not in ("created_at", "last_seen_at"))
_STRONGEST = (ConsentValue.OPTED_OUT.value, ConsentValue.OPTED_IN.value, ConsentValue.PENDING.value)
_PREFIX = "attributes."


@dataclass
class Delta:
    """What a merge changed of the contact kept: name -> [before, after]; None is nothing."""

    values: dict[str, list[Any]] = field(default_factory=dict)
    consents: dict[str, list[str]] = field(default_factory=dict)


def value_of(person: Person, name: str) -> Any:
    """A field, or an attribute as `attributes.points`."""
    if name.startswith(_PREFIX):
        return person.attributes.get(name.removeprefix(_PREFIX))
    return person.values[name]


def set_value(person: Person, name: str, value: Any) -> None:
    """Set a field or an attribute; None takes an attribute away."""
    if not name.startswith(_PREFIX):
        person.values[name] = value
    elif value is None:
        person.attributes.pop(name.removeprefix(_PREFIX), None)
    else:
        person.attributes[name.removeprefix(_PREFIX)] = value


def names(people: Iterable[Person]) -> list[str]:
    """Every field that can be chosen among people, their attributes by name."""
    attributes = sorted({name for person in people for name in person.attributes})
    return [*FIELDS, *(_PREFIX + name for name in attributes)]


def join(kept: Person, other: Person, choices: Mapping[str, int]) -> Delta:
    """Complete `kept` with what `other` knows; answers what that changed."""
    delta = Delta()

    def take(name: str, value: Any) -> None:
        before = value_of(kept, name)
        if value != before:
            delta.values[name] = [copy.deepcopy(before), copy.deepcopy(value)]
            set_value(kept, name, copy.deepcopy(value))

    for name in names((kept, other)):
        chosen = choices.get(name)
        if chosen == other.id or (chosen is None and value_of(kept, name) in (None, "", [])):
            take(name, value_of(other, name))
    take("created_at", min(kept.values["created_at"], other.values["created_at"]))
    seen = [each for each in (kept.values["last_seen_at"], other.values["last_seen_at"]) if each is not None]
    take("last_seen_at", max(seen, default=None))
    for channel in CHANNELS:
        before = kept.consents[channel]
        after = min(before, other.consents[channel], key=_STRONGEST.index)
        if after != before:
            delta.consents[channel] = [before, after]
            kept.consents[channel] = after
    return delta


def part(kept: Person, delta: Delta) -> None:
    """Take back what a merge changed, wherever that is still as the merge left it."""
    for name, (before, after) in delta.values.items():
        if value_of(kept, name) == after:
            set_value(kept, name, before)
    for channel, (before, after) in delta.consents.items():
        if kept.consents[channel] == after:
            kept.consents[channel] = before
