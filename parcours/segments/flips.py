"""Who flips by the mere passing of time, kept until then: rows of `Flips`, each some hundreds of instants in order.

A segment's flips are known until `Segment.flips_until`: read from the event store with each computation in full, and
every few hours for the next hours. What a load brings meanwhile adds its own (`stirred`). When an instant has come,
its contacts are looked at again, as if an event had moved them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from parcours.criteria import flips, store
from parcours.criteria.compile import Scope
from parcours.criteria.nodes import Node
from parcours.events.watermark import Watermark
from parcours.lib import bulk
from parcours.lib.instants import from_ms, to_ms
from parcours.segments.models import Flips, Segment

HORIZON = timedelta(hours=6)
"""How far ahead flips are kept: what a load brings that flips later is found again when that time comes near."""
MARGIN = timedelta(hours=1)
"""The next ones are asked for this long before the known ones end."""
FAR = timedelta(days=400)
"""Where nothing moves with time but what has not yet occurred."""
MOST = 100_000
"""No more instants are kept of one segment at a time: beyond, the known ones end earlier."""
_CHUNK = 500
_MOST_ROWS = 40

Pair = tuple[int, int]
"""An instant (ms) and the contact who can flip at it."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(tuple[list[int], list[int]])


@dataclass(frozen=True)
class Known:
    """The flips of a segment after an instant.

    They are all there until `until` (None: for ever); when there are too many of them, until `full_at`, at which the
    segment is computed in full instead.
    """

    pairs: Sequence[Pair]
    until: datetime | None = None
    full_at: datetime | None = None


@dataclass
class Due:
    """Flips whose instant has come: the contacts of each segment, and what stays of the rows that told them."""

    wanted: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    rows: list[int] = field(default_factory=list)
    rest: dict[int, list[Pair]] = field(default_factory=lambda: defaultdict(list))


def ahead(segment: Segment, node: Node, read: Watermark) -> Known:
    """Who can flip after a watermark, and until when this is known."""
    moves = bool(flips.timing(node))
    until = read.as_of + (HORIZON if moves else FAR)
    pairs = _asked(segment, node, read, until=until, most=MOST + 1)
    if len(pairs) > MOST:
        last = pairs[-1][0]  # Not all who flip at it may be here.
        return Known([pair for pair in pairs if pair[0] < last], full_at=from_ms(last))
    return Known(pairs, until if moves else None)


def of_contacts(segment: Segment, node: Node, read: Watermark, contacts: Sequence[int]) -> list[Pair]:
    """When some contacts can flip, as far ahead as flips are kept."""
    until = read.as_of + (HORIZON if flips.timing(node) else FAR)
    return _asked(segment, node, read, until=until, most=MOST, contacts=contacts)


def _asked(
    segment: Segment,
    node: Node,
    read: Watermark,
    *,
    until: datetime,
    most: int,
    contacts: Sequence[int] | None = None,
) -> list[Pair]:
    scope = Scope(segment.account_id, read.load, to_ms(read.as_of), segment.account.timezone)
    asked = flips.instants(node, scope, until=to_ms(until), most=most, contacts=contacts)
    return [(row[0], row[1]) for row in store.run(asked)]


def replace(segment: Segment, known: Known) -> None:
    """In the caller's transaction: these are all the flips of a segment. `flips_until` is the caller's to write."""
    Flips.objects.filter(segment=segment).delete()
    _insert(segment.account_id, segment.pk, known.pairs)


def extend(segment: Segment, known: Known, read: Watermark) -> None:
    """In the caller's transaction: these are the flips of a segment after a watermark; those due by then stay due."""
    waiting = due(segment.account_id, read.as_of, [segment.pk], most=None)
    overdue = [(to_ms(read.as_of), contact) for contact in waiting.wanted[segment.pk]]
    Flips.objects.filter(segment=segment).delete()
    _insert(segment.account_id, segment.pk, [*overdue, *known.pairs])


def add(account_id: int, pairs: Mapping[int, Iterable[Pair]]) -> None:
    """In the caller's transaction: keep more flips, by segment."""
    for segment_id, some in pairs.items():
        _insert(account_id, segment_id, sorted(set(some)))


def _insert(account_id: int, segment_id: int, pairs: Sequence[Pair]) -> None:
    chunks = (pairs[start : start + _CHUNK] for start in range(0, len(pairs), _CHUNK))
    rows = [(account_id, segment_id, chunk[0][0], _packed(chunk)) for chunk in chunks]
    bulk.insert_many("segments_flips", ("account_id", "segment_id", "due_at", "body"), rows)


def _packed(pairs: Sequence[Pair]) -> bytes:
    return _encoder.encode(([due for due, _ in pairs], [contact for _, contact in pairs]))


def due(account_id: int, as_of: datetime, segments: Sequence[int], *, most: int | None = _MOST_ROWS) -> Due:
    """The flips of these segments whose instant has come, from so many rows (None: all) at a time."""
    found, now = Due(), to_ms(as_of)
    rows = Flips.objects.filter(account_id=account_id, due_at__lte=as_of, segment_id__in=segments)
    for pk, segment_id, body in rows.order_by("due_at").values_list("pk", "segment_id", "body")[:most]:
        instants, contacts = _decoder.decode(bytes(body))
        found.rows.append(pk)
        for instant, contact in zip(instants, contacts, strict=True):
            if instant <= now:
                found.wanted[segment_id].add(contact)
            else:
                found.rest[segment_id].append((instant, contact))
    return found


def spend(account_id: int, done: Due, following: Collection[int]) -> None:
    """In the caller's transaction: what was due is looked at; what was told beside it stays, of segments that go on."""
    if done.rows:
        Flips.objects.filter(pk__in=done.rows).delete()
        add(account_id, {segment: pairs for segment, pairs in done.rest.items() if segment in following})
