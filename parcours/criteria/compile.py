"""Criteria as ClickHouse's SQL, every value bound: what their leaves have in common (`Sql`), and `cases`.

`members` asks criteria of contacts at one instant; `cases` asks leaves of rows that have each an instant, and a run, of
their own: each event leaf is then a count (and an amount) for each row, all of them taken in one pass over the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any

from parcours.criteria import nodes
from parcours.criteria.nodes import Did, Node
from parcours.criteria.sql_tests import EARLIEST, Bound, Elements, Tests, instant

NOBODY = "toUUID('00000000-0000-0000-0000-000000000000')"
LINK_COLUMNS = {
    "journey": "journey",
    "version": "version",
    "step": "step",
    "enrolment": "enrolment",
    "message": "message",
    "email_id": "message",
    "send": "send",
    "order": "order_id",
    "deal": "deal",
}
_LINK_TEXTS = frozenset(("step", "send", "order_id"))
ONCE = "if(deal = 0, (load, position, ''), (load, toUInt32(0), message_id))"
"""What tells an event from another. One of a deal has a row for each contact tied to it, and so several of a person who
is two of them by a merge: it counts once."""

FEW = 200
"""So many contacts are bound as values; more of them go with a statement as a table. ClickHouse looks at each value at
each of its passes over a statement."""

Tables = dict[str, tuple[str, str]]
_ROW = {
    "case": "UInt64",
    "contact": "UInt64",
    "now": "Int64",
    "entered_at": "Int64",
    "enrolment": "UInt64",
    "key": "String",
}
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b"})


@dataclass(frozen=True)
class Statement:
    """SQL, its bound values, and the tables that go with it: each one's columns, and its rows as tab-separated text."""

    sql: str
    parameters: dict[str, Any]
    tables: Tables = field(default_factory=dict)


@dataclass(frozen=True)
class Scope:
    """What is read: an account until a load, at an instant (ms); its zone is that of dates without an offset."""

    account: int
    load: int
    now: int
    zone: str = "UTC"


def rows_of(*columns: Iterable[object]) -> str:
    """Rows as tab-separated text, of columns whose texts need no escape."""
    return "".join(f"{chr(9).join(map(str, row))}\n" for row in zip(*columns, strict=True))


def are_many(*values: Sized) -> bool:
    """Whether these go with a statement as tables rather than in it."""
    return sum(map(len, values)) > FEW


def among(contacts: Sequence[int], bound: Bound, tables: Tables) -> str:
    """What follows IN, for some contacts."""
    if not are_many(contacts):
        return bound.add(list(contacts), "Array(UInt64)")
    tables["asked_contacts"] = ("contact UInt64", rows_of(contacts))
    return "(SELECT contact FROM asked_contacts)"


def cases(
    leaves: Sequence[nodes.Leaf], scope: Scope, rows: Sequence[tuple[int, int, int, int, int, str]]
) -> Statement:
    """For rows (case, contact, now, entered_at, enrolment, key), which leaves of events, journeys and segments hold.

    Columns `case`, then one of 0 and 1 for each leaf; every row answers. Each row has an instant of its own, and
    `entered_at`, `enrolment` and `key` are those of its run. A contact may come in several rows.
    """
    sql = Sql(scope, rows=rows)
    columns = ", ".join(f"toUInt8({sql.leaf(leaf)}) AS leaf{place}" for place, leaf in enumerate(leaves))
    return Statement(
        f"SELECT p.case AS case, {columns} FROM {sql.rows} AS p {sql.join()}",
        sql.bound.parameters,
        sql.tables,
    )


