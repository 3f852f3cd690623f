"""Who meets criteria, straight from the contract's fine print: plain Python on the JSON document and the raw world.

It shares nothing with the product's own code, so that one mistake is not made twice.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
REDUCED: dict[str, Any] = {"min": min, "max": max, "avg": lambda numbers: sum(numbers) / len(numbers)}
NEGATIVES = {"ne": "eq", "not_in": "in", "not_contains": "contains", "missing": "exists"}


@dataclass
class World:
    """What is true of an account: contacts by id, events, visitors tied to contacts, contacts merged into others."""

    contacts: dict[int, dict[str, Any]]
    events: list[dict[str, Any]]
    ties: dict[str, int]
    merged: dict[int, int]
    zone: str
    frozen: dict[int, set[int]] = field(default_factory=dict)
    segments: dict[int, Any] = field(default_factory=dict)


@dataclass
class Case:
    """A contact looked at: when, and in which run (entered_at, enrolment, key)."""

    contact: int
    now: int
    run: Any = None


def duration(text: str) -> int:
    return int(text[:-1]) * SECONDS[text[-1]] * 1000


def same(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def as_text(element: Any) -> str:
    if isinstance(element, bool):
        return "true" if element else "false"
    return str(element)


def as_number(element: Any) -> Fraction | None:
    if isinstance(element, bool):
        return None
    if isinstance(element, str):
        return Fraction(element) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", element) else None
    return Fraction(str(element))


def as_instant(element: Any, zone: str) -> Any:
    if not isinstance(element, str) or not re.match(r"\d{4}-\d\d-\d\d($|[T ]\d\d:\d\d)", element):
        return None
    try:
        instant = dt.datetime.fromisoformat(element)
    except ValueError:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=ZoneInfo(zone))
    return (instant - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def reach(value: Any, path: list[str]) -> list[Any]:
    """The elements at a path: arrays give their elements, missing values none."""
    if isinstance(value, list):
        return [found for one in value for found in reach(one, path)]
    if path:
        return reach(value.get(path[0]), path[1:]) if isinstance(value, dict) else []
    return [] if value is None or value == "" or isinstance(value, dict) else [value]


def compare(op: str, element: Any, value: Any, now: int, zone: str) -> bool:
    if op == "in":
        return any(compare("eq", element, one, now, zone) for one in value)
    if op in ("contains", "starts_with", "ends_with"):
        text, part = same(as_text(element)), same(value)
        return {
            "contains": part in text,
            "starts_with": text.startswith(part),
            "ends_with": text.endswith(part),
        }[op]
    if op == "eq":
        if isinstance(value, int | float) and not isinstance(value, bool):
            number = as_number(element)
            return number is not None and number == Fraction(str(value))
        return same(as_text(element)) == same(as_text(value))
    if op in ("before", "after", "within_last", "within_next"):
        instant = as_instant(element, zone)
        if instant is None:
            return False
        if op == "within_last":
            return now - duration(value) <= instant <= now
        if op == "within_next":
            return now <= instant <= now + duration(value)
        bound: Any = now - duration(value) if re.fullmatch(r"\d+[smhdw]", value) else as_instant(value, zone)
        return instant < bound if op == "before" else instant > bound
    low = value[0] if op == "between" else value
    if isinstance(low, str):
        found: Any = as_instant(element, zone)
        bounds: list[Any] = [as_instant(one, zone) for one in (value if op == "between" else [value])]
    else:
        found = as_number(element)
        bounds = [Fraction(str(one)) for one in (value if op == "between" else [value])]
    if found is None:
        return False
    if op == "between":
        return bounds[0] <= found <= bounds[1]
    return {
        "gt": found > bounds[0],
        "gte": found >= bounds[0],
        "lt": found < bounds[0],
        "lte": found <= bounds[0],
    }[op]


def test(op: str, elements: list[Any], value: Any, now: int, zone: str) -> bool:
    if op == "exists":
        return bool(elements)
    if op in NEGATIVES:
        return not test(NEGATIVES[op], elements, value, now, zone)
    if op == "not_within_last":
        dated = [one for one in elements if as_instant(one, zone) is not None]
        return bool(dated) and not any(compare("within_last", one, value, now, zone) for one in dated)
    return any(compare(op, one, value, now, zone) for one in elements)


def event_elements(event: dict[str, Any], name: str) -> list[Any]:
    if name == "machine":
        return [event["machine"]]
    link = event["links"].get({"email_id": "message"}.get(name, name))
    if link:
        return [link]
    return reach(event["properties"], name.split("."))


def matches(leaf: dict[str, Any], event: dict[str, Any], case: Case, zone: str) -> bool:
    name = event["name"]
    if leaf["event"] == "*":
        if re.match(r"(contact|list|segment|journey)\.", name) or re.search(
            r"\.(sent|delivered|dropped|failed|bounced)$", name
        ):
            return False
    elif name != leaf["event"]:
        return False
    at: Any = event["occurred_at"]
    where = leaf.get("where", [])
    if at > case.now or (event["machine"] and "machine" not in [one["property"] for one in where]):
        return False
    window = leaf.get("window", {})
    if "last" in window and not case.now - duration(window["last"]) <= at:
        return False
    if "from" in window and at < as_instant(window["from"], zone):
        return False
    if "to" in window:
        end = window["to"]
        if len(end) == 10:
            end = (dt.date.fromisoformat(end) + dt.timedelta(days=1)).isoformat()
        if at >= as_instant(end, zone):
            return False
    if leaf.get("scope") == "run":
        entered, enrolment, _key = case.run
        if at < entered:
            return False
        message = re.match(r"(email|sms|whatsapp)\.(?!subscription_updated)", name)
        if message and event["links"].get("enrolment") != enrolment:
            return False
    for one in where:
        value = one.get("value")
        if value == {"run": "key"}:
            value = case.run[2]
        if not test(one["op"], event_elements(event, one["property"]), value, case.now, zone):
            return False
    return True


def did(leaf: dict[str, Any], events: list[dict[str, Any]], case: Case, zone: str) -> bool:
    kept = [event for event in events if matches(leaf, event, case, zone)]
    count = leaf.get("count", {"op": "gte", "value": 1})
    if not test(count["op"], [len(kept)], count["value"], case.now, zone):
        return False
    for kind in ("sum", "min", "max", "avg"):
        if kind not in leaf:
            continue
        wanted = leaf[kind]
        numbers = [
            Fraction(str(one))
            for event in kept
            for one in event_elements(event, wanted["property"])
            if isinstance(one, int | float) and not isinstance(one, bool)
        ]
        if kind == "sum":
            amounts = [sum(numbers, Fraction(0))]
        elif not numbers:
            amounts = []
        else:
            amounts = [REDUCED[kind](numbers)]
        if not amount(wanted["op"], amounts, wanted.get("value")):
            return False
    return True


def amount(op: str, amounts: list[Fraction], value: Any) -> bool:
    if op == "exists":
        return bool(amounts)
    if op in NEGATIVES:
        return not amount(NEGATIVES[op], amounts, value)
    if not amounts:
        return False
    given = [Fraction(str(one)) for one in (value if isinstance(value, list) else [value])]
    one = amounts[0]
    if op == "between":
        return given[0] <= one <= given[1]
    return {
        "eq": lambda: one == given[0],
        "in": lambda: one in given,
        "gt": lambda: one > given[0],
        "gte": lambda: one >= given[0],
        "lt": lambda: one < given[0],
        "lte": lambda: one <= given[0],
    }[op]()


def meets(document: dict[str, Any], case: Case, world: World) -> bool:
    """Whether a contact meets criteria."""
    if "all" in document:
        return all(meets(one, case, world) for one in document["all"])
    if "any" in document:
        return any(meets(one, case, world) for one in document["any"])
    if "not" in document:
        return not meets(document["not"], case, world)
    contact = world.contacts[case.contact]
    if "field" in document:
        name = document["field"]
        if name.startswith("attributes."):
            elements = reach(contact["attributes"], [name.removeprefix("attributes.")])
        else:
            elements = reach(contact[name], [])
        return field_test(document, elements, case, world)
    if "consent" in document:
        return (contact["consents"][document["consent"]] == document["value"]) == (document["op"] == "eq")
    if "tag" in document:
        return (same(document["tag"]) in map(same, contact["tags"])) == (document["op"] == "has")
    if "list" in document:
        return (int(document["list"]) in contact["lists"]) == (document["op"] == "member")
    if "segment" in document:
        number = int(document["segment"])
        if number in world.frozen:
            inside = case.contact in world.frozen[number]
        else:
            inside = meets(world.segments[number], case, world)
        return inside == (document["op"] == "member")
    return did(document, events_of(case.contact, world), case, world.zone)


def field_test(document: Any, elements: list[Any], case: Case, world: World) -> bool:
    op, value = document["op"], document.get("value")
    dates = ("created_at", "updated_at", "last_seen_at", "attributes.birthday")
    if document["field"] in dates and op in ("eq", "ne", "in", "not_in"):
        given = [value] if op in ("eq", "ne") else value or []
        same = any(is_on(element, one, world.zone) for element in elements for one in given)
        return same == (op in ("eq", "in"))
    return test(op, elements, value, case.now, world.zone)


def is_on(element: Any, value: str, zone: str) -> bool:
    """Whether a date is another: the same instant, or within the whole day that is named."""
    instant = as_instant(element, zone)
    if instant is None or len(value) > 10:
        return bool(instant is not None and instant == as_instant(value, zone))
    following = (dt.date.fromisoformat(value) + dt.timedelta(days=1)).isoformat()
    return bool(as_instant(value, zone) <= instant < as_instant(following, zone))


def events_of(contact: int, world: World) -> list[dict[str, Any]]:
    """The events of a person: their own, of their visitors, and of the contacts merged into them.

    One of a deal was told of each contact tied to it (`told` is the same): who is two of them did it once.
    """
    found, known = [], set()
    for event in world.events:
        owner: Any = event["contact"] or world.ties.get(event["visitor"])
        if world.merged.get(owner, owner) != contact or event.get("told") in known:
            continue
        found.append(event)
        known |= {event["told"]} if "told" in event else set()
    return found
