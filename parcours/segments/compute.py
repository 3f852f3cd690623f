"""Who is in segments now, and what changed: one query on the event store at one watermark, for many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from parcours.criteria import members, nodes, store
from parcours.criteria.compile import Scope, Statement
from parcours.criteria.parse import parse
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
    at_once: int = members.MOST,
) -> dict[int, Moves]:
    """`moves` of several segments of one account, by segment; `at_once` of them in one query.

    With `contacts`, each segment is asked of all of these. What several criteria ask is asked once.
    """
    found: dict[int, Moves] = {}
    for start in range(0, len(asked), at_once):
        some = asked[start : start + at_once]
        entered: list[list[int]] = [[] for _ in some]
        left: list[list[int]] = [[] for _ in some]
        if len(some) == 1:
            ((entered[0], left[0]),) = store.run(_changes(some, watermark, contacts))
        else:
            for contact, meets, inside in store.run(_changes(some, watermark, contacts)):
                _sort_out(contact, meets & ~inside, entered)
                _sort_out(contact, inside & ~meets, left)
        for (segment, _), come, gone in zip(some, entered, left, strict=True):
            found[segment.pk] = Moves(entered=come, left=gone)
    return found


def _sort_out(contact: int, bits: int, segments: list[list[int]]) -> None:
    """Give a contact to the segments whose bits are set."""
    while bits:
        lowest = bits & -bits
        segments[lowest.bit_length() - 1].append(contact)
        bits ^= lowest


def _changes(
    asked: Sequence[tuple[Segment, nodes.Node]], watermark: Watermark, contacts: Sequence[int] | None
) -> Statement:
    """Of one segment, a row of two arrays: who has to enter, and who has to leave. Of several, a row for each contact
    who moves, with two numbers whose bits say whose criteria are met, and in which segments the contact is."""
    first = asked[0][0]
    scope = Scope(first.account_id, watermark.load, to_ms(watermark.as_of), first.account.timezone)
    among = None if contacts is None else members.some(scope, contacts)
    meet = members.members_of([node for _, node in asked], scope, among=among)
    own = {"m_account": first.account_id, "m_load": watermark.load}
    own["m_segments"] = [segment.pk for segment, _ in asked]  # type: ignore[assignment]
    only = ""
    if contacts is not None:
        own["m_contacts"] = list(contacts)  # type: ignore[assignment]
        only = " AND contact IN {m_contacts:Array(UInt64)}"
    place_of = "toUInt8(indexOf({m_segments:Array(UInt64)}, segment) - 1)"
    inside = (
        f"SELECT contact, groupBitOr(bitShiftLeft(toUInt64(1), {place_of})) AS inside"
        " FROM (SELECT segment, contact FROM memberships WHERE account = {m_account:UInt32}"
        f" AND segment IN {{m_segments:Array(UInt64)}} AND load <= {{m_load:UInt64}}{only}"
        " GROUP BY segment, contact HAVING argMax(member, (load, position)) = 1) GROUP BY contact"
    )
    moved = (
        "(SELECT contact, groupBitOr(m) AS meets, groupBitOr(i) AS inside FROM"
        f" (SELECT contact, met AS m, toUInt64(0) AS i FROM ({meet.sql})"
        f" UNION ALL SELECT contact, toUInt64(0) AS m, inside AS i FROM ({inside})) GROUP BY contact)"
        " WHERE meets != inside"
    )
    if len(asked) == 1:
        sql = (
            "SELECT arraySort(groupArrayIf(contact, meets != 0)), arraySort(groupArrayIf(contact, inside != 0))"
            f" FROM {moved}"
        )
    else:
        sql = f"SELECT contact, meets, inside FROM {moved} ORDER BY contact"
    return Statement(sql, meet.parameters | own)


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
