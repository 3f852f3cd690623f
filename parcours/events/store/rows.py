"""What happened, as rows of the event store's tables.

Rows are written in ClickHouse's JSONCompactEachRow: an array for each row, its values in the order of the columns.
msgspec writes ten thousand of them in ten milliseconds, and ClickHouse reads decimals and instants from text exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

import msgspec

from parcours.events.entries import Event, Membership, Moved, Parked
from parcours.lib.instants import from_ms, to_ms

Texts = dict[str, list[str]]

NO_VISITOR = "00000000-0000-0000-0000-000000000000"
_DEEPEST = 64
_ONE_UNIT = Decimal("1E-10")
_LARGEST = Decimal(10) ** 28
_CONTEXT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_EARLIEST = to_ms(datetime(1900, 1, 1, tzinfo=UTC))
_LATEST = to_ms(datetime(2299, 12, 31, 23, 59, 59, tzinfo=UTC))
_encoder = msgspec.json.Encoder()

COLUMNS: dict[str, tuple[str, ...]] = {
    "events": (
        *(
            "account",
            "name",
            "contact",
            "visitor",
            "deal",
            "occurred_at",
            "received_at",
            "message_id",
            "journey",
        ),
        *(
            "version",
            "step",
            "enrolment",
            "visit",
            "message",
            "send",
            "order_id",
            "machine",
            "texts",
            "numbers",
        ),
        *("properties", "load", "position"),
    ),
    "profiles": (
        *(
            "account",
            "contact",
            "email",
            "phone",
            "external_id",
            "first_name",
            "last_name",
            "locale",
            "timezone",
        ),
        *("country", "city", "created_at", "updated_at", "last_seen_at", "consent_email", "consent_sms"),
        *("consent_whatsapp", "lists", "tags", "texts", "numbers", "gone", "load"),
    ),
    "links": ("account", "visitor", "merged", "contact", "load"),
    "memberships": ("account", "segment", "contact", "member", "at", "load", "position"),
    "runs": (
        *(
            "account",
            "journey",
            "kind",
            "step",
            "from_step",
            "at",
            "contact",
            "enrolment",
            "visit",
            "version",
        ),
        *("entered_at", "reason", "load", "position"),
    ),
}


_ONLY_TEXTS = frozenset({str})


def number_text(value: float) -> str:
    """The one way to write a number as text: no exponent, no needless zero; "" for what is not finite."""
    if type(value) is int:
        return str(value)
    text = repr(value)
    if text.endswith(".0"):
        text = text[:-2]
    elif "n" in text:  # inf, nan
        return ""
    elif "e" in text:
        text = format(Decimal(text), "f")
    return "0" if text == "-0" else text


def decimal(value: float) -> Decimal | None:
    """A number as the store keeps and sums it: ten decimals, rounded half to even; None beyond 28 digits."""
    text = number_text(value)
    if not text:
        return None
    exact = Decimal(text)
    return exact.quantize(_ONE_UNIT, context=_CONTEXT) if abs(exact) < _LARGEST else None


def flatten(properties: Mapping[str, Any]) -> tuple[Texts, dict[str, list[Decimal]]]:
    """Properties by dotted path, as texts and, those that are JSON numbers, as decimals too.

    An array gives several elements, an array of objects reaches through to what is in them; true and false are
    texts; null, "" and what is empty are absent.
    """
    texts, numbers = flatten_text(properties)
    return texts, {path: [Decimal(text) for text in values] for path, values in numbers.items()}


def flatten_text(properties: Mapping[str, Any]) -> tuple[Texts, Texts]:
    """`flatten`, with the decimals still as the text that the store reads."""
    if _ONLY_TEXTS.issuperset(map(type, properties.values())):
        return {path: [value] for path, value in properties.items() if value}, {}
    texts: Texts = {}
    numbers: Texts = {}
    for path, value in properties.items():
        kind = type(value)
        if path in texts or (kind is not str and kind is not int and kind is not float):
            _add(path, value, texts, numbers, 0)
        elif kind is str:
            if value:
                texts[path] = [value]
        elif text := number_text(value):
            texts[path] = [text]
            if kept := _stored_number(text, value):
                numbers[path] = [kept]
    return texts, numbers


def _add(path: str, value: Any, texts: Texts, numbers: Texts, depth: int) -> None:
    kind = type(value)
    if kind is str:
        if value:
            texts.setdefault(path, []).append(value)
    elif kind is int or kind is float:
        text = number_text(value)
        if text:
            texts.setdefault(path, []).append(text)
            kept = _stored_number(text, value)
            if kept:
                numbers.setdefault(path, []).append(kept)
    elif kind is bool:
        texts.setdefault(path, []).append("true" if value else "false")
    elif depth < _DEEPEST:
        if kind is dict:
            for key, inner in value.items():
                _add(f"{path}.{key}", inner, texts, numbers, depth + 1)
        elif kind is list:
            for inner in value:
                _add(path, inner, texts, numbers, depth + 1)


def _stored_number(text: str, value: float) -> str:
    """The text of `decimal(value)`, without computing it for the numbers of every day."""
    if len(text) <= 16 and len(text) - text.find(".") <= 11:
        return text
    if type(value) is int and -(10**28) < value < 10**28:
        return text
    exact = decimal(value)
    return "" if exact is None else format(exact, "f")


def instant_text(ms: int) -> str:
    """An instant as the store reads it exactly; brought within the years 1900 to 2299, which it can hold."""
    if ms >= 1_000_000_000_000:
        text = str(ms)
        return f"{text[:-3]}.{text[-3:]}"
    return from_ms(min(max(ms, _EARLIEST), _LATEST)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    return _encoder.encode_lines(rows)


def event_lines(events: Sequence[Event], *, account_id: int, load_id: int) -> bytes:
    """The rows of `events`."""
    return _lines(_event_rows(events, account_id, load_id))


def _event_rows(events: Sequence[Event], account_id: int, load_id: int) -> Iterator[Sequence[Any]]:
    encode = _encoder.encode
    last, received_at = -1, ""
    for position, event in enumerate(events):
        properties = event.properties
        texts, numbers = flatten_text(properties)
        if event.received_at != last:  # Those that came together bear one instant.
            last, received_at = event.received_at, instant_text(event.received_at)
        yield (
            account_id,
            event.name,
            event.contact,
            event.visitor or NO_VISITOR,
            event.deal,
            instant_text(event.occurred_at),
            received_at,
            event.message_id,
            event.journey,
            event.version,
            event.step,
            event.enrolment,
            event.visit,
            event.message,
            event.send,
            event.order,
            1 if event.machine else 0,
            texts,
            numbers,
            encode(properties).decode(),
            load_id,
            position,
        )


def profile_lines(profiles: Sequence[Mapping[str, Any]], *, account_id: int, load_id: int) -> bytes:
    """The rows of `profiles`, from contacts' snapshots: the columns by name, and `attributes`."""
    return _lines(_profile_row(profile, account_id, load_id) for profile in profiles)


