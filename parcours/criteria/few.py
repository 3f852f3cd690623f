"""Who of a few contacts meets criteria, worked out in Python from what the event store holds of them.

A statement of many criteria takes the store longer to read than a few contacts take to look at: their profiles are
fetched by a short statement, then, of those for whom these do not decide, the events, and criteria are evaluated on
them (`evaluate`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parcours.criteria import nodes, store
from parcours.criteria.compile import LINK_COLUMNS, Scope, Statement, rows_of
from parcours.criteria.evaluate import At, Flat, Store, did, evaluate
from parcours.criteria.members import MembersSql
from parcours.criteria.nodes import Did, InJourney, InSegment, Kind, Node, Test, event_matches_name
from parcours.criteria.whose import Some, some
from parcours.events.entries import Event

MOST_PEOPLE = 2_000
"""Contacts, and who was tied to them."""
MOST_PAIRS = 40_000
"""A contact and one of the criteria."""
MOST_EVENTS = 40_000
MOST_TESTS = 200_000
"""So many times an event is held against a leaf, at most: some hundreds of milliseconds of Python."""
_ALWAYS = ("contact", "consent_email", "consent_sms", "consent_whatsapp", "lists", "tags")


def meeting(
    criteria: Sequence[Node], scope: Scope, wanted: Sequence[Collection[int]]
) -> list[set[int]] | None:
    """For each of several criteria, those of the contacts wanted who meet it.

    None: they are not few, or did too much.
    """
    if max(map(len, wanted)) > MOST_PEOPLE or sum(map(len, wanted)) > MOST_PAIRS:
        return None
    contacts = sorted(set().union(*wanted))
    if len(contacts) > MOST_PEOPLE:
        return None
    at = At(scope.now, scope.zone)
    leaves = list(dict.fromkeys(leaf for node in criteria for leaf in nodes.leaves(node)))
    people = _people(leaves, _Fetching(scope, Some(contacts, {}, {})))
    met: list[set[int]] = []
    open_ones: list[set[int]] = []
    for node, theirs in zip(criteria, wanted, strict=True):
        said = {contact: _decided(node, people[contact], at) for contact in theirs if contact in people}
        met.append({contact for contact, answer in said.items() if answer})
        open_ones.append({contact for contact, answer in said.items() if answer is None})
    answers = _answers(criteria, open_ones, scope, at)
    if answers is None:
        return None
    for found, node, theirs in zip(met, criteria, open_ones, strict=True):
        found.update(one for one in theirs if evaluate(node, people[one], at, answers[one]))
    return met


def _decided(node: Node, profile: Mapping[str, Any], at: At) -> bool | None:
    """What a contact's profile alone says of criteria; None: that depends on what the contact did."""
    if isinstance(node, nodes.AllOf | nodes.AnyOf):
        whole = isinstance(node, nodes.AllOf)
        parts = [_decided(child, profile, at) for child in node.children]
        if (not whole) in parts:
            return not whole
        return None if None in parts else whole
    if isinstance(node, nodes.Not):
        part = _decided(node.child, profile, at)
        return None if part is None else not part
    if isinstance(node, InSegment) and node.criteria is not None:
        part = _decided(node.criteria, profile, at)
        return None if part is None else part != node.negated
    if isinstance(node, Did | InSegment | InJourney):
        return None
    return evaluate(node, profile, at, _never)


def _never(leaf: Store) -> bool:
    raise AssertionError(leaf)


def _answers(
    criteria: Sequence[Node], wanted: Sequence[Collection[int]], scope: Scope, at: At
) -> dict[int, Callable[[Store], bool]] | None:
    """By contact, what answers the leaves that a profile does not; None: they did too much."""
    contacts = sorted(set().union(*wanted))
    if not contacts:
        return {}
    asked = [node for node, theirs in zip(criteria, wanted, strict=True) if theirs]
    leaves = list(dict.fromkeys(leaf for node in asked for leaf in nodes.leaves(node)))
    among = some(scope, contacts)
    if len(contacts) + len(among.visitors) + len(among.merged) > MOST_PEOPLE:
        return None
    fetching = _Fetching(scope, among)
    happened = _happened(leaves, fetching, _tests(criteria, wanted))
    if happened is None:
        return None
    sets: dict[Store, set[int]] = {
        leaf: {row[0] for row in store.run(fetching.members_of(leaf))}
        for leaf in leaves
        if isinstance(leaf, InJourney) or (isinstance(leaf, InSegment) and leaf.criteria is None)
    }
    return {contact: _answers_of(contact, happened[contact], sets, at) for contact in contacts}


