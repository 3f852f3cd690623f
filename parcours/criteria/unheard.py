"""What criteria and journeys name and nobody ever sent: custom events and properties, told as warnings.

Any name may come some day, so that none is refused; but most of those that never came are slips of the pen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from parcours.criteria import nodes
from parcours.criteria.compile import Statement
from parcours.criteria.parse_tests import under
from parcours.criteria.sql_tests import Bound
from parcours.events import catalogue, watermark
from parcours.events.store.client import client
from parcours.lib.problems import Fault
from parcours.lib.translation import gettext as _

log = structlog.get_logger(__name__)
MOST_ASKED = 50
#: A property that never came is looked for in every event of its name: not for longer than this.
_LIMITS = {"max_execution_time": "0.5", "timeout_overflow_mode": "throw"}
_AGGREGATES = ("sum", "min", "max", "avg")


def mentioned(document: Any, pointer: str = "") -> Iterator[tuple[str, str, str]]:
    """The events that a document names at whatever depth (criteria, triggers, waits), each with its pointer, and their
    properties: pointer, event, property ("" for the event itself). What is written wrong is passed over."""
    stack: list[tuple[Any, str]] = [(document, pointer)]
    while stack:
        node, at = stack.pop()
        if isinstance(node, list):
            stack += [(each, f"{at}/{place}") for place, each in reversed(list(enumerate(node)))]
        elif isinstance(node, dict):
            event = node.get("event")
            if isinstance(event, str) and event not in ("", "*"):
                yield f"{at}/event", event, ""
                yield from _properties(node, at, event)
            stack += [(each, under(at, str(key))) for key, each in reversed(node.items()) if key != "where"]


def _properties(leaf: dict[str, Any], at: str, event: str) -> Iterator[tuple[str, str, str]]:
    where = leaf.get("where")
    tests = (
        [(f"{at}/where/{place}", each) for place, each in enumerate(where)] if isinstance(where, list) else []
    )
    tests += [(f"{at}/{kind}", leaf[kind]) for kind in _AGGREGATES if kind in leaf]
    for place, test in tests:
        name = test.get("property") if isinstance(test, dict) else None
        if isinstance(name, str) and name and name not in nodes.LINKS:
            yield f"{place}/property", event, name


def warnings(account_id: int, document: Any, pointer: str = "") -> list[Fault]:
    """The custom events and the properties of a document that the account never received, with their pointers.

    None while the store is away, or where telling would take too long.
    """
    found = [one for one in mentioned(document, pointer) if one[2] or not catalogue.is_known(one[1])]
    asked = list(dict.fromkeys((event, name) for _at, event, name in found))[:MOST_ASKED]
    if not asked:
        return []
    # What events are named is quick to tell; their properties may not be.
    events = [one for one in asked if not one[1]]
    properties = [one for one in asked if one[1]]
    never = _never_received(account_id, events) | _never_received(account_id, properties)
    return [
        Fault(pointer=at, detail=_detail(event, name)) for at, event, name in found if (event, name) in never
    ]


def _detail(event: str, name: str) -> str:
    if name:
        return _("No event “%(event)s” with a property “%(property)s” was ever received.") % {
            "event": event[:100],
            "property": name[:100],
        }
    return _("No event “%(event)s” was ever received.") % {"event": event[:100]}


def _never_received(account_id: int, asked: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of events ("" for the property) and properties of events that are in no event of the account."""
    if not asked:
        return set()
    statement = _statement(account_id, asked)
    try:
        row = client().query(statement.sql, parameters=statement.parameters, settings=_LIMITS).result_rows[0]
    except ClickHouseError as error:
        log.info("no warnings about events", error=str(error)[:200])
        return set()
    return {one for one, received in zip(asked, row, strict=True) if not received}


def _statement(account_id: int, asked: list[tuple[str, str]]) -> Statement:
    bound = Bound()
    account = bound.add(account_id, "UInt32")
    load = bound.add(watermark.current(account_id).load, "UInt64")
    columns = []
    for event, name in asked:
        condition = f"account = {account} AND name = {bound.text(event)} AND load <= {load}"
        if name:
            condition += f" AND notEmpty(texts[{bound.text(name)}])"
        columns.append(f"(SELECT count() FROM (SELECT 1 FROM events WHERE {condition} LIMIT 1))")
    return Statement("SELECT " + ", ".join(columns), bound.parameters)