def _profile_row(profile: Mapping[str, Any], account_id: int, load_id: int) -> list[Any]:
    texts, numbers = flatten_text(profile["attributes"])
    seen = profile["last_seen_at"]
    values = {
        **profile,
        "account": account_id,
        "created_at": instant_text(profile["created_at"]),
        "updated_at": instant_text(profile["updated_at"]),
        "last_seen_at": None if seen is None else instant_text(seen),
        "texts": texts,
        "numbers": numbers,
        "gone": int(profile["gone"]),
        "load": load_id,
    }
    return [values[column] for column in COLUMNS["profiles"]]


def link_lines(
    links: Sequence[tuple[str, int]], merges: Sequence[tuple[int, int]], *, account_id: int, load_id: int
) -> bytes:
    """The rows of `links`: visitors tied to contacts, and contacts merged into others."""
    tied = [(account_id, visitor, 0, contact, load_id) for visitor, contact in links]
    return _lines(
        [*tied, *((account_id, NO_VISITOR, merged, contact, load_id) for merged, contact in merges)]
    )


def membership_lines(memberships: Sequence[Membership], *, account_id: int, load_id: int) -> bytes:
    """The rows of `memberships`."""
    return _lines(
        (account_id, each.segment, each.contact, int(each.member), instant_text(each.at), load_id, position)
        for position, each in enumerate(memberships)
    )


def moved_lines(moved: Sequence[Moved], *, account_id: int, load_id: int, position: int) -> bytes:
    """The rows of `memberships` of those who moved, from a position in the load on."""
    lines: list[str] = []
    for each in moved:
        head = f"[{account_id},{each.segment},"
        tail = f',{int(each.member)},"{instant_text(each.at)}",{load_id},'
        lines += [f"{head}{contact}{tail}{place}]\n" for place, contact in enumerate(each.contacts, position)]
        position += len(each.contacts)
    return "".join(lines).encode()


def moved_event_lines(moved: Sequence[Moved], *, account_id: int, load_id: int, position: int) -> bytes:
    """The rows of `events` of those who moved, from a position in the load on.

    They are those of `Moved.events`, which differ by the contact and the place alone.
    """
    lines: list[str] = []
    contact_at, id_at, last = (
        COLUMNS["events"].index(name) for name in ("contact", "message_id", "position")
    )
    for each in moved:
        for row in _event_rows(each.events()[:1], account_id, load_id):
            cells = [_encoder.encode(value).decode() for value in row]
            head, middle = ",".join(cells[:contact_at]), ",".join(cells[contact_at + 1 : id_at])
            begins, tail = cells[id_at].rpartition(".")[0], ",".join(cells[id_at + 1 : last])
            lines += [
                f'[{head},{contact},{middle},{begins}.{contact}",{tail},{place}]\n'
                for place, contact in enumerate(each.contacts, position)
            ]
        position += len(each.contacts)
    return "".join(lines).encode()


def run_lines(
    events: Sequence[Event], parked: Sequence[Parked], *, account_id: int, load_id: int
) -> tuple[int, bytes]:
    """The rows of `runs`, and how many: what journey.* events say, and the runs that were parked or resumed."""
    rows = [row for event in events if (row := _run_row(event)) is not None]
    rows += [
        (
            *(
                each.journey,
                "parked" if each.parked else "resumed",
                each.step,
                "",
                instant_text(each.at),
                each.contact,
            ),
            *(each.enrolment, each.visit, each.version, instant_text(each.entered_at), ""),
        )
        for each in parked
    ]
    return len(rows), _lines((account_id, *row, load_id, position) for position, row in enumerate(rows))


_KINDS = {
    "journey.entered": "entered",
    "journey.step_entered": "step",
    "journey.completed": "completed",
    "journey.exited": "exited",
}


def _run_row(event: Event) -> tuple[Any, ...] | None:
    kind = _KINDS.get(event.name)
    if kind is None or not event.journey:
        return None
    said = event.properties
    if kind == "entered" and said.get("holdout"):
        kind = "held_out"
    return (
        event.journey,
        kind,
        event.step,
        str(said.get("from") or "") if kind == "step" else "",
        instant_text(event.occurred_at),
        event.contact,
        event.enrolment,
        event.visit,
        event.version,
        instant_text(event.entered_at),
        str(said.get("reason") or "") if kind == "exited" else "",
    )