class Sql:
    """One statement under way: of contacts (all, or those given), or of rows."""

    def __init__(
        self,
        scope: Scope,
        *,
        contacts: Sequence[int] | None = None,
        rows: Sequence[tuple[int, int, int, int, int, str]] | None = None,
    ) -> None:
        self.bound = Bound()
        self.tables: Tables = {}
        self.scope = scope
        self.account = self.bound.add(scope.account, "UInt32")
        self.load = self.bound.add(scope.load, "UInt64")
        self.rows = "" if rows is None else self._rows(rows)
        self.only = ""
        if contacts is not None:
            self.only = among(contacts, self.bound, self.tables)
        elif rows is not None:
            self.only = among(sorted({row[1] for row in rows}), self.bound, self.tables)
        self.now = "p.now" if self.rows else self.bound.whole(scope.now)
        same = None if self.rows else scope.now
        self.on_people = Tests(self.bound, self.now, scope.zone, same, "p.key")
        self.event_now = "run_now" if self.rows else self.now
        self.on_events = Tests(self.bound, self.event_now, scope.zone, same, "run_key" if self.rows else "''")
        self.did: dict[Did, int] = {}

    def _rows(self, rows: Sequence[tuple[int, int, int, int, int, str]]) -> str:
        if are_many(rows):
            columns = list(zip(*rows, strict=True))
            columns[-1] = tuple(key.translate(_ESCAPES) for key in columns[-1])
            self.tables["asked_rows"] = (
                ", ".join(f"{name} {kind}" for name, kind in _ROW.items()),
                rows_of(*columns),
            )
            return "asked_rows"
        arrays = [
            self.bound.add([row[place] for row in rows], f"Array({kind})")
            for place, kind in enumerate(_ROW.values())
        ]
        names = ", ".join(f"row.{place} AS {name}" for place, name in enumerate(_ROW, 1))
        return f"(SELECT {names} FROM (SELECT arrayJoin(arrayZip({', '.join(arrays)})) AS row))"

    # Contacts

    def condition(self, node: Node) -> str:
        if isinstance(node, nodes.AllOf):
            return (
                "(" + " AND ".join(self.condition(child) for child in node.children) + ")"
                if node.children
                else "1"
            )
        if isinstance(node, nodes.AnyOf):
            return (
                "(" + " OR ".join(self.condition(child) for child in node.children) + ")"
                if node.children
                else "0"
            )
        if isinstance(node, nodes.Not):
            return f"NOT ({self.condition(node.child)})"
        return self.leaf(node)

    def leaf(self, leaf: nodes.Leaf) -> str:
        if isinstance(leaf, Did):
            return self._did(leaf)
        if isinstance(leaf, nodes.Field):
            return self._field(leaf)
        if isinstance(leaf, nodes.Consent):
            return _turn(f"p.consent_{leaf.channel} = {self.bound.text(leaf.value)}", leaf.negated)
        if isinstance(leaf, nodes.Tag):
            tag = f"arrayExists(x -> lowerUTF8(normalizeUTF8NFC(x)) = {self.bound.text(leaf.name)}, p.tags)"
            return _turn(tag, leaf.negated)
        if isinstance(leaf, nodes.OnList):
            return _turn(f"has(p.lists, {self.bound.add(leaf.list, 'UInt64')})", leaf.negated)
        if isinstance(leaf, nodes.InSegment):
            frozen = f"p.contact IN ({self._frozen(leaf.segment)})"
            return _turn(frozen if leaf.criteria is None else self.condition(leaf.criteria), leaf.negated)
        return _turn(f"p.contact IN ({self._journey(leaf)})", leaf.negated)

    def _field(self, leaf: nodes.Field) -> str:
        tests = self.on_people
        if leaf.attribute:
            return tests.elements(leaf.test, self._map("p.", leaf.name))
        if leaf.name == "id":
            return tests.scalar(leaf.test, "toString(p.contact)")
        if leaf.type == "date":
            return tests.instant(leaf.test, f"p.{leaf.name}")
        return tests.scalar(leaf.test, f"p.{leaf.name}")

    def _map(self, table: str, name: str) -> Elements:
        key = self.bound.text(name)
        return Elements(f"{table}texts[{key}]", f"{table}numbers[{key}]")

    def _frozen(self, segment: int) -> str:
        """Who is in a segment: column `person`."""
        return (
            f"SELECT contact AS person FROM memberships WHERE account = {self.account}"
            f" AND segment = {self.bound.add(segment, 'UInt64')} AND load <= {self.load}"
            " GROUP BY contact HAVING argMax(member, (load, position)) = 1"
        )

    def _journey(self, leaf: nodes.InJourney) -> str:
        """Who went through a journey as a leaf says: column `person`."""
        journey = self.bound.add(leaf.journey, "UInt64")
        within = f"account = {self.account} AND journey = {journey} AND load <= {self.load}"
        if not self.rows:
            within += f" AND at <= {instant(self.now)}"
        at_step = "" if leaf.step is None else f" AND step = {self.bound.text(leaf.step)}"
        if leaf.op == "active":
            here = (
                ""
                if leaf.step is None
                else f" AND argMaxIf(step, visit, kind = 'step') = {self.bound.text(leaf.step)}"
            )
            runs = (
                f"SELECT any(contact) AS contact FROM runs WHERE {within} GROUP BY enrolment"
                " HAVING countIf(kind IN ('completed', 'exited', 'held_out')) = 0"
                f" AND countIf(kind = 'parked') = countIf(kind = 'resumed'){here}"
            )
        else:
            kind = "step" if leaf.op == "entered" and leaf.step is not None else leaf.op
            runs = f"SELECT contact FROM runs WHERE {within} AND kind = {self.bound.text(kind)}{at_step}"
        return (
            f"SELECT if(l.contact != 0, l.contact, r.contact) AS person FROM ({runs}) AS r"
            f" LEFT JOIN (SELECT merged, contact FROM {self.links()} WHERE merged != 0) AS l ON l.merged = r.contact"
        )

    # Events

    def links(self) -> str:
        """Which contact a visitor, or a contact merged away, is."""
        if not self.only:
            return self._links("")
        # Those once tied to them are found first: to put together who every visitor is takes longer.
        once = f"SELECT visitor, merged FROM links WHERE {self._until()} AND contact IN {self.only}"
        return self._links(f" AND (visitor, merged) IN ({once})", f" HAVING contact IN {self.only}")

    def _links(self, which: str, last: str = "") -> str:
        return (
            f"(SELECT visitor, merged, argMax(links.contact, load) AS contact FROM links WHERE {self._until()}{which}"
            f" GROUP BY visitor, merged{last})"
        )

    def _until(self) -> str:
        """What an account's tables hold at the watermark."""
        return f"account = {self.account} AND load <= {self.load}"

    def _did(self, leaf: Did) -> str:
        place = self.did.setdefault(leaf, len(self.did))
        counted = self.on_people.whole(leaf.count, f"toDecimal128(e.c{place}, 0)")
        aggregate = leaf.aggregate
        if aggregate is None:
            return counted
        present = f"e.n{place} > 0"
        scale = ""
        if aggregate.kind == "sum":
            present = "1"
        elif aggregate.kind == "avg":
            scale = f" * e.n{place}"
        return f"({counted} AND {self.on_people.amount(aggregate.test, f'e.a{place}', present, scale)})"

    def join(self) -> str:
        """The counts and amounts of all event leaves met so far, joined to the rows."""
        return f"LEFT JOIN ({self._by_row()}) AS e ON e.case = p.case" if self.did else ""

    def _columns(self) -> list[str]:
        """The columns of each leaf."""
        found = []
        for leaf, place in self.did.items():
            counts = self._counts(leaf)
            found.append(f"countIf({counts}) AS c{place}")
            if leaf.aggregate is None:
                continue
            numbers = self._property(leaf.aggregate.property).numbers
            found.append(f"sumIf(length({numbers}), {counts}) AS n{place}")
            kind = leaf.aggregate.kind
            if kind in ("min", "max"):
                array = f"array{kind.capitalize()}({numbers})"
                found.append(f"{kind}If({array}, {counts} AND notEmpty({numbers})) AS a{place}")
            else:
                wide = f"arraySum(arrayMap(n -> toDecimal256(n, 10), {numbers}))"
                found.append(f"sumIf({wide}, {counts}) AS a{place}")
        return found

    def _events(self) -> str:
        """Which events are read at all: those that one leaf at least can count."""
        names = sorted({leaf.event for leaf in self.did})
        return self._until() + self._of_names(names) + self._of_people()

    def _of_names(self, names: Sequence[str]) -> str:
        """That an event is of one of some names, unless "*" is among them."""
        return "" if "*" in names else f" AND name IN {self.bound.add(list(names), 'Array(String)')}"

    def _of_people(self) -> str:
        """That an event is of the contacts asked, if it is some, or of who is tied to them."""
        if not self.only:
            return ""
        return (
            f" AND (contact IN {self.only} OR contact IN (SELECT merged FROM {self.links()} WHERE merged != 0)"
            f" OR (contact = 0 AND visitor IN (SELECT visitor FROM {self.links()} WHERE merged = 0)))"
        )

    def _by_row(self) -> str:
        own = "case, now AS run_now, entered_at AS run_entered_at, enrolment AS run_enrolment, key AS run_key"
        people = (
            f"SELECT contact AS subject, {NOBODY} AS browser, {own} FROM {self.rows}"
            f" UNION ALL SELECT l.merged AS subject, l.visitor AS browser, {own}"
            f" FROM {self.links()} AS l INNER JOIN {self.rows} AS r ON r.contact = l.contact"
        )
        browser = f"if(contact = 0, visitor, {NOBODY}) AS browser"
        return (
            f"SELECT case, {', '.join(self._columns())} FROM"
            f" (SELECT * FROM (SELECT *, {browser} FROM events WHERE {self._events()}) AS v INNER JOIN ({people}) AS b"
            f" ON b.subject = v.contact AND b.browser = v.browser LIMIT 1 BY case, {ONCE}) GROUP BY case"
        )

    def _named(self, name: str) -> str:
        """Whether an event is one of a name, or of any that "*" takes in."""
        if name != "*":
            return f"name = {self.bound.text(name)}"
        parts = [f"NOT startsWith(name, {self.bound.text(prefix)})" for prefix in nodes.SYSTEM_PREFIXES]
        parts += [f"NOT endsWith(name, {self.bound.text(suffix)})" for suffix in nodes.UNCOUNTED_SUFFIXES]
        return " AND ".join(parts)

    def _counts(self, leaf: Did) -> str:
        """Whether an event is among those that a leaf counts."""
        parts = [self._named(leaf.event)]
        if self.rows:
            parts.append(f"occurred_at <= {instant(self.event_now)}")
        if not leaf.machines:
            parts.append("machine = 0")
        return " AND ".join([*parts, *self._chosen(leaf)])

    def _chosen(self, leaf: Did) -> list[str]:
        """Conditions on an event of a leaf's name: its window, its run, its properties."""
        parts = []
        window = leaf.window
        if window is not None and window.last is not None:
            parts.append(f"occurred_at >= {self._ago(window.last)}")
        if window is not None and window.start is not None:
            parts.append(f"occurred_at >= {self._at(window.start)}")
        if window is not None and window.end is not None:
            parts.append(f"occurred_at < {self._at(window.end)}")
        if leaf.in_run:
            parts.append(self._in_run())
        return parts + [
            self.on_events.elements(where.test, self._property(where.property)) for where in leaf.where
        ]

    def _at(self, ms: int) -> str:
        return f"fromUnixTimestamp64Milli({self.bound.whole(max(ms, EARLIEST))}, 'UTC')"

    def _ago(self, ms: int) -> str:
        """So long before now."""
        if self.rows:
            return instant(f"({self.event_now} - {self.bound.whole(ms)})")
        return self._at(self.scope.now - ms)

    def _in_run(self) -> str:
        """Since the run entered, and of messages only those of its own sends."""
        if not self.rows:
            return "0"
        message = " OR ".join(
            f"startsWith(name, {self.bound.text(prefix)})" for prefix in nodes.MESSAGE_PREFIXES
        )
        other = f"endsWith(name, {self.bound.text('.subscription_updated')})"
        since = f"occurred_at >= {instant('run_entered_at')}"
        return f"{since} AND (NOT ({message}) OR {other} OR enrolment = run_enrolment)"

    def _property(self, name: str) -> Elements:
        """An event's link of that name, else its property; the columns are qualified by nothing: `_by_row` names
        its own apart."""
        found = self._map("", name)
        if name == "machine":
            return Elements("[if(machine = 1, 'true', 'false')]")
        if name not in LINK_COLUMNS:
            return found
        column = LINK_COLUMNS[name]
        if LINK_COLUMNS[name] in _LINK_TEXTS:
            return Elements(
                f"if({column} != '', [toString({column})], {found.texts})",
                f"if({column} != '', [], {found.numbers})",
            )
        return Elements(
            f"if({column} != 0, [toString({column})], {found.texts})",
            f"if({column} != 0, [toDecimal128({column}, 10)], {found.numbers})",
        )


def _turn(positive: str, negated: bool) -> str:
    return f"NOT ({positive})" if negated else positive
