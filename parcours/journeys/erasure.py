"""Forgets erased people: their runs end as removed, and nothing of what they did is kept beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from parcours.journeys import inbox
from parcours.journeys.engine.runs import ENTRY, EXIT
from parcours.journeys.engine.walk import REMOVED
from parcours.journeys.inbox import NewRow
from parcours.lib import bulk, clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms


def forget(*, account_id: int, people: Sequence[tuple[int, Any, Any]], **_: Any) -> None:
    """In the transaction of the erasure: `people` are (contact, e-mail, phone)."""
    among, contacts = bulk.among("contact_id", [person[0] for person in people])
    at, cause = to_ms(clock.now()), f"{REMOVED}{new_id()}"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM journeys_inbox WHERE {among} AND kind = '{ENTRY}'", [contacts])
        cursor.execute(f"UPDATE journeys_inbox SET event = '' WHERE {among}", [contacts])
        cursor.execute(
            "SELECT DISTINCT journey_id, contact_id FROM journeys_enrolment"
            f" WHERE status = 'active' AND {among}",
            [contacts],
        )
        under_way = cursor.fetchall()
        # Queried by journey: the runs that have ended are found by their unique key, which begins with it.
        cursor.execute("SELECT id FROM journeys_journey WHERE account_id = %s", [account_id])
        for (journey,) in cursor.fetchall():
            cursor.execute(
                f"UPDATE journeys_enrolment SET context = '{{}}' WHERE journey_id = %s AND {among}",
                [journey, contacts],
            )
    rows = [NewRow(account_id, journey, EXIT, contact, at, at, cause) for journey, contact in under_way]
    inbox.put(rows, account_id=account_id)
