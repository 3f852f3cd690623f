"""What an account's events and contacts bore lately, as suggestions: quick rather than complete.

A reading stops after so many rows or so long, and says what it found by then.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from clickhouse_connect.driver.exceptions import OperationalError

from parcours.events import watermark
from parcours.events.store import queries
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.lib.instants import to_ms

log = structlog.get_logger(__name__)
LATELY = timedelta(days=30)
REPEATED = ("city", "country", "locale", "timezone")
"""The fields of contacts whose values many share: those of the others are people's own."""
MOST_ROWS = 20_000
MOST_SUGGESTED = 20
MOST_EVENTS = 500
MOST_PROPERTIES = 100
_BOUNDED = {
    "max_execution_time": "1",
    "timeout_overflow_mode": "break",
    "max_rows_to_read": "4000000",
    "read_overflow_mode": "break",
}
_NAMES_ONLY = {"max_execution_time": "1", "timeout_overflow_mode": "break"}


def _bound(account_id: int, **values: Any) -> dict[str, Any]:
    read = watermark.current(account_id)
    since = to_ms(clock.now() - LATELY)
    return {"account": account_id, "load": read.load, "since": since, "rows": MOST_ROWS, **values}


def _rows(name: str, bound: dict[str, Any], settings: dict[str, str]) -> list[dict[str, Any]]:
    """The rows of a named query; none while the store is away: criteria are composed without suggestions as well."""
    query = queries.all_queries()[name]
    try:
        answer = client().query(
            query.sql, parameters={key: bound[key] for key in query.parameters}, settings=settings
        )
    except OperationalError as error:
        log.warning("no suggestions", query=name, error=str(error))
        return []
    return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]


def events(account_id: int) -> list[str]:
    """The names of the events received so far, the most frequent first."""
    rows = _rows("events_seen", _bound(account_id, limit=MOST_EVENTS), _NAMES_ONLY)
    return [row["name"] for row in rows]


def properties(account_id: int, event: str) -> list[tuple[str, bool]]:
    """The properties that events of a name bore lately, and whether their values are numbers."""
    bound = _bound(account_id, name=event, limit=MOST_PROPERTIES)
    rows = _rows("event_properties_seen", bound, _BOUNDED)
    return [(row["property"], row["numbers"] * 2 > row["times"]) for row in rows]


def values(account_id: int, event: str, property: str, search: str = "") -> list[str]:
    """The values that a property of an event bore lately, the most frequent first."""
    bound = _bound(account_id, name=event, property=property, search=search, limit=MOST_SUGGESTED)
    return [row["value"] for row in _rows("event_values_seen", bound, _BOUNDED)]


def field_values(account_id: int, field: str, search: str = "") -> list[str]:
    """The values that an attribute of contacts bears, or one of the fields that repeat; none for any other field."""
    attribute = field.removeprefix("attributes.")
    if attribute == field and field not in REPEATED:
        return []
    bound = _bound(account_id, attribute=attribute, field=field, search=search, limit=MOST_SUGGESTED)
    query = "field_values_seen" if attribute == field else "attribute_values_seen"
    return [row["value"] for row in _rows(query, bound, _BOUNDED)]
