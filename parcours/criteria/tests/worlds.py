"""Small worlds drawn by chance, and how they are put in the store."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any

from parcours.criteria.context import SegmentFound
from parcours.criteria.tests.oracle import World
from parcours.events.entries import Event
from parcours.events.store.client import writer
from parcours.events.store.rows import flatten
from parcours.lib.instants import from_ms

NOW = int(datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()) * 1000
HOUR, DAY = 3_600_000, 86_400_000
AGES = [-400 * DAY, -90 * DAY, -30 * DAY, -5 * DAY, -2 * DAY, -DAY, -HOUR, -1, 0, 1, HOUR]
TEXTS = [
    "Évreux", "évreux", "E\u0301vreux", "Paris", "paris ", "PARIS", "10", "10.0", "2.5", "-3", "007", "İzmir", "straße",
    "ΟΔΟΣ", "ab", "a\u0000b", "2026-11-20", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00.5+01:00", "2026-02-30",
    "2026-03-29T02:30:00", "2026-10-25 02:30", "1950-05-01", "2026-11-22", "2026-12-01T00:00", "true",
    "c'est \\ \"ça\"", "{x:y}",
]  # fmt: skip
NUMBERS: list[Any] = [0, 1, 2, 10, 2.5, -3, 0.1, 0.2, 10**15, 99.99, 7]
WORDS = ["Pro", "pro", "free", "Évreux", "10", "2.5", "true"]
ATTRIBUTES = {"plan": "text", "age": "number", "vip": "boolean", "birthday": "date", "colors": "list"}
DATES = [
    "2026-11-20",
    "1950-05-01",
    "2026-11-22T12:00:00Z",
    "2026-03-29T02:30:00",
    "2026-12-01",
    "2026-11-22",
]
EVENTS = [
    "page.viewed", "order.placed", "order.refunded", "email.opened", "email.clicked", "email.sent", "signup",
    "contact.created", "payment.failed", "email.subscription_updated",
]  # fmt: skip
FIELDS = ["id", "email", "phone", "external_id", "first_name", "city", "country"]
CHANNELS = ["email", "sms", "whatsapp"]
CONSENTS = ["opted_in", "opted_out", "pending"]
RUN = (NOW - 5 * DAY, 77, "Évreux")
ZONES = ["UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu"]


def _maybe(chance: random.Random, value: Any) -> Any:
    return value if chance.random() < 0.7 else chance.choice([None, "", []])


def _value(chance: random.Random) -> Any:
    return chance.choice([chance.choice(TEXTS), chance.choice(NUMBERS), chance.choice([True, False])])


def _contact(chance: random.Random, number: int) -> dict[str, Any]:
    attributes = {
        "plan": _maybe(chance, chance.choice(TEXTS)),
        "age": _maybe(chance, chance.choice(NUMBERS)),
        "vip": _maybe(chance, chance.choice([True, False])),
        "birthday": _maybe(chance, chance.choice(DATES)),
        "colors": _maybe(chance, [_value(chance) for _ in range(chance.randrange(4))]),
    }
    contact = dict.fromkeys(FIELDS, "") | {
        "id": str(number),
        "email": _maybe(chance, f"{chance.choice(['ann', 'Bob', 'émile'])}{number}@example.org") or "",
        "external_id": _maybe(chance, chance.choice(TEXTS)) or "",
        "first_name": _maybe(chance, chance.choice(TEXTS)) or "",
        "city": _maybe(chance, chance.choice(TEXTS)) or "",
        "country": chance.choice(["FR", "US", ""]),
        "attributes": attributes,
        "consents": {channel: chance.choice(CONSENTS) for channel in CHANNELS},
        "lists": [one for one in (1, 2, 3) if chance.random() < 0.4],
        "tags": [one for one in ("VIP", "é", "x y") if chance.random() < 0.4],
    }
    for name in ("created_at", "updated_at", "last_seen_at"):
        contact[name] = _iso(NOW - chance.choice([0, 1, HOUR, DAY, 2 * DAY, 90 * DAY]))
    if chance.random() < 0.3:
        contact["last_seen_at"] = None
    return contact


def _iso(ms: int) -> str:
    return from_ms(ms).isoformat(timespec="milliseconds")


def _event(chance: random.Random, contacts: list[int], visitors: list[str]) -> dict[str, Any]:
    anonymous = chance.random() < 0.3
    name = chance.choice(EVENTS)
    links: dict[str, Any] = {}
    if name.startswith("email.") or chance.random() < 0.2:
        links = {
            "message": chance.choice([5, 6]),
            "send": chance.choice(["s1", "10", ""]),
            "enrolment": chance.choice([77, 78]),
        }
        links |= {
            "journey": 3,
            "step": chance.choice(["welcome", "10", ""]),
            "order": chance.choice(["A1", ""]),
        }
    products = [
        {"sku": chance.choice(TEXTS), "price": chance.choice(NUMBERS)} for _ in range(chance.randrange(3))
    ]
    return {
        "name": name,
        "contact": 0 if anonymous else chance.choice(contacts),
        "visitor": chance.choice(visitors) if anonymous or chance.random() < 0.2 else None,
        "occurred_at": NOW + chance.choice(AGES),
        "machine": name in ("email.opened", "email.clicked") and chance.random() < 0.4,
        "links": links,
        "properties": {
            "label": _maybe(chance, chance.choice(TEXTS)),
            "total": _maybe(chance, _value(chance)),
            "step": _maybe(chance, "own"),
            "cart": {"due": _maybe(chance, chance.choice(DATES)), "size": chance.choice(NUMBERS)},
            "products": products,
            "sizes": [chance.choice([1, 2.5, "10", None, True]) for _ in range(chance.randrange(3))],
        },
    }  # fmt: skip


def _of_a_deal(
    chance: random.Random, contacts: list[int], visitors: list[str], told: int
) -> list[dict[str, Any]]:
    """An event of a deal, told of each contact tied to it, and maybe of the browser that it came from."""
    event = _event(chance, contacts, visitors)
    event["links"] = {**event["links"], "deal": chance.choice([8, 9])}
    subjects: list[tuple[int, str | None]] = [
        (one, None) for one in chance.sample(contacts, chance.randrange(4))
    ]
    if not subjects or chance.random() < 0.3:
        subjects.append((0, chance.choice([None, *visitors])))
    return [{**event, "told": told, "contact": contact, "visitor": visitor} for contact, visitor in subjects]


def draw(seed: int) -> World:
    """A world of some contacts and events; the same for the same seed."""
    chance = random.Random(seed)
    contacts = {number: _contact(chance, number) for number in range(1, 13)}
    ids = list(contacts)
    merged = {101: 1, 102: 2, 103: 1}
    visitors = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(6)]
    ties = {visitor: chance.choice(ids) for visitor in visitors[:4]}
    events = [_event(chance, [*ids, *merged], visitors) for _ in range(70)]
    few = [1, 2, 3, *merged]
    events += [one for told in range(20) for one in _of_a_deal(chance, few, visitors, told)]
    return World(
        contacts,
        events,
        ties,
        merged,
        chance.choice(ZONES),
        frozen={900: {one for one in ids if chance.random() < 0.5}},
        segments={901: {"field": "country", "op": "eq", "value": "fr"}},
    )


class Account:
    """What criteria may name in such a world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def attribute_type(self, name: str) -> str | None:
        return ATTRIBUTES.get(name)

    def has_list(self, list_id: int) -> bool:
        return list_id in (1, 2, 3)

    def segment(self, segment_id: int) -> SegmentFound | None:
        if segment_id in self.world.frozen:
            return SegmentFound(segment_id, "Frozen", {"all": []}, True)
        if segment_id in self.world.segments:
            return SegmentFound(segment_id, "French", self.world.segments[segment_id], False)
        return None

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        return frozenset({"a", "b"}) if journey_id == 3 else None


