"""Whose the events of the store are: a contact's own, those of their visitors, and of the contacts merged into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from parcours.criteria import store
from parcours.criteria.compile import NOBODY, Scope, Sql, Statement, are_many, rows_of
from parcours.criteria.nodes import Did, Leaf

_OF_EVENTS = ("occurred_at", "machine")


@dataclass(frozen=True)
class Some:
    """Some contacts, and who was tied to them: each visitor, and each contact merged away, with who that is."""

    contacts: Sequence[int]
    visitors: Mapping[str, int]
    merged: Mapping[int, int]


def some(scope: Scope, contacts: Sequence[int]) -> Some:
    """Some contacts, with their visitors as the event store knows them at a watermark."""
    sql = Sql(scope, contacts=contacts)
    rows = store.run(
        Statement(
            f"SELECT toString(visitor), merged, contact FROM {sql.links()}", sql.bound.parameters, sql.tables
        )
    )
    return Some(
        contacts,
        {visitor: contact for visitor, merged, contact in rows if not merged},
        {merged: contact for _visitor, merged, contact in rows if merged},
    )


class Whose(Sql):
    """A statement on the events of all the contacts of an account, or of some."""

    def __init__(self, scope: Scope, among: Some | None) -> None:
        super().__init__(scope, contacts=None if among is None else among.contacts)
        self._ties = among
        self._shared: dict[str, str] = {}
        self._bits: dict[Leaf, int] = {}
        self._many = among is not None and are_many(among.contacts, among.visitors, among.merged)

    def _among(self, column: str) -> str:
        return f" AND {column} IN {self.only}" if self.only else ""

    def _events_of_people(self, where: str, read: Mapping[str, str]) -> str:
        """Events of which something holds, with `person`, whose they are, and the columns that are looked at."""
        names = [*_OF_EVENTS, *read]
        columns = ", ".join([*_OF_EVENTS, *(f"{sql} AS {name}" for name, sql in read.items())])
        # Said to come first: else the store may ask the leaves of every row, before it looks whose the row is.
        of = f"{columns} FROM events PREWHERE {where}"
        ties = self._ties
        if ties is not None and not self._many:
            once = f" AND {self._once_told()}" if ties.visitors or ties.merged else ""
            return f"SELECT {self._whose(ties)} AS person, {of} AND {self._theirs(ties)}{once}"
        kept = ", ".join(f"s.{name} AS {name}" for name in names)
        own = self._among("contact") or " AND contact != 0"
        parts = [f"SELECT contact AS person, {of}{own}"]
        if ties is None or ties.visitors:
            theirs = "" if ties is None else f" AND visitor IN (SELECT visitor FROM {self._tied()})"
            parts.append(
                f"SELECT t.person AS person, {kept} FROM (SELECT visitor, {of} AND contact = 0{theirs}"
                f" AND {self._once_told()}) AS s"
                f" INNER JOIN {self._tied()} AS t ON t.visitor = s.visitor"
            )
        if ties is None or ties.merged:
            parts.append(
                f"SELECT t.person AS person, {kept} FROM (SELECT contact AS merged, {of}"
                f" AND {self._once_told()} AND contact IN (SELECT merged FROM {self._merged()})) AS s"
                f" INNER JOIN {self._merged()} AS t ON t.merged = s.merged"
            )
        return " UNION ALL ".join(parts)

    def _once_told(self) -> str:
        """Whether an event has no row that tells the same person of it before. One of a deal has a row for each contact
        tied to it, and so several of a person who is two of them by a merge: it counts once, the person's own first."""
        names = sorted({leaf.event for leaf in self._bits if isinstance(leaf, Did)})
        told = f"FROM events PREWHERE deal != 0 WHERE {self._until()}{self._of_names(names)}"
        ties, among = self._ties, ""
        merged = "0"
        if ties is None or (self._many and ties.merged):
            merged = f"contact IN (SELECT merged FROM {self._merged()})"
        elif ties.merged:
            merged = f"contact IN {self.bound.add(list(ties.merged), 'Array(UInt64)')}"
        if ties is not None:
            among = f" AND (contact = 0 OR contact IN {self.only} OR {merged})"
            if not self._many:
                among = f" AND {self._theirs(ties)}"
        others = f"(contact = 0 AND visitor != {NOBODY}) OR {merged}"
        rows = self._once_read(
            "told_of_deals",
            f"SELECT contact, if(contact = 0, visitor, {NOBODY}) AS browser, message_id, load, position {told}{among}"
            f" AND (load, message_id) IN (SELECT load, message_id {told}{among} AND ({others}))",
        )
        links = self._links(f" AND (visitor, merged) IN (SELECT browser, contact FROM {rows})")
        again = self._once_read(
            "told_again",
            "SELECT load, position FROM (SELECT load, position, row_number() OVER"
            " (PARTITION BY person, load, message_id ORDER BY own DESC, position) AS place FROM"
            " (SELECT r.load AS load, r.position AS position, r.message_id AS message_id,"
            " if(l.contact != 0, l.contact, r.contact) AS person, r.contact = person AS own"
            f" FROM {rows} AS r LEFT JOIN {links} AS l ON l.visitor = r.browser AND l.merged = r.contact)"
            " WHERE person != 0) WHERE place > 1",
        )
        return f"(deal = 0 OR (load, position) NOT IN (SELECT load, position FROM {again}))"

    def _theirs(self, ties: Some) -> str:
        """Whether an event is of the contacts asked, or of who was tied to them."""
        contacts = self.bound.add([*ties.contacts, *ties.merged], "Array(UInt64)")
        if not ties.visitors:
            return f"contact IN {contacts}"
        visitors = self.bound.add([UUID(visitor) for visitor in ties.visitors], "Array(UUID)")
        return f"(contact IN {contacts} OR (contact = 0 AND visitor IN {visitors}))"

    def _whose(self, ties: Some) -> str:
        person = "contact"
        if ties.merged:
            merged = self.bound.add(list(ties.merged), "Array(UInt64)")
            now_are = self.bound.add(list(ties.merged.values()), "Array(UInt64)")
            person = f"transform(contact, {merged}, {now_are}, contact)"
        if ties.visitors:
            visitors = self.bound.add(list(ties.visitors), "Array(String)")
            are = self.bound.add(list(ties.visitors.values()), "Array(UInt64)")
            person = (
                f"if(contact = 0, transform(toString(visitor), {visitors}, {are}, toUInt64(0)), {person})"
            )
        return person

    def _tied(self) -> str:
        """Which contact (`person`) a visitor is."""
        if self._ties is not None:
            return self._looked_up("tied_visitors", "visitor UUID", self._ties.visitors)
        return self._once_read(
            "tied_visitors",
            f"SELECT visitor, argMax(contact, load) AS person FROM links WHERE account = {self.account}"
            f" AND load <= {self.load} AND merged = 0 GROUP BY visitor HAVING person != 0",
        )

    def _merged(self) -> str:
        """Which contact (`person`) one merged away is."""
        if self._ties is not None:
            return self._looked_up("merged_contacts", "merged UInt64", self._ties.merged)
        return self._once_read(
            "merged_contacts",
            f"SELECT merged, argMax(contact, load) AS person FROM links WHERE account = {self.account}"
            f" AND load <= {self.load} AND visitor = {NOBODY} AND merged != 0 GROUP BY merged HAVING person != 0",
        )

    def _once_read(self, name: str, sql: str) -> str:
        """The name of a selection that is read once, however many parts of the statement look into it."""
        self._shared[name] = sql
        return name

    def _looked_up(self, name: str, column: str, found: Mapping[Any, int]) -> str:
        """The name of a table of what was looked up before: a column, and `person`."""
        self.tables[name] = (f"{column}, person UInt64", rows_of(found, found.values()))
        return name
