"""The work of journeys: a round takes up what is due in every active one."""

from __future__ import annotations

from django.db import connection

from parcours.journeys.engine import parts
from parcours.journeys.engine.turn import turn
from parcours.lib import clock
from parcours.lib.instants import to_ms

_DUE = """
SELECT id, version, timer, inbox FROM (
    SELECT j.id, j.version,
        (SELECT e.due_at FROM journeys_enrolment e
          WHERE e.journey_id = j.id AND e.status = 'active' AND e.due_at IS NOT NULL
          ORDER BY e.due_at LIMIT 1) AS timer,
        (SELECT i.at FROM journeys_inbox i
          WHERE i.journey_id = j.id AND i.error = '' ORDER BY i.at LIMIT 1) AS inbox
    FROM journeys_journey j WHERE j.status = 'active'
) AS next WHERE timer <= %s OR inbox <= %s
"""


def round() -> bool:
    """Do a batch of each active journey that has something due; whether there was any."""
    parts.sweep()
    now = to_ms(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now, now])
        due = cursor.fetchall()
    busy = False
    for journey, version, timer, inbox in due:
        first = min(instant for instant in (timer, inbox) if instant is not None)
        busy = turn(journey, version, first=first, now=now) or busy
    return busy
