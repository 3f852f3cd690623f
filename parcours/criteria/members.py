"""Who meets criteria, in one statement for many of them: the contacts of an account, or of a batch.

Every leaf is asked once, whatever the number of criteria that name it, and answers with one bit for each contact. Its
bits come from one reading of the contacts' mirror, from one reading of the events of each name (the properties of an
event are read for the names that need them alone), and from the sets of members and of runs. A bit says that the
leaf holds otherwise than for a contact who never did anything: whoever has no event has no row. One aggregation by
contact puts the bits together, and the criteria are read from them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

from parcours.criteria import nodes
from parcours.criteria.compile import LINK_COLUMNS, Scope, Statement
from parcours.criteria.evaluate import At, did, meets
from parcours.criteria.nodes import Did, InJourney, InSegment, Leaf, Node, Test
from parcours.criteria.sql_tests import Elements
from parcours.criteria.whose import Some, Whose

WORD = 64
MOST = 2 * WORD
"""How many criteria one statement takes: each is a bit of a whole number of 64, of which there may be several."""
_COLUMN = re.compile(r"\b[tnfd]\d+\b")


def members(node: Node, scope: Scope, *, among: Some | None = None) -> Statement:
    """The contacts who meet criteria: column `contact`. `among` restricts the answer, and the work, to some."""
    found = members_of([node], scope, among=among)
    return Statement(f"SELECT contact FROM ({found.sql})", found.parameters, found.tables)


def members_of(criteria: Sequence[Node], scope: Scope, *, among: Some | None = None) -> Statement:
    """The contacts who meet one at least of several criteria (`MOST` of them at most).

    Columns `contact`, then `met0`, `met1`… by 64 criteria: the bit k of the first says that the contact meets the
    criteria number k.
    """
    if len(criteria) > MOST:
        raise ValueError(f"One statement takes {MOST} criteria at most.")
    sql = MembersSql(scope, among)
    return Statement(sql.statement(criteria), sql.bound.parameters, sql.tables)


class MembersSql(Whose):
    """The statement under way; the bit 0 of the first word says that the contact exists."""

    def __init__(self, scope: Scope, among: Some | None) -> None:
        super().__init__(scope, among)
        self._read: dict[tuple[str, str], tuple[int, Elements]] = {}
        self._nothing = At(scope.now, scope.zone)

    def statement(self, criteria: Sequence[Node]) -> str:
        met = [
            _word(
                [(place, self.condition(node)) for place, node in enumerate(criteria[start : start + WORD])]
            )
            for start in range(0, len(criteria), WORD)
        ]
        parts = list(self._parts())
        words = range(1 + len(self._bits) // WORD)
        if len(parts) == 1:
            people = f"SELECT contact, {_all('b{0} AS m{0}', words)} FROM ({parts[0]})"
        else:
            people = (
                f"SELECT contact, {_all('groupBitOr(b{0}) AS m{0}', words)}"
                f" FROM ({' UNION ALL '.join(parts)}) GROUP BY contact"
            )
        some = " OR ".join(f"met{place} != 0" for place in range(len(met)))
        asked = ", ".join(f"{name} AS MATERIALIZED ({sql})" for name, sql in self._shared.items())
        return (
            f"{'WITH ' if asked else ''}{asked}"
            f" SELECT contact, {', '.join(f'{word} AS met{place}' for place, word in enumerate(met))}"
            f" FROM ({people}) WHERE bitTest(m0, 0) AND ({some})"
        )

    def leaf(self, leaf: Leaf) -> str:
        if isinstance(leaf, InSegment) and leaf.criteria is not None:
            return super().leaf(leaf)
        bit = self._bits.setdefault(leaf, len(self._bits) + 1)
        turned = False
        if isinstance(leaf, Did):
            turned = did(leaf, (), self._nothing)
        elif isinstance(leaf, InSegment | InJourney):
            turned = leaf.negated
        return f"{'NOT ' if turned else ''}bitTest(m{bit // WORD}, {bit % WORD})"

    def _parts(self) -> Iterator[str]:
        """Selections of `contact` and of the words of bits, each of some leaves."""
        yield self._of_profiles(
            [leaf for leaf in self._bits if not _is_set(leaf) and not isinstance(leaf, Did)]
        )
        by_name: dict[str, list[Did]] = {}
        for leaf in self._bits:
            if isinstance(leaf, Did):
                by_name.setdefault(leaf.event, []).append(leaf)
            elif _is_set(leaf):
                yield f"SELECT person AS contact, {self._words([(leaf, '1')])} FROM ({self._set(leaf)})"
        for same in by_name.values():
            for start in range(0, len(same), WORD):
                yield from self._of_events(same[start : start + WORD])

    def _words(self, bits: Sequence[tuple[Leaf | None, str]], name: str = "b") -> str:
        """The words of bits, as columns, of leaves (None: that the contact exists) and the SQL that says 0 or 1."""
        words: list[list[tuple[int, str]]] = [[] for _ in range(1 + len(self._bits) // WORD)]
        for leaf, value in bits:
            bit = 0 if leaf is None else self._bits[leaf]
            words[bit // WORD].append((bit % WORD, value))
        return ", ".join(f"{_word(some)} AS {name}{place}" for place, some in enumerate(words))

    # Contacts

    def _of_profiles(self, leaves: Sequence[Leaf]) -> str:
        """The contacts as their mirror has them at the watermark: of each, what its last row until it says."""
        exists = f"gone = 0 AND p.created_at <= {self._at(self.scope.now)}"
        self._read = {}
        said = [(leaf, super(MembersSql, self).leaf(leaf)) for leaf in leaves]
        words = self._words([(None, exists), *said], "w")
        last = _all("argMax(w{0}, load) AS b{0}", range(1 + len(self._bits) // WORD))
        read = "".join(f", {sql} AS {name}" for name, sql in self._columns_read(words).items())
        return (
            f"SELECT contact, {last} FROM (SELECT contact, load, {words} FROM (SELECT *{read}"
            f" FROM profiles WHERE {self._until()}{self._among('contact')}) AS p)"
            " GROUP BY contact"
        )

    def _map(self, table: str, name: str) -> Elements:
        """A property or an attribute: columns that are worked out once for all the leaves that look at it."""
        return self._once(table, name, super()._map("", name))

    def _property(self, name: str) -> Elements:
        if name == "machine":
            return super()._property(name)
        return (
            self._once("link", name, super()._property(name)) if name in LINK_COLUMNS else self._map("", name)
        )

    def _once(self, table: str, name: str, value: Elements) -> Elements:
        place, _ = self._read.setdefault((table, name), (len(self._read), value))
        return Elements(f"t{place}", f"n{place}", f"f{place}", f"d{place}")

    def _columns_read(self, said: str) -> dict[str, str]:
        """The columns that some SQL looks at, and what each is: reading a statement costs what it names."""
        known: dict[str, str] = {}
        for place, value in self._read.values():
            every = self.on_people.columns(value)
            kinds = zip("tnfd", (value.texts, value.numbers, every.folded, every.decimals), strict=True)
            known |= {f"{kind}{place}": sql for kind, sql in kinds}
        wanted = set(_COLUMN.findall(said)) & known.keys()
        while (
            more := {name for one in wanted for name in _COLUMN.findall(known[one])} & known.keys() - wanted
        ):
            wanted |= more
        return {name: sql for name, sql in known.items() if name in wanted}

    def _set(self, leaf: Leaf) -> str:
        """Who is in a frozen segment, or went through a journey: column `person`."""
        if isinstance(leaf, InSegment):
            return self._frozen(leaf.segment)
        assert isinstance(leaf, InJourney)
        return f"SELECT person FROM ({self._journey(leaf)}) WHERE person != 0{self._among('person')} GROUP BY person"

    # Events

    def _of_events(self, leaves: Sequence[Did]) -> Iterator[str]:
        """Of leaves on events of one name, who meets them otherwise than those who never did anything."""
        counted, truths = [], []
        for place, leaf in enumerate(leaves):
            columns, truth = self._truth(leaf, place, alone=len(leaves) == 1)
            counted += columns
            truths.append((leaf, truth))
        rows = self._rows_of(leaves)
        found = (
            f"SELECT person AS contact, {self._words(truths)} FROM"
            f" (SELECT person, {', '.join(counted)} FROM ({rows}) GROUP BY person)"
        )
        some = " OR ".join(f"b{word} != 0" for word in sorted({self._bits[leaf] // WORD for leaf in leaves}))
        yield f"{found} WHERE {some}"

    def _truth(self, leaf: Did, place: int, *, alone: bool) -> tuple[list[str], str]:
        """A leaf's columns by person, and whether it holds otherwise than without any event."""
        at = self._nothing
        never = did(leaf, (), at)
        if leaf.aggregate is None and _only_whether(leaf.count, at):
            changes = meets(leaf.count, (), (Decimal(1),), at) != never
            return [f"max(bitTest(bits, {place})) AS c{place}"], f"c{place}" if changes else "0"
        columns = ["count() AS c0" if alone else f"countIf(bitTest(bits, {place})) AS c{place}"]
        truth = self.on_people.whole(leaf.count, f"toDecimal128(c{place}, 0)")
        if leaf.aggregate is not None:
            more, met = self._amount(leaf.aggregate, place)
            columns += more
            truth = f"({truth} AND {met})"
        return columns, f"({truth}) != {int(never)}"

    def _amount(self, aggregate: nodes.Aggregate, place: int) -> tuple[list[str], str]:
        numbers, kind = f"x{place}", aggregate.kind
        columns = [f"sum(length({numbers})) AS n{place}"]
        present, scale = f"n{place} > 0", ""
        if kind in ("min", "max"):
            columns.append(f"{kind}If(array{kind.capitalize()}({numbers}), notEmpty({numbers})) AS a{place}")
        else:
            columns.append(f"sum(arraySum(arrayMap(n -> toDecimal256(n, 10), {numbers}))) AS a{place}")
        if kind == "sum":
            present = "1"
        elif kind == "avg":
            scale = f" * n{place}"
        return columns, self.on_people.amount(aggregate.test, f"a{place}", present, scale)

    def _rows_of(self, leaves: Sequence[Did]) -> str:
        """The events that one leaf at least counts: whose they are, which leaves, and the numbers summed."""
        self._read = {}
        machines = any(leaf.machines for leaf in leaves)
        conditions = []
        for leaf in leaves:
            parts = ["machine = 0"] if machines and not leaf.machines else []
            conditions.append(" AND ".join([*parts, *self._chosen(leaf)]) or "1")
        columns = []
        for place, leaf in enumerate(leaves):
            if leaf.aggregate is not None:
                numbers = self._property(leaf.aggregate.property).numbers
                if len(leaves) > 1:
                    numbers = f"if(bitTest(bits, {place}), {numbers}, [])"
                columns.append(f", {numbers} AS x{place}")
        read = self._columns_read(" ".join([*conditions, *columns]))
        events = self._events_of_people(self._common(leaves), read)
        if len(leaves) == 1:
            return f"SELECT person, 1 AS bits{''.join(columns)} FROM ({events}) WHERE {conditions[0]}"
        bits = _word(list(enumerate(conditions)))
        return f"SELECT person, bits{''.join(columns)} FROM (SELECT *, {bits} AS bits FROM ({events})) WHERE bits != 0"

    def _common(self, leaves: Sequence[Did]) -> str:
        """What holds of every event that one of these leaves, all on one name, can count."""
        return f"{self._reach(leaves)} AND {self._named(leaves[0].event)}"

    def _reach(self, leaves: Sequence[Did]) -> str:
        """What holds of every event that one leaf at least can count, but for its name."""
        condition = f"{self._until()} AND occurred_at <= {self._at(self.scope.now)}"
        if not any(leaf.machines for leaf in leaves):
            condition += " AND machine = 0"
        starts = [_earliest(leaf, self.scope.now) for leaf in leaves]
        known = [start for start in starts if start is not None]
        if len(known) == len(starts):
            condition += f" AND occurred_at >= {self._at(min(known))}"
        return condition


