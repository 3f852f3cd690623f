"""The work of journeys: a round takes up what is due in every active one."""

from __future__ import annotations

from django.db import connection

from parcours.journeys.engine import parts
from parcours.journeys.engine.ending import end_archived
from parcours.journeys.engine.turn import turn
from parcours.journeys.models import Journey
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

_UNENDED = """
SELECT c.journey_id FROM journeys_stepcount c
INNER JOIN journeys_journey j ON j.id = c.journey_id AND j.status = 'archived'
GROUP BY c.journey_id
HAVING sum(CASE WHEN c.step = '*entered' THEN c.passages
                WHEN c.step = '*completed' OR c.step LIKE '*exited:%%' THEN -c.passages ELSE 0 END) > 0
"""


def round() -> bool:
    """Do a batch of each active journey that has something due; whether there was any."""
    busy = parts.sweep() and end_unended()
    now = to_ms(clock.now())
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now, now])
        due = cursor.fetchall()
    for journey, version, timer, inbox in due:
        first = min(instant for instant in (timer, inbox) if instant is not None)
        busy = turn(journey, version, first=first, now=now) or busy
    return busy


def end_unended() -> bool:
    """End what an archiving that was killed half-way left under way; whether there was any."""
    with connection.cursor() as cursor:
        cursor.execute(_UNENDED, [])
        found = [row[0] for row in cursor.fetchall()]
    return sum(end_archived(journey) for journey in Journey.objects.filter(pk__in=found)) > 0
