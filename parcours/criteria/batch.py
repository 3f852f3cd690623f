"""Criteria on a batch of contacts, each at an instant of its own: what the conditions of journeys ask.

Fields, consents, lists and tags are read from the snapshots given (the state database's truth); events, journeys and
frozen segments from the store, in one query for the whole batch, and in none when the criteria name none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parcours.criteria import compile, nodes, store
from parcours.criteria.evaluate import At, Run, Store, evaluate
from parcours.criteria.nodes import Node


@dataclass(frozen=True)
class Case:
    """A contact looked at: `id` is the caller's own (an enrolment, a contact), unique in the batch; `now` in ms;
    `profile` is the contact's snapshot (`contacts.queries.snapshot`)."""

    id: int
    contact: int
    now: int
    profile: Mapping[str, Any]
    run: Run | None = None


def evaluate_batch(
    node: Node, cases: Sequence[Case], *, account: int, load: int, zone: str = "UTC"
) -> set[int]:
    """The ids of the cases that meet criteria. `load` is the watermark's; `zone` the account's."""
    return evaluate_each([node], cases, account=account, load=load, zone=zone)[0]


def evaluate_each(
    criteria: Sequence[Node], cases: Sequence[Case], *, account: int, load: int, zone: str = "UTC"
) -> list[set[int]]:
    """For each of several criteria (the cases of a branch), the ids of the cases that meet it; one query for all."""
    asked = [leaf for node in criteria for leaf in nodes.leaves(node)]
    leaves = list(dict.fromkeys(leaf for leaf in asked if isinstance(leaf, Store)))
    answers = _from_store(leaves, cases, compile.Scope(account, load, 0, zone)) if leaves and cases else {}
    found: list[set[int]] = [set() for _ in criteria]
    for case in cases:
        at = At(case.now, zone, case.run)
        known = answers.get(case.id, {})
        for met, node in zip(found, criteria, strict=True):
            if evaluate(node, case.profile, at, known.__getitem__):
                met.add(case.id)
    return found


def _from_store(
    leaves: list[Store], cases: Sequence[Case], scope: compile.Scope
) -> dict[int, dict[Store, bool]]:
    none = Run(0, 0)
    rows = []
    for case in cases:
        run = case.run or none
        rows.append((case.id, case.contact, case.now, run.entered_at, run.enrolment, run.key))
    answers = store.run(compile.cases(leaves, scope, rows))
    return {row[0]: dict(zip(leaves, map(bool, row[1:]), strict=True)) for row in answers}
