"""From the journal to loads: what came is read, put through the steps, and committed with what it becomes.

One transaction takes the journal's rows away, keeps the loads, the new contacts and ties, and says how far the
collector's own journal was read: killed before its commit, nothing happened; after it, nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import itemgetter

import msgspec
from django.db import connection, transaction

from parcours.accounts.models import Account
from parcours.contacts.merging import people
from parcours.events import journal, names, watermark
from parcours.events.entries import Entry, Event, Touched
from parcours.events.models import Load
from parcours.events.store import loads
from parcours.lib import bulk, clock
from parcours.lib.crashpoints import point
from parcours.lib.instants import from_ms, to_ms
from parcours.tracking import fanout
from parcours.tracking.digest import steps
from parcours.tracking.digest.shards import Held
from parcours.tracking.digest.steps import Draft

#: A load holds about this many entries: the store takes them best ten thousand at a time.
MOST_ENTRIES = 10_000
#: Rows are read until this many bytes, compressed, so that memory stays flat whatever was sent.
MOST_BYTES = 8 * 1024 * 1024
#: A contact to be mirrored weighs less than an event.
_TOUCHED_IN_AN_ENTRY = 4


@dataclass(slots=True)
class Read:
    """What was taken from the journals, and what it leaves there."""

    rows: list[tuple[int, int, Iterable[Entry]]] = field(
        default_factory=list
    )  # when written, account, entries
    row_ids: list[int] = field(default_factory=list)
    collector_upto: int = 0
    collector_rows: int = 0
    accepted_upto: int = 0

    def accounts(self) -> dict[int, tuple[int, list[Iterable[Entry]]]]:
        """For each account, when its oldest row was written, and its rows' entries in the order of writing."""
        found: dict[int, tuple[int, list[Iterable[Entry]]]] = {}
        for created_at, account_id, entries in sorted(self.rows, key=itemgetter(0)):
            found.setdefault(account_id, (created_at, []))[1].append(entries)
        return found


@dataclass(slots=True)
class Composed:
    """A load, and what its listeners are told of it."""

    load: Load
    body: loads.Body
    batch: fanout.Batch


class _Measure:
    """Says when enough was read."""

    def __init__(self) -> None:
        self.entries, self.bytes = 0, 0

    def add(self, body: bytes, entries: Iterable[Entry], count: int) -> None:
        self.bytes += len(body)
        self.entries += count
        for entry in entries:
            if isinstance(entry, Touched):
                self.entries += len(entry.contacts) // _TOUCHED_IN_AN_ENTRY

    def is_enough(self) -> bool:
        return self.entries >= MOST_ENTRIES or self.bytes >= MOST_BYTES


def read(held: Held, collected: journal.CollectorJournal) -> Read | None:
    """What the journals hold for the shard, about a load's worth of each; None when there is nothing."""
    now = to_ms(clock.now())
    taken = Read(collector_upto=held.collector_upto)
    left_since = [_read_state(held, taken), _read_collected(held, taken, collected)]
    if not taken.rows:
        return None
    taken.accepted_upto = min([now, *(since - 1 for since in left_since if since is not None)])
    return taken


def _read_state(held: Held, taken: Read) -> int | None:
    """Read the state database's journal; answers the instant of the oldest row left there, if any is."""
    measure, last = _Measure(), 0
    with connection.cursor() as cursor:
        while not measure.is_enough():
            cursor.execute(
                "SELECT id, account_id, count, created_at, body FROM events_journalrow WHERE shard = %s AND id > %s"
                " ORDER BY id LIMIT 50",
                [held.shard, last],
            )
            rows = cursor.fetchall()
            for row_id, account_id, count, created_at, body in rows:
                entries = journal.decode(body)
                measure.add(body, entries, count)
                taken.rows.append((created_at, account_id, entries))
                taken.row_ids.append(row_id)
                last = row_id
                if measure.is_enough():
                    break
            if len(rows) < 50:
                break
        if not measure.is_enough():
            return None
        cursor.execute(
            "SELECT min(created_at) FROM events_journalrow WHERE shard = %s AND id > %s", [held.shard, last]
        )
        return cursor.fetchone()[0]


