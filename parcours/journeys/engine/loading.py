"""Reads a batch: what is due in one journey, and everything that stands in its order beside it."""

from __future__ import annotations

from typing import Any

import msgspec
from django.db import connection

from parcours.journeys.engine.parts import Claim
from parcours.journeys.engine.runs import ENTRY, ROW_COLUMNS, RUN_COLUMNS, Lane, Row, Run, order
from parcours.lib import bulk

BATCH = 5_000
"""Rows of the inbox, and timers, taken up together at most."""

MOST_STEPS = 200
"""What one contact does in one batch at most: a run far behind does not hold the others up."""

_RUNS = f"SELECT {', '.join(RUN_COLUMNS)} FROM journeys_enrolment WHERE journey_id = %s"
_ROWS = f"SELECT {', '.join(ROW_COLUMNS)} FROM journeys_inbox WHERE journey_id = %s"


class History(msgspec.Struct):
    """What a contact's earlier runs under one key say of a new entry; instants in milliseconds."""

    entered_at: int  # the last entry
    ended_at: int  # the last end
    live: bool  # one is under way, or parked


class Loaded(msgspec.Struct):
    """A batch as read: contacts, what their earlier runs were, which causes of entry were taken up already
    (contact, cause), and whether there is more to do."""

    lanes: list[Lane]
    history: dict[int, dict[str, History]]
    taken: set[tuple[int, str]]
    full: bool


def load(held: Claim, *, until: int, only: set[int] | None = None) -> Loaded:
    """What is due at an instant (milliseconds), for contacts of the parts held, or for some of them alone."""
    condition, values = held.condition()
    if only is not None:
        among, contacts = bulk.among("contact_id", sorted(only))
        condition, values = f"{condition} AND {among}", [*values, contacts]
    with connection.cursor() as cursor:

        def rows(more: str, given: list[Any]) -> list[tuple[Any, ...]]:
            cursor.execute(f"{_ROWS} AND at <= %s AND error = ''{more}", [held.journey, until, *given])
            return cursor.fetchall()

        inbox = rows(f"{condition} ORDER BY at, kind, id LIMIT {BATCH}", values)
        cursor.execute(
            f"{_RUNS} AND status = 'active' AND due_at <= %s{condition} ORDER BY due_at, id LIMIT {BATCH}",
            [held.journey, until, *values],
        )
        due = cursor.fetchall()
        lanes: dict[int, Lane] = {}
        for found in due:
            run = Run(*found)
            lane = lanes.get(run.contact)
            if lane is None:
                lanes[run.contact] = Lane(run.contact, [run], [], MOST_STEPS)
            else:
                lane.runs.append(run)
        if len(inbox) == BATCH and lanes:
            # What else these contacts have to take up may be beyond the batch, and yet come before their timers.
            among, contacts = bulk.among("contact_id", list({*lanes, *(row[2] for row in inbox)}))
            inbox = rows(f" AND {among}", [contacts])
        history: dict[int, dict[str, History]] = {}
        taken: set[tuple[int, str]] = set()
        if inbox:
            for found in inbox:
                row = Row(*found)
                lane = lanes.get(row.contact)
                if lane is None:
                    lane = lanes[row.contact] = Lane(row.contact, [], [], MOST_STEPS)
                lane.rows.append(row)
            _add_runs(cursor, held.journey, lanes)
            history = _history(cursor, held.journey, lanes)
            taken = _taken(cursor, held.journey, lanes)
        elif len(due) == BATCH:
            _add_runs(cursor, held.journey, lanes, many=True)
    for lane in lanes.values():
        lane.rows.sort(key=order, reverse=True)
    return Loaded(list(lanes.values()), history, taken, len(inbox) >= BATCH or len(due) == BATCH)


def _add_runs(cursor: Any, journey: int, lanes: dict[int, Lane], *, many: bool = False) -> None:
    """The other runs of the contacts: those not due, which an event may move, and those beyond the batch."""
    wanted = list(lanes) if many else [lane.contact for lane in lanes.values() if lane.rows]
    if many:
        # Only journeys whose runs have keys let a contact have several at a time.
        cursor.execute(
            "SELECT 1 FROM journeys_enrolment WHERE journey_id = %s AND status = 'active' AND run_key <> '' LIMIT 1",
            [journey],
        )
        if cursor.fetchone() is None:
            return
    among, contacts = bulk.among("contact_id", wanted)
    cursor.execute(f"{_RUNS} AND status = 'active' AND {among}", [journey, contacts])
    for found in cursor.fetchall():
        run = Run(*found)
        lane = lanes[run.contact]
        if all(run.id != other.id for other in lane.runs):
            lane.runs.append(run)


def _history(cursor: Any, journey: int, lanes: dict[int, Lane]) -> dict[int, dict[str, History]]:
    entering = [lane.contact for lane in lanes.values() if any(row.kind == ENTRY for row in lane.rows)]
    result: dict[int, dict[str, History]] = {}
    if not entering:
        return result
    among, contacts = bulk.among("contact_id", entering)
    cursor.execute(
        "SELECT contact_id, run_key, max(entered_at), max(coalesce(ended_at, 0)),"
        " max(CASE WHEN status IN ('active', 'failed') THEN 1 ELSE 0 END)"
        f" FROM journeys_enrolment WHERE journey_id = %s AND {among} GROUP BY contact_id, run_key",
        [journey, contacts],
    )
    for contact, key, entered_at, ended_at, live in cursor.fetchall():
        result.setdefault(contact, {})[key] = History(entered_at, ended_at, bool(live))
    return result


def _taken(cursor: Any, journey: int, lanes: dict[int, Lane]) -> set[tuple[int, str]]:
    entering = [lane.contact for lane in lanes.values() if any(row.kind == ENTRY for row in lane.rows)]
    if not entering:
        return set()
    among, contacts = bulk.among("contact_id", entering)
    cursor.execute(
        f"SELECT contact_id, cause_id FROM journeys_taken WHERE journey_id = %s AND {among}",
        [journey, contacts],
    )
    return set(cursor.fetchall())