def _earliest(leaf: Did, now: int) -> int | None:
    """The instant (ms) before which no event counts; None: there is no such instant."""
    window = leaf.window
    if window is None:
        return None
    return window.start if window.last is None else now - window.last


def _is_set(leaf: Leaf) -> bool:
    return isinstance(leaf, InSegment | InJourney)


def _all(text: str, words: range) -> str:
    return ", ".join(text.format(word) for word in words)


def _word(bits: Sequence[tuple[int, str]]) -> str:
    """A whole number of 64 bits, of places and the SQL that says 0 or 1."""
    if not bits:
        return "toUInt64(0)"
    return _sum([f"bitShiftLeft(toUInt64({value}), {place})" for place, value in bits])


def _sum(terms: Sequence[str]) -> str:
    """A sum that nests little: what ClickHouse takes to read one grows with the square of its depth."""
    if len(terms) <= 2:
        return " + ".join(terms)
    half = len(terms) // 2
    return f"({_sum(terms[:half])}) + ({_sum(terms[half:])})"


def _only_whether(test: Test, at: At) -> bool:
    """Whether a test of a count holds for every count above 0, or for none of them."""
    around = {1} | {int(bound) + step for bound in test.numbers for step in (-1, 0, 1, 2)}
    return len({meets(test, (), (Decimal(count),), at) for count in around if count >= 1}) == 1
