"""Lines taken into a batch that is under way, and what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.batch import Batch
from parcours.contacts.lines import Line, Refused
from parcours.contacts.person import Person
from parcours.lib.problems import Fault


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken: its place in the batch, a sentence that says why, and the faults one by one."""

    index: int
    reason: str
    faults: list[Fault]
    unsaid: bool = False  # of somebody erased: the line is not to be kept


@dataclass(slots=True)
class UpsertResult:
    """What became of a batch of lines."""

    contacts: list[int | None]  # for each line, whom it meant; None when it was refused
    created: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    kept_opted_out: list[int] = field(default_factory=list)  # lines whose consent gave way to an opt-out


def upsert_into(batch: Batch, lines: Sequence[Mapping[str, Any]], *, write: bool = True) -> UpsertResult:
    """`actions.upsert_many` in a batch that is under way; without `write`, what would become of the lines."""
    result = UpsertResult(contacts=[None] * len(lines))
    read: list[tuple[int, Line]] = []
    of_erased = batch.of_erased(lines)
    for index, given in enumerate(lines):
        if index in of_erased:
            detail = _("The line is of a person who was erased after it was sent.")
            result.refused.append(Refusal(index, detail, [{"pointer": "", "detail": detail}], unsaid=True))
            continue
        try:
            read.append((index, batch.read(given)))
        except Refused as refused:
            result.refused.append(Refusal(index, str(refused), refused.faults))
    batch.load([line for _index, line in read])
    people: list[tuple[int, Person]] = []
    for index, line in read:
        try:
            person, kept = batch.fold(line)
        except Refused as refused:
            result.refused.append(Refusal(index, str(refused), refused.faults))
            continue
        people.append((index, person))
        if kept:
            result.kept_opted_out.append(index)
    if write:
        result.created, result.changed = batch.write()
        for index, person in people:
            result.contacts[index] = person.id
    result.refused.sort(key=lambda refusal: refusal.index)
    return result
