"""The runs of contacts who are merged, and parted again: one history, no run twice, no message twice.

A run keeps who entered (`entrant_id`): its events go on bearing that contact, whom the event store knows to be
another now, so that undoing a merge leaves each run to whom it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from parcours.contacts.merging.following import Moved
from parcours.events.entries import Entry
from parcours.journeys import inbox
from parcours.journeys.engine import parts, programs
from parcours.journeys.engine.commit import write_runs
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.runs import ACTIVE, FAILED, RUN_COLUMNS, Run
from parcours.journeys.models import Journey
from parcours.lib import bulk
from parcours.lib.instants import to_ms
from parcours.messaging.actions import drop_doubles

_INBOX = "journeys_inbox.contact_id"
_WIDTH = len(RUN_COLUMNS)


class _Held(NamedTuple):
    """A run of one of the contacts, and whether its journey is entered once in a life."""

    run: Run
    once: bool
    person: int  # who its contact is from now on

    @property
    def live(self) -> bool:
        return self.run.status in (ACTIVE, FAILED)


def let_go(*, account_id: int, contact_ids: Sequence[int], **_: Any) -> None:
    """Before contacts are merged or parted: what the engine has in hand of them is not committed, but done again."""
    numbers = sorted({contact % parts.PARTS for contact in contact_ids})
    among, bound = bulk.among("number", numbers)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journeys_part SET lease_until = 0, worker = '', fence = fence + 1 WHERE journey_id IN"
            f" (SELECT id FROM journeys_journey WHERE account_id = %s AND status = 'active') AND {among}",
            [account_id, bound],
        )


def follow(
    *,
    account_id: int,
    into: Mapping[int, int],
    moved: Moved,
    entries: list[Entry],
    now: datetime,
    **_: Any,
) -> None:
    """In the transaction of a merge: what runs and what waits becomes the other contact's."""
    inbox.lock(account_id)
    _move_inbox(into, moved)
    for journey in Journey.objects.filter(account_id=account_id, version__gt=0).order_by("pk"):
        _move_runs(journey, into, entries, now=to_ms(now))


def _move_inbox(into: Mapping[int, int], moved: Moved) -> None:
    """What was to be taken up; a cause that both wait for is taken up once."""
    everyone = sorted({*into, *into.values()})
    among, bound = bulk.among("contact_id", everyone)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, contact_id, journey_id, kind, cause_id FROM journeys_inbox WHERE {among} ORDER BY id",
            [bound],
        )
        found = cursor.fetchall()
    known = {(contact, *cause) for _row, contact, *cause in found if contact not in into}
    moving, doubled = [], []
    for row, contact, *cause in found:
        if contact not in into:
            continue
        key = (into[contact], *cause)
        if key in known:
            doubled.append(row)
            continue
        known.add(key)
        moving.append((into[contact], row))
        moved[contact].setdefault(_INBOX, []).append(row)
    bulk.update_many("journeys_inbox", ("contact_id",), moving)
    among, bound = bulk.among("id", doubled)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM journeys_inbox WHERE {among}", [bound])


def _move_runs(journey: Journey, into: Mapping[int, int], entries: list[Entry], *, now: int) -> None:
    people: dict[int, list[_Held]] = {}
    for held in _runs(journey, into):
        people.setdefault(held.person, []).append(held)
    outcome = Outcome(journey.pk, now)
    moving: list[tuple[int, int]] = []
    doubles: dict[int, int] = {}
    live: set[int] = set()
    for person, runs in people.items():
        # Who is kept goes first, then who entered first.
        runs.sort(key=lambda held: (held.run.contact != person, held.run.entered_at, held.run.id))
        once = next((held for held in runs if held.once), None)
        under_way: dict[str, _Held] = {}
        for held in runs:
            standing = once if held.once and once is not None else held
            if standing is held and held.live:
                standing = under_way.setdefault(held.run.key, held)
            if standing is held:
                if held.run.contact != person:
                    moving.append((person, held.run.id))
                continue
            doubles[held.run.id] = standing.run.id
            if standing.live:
                live.add(standing.run.id)
            if held.live:
                outcome.leave(held.run, "merged", max(now, held.run.step_at))
            if held.run.contact != person and (not held.once or held is once):
                moving.append((person, held.run.id))
    if not outcome.empty:
        write_runs(outcome, programs.of(journey.pk, journey.version))
        entries += outcome.entries
    _give(moving)
    if doubles:
        drop_doubles(doubles, live=live)


def _runs(journey: Journey, into: Mapping[int, int]) -> list[_Held]:
    """The runs in a journey of contacts merged away, with those of the contacts who stand for them."""
    columns = f"{', '.join(RUN_COLUMNS)}, once"
    found: list[_Held] = []
    with connection.cursor() as cursor:
        for contacts in (list(into), sorted(set(into.values()))):
            among, bound = bulk.among("contact_id", contacts)
            cursor.execute(
                f"SELECT {columns} FROM journeys_enrolment WHERE journey_id = %s AND {among}",
                [journey.pk, bound],
            )
            for row in cursor.fetchall():
                run = Run(*row[:_WIDTH])
                found.append(_Held(run, bool(row[_WIDTH]), into.get(run.contact, run.contact)))
            if not found:
                return []
    return found


def _give(moving: Sequence[tuple[int, int]]) -> None:
    if not moving:
        return
    with connection.cursor() as cursor:
        cursor.executemany(
            "UPDATE journeys_enrolment SET entrant_id = coalesce(entrant_id, contact_id), contact_id = %s"
            " WHERE id = %s",
            list(moving),
        )


def go_back(
    *,
    account_id: int,
    contact: int,
    into: int,
    under: Sequence[int],
    moved: Mapping[str, Sequence[int]],
    **_: Any,
) -> None:
    """In the transaction that undoes a merge: runs are again of whom they were, as far as they have come since."""
    inbox.lock(account_id)
    among, bound = bulk.among("id", list(moved.get(_INBOX, ())))
    entrants, who = bulk.among("entrant_id", [contact, *under])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE journeys_inbox SET contact_id = %s WHERE contact_id = %s AND {among}",
            [contact, into, bound],
        )
        cursor.execute(
            f"UPDATE journeys_enrolment SET contact_id = %s,"
            " entrant_id = CASE WHEN entrant_id = %s THEN NULL ELSE entrant_id END"
            f" WHERE contact_id = %s AND {entrants}"
            " AND journey_id IN (SELECT id FROM journeys_journey WHERE account_id = %s)",
            [contact, contact, into, who, account_id],
        )
