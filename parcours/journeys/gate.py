"""Holds back the sends of journeys that are not active."""

from __future__ import annotations

from django.db import connection


def held() -> list[int]:
    """The journeys, paused or archived, whose queued sends must not go out now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM journeys_journey WHERE status IN ('paused', 'archived')")
        return [row[0] for row in cursor.fetchall()]
