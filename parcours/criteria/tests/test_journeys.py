"""Journey leaves, over all versions, and contacts merged into others."""

from __future__ import annotations

import uuid
from typing import Any

from parcours.criteria import compile, members, store
from parcours.criteria.batch import Case, evaluate_batch
from parcours.criteria.context import Context
from parcours.criteria.parse import parse
from parcours.criteria.tests import worlds
from parcours.criteria.tests.oracle import World
from parcours.criteria.tests.worlds import NOW
from parcours.events.store.client import writer
from parcours.lib.instants import from_ms

ACCOUNT = 50
#: contact -> (kind, step) of its runs; a list for each run
RUNS: dict[int, list[list[tuple[str, str]]]] = {
    1: [[("entered", "a"), ("step", "a")]],
    2: [[("entered", "a"), ("step", "a"), ("step", "b")]],
    3: [
        [("entered", "a"), ("step", "a"), ("completed", "a")],
        [("entered", "a"), ("step", "a"), ("step", "b")],
    ],
    4: [[("entered", "a"), ("step", "a"), ("exited", "a")]],
    5: [[("held_out", "")]],
    6: [[("entered", "a"), ("step", "a"), ("parked", "a")]],
    7: [[("entered", "a"), ("step", "a"), ("parked", "a"), ("resumed", "a")]],
    107: [[("entered", "a"), ("step", "a"), ("step", "b"), ("completed", "b")]],
}


def test_where_contacts_stand(store_process: Any) -> None:
    contacts = {number: worlds.draw(1).contacts[number] for number in range(1, 10)}
    world = World(
        contacts, worlds.draw(1).events, {str(uuid.UUID(int=9)): 1}, {107: 8}, "UTC", frozen={9: {1}}
    )
    worlds.put(world, account=ACCOUNT)
    rows = []
    enrolments = iter(range(1, 100))
    for contact, runs in RUNS.items():
        for run in runs:
            enrolment = next(enrolments)
            for place, (kind, step) in enumerate(run):
                row = {"account": ACCOUNT, "journey": 3, "kind": kind, "step": step, "contact": contact}
                row |= {
                    "at": from_ms(NOW - 1000 + place),
                    "enrolment": enrolment,
                    "version": 1 + enrolment % 2,
                }
                row |= {"visit": 1 + sum(name == "step" for name, _ in run[:place]) if kind == "step" else 0}
                rows.append(row | {"entered_at": from_ms(NOW - 1000), "load": 1})
    names = list(rows[0])
    writer().insert("runs", [[row[name] for name in names] for row in rows], column_names=names)
    context = Context(resolver=worlds.Account(world))
    expected: dict[tuple[str, str | None], set[int]] = {
        ("entered", None): {1, 2, 3, 4, 6, 7, 8},
        ("not_entered", None): {5, 9},
        ("entered", "b"): {2, 3, 8},
        ("active", None): {1, 2, 3, 7},
        ("active", "a"): {1, 7},
        ("active", "b"): {2, 3},
        ("completed", None): {3, 8},
        ("completed", "b"): {8},
        ("exited", None): {4},
        ("exited", "b"): set(),
    }
    cases = [
        Case(number, number, NOW, worlds.snapshot(number, contact)) for number, contact in contacts.items()
    ]
    for (op, at), people in expected.items():
        node = parse({"journey": "3", "op": op} | ({"step": at} if at else {}), context=context)
        found = store.run(members.members(node, compile.Scope(ACCOUNT, 1, NOW)))
        assert {row[0] for row in found} == people, (op, at)
        assert evaluate_batch(node, cases, account=ACCOUNT, load=1) == people, (op, at)
