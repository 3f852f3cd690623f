"""Who is in segments now, and what changed: one query on the event store at one watermark, for many at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from parcours.criteria import compile, few, members, nodes, store, whose
from parcours.criteria.compile import Scope, Statement, Tables
from parcours.criteria.parse import parse
from parcours.criteria.sql_tests import Bound
from parcours.events.entries import MOST_MOVED, Moved
from parcours.events.watermark import Watermark
from parcours.lib.instants import to_ms
from parcours.segments import names
from parcours.segments.models import Segment


@dataclass(frozen=True)
class Moves:
    """The contacts who have to enter a segment, and those who have to leave it."""

    entered: Sequence[int]
    left: Sequence[int]

    def __bool__(self) -> bool:
        return bool(self.entered or self.left)


def parsed(segment: Segment, *, known: names.AccountNames | None = None) -> nodes.Node:
    """A segment's criteria as they read now. Raises Invalid when what they name is gone."""
    context = names.context(segment.account, segment=(segment.pk, segment.name), names=known)
    return parse(segment.criteria, context=context, pointer="/criteria")


def moves(
    segment: Segment, node: nodes.Node, watermark: Watermark, *, contacts: Sequence[int] | None = None
) -> Moves:
    """Who has to enter and to leave for the segment to hold whoever meets its criteria at a watermark.

    `contacts` restricts the question to these. The membership compared with is the one at the watermark: earlier
    changes must have been digested.
    """
    return moves_of_many([(segment, node)], watermark, contacts=contacts)[segment.pk]


def moves_of_many(
    asked: Sequence[tuple[Segment, nodes.Node]],
    watermark: Watermark,
    *,
    contacts: Sequence[int] | None = None,
    wanted: Mapping[int, Collection[int]] | None = None,
    at_once: int = members.MOST,
) -> dict[int, Moves]:
    """`moves` of several segments of one account, by segment; `at_once` of them in one query.

    `wanted` says of which of the contacts each segment has to answer, if not of all; it may answer of others as well.
    What several criteria ask is asked once.
    """
    found: dict[int, Moves] = {}
    if not asked:
        return found
    first = asked[0][0]
    scope = Scope(first.account_id, watermark.load, to_ms(watermark.as_of), first.account.timezone)
    among = None
    if contacts is not None:
        each = [contacts if wanted is None else wanted.get(segment.pk, ()) for segment, _ in asked]
        met = few.meeting([node for _, node in asked], scope, each)
        if met is not None:
            return _moves_of_few(asked, scope, contacts, each, met)
        among = whose.some(scope, contacts)
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        entered: list[list[int]] = [[] for _ in some]
        left: list[list[int]] = [[] for _ in some]
        if len(some) == 1:
            ((entered[0], left[0]),) = store.run(_changes(some, scope, among))
        else:
            for contact, *words in store.run(_changes(some, scope, among)):
                for place in range(0, len(words), 2):
                    meets, inside = words[place : place + 2]
                    lowest = place // 2 * members.WORD
                    _sort_out(contact, meets & ~inside, entered, lowest)
                    _sort_out(contact, inside & ~meets, left, lowest)
        for (segment, _), come, gone in zip(some, entered, left, strict=True):
            found[segment.pk] = Moves(entered=come, left=gone)
    return found


def _moves_of_few(
    asked: Sequence[tuple[Segment, nodes.Node]],
    scope: Scope,
    contacts: Sequence[int],
    wanted: Sequence[Collection[int]],
    met: Sequence[set[int]],
) -> dict[int, Moves]:
    """Who moves, of the contacts wanted of each segment, of whom some are known to meet its criteria."""
    inside: dict[int, set[int]] = {segment.pk: set() for segment, _ in asked}
    own = Bound()
    memberships, tables = _memberships(own, scope, list(inside), contacts)
    for segment, contact in store.run(
        Statement(f"SELECT segment, contact FROM ({memberships})", own.parameters, tables)
    ):
        inside[segment].add(contact)
    found = {}
    for (segment, _), some, meet in zip(asked, wanted, met, strict=True):
        left = inside[segment.pk].intersection(some) - meet
        found[segment.pk] = Moves(entered=sorted(meet - inside[segment.pk]), left=sorted(left))
    return found


