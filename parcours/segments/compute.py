"""Who is in a segment now, and what changed: one query on the event store at one watermark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from parcours.criteria import compile, nodes, store
from parcours.criteria.compile import Scope, Statement
from parcours.criteria.parse import parse
from parcours.events.entries import Entry, Event, Membership
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
    scope = Scope(segment.account_id, watermark.load, to_ms(watermark.as_of), segment.account.timezone)
    meet = compile.members(node, scope, contacts=contacts)
    rows = store.run(_changes(segment, meet, watermark.load, contacts))
    return Moves(entered=rows[0][0], left=rows[0][1])


def _changes(segment: Segment, meet: Statement, load: int, contacts: Sequence[int] | None) -> Statement:
    own = {"m_account": segment.account_id, "m_segment": segment.pk, "m_load": load}
    only = ""
    if contacts is not None:
        own["m_contacts"] = list(contacts)  # type: ignore[assignment]
        only = " AND contact IN {m_contacts:Array(UInt64)}"
    inside = (
        "SELECT contact FROM memberships WHERE account = {m_account:UInt32} AND segment = {m_segment:UInt64}"
        f" AND load <= {{m_load:UInt64}}{only} GROUP BY contact HAVING argMax(member, (load, position)) = 1"
    )
    sql = (
        "SELECT groupArrayIf(contact, meets AND NOT inside), groupArrayIf(contact, inside AND NOT meets) FROM"
        " (SELECT contact, max(m) AS meets, max(i) AS inside FROM"
        f" (SELECT contact, 1 AS m, 0 AS i FROM ({meet.sql}) UNION ALL SELECT contact, 0 AS m, 1 AS i FROM ({inside}))"
        " GROUP BY contact ORDER BY contact)"
    )
    return Statement(sql, meet.parameters | own)


def entries(
    segment: Segment, found: Moves, *, now: datetime, computation: int, initial: bool
) -> Iterator[Entry]:
    """What the journal is told of moves: the membership, and an event of each contact.

    The events of a segment's first computation are marked `initial` and start nothing.
    """
    at, text = to_ms(now), str(segment.pk)
    entering = {"segment": text, "initial": True} if initial else {"segment": text}
    leaving = {"segment": text}
    moved = itertools.chain(
        ((contact, True) for contact in found.entered), ((contact, False) for contact in found.left)
    )
    for contact, member in moved:
        yield Membership(segment.pk, contact, member, at)
        yield Event(
            "segment.entered" if member else "segment.left",
            at,
            at,
            f"segment.{segment.pk}.{computation}.{contact}",
            contact=contact,
            properties=entering if member else leaving,
            moves=not initial,
        )
