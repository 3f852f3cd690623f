"""No contact's truth changes with time at an instant that `flips.instants` does not tell."""

from __future__ import annotations

import itertools
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from parcours.criteria import flips, store
from parcours.criteria.compile import Scope
from parcours.criteria.context import Context
from parcours.criteria.parse import parse
from parcours.criteria.tests import oracle, worlds
from parcours.criteria.tests.test_against_oracle import quick
from parcours.criteria.tests.timed import documents as drawn
from parcours.criteria.tests.worlds import DAY, HOUR, NOW

ACCOUNTS = itertools.count(700_000)
UNTIL = NOW + 40 * DAY


def _dates(value: Any, zone: str) -> set[int]:
    """Every instant that some text in a document reads as."""
    if isinstance(value, dict):
        return {found for one in value.values() for found in _dates(one, zone)}
    if isinstance(value, list):
        return {found for one in value for found in _dates(one, zone)}
    found = oracle.as_instant(value, zone)
    return set() if found is None else {found}


def _durations(document: Any) -> set[int]:
    texts = re.findall(r"'(\d+[smhdw])'", str(document))
    return {0} | {sign * min(oracle.duration(text), 10**14) for text in texts for sign in (1, -1)}


def _moments(document: Any, contact: int, world: oracle.World) -> list[int]:
    """Instants around which something can change: each with the millisecond before it and the one after."""
    known = _dates(world.contacts[contact], world.zone)
    for event in oracle.events_of(contact, world):
        known |= {event["occurred_at"]} | _dates(event["properties"], world.zone)
    around = {
        one + length + step for one in known for length in _durations(document) for step in (-1, 0, 1, 2)
    }
    return sorted(one for one in around if NOW < one <= UNTIL)


@settings(quick, max_examples=10)
@given(seed=st.integers(0, 2**32), documents=drawn)
def test_every_change_is_told(store_process: Any, seed: int, documents: list[dict[str, Any]]) -> None:
    world = worlds.draw(seed)
    account = next(ACCOUNTS)
    worlds.put(world, account=account)
    context = Context(resolver=worlds.Account(world), timezone=world.zone)
    scope = Scope(account, 1, NOW, world.zone)
    for document in documents:
        node = parse(document, context=context)
        told: dict[int, list[int]] = {}
        for due, contact in store.run(flips.instants(node, scope, until=UNTIL, most=1_000_000)):
            told.setdefault(contact, []).append(due)
        some = [1, 2, 7]
        restricted = store.run(flips.instants(node, scope, until=UNTIL, most=1_000_000, contacts=some))
        assert {tuple(row) for row in restricted} == {
            (due, contact) for contact in some for due in told.get(contact, ())
        }, document
        for contact in world.contacts:
            before, was = NOW, oracle.meets(document, oracle.Case(contact, NOW), world)
            for moment in _moments(document, contact, world):
                now = oracle.meets(document, oracle.Case(contact, moment), world)
                if now != was:
                    assert any(before < due <= moment for due in told.get(contact, ())), (document, contact)
                before, was = moment, now


def test_what_moves_with_time_is_known_from_the_criteria() -> None:
    context = Context(resolver=worlds.Account(worlds.draw(1)), timezone="Europe/Paris")

    def timing(document: dict[str, Any]) -> flips.Timing:
        return flips.timing(parse(document, context=context))

    assert not timing({"field": "city", "op": "eq", "value": "paris"})
    assert not timing({"event": "signup", "window": {"from": "2026-11-20", "to": "2027-01-01"}})
    assert not timing({"field": "created_at", "op": "before", "value": "2026-11-20"})
    assert timing({"not": {"event": "signup", "window": {"last": "1h"}}}).windows == {("signup", HOUR)}
    assert timing({"field": "created_at", "op": "before", "value": "90d"}).dates
    assert timing({"field": "attributes.birthday", "op": "within_next", "value": "7d"}).dates
    where = [{"property": "due", "op": "not_within_last", "value": "7d"}]
    assert timing({"any": [{"event": "signup", "where": where}]}).dates


def test_no_more_instants_than_asked_for_the_first_ones(store_process: Any) -> None:
    world = worlds.draw(7)
    account = next(ACCOUNTS)
    worlds.put(world, account=account)
    context = Context(resolver=worlds.Account(world), timezone=world.zone)
    node = parse({"event": "*", "window": {"last": "90d"}}, context=context)
    scope = Scope(account, 1, NOW - 2 * DAY, world.zone)
    every = store.run(flips.instants(node, scope, until=NOW + 400 * DAY, most=1_000))
    some = store.run(flips.instants(node, scope, until=NOW + 400 * DAY, most=5))
    assert len(every) > 10
    assert [tuple(row) for row in some] == [tuple(row) for row in every[:5]]