def entry(event: dict[str, Any], contact: int) -> Event:
    """An event as the journal carries it, known to be this contact's."""
    return Event(
        event["name"],
        event["occurred_at"],
        event["occurred_at"],
        "m",
        contact=contact,
        properties=event["properties"],
        machine=event["machine"],
        **event["links"],
    )


def snapshot(number: int, contact: dict[str, Any]) -> dict[str, Any]:
    """A contact in the shape of `contacts.queries.snapshot`."""
    row: dict[str, Any] = {name: contact[name] for name in (*FIELDS[1:], "lists", "tags", "attributes")}
    row |= {"contact": number, "last_name": "", "locale": "", "timezone": "", "gone": 0}
    row |= {f"consent_{channel}": value for channel, value in contact["consents"].items()}
    for name in ("created_at", "updated_at", "last_seen_at"):
        text = contact[name]
        row[name] = None if text is None else int(datetime.fromisoformat(text).timestamp() * 1000 + 0.5)
    return row


def put(world: World, *, account: int, load: int = 1) -> None:
    """Insert a world in the store as rows of a load."""
    events, profiles, links, members = [], [], [], []
    for place, event in enumerate(world.events):
        texts, numbers = flatten(event["properties"])
        row: dict[str, Any] = {
            "account": account,
            "load": load,
            "position": place,
            "texts": texts,
            "numbers": numbers,
            "properties": "",
        }
        row |= {"name": event["name"], "contact": event["contact"], "machine": int(event["machine"])}
        row |= {"visitor": uuid.UUID(event["visitor"]) if event["visitor"] else uuid.UUID(int=0)}
        told = str(event.get("told", f"own-{place}"))
        row |= {"deal": event["links"].get("deal", 0), "message_id": told, "version": 0, "visit": 0}
        row |= {name: event["links"].get(name, 0) for name in ("journey", "enrolment", "message")}
        row |= {"step": event["links"].get("step", ""), "send": event["links"].get("send", "")}
        row |= {"order_id": event["links"].get("order", "")}
        row |= {"occurred_at": from_ms(event["occurred_at"]), "received_at": from_ms(event["occurred_at"])}
        events.append(row)
    for number, contact in world.contacts.items():
        row = snapshot(number, contact)
        texts, numbers = flatten(row.pop("attributes"))
        row |= {"account": account, "load": load, "texts": texts, "numbers": numbers}
        for name in ("created_at", "updated_at", "last_seen_at"):
            row[name] = None if row[name] is None else from_ms(row[name])
        profiles.append(row)
    nobody = uuid.UUID(int=0)
    for visitor, contact_id in world.ties.items():
        links.append(
            {
                "account": account,
                "visitor": uuid.UUID(visitor),
                "merged": 0,
                "contact": contact_id,
                "load": load,
            }
        )
    for gone, contact_id in world.merged.items():
        links.append(
            {"account": account, "visitor": nobody, "merged": gone, "contact": contact_id, "load": load}
        )
    for segment, inside in world.frozen.items():
        for number in world.contacts:
            row = {
                "account": account,
                "segment": segment,
                "contact": number,
                "at": from_ms(NOW),
                "load": load,
            }
            members.append(row | {"member": int(number in inside), "position": 0})
    for table, rows in (
        ("events", events),
        ("profiles", profiles),
        ("links", links),
        ("memberships", members),
    ):
        names = list(rows[0])
        writer().insert(table, [[row[name] for name in names] for row in rows], column_names=names)
