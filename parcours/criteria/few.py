"""Who of a few contacts meets criteria, worked out in Python from what the event store holds of them.

A statement of many criteria takes the store longer to read than a few contacts take to look at: their profiles and
their events are fetched by two short statements, and every criterion is evaluated on them (`evaluate`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parcours.criteria import nodes, store
from parcours.criteria.compile import LINK_COLUMNS, Scope, Statement, are_many
from parcours.criteria.evaluate import At, Flat, Store, did, evaluate
from parcours.criteria.members import MembersSql, Some
from parcours.criteria.nodes import Did, InJourney, InSegment, Node, event_matches_name
from parcours.events.entries import Event

MOST_TESTS = 200_000
"""So many times an event is held against a leaf, at most: some hundreds of milliseconds of Python."""
_ALWAYS = ("contact", "consent_email", "consent_sms", "consent_whatsapp", "lists", "tags")


def meeting(criteria: Sequence[Node], scope: Scope, among: Some) -> list[set[int]] | None:
    """For each of several criteria, those of the contacts who meet it; None: they are not few, or did too much."""
    if are_many(among.contacts, among.visitors, among.merged):
        return None
    leaves = list(dict.fromkeys(leaf for node in criteria for leaf in nodes.leaves(node)))
    events = [leaf for leaf in leaves if isinstance(leaf, Did)]
    fetching = _Fetching(scope, among)
    happened = _happened(events, fetching)
    if happened is None:
        return None
    people = _people(leaves, fetching)
    sets: dict[Store, set[int]] = {
        leaf: {row[0] for row in store.run(fetching.members_of(leaf))}
        for leaf in leaves
        if isinstance(leaf, InJourney) or (isinstance(leaf, InSegment) and leaf.criteria is None)
    }
    at = At(scope.now, scope.zone)
    found: list[set[int]] = [set() for _ in criteria]
    for contact, profile in people.items():
        ask = _answers(contact, happened[contact], sets, at)
        for met, node in zip(found, criteria, strict=True):
            if evaluate(node, profile, at, ask):
                met.add(contact)
    return found


def _answers(
    contact: int, happened: Mapping[str, list[Event]], sets: Mapping[Store, set[int]], at: At
) -> Callable[[Store], bool]:
    """What the leaves that a profile does not answer say of a contact, each asked once."""
    known: dict[Store, bool] = {}

    def ask(leaf: Store) -> bool:
        if leaf not in known:
            if isinstance(leaf, Did):
                known[leaf] = did(leaf, happened.get(leaf.event, ()), at)
            else:
                known[leaf] = (contact in sets[leaf]) != leaf.negated
        return known[leaf]

    return ask


def _people(leaves: Sequence[nodes.Leaf], fetching: _Fetching) -> dict[int, dict[str, Any]]:
    """The contacts who exist, as snapshots that hold what the leaves look at."""
    fields = [leaf for leaf in leaves if isinstance(leaf, nodes.Field)]
    columns = sorted({leaf.name for leaf in fields if not leaf.attribute and leaf.name != "id"})
    attributes = sorted({leaf.name for leaf in fields if leaf.attribute})
    found = {}
    names = (*_ALWAYS, *columns)
    for row in store.run(fetching.profiles(columns, attributes)):
        profile = dict(zip(names, row, strict=False))
        profile["attributes"] = _flat(attributes, row[len(names) :])
        found[row[0]] = profile
    return found


def _happened(leaves: Sequence[Did], fetching: _Fetching) -> Mapping[int, Mapping[str, list[Event]]] | None:
    """Of each contact, the events that leaves of a name (or "*") look at; None: they are too many."""
    found: dict[int, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    if not leaves:
        return found
    asked: dict[str, int] = defaultdict(int)
    for leaf in leaves:
        asked[leaf.event] += 1
    properties = sorted(
        {where.property for leaf in leaves for where in leaf.where}
        | {leaf.aggregate.property for leaf in leaves if leaf.aggregate is not None}
    )
    links = sorted({LINK_COLUMNS[name] for name in properties if name in LINK_COLUMNS})
    properties = [name for name in properties if name != "machine"]
    most = MOST_TESTS // max(asked.values())
    tests = 0
    for row in store.run(fetching.events(leaves, links, properties, most + 1)):
        person, name, at, machine, *more = row
        event = Event(name, at, at, "", contact=person, machine=bool(machine))
        for link, value in zip(links, more, strict=False):
            setattr(event, "order" if link == "order_id" else link, value)
        event.properties = _flat(properties, more[len(links) :])
        for pattern, leaves_of in asked.items():
            if event_matches_name(pattern, name):
                found[person][pattern].append(event)
                tests += leaves_of
        if tests > MOST_TESTS:
            return None
    return found


def _flat(names: Sequence[str], values: Sequence[Any]) -> Flat:
    """Properties of these names; of each, its texts and its numbers in turn."""
    return Flat(
        {name: texts for name, texts in zip(names, values[::2], strict=True) if texts},
        {name: numbers for name, numbers in zip(names, values[1::2], strict=True) if numbers},
    )


class _Fetching(MembersSql):
    """The statements that fetch what is known of the contacts."""

    def profiles(self, columns: Sequence[str], attributes: Sequence[str]) -> Statement:
        """Who exists, with some columns (instants in ms) and, of each attribute, its texts and its numbers."""
        dates = {"created_at", "updated_at", "last_seen_at"}
        asked = [f"toUnixTimestamp64Milli({name})" if name in dates else name for name in columns]
        return self._statement(
            f"SELECT {', '.join([*_ALWAYS, *asked, *self._maps(attributes)])} FROM (SELECT * FROM profiles"
            f" WHERE account = {self.account} AND load <= {self.load}{self._among('contact')}"
            " ORDER BY contact, load DESC LIMIT 1 BY contact)"
            f" WHERE gone = 0 AND created_at <= {self._at(self.scope.now)}"
        )

    def events(
        self, leaves: Sequence[Did], links: Sequence[str], properties: Sequence[str], most: int
    ) -> Statement:
        """Whose events of these leaves there are, `most` at most: whose, name, instant (ms), whether of a machine,
        links, and, of each property, its texts and its numbers."""
        assert self._ties is not None
        names = sorted({leaf.event for leaf in leaves} - {"*"})
        named = [f"name IN {self.bound.add(names, 'Array(String)')}"] if names else []
        named += [f"({self._named('*')})"] if any(leaf.event == "*" for leaf in leaves) else []
        return self._statement(
            f"SELECT {self._whose(self._ties)}, name, toUnixTimestamp64Milli(occurred_at),"
            f" {', '.join(['machine', *links, *self._maps(properties)])}"
            f" FROM events WHERE {self._reach(leaves)} AND ({' OR '.join(named)})"
            f" AND {self._theirs(self._ties)} LIMIT {self.bound.whole(most)}"
        )

    def members_of(self, leaf: InSegment | InJourney) -> Statement:
        """Who of them is in a frozen segment, or went through a journey."""
        return self._statement(f"SELECT person FROM ({self._set(leaf)}) WHERE person IN {self.only}")

    def _maps(self, names: Sequence[str]) -> list[str]:
        keys = [self.bound.text(name) for name in names]
        return [f"{column}[{key}]" for key in keys for column in ("texts", "numbers")]

    def _statement(self, sql: str) -> Statement:
        return Statement(sql, self.bound.parameters, self.tables)
