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
_LINKS = {nodes.LINKS[name]: column for name, column in LINK_COLUMNS.items()}
"""The links of an event, and their columns."""
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
        profile["attributes"] = _flat(attributes, *row[len(names) :])
        found[row[0]] = profile
    return found


def _happened(leaves: Sequence[Did], fetching: _Fetching) -> Mapping[int, Mapping[str, list[Event]]] | None:
    """Of each contact, the events that leaves of a name (or "*") look at; None: they are too many."""
    found: dict[int, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    if not leaves:
        return found
    asked: dict[str, list[Did]] = defaultdict(list)
    for leaf in leaves:
        asked[leaf.event].append(leaf)
    looked_at = {name: _properties(leaves if name == "*" else some) for name, some in asked.items()}
    most = MOST_TESTS // max(map(len, asked.values()))
    tests = 0
    for row in store.run(fetching.events(asked, looked_at, most + 1)):
        person, name, at, machine, *links, texts, numbers = row
        event = Event(name, at, at, "", contact=person, machine=bool(machine))
        for link, value in zip(_LINKS, links, strict=True):
            setattr(event, link, value)
        event.properties = _flat(looked_at["*" if "*" in asked else name], texts, numbers)
        for pattern, some in asked.items():
            if event_matches_name(pattern, name):
                found[person][pattern].append(event)
                tests += len(some)
        if tests > MOST_TESTS:
            return None
    return found


def _properties(leaves: Sequence[Did]) -> list[str]:
    """The properties of events that leaves look at."""
    names = {where.property for leaf in leaves for where in leaf.where}
    return sorted(names | {leaf.aggregate.property for leaf in leaves if leaf.aggregate is not None})


def _flat(names: Sequence[str], texts: Sequence[Any], numbers: Sequence[Any]) -> Flat:
    """Properties of these names, in their order: of each its texts, and its numbers."""
    return Flat(
        {name: some for name, some in zip(names, texts, strict=True) if some},
        {name: some for name, some in zip(names, numbers, strict=True) if some},
    )


class _Fetching(MembersSql):
    """The statements that fetch what is known of the contacts."""

    def profiles(self, columns: Sequence[str], attributes: Sequence[str]) -> Statement:
        """Who exists, with some columns (instants in ms), and the texts and the numbers of each attribute."""
        dates = {"created_at", "updated_at", "last_seen_at"}
        asked = [f"toUnixTimestamp64Milli(profiles.{name})" if name in dates else name for name in columns]
        asked = [f"{sql} AS asked_{place}" for place, sql in enumerate(asked)]
        exists = f"(gone = 0 AND profiles.created_at <= {self._at(self.scope.now)}) AS is_there"
        return self._statement(
            f"SELECT * EXCEPT is_there FROM (SELECT {', '.join([*_ALWAYS, *asked, *self._maps(attributes)])}, {exists}"
            f" FROM profiles PREWHERE {self._until()}{self._among('contact')}"
            " ORDER BY contact, load DESC LIMIT 1 BY contact) WHERE is_there"
        )

    def events(
        self, leaves: Mapping[str, Sequence[Did]], looked_at: Mapping[str, Sequence[str]], most: int
    ) -> Statement:
        """Whose events of leaves on each name there are, `most` at most: whose, name, instant (ms), whether of a
        machine, links, and the texts and the numbers of the properties that are looked at."""
        everything = [leaf for some in leaves.values() for leaf in some]
        if "*" in leaves:
            names = [name for name in leaves if name != "*"]
            named = " OR ".join([f"({self._named('*')})", *map(self._named, names)])
            found = [self._some(everything, f"({named})", looked_at["*"])]
        else:
            found = [self._some(some, self._named(name), looked_at[name]) for name, some in leaves.items()]
        return self._statement(f"SELECT * FROM ({' UNION ALL '.join(found)}) LIMIT {self.bound.whole(most)}")

    def _some(self, leaves: Sequence[Did], named: str, properties: Sequence[str]) -> str:
        """Events that one of some leaves may count."""
        assert self._ties is not None
        return (
            f"SELECT {self._whose(self._ties)} AS person, name, toUnixTimestamp64Milli(occurred_at) AS at, machine,"
            f" {', '.join([*_LINKS.values(), *self._maps(properties)])} FROM events"
            f" PREWHERE {self._reach(leaves)} AND {named} AND {self._theirs(self._ties)}"
        )

    def members_of(self, leaf: InSegment | InJourney) -> Statement:
        """Who of them is in a frozen segment, or went through a journey."""
        return self._statement(f"SELECT person FROM ({self._set(leaf)}) WHERE person IN {self.only}")

    def _maps(self, names: Sequence[str]) -> list[str]:
        """The texts and the numbers of these keys, as two arrays in their order."""
        keys = [self.bound.text(name) for name in names]
        kinds = {"texts": "Array(Array(String))", "numbers": "Array(Array(Decimal(38, 10)))"}
        return [
            f"CAST([{', '.join(f'{column}[{key}]' for key in keys)}], '{kind}') AS some_{column}"
            for column, kind in kinds.items()
        ]

    def _statement(self, sql: str) -> Statement:
        return Statement(sql, self.bound.parameters, self.tables)