def _tests(criteria: Sequence[Node], wanted: Sequence[Collection[int]]) -> Mapping[int, Mapping[str, int]]:
    """By contact, how many leaves look at the events of a name (or "*")."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for node, theirs in zip(criteria, wanted, strict=True):
        leaves = Counter(leaf.event for leaf in set(nodes.leaves(node)) if isinstance(leaf, Did))
        for contact in theirs:
            found[contact].update(leaves)
    return found


def _answers_of(
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
    attributes = _Keys.of((leaf.name, leaf.test) for leaf in fields if leaf.attribute)
    found = {}
    names = (*_ALWAYS, *columns)
    for row in store.run(fetching.profiles(columns, attributes)):
        profile = dict(zip(names, row, strict=False))
        profile["attributes"] = attributes.flat(*row[len(names) :])
        found[row[0]] = profile
    return found


def _happened(
    leaves: Sequence[nodes.Leaf], fetching: _Fetching, tests: Mapping[int, Mapping[str, int]]
) -> Mapping[int, Mapping[str, list[Event]]] | None:
    """Of each contact, the events that leaves of a name (or "*") look at; None: they are too many."""
    found: dict[int, dict[str, list[Event]]] = defaultdict(lambda: defaultdict(list))
    asked: dict[str, list[Did]] = defaultdict(list)
    for leaf in leaves:
        if isinstance(leaf, Did):
            asked[leaf.event].append(leaf)
    if not asked:
        return found
    every = [leaf for same in asked.values() for leaf in same]
    looked_at = {name: _properties(every if name == "*" else same) for name, same in asked.items()}
    links = _links(every)
    rows = store.run(fetching.events(asked, looked_at, links.values(), MOST_EVENTS + 1))
    if len(rows) > MOST_EVENTS:
        return None
    done = 0
    told: set[tuple[int, int, str]] = set()
    for contact, visitor, name, at, machine, load, message_id, *linked, texts, numbers in rows:
        person = fetching.person(contact, visitor)
        if message_id:
            # Of each contact tied to a deal there is a row: who is two of them did it once.
            if (person, load, message_id) in told:
                continue
            told.add((person, load, message_id))
        patterns = [pattern for pattern in asked if event_matches_name(pattern, name)]
        theirs = tests.get(person, {})
        done += sum(theirs.get(pattern, 0) for pattern in patterns)
        if done > MOST_TESTS:
            return None
        event = Event(name, at, at, "", contact=person, machine=bool(machine))
        for link, value in zip(links, linked, strict=True):
            setattr(event, link, value)
        event.properties = looked_at["*" if "*" in asked else name].flat(texts, numbers)
        for pattern in patterns:
            found[person][pattern].append(event)
    return found


def _links(leaves: Sequence[Did]) -> dict[str, str]:
    """The links of events that leaves look at: attributes, and their columns."""
    names = set(_properties(leaves).texts)
    return {nodes.LINKS[name]: column for name, column in LINK_COLUMNS.items() if name in names}


def _properties(leaves: Sequence[Did]) -> _Keys:
    """The properties of events that leaves look at."""
    tests = [(where.property, where.test) for leaf in leaves for where in leaf.where]
    return _Keys.of(
        [*tests, *((leaf.aggregate.property, None) for leaf in leaves if leaf.aggregate is not None)]
    )


@dataclass(frozen=True)
class _Keys:
    """The keys of maps whose texts are looked at, and those whose numbers are."""

    texts: Sequence[str]
    numbers: Sequence[str]

    @classmethod
    def of(cls, tests: Iterable[tuple[str, Test | None]]) -> _Keys:
        """Those of some tests (None: an amount)."""
        known = list(tests)
        numeric = {name for name, test in known if test is None or test.kind in (Kind.NUMBER, Kind.MIXED)}
        return cls(sorted({name for name, _ in known}), sorted(numeric))

    def flat(self, texts: Sequence[Any], numbers: Sequence[Any]) -> Flat:
        """What a row of the maps holds."""
        return Flat(
            {name: some for name, some in zip(self.texts, texts, strict=True) if some},
            {name: some for name, some in zip(self.numbers, numbers, strict=True) if some},
        )


class _Fetching(MembersSql):
    """The statements that fetch what is known of the contacts."""

    def profiles(self, columns: Sequence[str], attributes: _Keys) -> Statement:
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
        self,
        leaves: Mapping[str, Sequence[Did]],
        looked_at: Mapping[str, _Keys],
        links: Iterable[str],
        most: int,
    ) -> Statement:
        """The events of leaves on each name, `most` at most: contact, visitor, name, instant (ms), whether of a
        machine, the load, the message id (of a deal's event alone), these links, and the texts and the numbers of the
        properties that are looked at."""
        everything = [leaf for some in leaves.values() for leaf in some]
        if "*" in leaves:
            names = [name for name in leaves if name != "*"]
            named = " OR ".join([f"({self._named('*')})", *map(self._named, names)])
            found = [self._some(everything, f"({named})", links, looked_at["*"])]
        else:
            found = [
                self._some(some, self._named(name), links, looked_at[name]) for name, some in leaves.items()
            ]
        return self._statement(f"SELECT * FROM ({' UNION ALL '.join(found)}) LIMIT {self.bound.whole(most)}")

    def _some(self, leaves: Sequence[Did], named: str, links: Iterable[str], properties: _Keys) -> str:
        """Events that one of some leaves may count."""
        told = "if(deal = 0, '', message_id)"
        return (
            "SELECT contact, toString(visitor), name, toUnixTimestamp64Milli(occurred_at) AS at, machine, load,"
            f" {', '.join([told, *links, *self._maps(properties)])} FROM events"
            f" PREWHERE {self._reach(leaves)} AND {named} AND {self._of_them()}"
        )

    def _of_them(self) -> str:
        """Whether an event is of the contacts asked, or of who was tied to them."""
        assert self._ties is not None
        if not self._many:
            return self._theirs(self._ties)
        contacts = [*self._ties.contacts, *self._ties.merged]
        self.tables["asked_people"] = ("contact UInt64", rows_of(contacts))
        self.tables["asked_visitors"] = ("visitor UUID", rows_of(self._ties.visitors))
        return (
            "(contact IN (SELECT contact FROM asked_people)"
            " OR (contact = 0 AND visitor IN (SELECT visitor FROM asked_visitors)))"
        )

    def person(self, contact: int, visitor: str) -> int:
        """Whose an event is."""
        assert self._ties is not None
        return self._ties.merged.get(contact, contact) if contact else self._ties.visitors.get(visitor, 0)

    def members_of(self, leaf: InSegment | InJourney) -> Statement:
        """Who of them is in a frozen segment, or went through a journey."""
        return self._statement(f"SELECT person FROM ({self._set(leaf)}) WHERE person IN {self.only}")

    def _maps(self, keys: _Keys) -> list[str]:
        """The texts and the numbers of these keys, as two arrays in their order."""
        return [
            f"CAST([{', '.join(f'{column}[{self.bound.text(key)}]' for key in some)}], '{kind}') AS some_{column}"
            for column, some, kind in (
                ("texts", keys.texts, "Array(Array(String))"),
                ("numbers", keys.numbers, "Array(Array(Decimal(38, 10)))"),
            )
        ]

    def _statement(self, sql: str) -> Statement:
        return Statement(sql, self.bound.parameters, self.tables)
