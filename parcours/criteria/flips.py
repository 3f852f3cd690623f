"""When the truth of criteria can change by the mere passing of time: no new event, no change of a contact.

An instant told here may turn out to change nothing (another criterion decides); none at which something changes is
left out. What can change, and when:

* an event that has not yet occurred counts from `occurred_at` on;
* one in a window `{"last": D}` counts for the last time at `occurred_at + D` (both ends are in), so that the next
  millisecond is told;
* a date `t` compared with `now - D` (`before`, `after`, `within_last`, … with a duration) is on another side at `t + D`
  and a millisecond later; for `within_next` D is negative;
* a contact, or a step of a run, from an instant still to come exists from then on.

Fixed windows and dates without a duration change nothing as time passes; nor does a frozen segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from parcours.criteria import nodes
from parcours.criteria.compile import NOBODY, Scope, Sql, Statement
from parcours.criteria.nodes import Did, Field, InJourney, Kind, Node, Test
from parcours.criteria.sql_tests import instant


@dataclass(frozen=True)
class Timing:
    """What of criteria moves with time.

    `windows` are the names of events ("*" included) with their `last`, in ms; `dates` says that there are dates
    compared with a duration, which only the event store knows.
    """

    windows: frozenset[tuple[str, int]]
    dates: bool

    def __bool__(self) -> bool:
        return bool(self.windows) or self.dates


def timing(node: Node) -> Timing:
    """What of these criteria moves with time, those of inner segments included."""
    windows: set[tuple[str, int]] = set()
    dates = False
    for leaf in nodes.leaves(node):
        if isinstance(leaf, Did):
            if leaf.window is not None and leaf.window.last is not None:
                windows.add((leaf.event, leaf.window.last))
            dates = dates or any(_ago(where.test) for where in leaf.where)
        elif isinstance(leaf, Field):
            dates = dates or bool(_ago(leaf.test))
    return Timing(frozenset(windows), dates)


def _ago(test: Test) -> tuple[int, ...]:
    """The durations (ms) before now that a test compares instants with."""
    if test.kind is not Kind.INSTANT:
        return ()
    return tuple(sorted({moment.ago for moment in test.moments if moment.at is None}))


def instants(
    node: Node, scope: Scope, *, until: int, most: int, contacts: Sequence[int] | None = None
) -> Statement:
    """The first `most` instants after `scope.now`, `until` (ms) included, at which contacts can flip, in their order.

    Columns `due` (ms) and `contact`. `contacts` restricts the answer to these.
    """
    sql = _Flips(scope, until, contacts)
    parts = " UNION ALL ".join(sql.parts(node))
    shared = ", ".join(f"{name} AS MATERIALIZED ({said})" for name, said in sql.moving.items())
    return Statement(
        f"{'WITH ' if shared else ''}{shared}"
        f" SELECT due, contact FROM ({parts}) WHERE due > {sql.now} AND due <= {sql.until}"
        f" GROUP BY due, contact ORDER BY due, contact LIMIT {sql.bound.whole(most)}",
        sql.bound.parameters,
        sql.tables,
    )


class _Flips(Sql):
    """The statement under way."""

    def __init__(self, scope: Scope, until: int, contacts: Sequence[int] | None) -> None:
        super().__init__(scope, contacts=contacts)
        self.first, self.last = scope.now, until
        self.until = self.bound.whole(until)
        self.moving: dict[str, str] = {}

    def parts(self, node: Node) -> list[str]:
        """One SELECT for each place where instants are found."""
        leaves = list(dict.fromkeys(nodes.leaves(node)))
        found = [self._created()]
        found += [
            self._field_dates(leaf, ago)
            for leaf in leaves
            if isinstance(leaf, Field) and (ago := _ago(leaf.test))
        ]
        journeys = sorted({leaf.journey for leaf in leaves if isinstance(leaf, InJourney)})
        if journeys:
            found.append(self._runs(journeys))
        events = [leaf for leaf in leaves if isinstance(leaf, Did)]
        if events:
            found.append(self._of_events(events))
        return found

    def _profiles(self) -> str:
        """Every state of the contacts until the watermark: that of a former one is told in vain, and that is all."""
        only = f" AND contact IN {self.only}" if self.only else ""
        return f"profiles WHERE {self._until()}{only}"

    def _created(self) -> str:
        later = f"created_at > {instant(self.now)} AND created_at <= {instant(self.until)}"
        return (
            f"SELECT toUnixTimestamp64Milli(created_at) AS due, contact FROM {self._profiles()} AND {later}"
        )

    def _field_dates(self, leaf: Field, ago: Sequence[int]) -> str:
        if leaf.attribute:
            key = self.bound.text(leaf.name)
            due = self._after(self.on_people.instants(f"texts[{key}]"), ago)
            return f"SELECT arrayJoin({due}) AS due, contact FROM {self._profiles()} AND mapContains(texts, {key})"
        column = f"profiles.{leaf.name}"
        if leaf.type != "date":
            text = "toString(contact)" if leaf.name == "id" else column
            due = self._after(self.on_people.instants(f"[{text}]"), ago)
            return f"SELECT arrayJoin({due}) AS due, contact FROM {self._profiles()}"
        within = self._ranges(column, [offset for one in ago for offset in (one, one + 1)])
        due = self._after(f"[assumeNotNull(toUnixTimestamp64Milli({column}))]", ago)
        return f"SELECT arrayJoin({due}) AS due, contact FROM {self._profiles()} AND isNotNull({column}) AND {within}"

    def _after(self, dates: str, ago: Sequence[int]) -> str:
        """Of an array of instants, those at which each is on another side of now less a duration."""
        both = ", ".join(f"t + {self.bound.whole(one)}, t + {self.bound.whole(one + 1)}" for one in ago)
        return f"arrayFlatten(arrayMap(t -> [{both}], {dates}))"

    def _ranges(self, column: str, offsets: Iterable[int]) -> str:
        """Whether a column of instants, with an offset, falls after now and until the end."""
        ranges = [
            f"({column} > {instant(self.bound.whole(self.first - offset))}"
            f" AND {column} <= {instant(self.bound.whole(self.last - offset))})"
            for offset in sorted(set(offsets))
        ]
        return f"({' OR '.join(ranges)})"

    def _runs(self, journeys: Sequence[int]) -> str:
        among = self.bound.add(list(journeys), "Array(UInt64)")
        return self._people(
            f"SELECT contact, {NOBODY} AS browser, toUnixTimestamp64Milli(at) AS due FROM runs"
            f" WHERE account = {self.account} AND journey IN {among} AND load <= {self.load}"
            f" AND at > {instant(self.now)}"
        )

    def _of_events(self, leaves: Sequence[Did]) -> str:
        names = sorted({leaf.event for leaf in leaves})
        condition = self._until() + self._of_names(names)
        dated = any(_ago(where.test) for leaf in leaves for where in leaf.where)
        if not dated:
            lasts = [leaf.window.last + 1 for leaf in leaves if leaf.window and leaf.window.last is not None]
            condition += f" AND {self._ranges('occurred_at', [0, *lasts])}"
        dues = ", ".join(f"if({self._may_count(leaf)}, {self._dues(leaf)}, [])" for leaf in leaves)
        browser = f"if(contact = 0, visitor, {NOBODY}) AS browser"
        return self._people(
            f"SELECT contact, {browser}, arrayJoin(arrayDistinct(arrayConcat({dues}))) AS due"
            f" FROM events WHERE {condition}{self._of_people()}"
        )

    def _may_count(self, leaf: Did) -> str:
        """Whether an event meets all of a leaf that time does not change."""
        still = tuple(where for where in leaf.where if not _ago(where.test))
        moving = leaf.window is not None and leaf.window.last is not None
        return self._counts(replace(leaf, where=still, window=None if moving else leaf.window))

    def _dues(self, leaf: Did) -> str:
        at = "toUnixTimestamp64Milli(occurred_at)"
        found = [f"[{at}]"]
        if leaf.window is not None and leaf.window.last is not None:
            found.append(f"[{at} + {self.bound.whole(leaf.window.last + 1)}]")
        for where in leaf.where:
            if ago := _ago(where.test):
                texts = self._property(where.property).texts
                found.append(self._after(self.on_events.instants(texts), ago))
        return f"arrayConcat({', '.join(found)})" if len(found) > 1 else found[0]

    def _people(self, subjects: str) -> str:
        """Rows (contact, browser, due) as the people behind. They are few: only who they are is looked up."""
        moving = f"moving_{len(self.moving)}"
        self.moving[moving] = subjects
        links = self._links(f" AND (visitor, merged) IN (SELECT browser, contact FROM {moving})")
        return (
            f"SELECT s.due AS due, if(l.contact != 0, l.contact, s.contact) AS person FROM {moving} AS s"
            f" LEFT JOIN {links} AS l ON l.visitor = s.browser AND l.merged = s.contact WHERE person != 0"
        )
