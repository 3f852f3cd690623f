"""Takes from each load of the digest what journeys wait for: entries, exits and the ends of waits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from msgspec import structs

from parcours.contacts.merging.people import survivors
from parcours.criteria import nodes
from parcours.criteria.evaluate import At
from parcours.events.entries import Event
from parcours.journeys import inbox
from parcours.journeys.document import Trigger
from parcours.journeys.engine import programs
from parcours.journeys.engine.programs import Programs
from parcours.journeys.engine.runs import ENTRY, EXIT, WAIT, write_event
from parcours.journeys.engine.walk import key_of, triggered
from parcours.journeys.inbox import NewRow
from parcours.lib import bulk
from parcours.lib.instants import to_ms
from parcours.tracking.fanout import Batch

_RUNNING = (
    "SELECT id, version, activated_at FROM journeys_journey"
    " WHERE account_id = %s AND status IN ('active', 'paused')"
)


@dataclass
class Interest:
    """What the journeys of an account want to be told: event name -> who wants it."""

    entries: dict[str, list[tuple[Programs, Trigger, int]]] = field(default_factory=lambda: defaultdict(list))
    exits: dict[str, list[Programs]] = field(default_factory=lambda: defaultdict(list))
    waits: dict[str, list[Programs]] = field(default_factory=lambda: defaultdict(list))
    exit_profiles: list[Programs] = field(default_factory=list)
    wait_profiles: list[Programs] = field(default_factory=list)


def interest(account_id: int) -> Interest:
    """What the account's journeys, active and paused, wait for now."""
    found = Interest()
    with connection.cursor() as cursor:
        cursor.execute(_RUNNING, [account_id])
        rows = cursor.fetchall()
    for journey, version, activated_at in rows:
        known = programs.of(journey, version)
        document = known.current.document
        if document.include != "current":
            for trigger in document.triggers:
                if trigger.event:
                    found.entries[trigger.event].append((known, trigger, activated_at or 0))
        versions = known.versions.values()
        for name in {name for program in versions for name in program.exit_names}:
            found.exits[name].append(known)
        for name in {name for program in versions for name in program.wait_names}:
            found.waits[name].append(known)
        if any(program.exit_profile for program in versions):
            found.exit_profiles.append(known)
        if any(program.wait_profile for program in versions):
            found.wait_profiles.append(known)
    return found


def _for(name: str, wanted: dict[str, list[Any]]) -> Iterable[Any]:
    """Who wants events of a name: by the name, by "*", or as one of journeys' own ("journey.*")."""
    yield from wanted.get(name, ())
    if "*" in wanted and nodes.event_matches_name("*", name):
        yield from wanted["*"]
    if name.startswith("journey."):
        yield from wanted.get("journey.*", ())


class JourneyListener:
    """Told of every load, in the order of acceptance."""

    def prepare(self, batch: Batch) -> Any:
        """What is wanted, and the entries, which need nothing but the events."""
        wanted = interest(batch.account_id)
        rows: list[NewRow] = []
        for event in batch.events:
            if not event.moves or not event.contact:
                continue
            for known, trigger, activated_at in _for(event.name, wanted.entries):
                if self._lets_in(event, known, trigger, activated_at):
                    key = known.current.document.key
                    rows.append(
                        NewRow(
                            known.account,
                            known.journey,
                            ENTRY,
                            event.contact,
                            event.received_at,
                            event.occurred_at,
                            event.message_id,
                            key_of(event, key) or "" if key else "",
                            write_event(event),
                        )
                    )
        return wanted, rows

    @staticmethod
    def _lets_in(event: Event, known: Programs, trigger: Trigger, activated_at: int) -> bool:
        if event.occurred_at < activated_at:
            return False
        if trigger.max_age and event.received_at - event.occurred_at > trigger.max_age:
            return False
        return triggered(trigger, event, At(now=event.received_at, zone=known.timezone))

    def apply(self, batch: Batch, prepared: Any) -> None:
        """Write the inbox, in the transaction that marks the load done.

        Who is under way is read here, not before: a run that enters meanwhile is seen as its entry or as itself.
        """
        wanted, rows = prepared
        inbox.lock(batch.account_id)
        inbox.put(rows, account_id=batch.account_id)
        now_are = survivors(batch.account_id, {event.contact for event in batch.events if event.contact})
        moving: list[tuple[str, Programs, Event]] = []
        for event in batch.events:
            if event.moves and event.contact:
                if event.contact in now_are:
                    event = structs.replace(event, contact=now_are[event.contact])
                moving += [(EXIT, known, event) for known in _for(event.name, wanted.exits)]
                moving += [(WAIT, known, event) for known in _for(event.name, wanted.waits)]
        touched = [
            (kind, known)
            for kind, those in ((EXIT, wanted.exit_profiles), (WAIT, wanted.wait_profiles))
            for known in those
        ]
        if not moving and not (touched and batch.touched):
            return
        people = {event.contact for _, _, event in moving} | (batch.touched if touched else set())
        under_way = _under_way(people)
        at = to_ms(batch.now)
        looks = [
            NewRow(known.account, known.journey, kind, contact, at, at, f"look:{batch.load_id}", "", "")
            for kind, known in touched
            for contact in batch.touched
            if (known.journey, contact) in under_way
        ]
        events = [
            NewRow(
                known.account,
                known.journey,
                kind,
                event.contact,
                event.occurred_at,
                event.occurred_at,
                event.message_id,
                "",
                write_event(event),
            )
            for kind, known, event in moving
            if (known.journey, event.contact) in under_way
        ]
        inbox.put([*looks, *events], account_id=batch.account_id)


def _under_way(people: set[int]) -> set[tuple[int, int]]:
    """(journey, contact) of runs under way, and of those about to enter."""
    among, contacts = bulk.among("contact_id", sorted(people))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT journey_id, contact_id FROM journeys_enrolment WHERE status = 'active' AND {among}"
            f" UNION SELECT journey_id, contact_id FROM journeys_inbox WHERE kind = '{ENTRY}' AND {among}",
            [contacts, contacts],
        )
        return set(cursor.fetchall())
