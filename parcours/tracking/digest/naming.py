"""From calls and lines, in the words of their senders, to events in ours, still without their subject."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from parcours.events.entries import Call, Context, Event, Line, Said
from parcours.tracking.digest.enrich import enrich, split_region
from parcours.tracking.identity import Item, browser_of
from parcours.tracking.names import FIELDS, event_name, names_nobody
from parcours.tracking.refusals import Reason

_MOST_ATTRIBUTES = 200
_LONGEST_ATTRIBUTE = 100
_LONGEST_ARRIVAL = 200
_NOTHING: dict[str, Any] = {}
_NO_CONTEXT = Context()
_CHANNELS = ("email.", "sms.", "whatsapp.")


class Dropped(Exception):
    """An entry that becomes nothing, and why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def from_call(call: Call, *, account_id: int) -> Item:
    """What a tracking call says, and of whom. Raises Dropped."""
    said = call.body
    user = said.user_id
    item = Item(
        browser=_browser(account_id, said.anonymous_id),
        external_id="" if not user or names_nobody(user) else user,
        message_id=call.message_id,
        received_at=call.received_at,
    )
    context = said.context or _NO_CONTEXT
    kind = call.kind
    if kind == "page":
        item.event = _event(call, "page.viewed", _page_properties(kind, said, context))
        if type(context.arrival) is str:
            item.event.arrival = context.arrival[:_LONGEST_ARRIVAL]
    elif kind == "track":
        name, extra = event_name(said.event)
        properties = said.properties or {}
        for key, value in extra.items():
            properties.setdefault(key, value)
        item.event = _event(call, name, properties)
        if name == "form.submitted":
            _read_form(item, properties, said.traits, context.traits)
    elif kind == "identify":
        item.contact_line = contact_line(said.traits or _NOTHING, item.external_id)
    elif kind == "alias":
        previous = said.previous_id
        item.browser = _browser(account_id, previous)
    elif kind == "group":
        properties = dict(said.traits or _NOTHING)
        properties["group_id"] = said.group_id
        item.event = _event(call, "group", properties)
    else:
        item.event = _event(call, "page.viewed", _page_properties(kind, said, context))
    agent = call.agent
    if call.source == "gpc":
        _obey_privacy_signal(item)
        context, agent = Context(page=context.page), ""
    if item.event is not None:
        properties = item.event.properties
        if said.claimed_timestamp:
            properties["claimed_timestamp"] = said.claimed_timestamp
        enrich(properties, context=context, agent=agent)
        if "order_id" in properties:
            item.event.order = _order(properties)
    return item


@lru_cache(maxsize=100_000)
def _browser(account_id: int, anonymous: str | None) -> str:
    return "" if not anonymous or names_nobody(anonymous) else browser_of(account_id, anonymous)


def _event(call: Call, name: str, properties: dict[str, Any]) -> Event:
    return Event(name, call.occurred_at, call.received_at, call.message_id, properties=properties)


def _page_properties(kind: str, said: Said, context: Context) -> dict[str, Any]:
    properties = said.properties or {}
    page = context.page
    if type(page) is dict:
        title = page.get("title")
        if title and type(title) is str:
            properties.setdefault("title", title)
    if said.name and type(said.name) is str:
        properties.setdefault("name", said.name)
        if kind == "screen":
            properties.setdefault("screen", said.name)
    if said.category and type(said.category) is str:
        properties.setdefault("category", said.category)
    return properties


def _read_form(item: Item, *held_in: Any) -> None:
    """A form names its person by its e-mail address: its own property, else its traits'."""
    item.needs_email = True
    for held in held_in:
        email = held.get("email") if isinstance(held, dict) else None
        if isinstance(email, str) and email.strip():
            item.contact_line = {"email": email}
            if item.external_id:
                item.contact_line["external_id"] = item.external_id
            return


def _obey_privacy_signal(item: Item) -> None:
    """Global Privacy Control: the browser is never followed; what people say of themselves is theirs to say."""
    item.browser = ""
    if item.contact_line is not None:
        return
    if item.event is None or item.event.name == "group":
        raise Dropped(Reason.PRIVACY_SIGNAL)
    item.external_id = ""


def _order(properties: dict[str, Any]) -> str:
    order = properties.get("order_id")
    return str(order)[:255] if isinstance(order, (str, int)) and not isinstance(order, bool) else ""


def contact_line(traits: dict[str, Any], external_id: str) -> dict[str, Any] | None:
    """What traits say of a contact, as a line for contacts; None when they name nobody and say nothing new."""
    line: dict[str, Any] = {"external_id": external_id} if external_id else {}
    attributes: dict[str, Any] = {}
    for name, value in traits.items():
        field = FIELDS.get(name.lower().replace("_", "").replace("-", ""))
        if field is not None:
            if value is None or isinstance(value, str):
                line[field] = value
            elif type(value) is int:
                line[field] = str(value)
        elif name == "name" and isinstance(value, str):
            first, _, last = value.strip().partition(" ")
            line.setdefault("first_name", first)
            if last:
                line.setdefault("last_name", last.strip())
        elif name == "address" and isinstance(value, dict):
            for part in ("city", "country"):
                if isinstance(value.get(part), str):
                    line.setdefault(part, value[part])
        elif name not in ("id", "userId", "anonymousId"):
            _flatten(name, value, attributes)
    if attributes:
        line["attributes"] = attributes
    if external_id and len(line) == 1:
        return None
    return line if external_id or line.get("email") or line.get("phone") else None


def _flatten(name: str, value: Any, attributes: dict[str, Any]) -> None:
    if not name or len(name) > _LONGEST_ATTRIBUTE or len(attributes) >= _MOST_ATTRIBUTES:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            _flatten(f"{name}_{key}", inner, attributes)
    elif not isinstance(value, list) or all(isinstance(item, (str, int, float)) for item in value):
        attributes[name] = value


def from_line(line: Line, *, account_id: int) -> Item:
    """What an event line of an import says, and of whom."""
    name, extra = event_name(line.name)
    properties = line.properties
    for key, value in extra.items():
        properties.setdefault(key, value)
    split_region(properties)
    links = line.links
    if name.startswith(_CHANNELS):
        links = {key: properties[key] for key in ("message", "send", "machine") if key in properties} | links
    event = Event(
        name=name,
        occurred_at=line.occurred_at,
        received_at=line.received_at,
        message_id=line.message_id,
        properties=properties,
        journey=_number(links.get("journey")),
        step=str(links.get("step") or ""),
        deal=_number(links.get("deal")),
        enrolment=_number(links.get("enrolment")),
        message=_number(links.get("message")),
        send=str(links.get("send") or ""),
        order=str(links.get("order") or "") or _order(properties),
        machine=links.get("machine") is True,
        moves=not line.history,
    )
    contact = line.contact or {}
    known = contact.get("id")
    item = Item(
        event=event,
        browser=_browser(account_id, line.anonymous_id),
        contact=known if isinstance(known, int) else 0,
        message_id=line.message_id,
        received_at=line.received_at,
        for_ever=line.history,
    )
    if not item.contact and contact:
        item.contact_line = contact
    if name == "form.submitted":
        if contact:
            item.needs_email = True
        else:
            _read_form(item, properties)
    return item


def _number(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        return int(value)
    return value if type(value) is int and 0 <= value < 2**63 else 0