def _memberships(
    own: Bound, scope: Scope, segments: Sequence[int], contacts: Sequence[int] | None
) -> tuple[str, Tables]:
    """Who is in which of some segments at the watermark: SQL, and the tables that go with it."""
    tables: Tables = {}
    account, load = own.add(scope.account, "UInt32"), own.add(scope.load, "UInt64")
    only = "" if contacts is None else f" AND contact IN {compile.among(contacts, own, tables)}"
    sql = (
        f"SELECT segment, contact FROM memberships WHERE account = {account}"
        f" AND segment IN {own.add(list(segments), 'Array(UInt64)')} AND load <= {load}{only}"
        " GROUP BY segment, contact HAVING argMax(member, (load, position)) = 1"
    )
    return sql, tables


def _sort_out(contact: int, bits: int, segments: list[list[int]], first: int) -> None:
    """Give a contact to the segments, from the first of this number on, whose bits are set."""
    while bits:
        lowest = bits & -bits
        segments[first + lowest.bit_length() - 1].append(contact)
        bits ^= lowest


def _changes(
    asked: Sequence[tuple[Segment, nodes.Node]], scope: Scope, among: whose.Some | None
) -> Statement:
    """Of one segment, a row of two arrays: who has to enter, and who has to leave. Of several, a row for each contact
    who moves, with two numbers for each 64 of them, whose bits say whose criteria are met, and in which segments the
    contact is."""
    meet = members.members_of([node for _, node in asked], scope, among=among)
    own = Bound(prefix="m")
    ids = [segment.pk for segment, _ in asked]
    memberships, tables = _memberships(own, scope, ids, None if among is None else among.contacts)
    words = range((len(ids) + members.WORD - 1) // members.WORD)

    def each(text: str) -> str:
        return ", ".join(text.format(word) for word in words)

    inside = []
    for word in words:
        these = own.add(ids[members.WORD * word : members.WORD * (word + 1)], "Array(UInt64)")
        bit = f"bitShiftLeft(toUInt64(1), toUInt8(indexOf({these}, segment) - 1))"
        inside.append(f"groupBitOr(if(has({these}, segment), {bit}, toUInt64(0))) AS inside{word}")
    moved = (
        f"(SELECT contact, {each('groupBitOr(m{0}) AS meets{0}, groupBitOr(i{0}) AS inside{0}')} FROM"
        f" (SELECT contact, {each('met{0} AS m{0}, toUInt64(0) AS i{0}')} FROM ({meet.sql})"
        f" UNION ALL SELECT contact, {each('toUInt64(0) AS m{0}, inside{0} AS i{0}')}"
        f" FROM (SELECT contact, {', '.join(inside)} FROM ({memberships}) GROUP BY contact)) GROUP BY contact)"
        f" WHERE {' OR '.join(f'meets{word} != inside{word}' for word in words)}"
    )
    if len(asked) == 1:
        sql = (
            "SELECT arraySort(groupArrayIf(contact, meets0 != 0)), arraySort(groupArrayIf(contact, inside0 != 0))"
            f" FROM {moved}"
        )
    else:
        sql = f"SELECT contact, {each('meets{0}, inside{0}')} FROM {moved} ORDER BY contact"
    return Statement(sql, meet.parameters | own.parameters, meet.tables | tables)


def entries(
    segment: Segment, found: Moves, *, now: datetime, computation: int, initial: bool
) -> Iterator[Moved]:
    """What the journal is told of moves.

    The events of a segment's first computation are marked `initial` and start nothing.
    """
    for contacts, member in ((found.entered, True), (found.left, False)):
        for start in range(0, len(contacts), MOST_MOVED):
            some = list(contacts[start : start + MOST_MOVED])
            yield Moved(segment.pk, computation, member, to_ms(now), initial, some)
