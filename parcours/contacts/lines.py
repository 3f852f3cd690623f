"""One line about a contact, as the API, an import or a step gives it: read, checked, normalised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts import attributes, normalise
from parcours.contacts.models import Channel, ConsentValue
from parcours.contacts.normalise import Unfit
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault

#: The columns of a contact that a line can set, in the order in which they are kept; the first three are its keys.
KEYS = ("email", "phone", "external_id")
COLUMNS = (
    *KEYS,
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "country",
    "city",
    "created_at",
    "last_seen_at",
)
#: What tells whom a line means, the one that decides first; and those of them that are not ours to give.
NAMED_BY = ("id", "external_id", "email", "phone")
DECIDING_KEYS = NAMED_BY[1:]
FIELDS = frozenset((*COLUMNS, "id", "attributes", "consents", "lists", "tags", "updated_at"))
CHANNELS = tuple(str(channel) for channel in Channel)
_CONSENTS = frozenset(str(value) for value in ConsentValue)
_LONGEST_NAME = 200
_LONGEST_TAG = 100
_MOST_TAGS = 500
_LARGEST_ID = 2**63 - 1


class Refused(Exception):
    """A line that is not taken, with everything that is wrong with it.

    Its text is for a reader who sees the line's number alone, so that it names the fields; `faults` point to them.
    """

    def __init__(self, faults: list[Fault], *, fields: Sequence[str] = ()) -> None:
        details = [fault["detail"] for fault in faults]
        named = [
            _("%(field)s: %(fault)s") % {"field": name, "fault": detail}
            for name, detail in zip(fields, details, strict=False)
        ]
        super().__init__(" ".join(named or details))
        self.faults = faults


@dataclass(slots=True)
class Line:
    """What a line says, normalised; what it does not mention is not in it."""

    id: int | None = None
    values: dict[str, Any] = field(default_factory=dict)  # columns; None clears
    attributes: dict[str, Any] = field(default_factory=dict)  # not yet fitted to their types
    consents: dict[str, str] = field(default_factory=dict)
    lists: list[int] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    increments: dict[str, Decimal] = field(default_factory=dict)


def whole_id(value: object) -> int | None:
    """The number of an id given as text or number; None when it cannot be one of ours."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 19:
        value = int(value)
    return value if isinstance(value, int) and 0 < value <= _LARGEST_ID else None


def fault_of(field: str, detail: str) -> Fault:
    """A fault of a field (`attributes.points`), with its JSON Pointer."""
    escaped = field.replace("~", "~0").replace("/", "~1")
    return {"pointer": "/" + escaped.replace(".", "/", 1), "detail": detail}


def _name(value: str) -> str:
    return normalise.text(value, longest=_LONGEST_NAME)


class Reader:
    """Reads the lines of one account."""

    def __init__(self, *, country: str, zone: str) -> None:
        self.zone = zone
        self._text_readers: dict[str, Callable[[str], Any]] = {
            "email": normalise.email,
            "phone": lambda value: normalise.phone(value, country=country),
            "first_name": _name,
            "last_name": _name,
            "city": _name,
            "locale": normalise.locale,
            "timezone": normalise.timezone,
            "country": normalise.country,
        }

    def read(self, given: Mapping[str, Any], *, now_ms: int) -> Line:
        """The line, normalised. Raises Refused with all its faults."""
        line = Line()
        fields: list[str] = []
        faults: list[Fault] = []
        if not isinstance(given, dict):
            raise Refused([{"pointer": "", "detail": _("A contact is an object.")}])
        for name, value in given.items():
            try:
                self._read(line, name, value, now_ms)
            except Unfit as error:
                fields.append(str(name)[:100])
                faults.append(fault_of(fields[-1], str(error)))
        if faults:
            raise Refused(faults, fields=fields)
        return line

    def field(self, name: str, value: Any) -> Any:
        """A text or a key of a contact, normalised. Raises Unfit."""
        if name == "external_id":
            return None if value is None else normalise.external_id(value) or None
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise Unfit(_("The value is not a text."))
        return self._text_readers[name](value) if value.strip() else None

    def cell_reader(self, name: str) -> Callable[[str], Any]:
        """What normalises a text or a key of a contact that is not blank. It raises Unfit."""
        if name == "external_id":
            return lambda cell: normalise.external_id(cell.strip())
        return self._text_readers[name]

    def consent(self, value: Any) -> str:
        """One of the values of a consent. Raises Unfit."""
        consent = ConsentValue.PENDING.value if value is None else value
        if not isinstance(consent, str) or consent not in _CONSENTS:
            raise Unfit(_("A consent is opted_in, opted_out or pending."))
        return consent

    def _read(self, line: Line, name: str, value: Any, now_ms: int) -> None:
        if name in self._text_readers or name == "external_id":
            line.values[name] = self.field(name, value)
        elif name == "id":
            line.id = whole_id(value)
            if line.id is None:
                raise Unfit(_("No contact has this id."))
        elif name == "attributes":
            line.attributes = _attributes(value)
        elif name == "consents":
            line.consents = self._consents(value)
        elif name == "lists":
            line.lists = _lists(value)
        elif name == "tags":
            line.tags = clean_tags(value)
        elif name in ("created_at", "last_seen_at"):
            line.values[name] = self.instant(name, value, now_ms)
        elif name != "updated_at":  # ours alone to say, but an exported contact may be sent back as it is
            raise Unfit(_("A contact has no such field."))

    def _consents(self, value: Any) -> dict[str, str]:
        if value is None:
            return {}
        if not isinstance(value, dict) or not value.keys() <= set(CHANNELS):
            raise Unfit(_("Consents are an object: email, sms, whatsapp."))
        return {channel: self.consent(consent) for channel, consent in value.items()}

    def instant(self, name: str, value: Any, now_ms: int) -> int | None:
        """An instant of a contact, in milliseconds, never after now. Raises Unfit."""
        if value is None and name == "last_seen_at":
            return None
        if not isinstance(value, str):
            raise Unfit(_("The value is not a date, such as “2026-03-28”."))
        return min(to_ms(normalise.instant(value, zone=self.zone)), now_ms)


def _attributes(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit(_("Attributes are an object of names and values."))
    for name in value:
        attributes.check_name(name)
    return value


def _lists(value: Any) -> list[int]:
    if value is None:
        return []
    ids = [whole_id(element) for element in value] if isinstance(value, list) else [None]
    if None in ids:
        raise Unfit(_("Lists are an array of ids."))
    return [each for each in ids if each is not None]


def clean_tags(value: Any) -> list[str]:
    """The names of tags, each once. Raises Unfit."""
    if value is None:
        return []
    if (
        not isinstance(value, list)
        or not all(isinstance(tag, str) for tag in value)
        or len(value) > _MOST_TAGS
    ):
        raise Unfit(_("Tags are an array of texts."))
    tags = [normalise.text(tag, longest=_LONGEST_TAG) for tag in value]
    return list(dict.fromkeys(tag for tag in tags if tag))