def _read_collected(held: Held, taken: Read, collected: journal.CollectorJournal) -> int | None:
    """Read the collector's own journal; rows left there were written after the last one read."""
    if not collected.separate:
        return None
    measure, latest = _Measure(), 0
    while not measure.is_enough():
        rows = collected.read(taken.collector_upto, 50, shard=held.shard)
        for row in rows:
            measure.add(row.body, (), row.count)
            taken.rows.append((row.created_at, row.account_id, _entries(row.body)))
            taken.collector_upto, latest = row.id, row.created_at
            taken.collector_rows += 1
            if measure.is_enough():
                return latest
        if len(rows) < 50:
            break
    return None


def _entries(body: bytes) -> Iterator[Entry]:
    """A row's entries, read when they are asked for: a row at a time stays near the processor."""
    yield from journal.decode(body)


def compose(held: Held, taken: Read, *, now: datetime) -> list[Composed]:
    """Commit a load for each account that has something in what was read. Raises Stale."""
    received = taken.accounts()
    accounts = Account.objects.in_bulk(list(received))
    drafts = [
        Draft(
            account=accounts[account_id],
            accepted_from=accepted_from,
            entries=chain.from_iterable(entries),
            now=now,
        )
        for account_id, (accepted_from, entries) in received.items()
        if account_id in accounts  # What came for an account that is gone goes with it.
    ]
    for draft in drafts:
        for step in steps.BEFORE:
            step(draft)
    point("digest.read")
    composed = []
    with transaction.atomic():
        held.commit_check(collector_upto=taken.collector_upto)
        for draft in drafts:
            for step in steps.WITHIN:
                step(draft)
                point(f"digest.{step.__name__}")
            composed.append(_keep(draft, held, taken))
        among, bound = bulk.among("id", taken.row_ids)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM events_journalrow WHERE {among}", [bound])
        point("digest.before_compose")
    held.collector_upto = taken.collector_upto
    point("digest.composed")
    return composed


def _keep(draft: Draft, held: Held, taken: Read) -> Composed:
    account_id = draft.account.pk
    names.record(account_id, names.seen(draft.events), now=draft.now)
    accepted_from = from_ms(draft.accepted_from)
    body = loads.Body(
        events=draft.events,
        profiles=draft.profiles,
        links=draft.links,
        memberships=draft.memberships,
        parked=draft.parked,
        merges=draft.merges,
        moved=draft.moved,
    )
    load = Load.objects.create(
        account_id=account_id,
        shard=held.shard,
        count=len(draft.events) + sum(len(each.contacts) for each in draft.moved),
        dropped={reason.value: count for reason, count in draft.dropped.items()},
        accepted_from=accepted_from,
        accepted_upto=watermark.next_upto(
            account_id, from_ms(taken.accepted_upto), accepted_from=accepted_from
        ),
        body=loads.encode_body(
            events=body.events,
            profiles=body.profiles,
            links=body.links,
            memberships=body.memberships,
            parked=body.parked,
            merges=body.merges,
            moved=body.moved,
        ),
        created_at=draft.now,
    )
    return _composed(load, body)


def _composed(load: Load, body: loads.Body) -> Composed:
    events = [*body.events, *(event for each in body.moved for event in each.events())]
    batch = fanout.Batch(
        account_id=load.account_id,
        load_id=load.pk,
        now=load.created_at,
        events=_of_survivors(load.account_id, events),
        touched={profile["contact"] for profile in body.profiles},
        gone={profile["contact"] for profile in body.profiles if profile["gone"]},
        linked=body.links,
        regrouped={contact for pair in body.merges for contact in pair if contact},
    )
    return Composed(load=load, body=body, batch=batch)


def _of_survivors(account_id: int, events: list[Event]) -> list[Event]:
    """The events, those of contacts merged away as of who they are now; the store keeps them as they were told."""
    found = people.survivors(account_id, {event.contact for event in events if event.contact})
    if not found:
        return events
    return [
        msgspec.structs.replace(event, contact=found[event.contact]) if event.contact in found else event
        for event in events
    ]


def reopen(load: Load) -> Composed:
    """A load that a process now dead had composed, from its body alone."""
    return _composed(load, loads.decode_body(load.body))
