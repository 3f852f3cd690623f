"""Which column of a file is which field of a contact."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.attributes import check_name, split
from parcours.contacts.importing import cells
from parcours.contacts.lines import CHANNELS, NAMED_BY
from parcours.contacts.models import AttributeDefinition
from parcours.contacts.normalise import Unfit
from parcours.lib.problems import Invalid

_FIELDS = (
    *NAMED_BY,
    "first_name",
    "last_name",
    "locale",
    "timezone",
    "country",
    "city",
    "created_at",
    "last_seen_at",
    "updated_at",
    "lists",
    "tags",
)

#: What people write at the top of their files, in French and in English, without accents, marks and capitals.
_SYNONYMS = {
    "email": "adresse e mail, adresse email, adresse mail, adresse courriel, courriel, mail, e mail, email address,"
    " e mail address, adresse de courriel, adresse electronique",
    "phone": "telephone, tel, mobile, portable, numero de telephone, telephone mobile, telephone portable,"
    " phone number, mobile phone, cell, cellphone, gsm, sms",
    "external_id": "external id, identifiant, identifiant externe, user id, userid, customer id, id client,"
    " numero client, client id, reference, reference client",
    "first_name": "first name, firstname, prenom, given name, prenoms",
    "last_name": "last name, lastname, nom, nom de famille, surname, family name",
    "locale": "langue, language, lang",
    "timezone": "time zone, fuseau horaire, fuseau, tz",
    "country": "pays, code pays, country code",
    "city": "ville, town, commune",
    "tags": "tag, etiquettes, etiquette, mots cles",
    "lists": "list, liste, listes",
    "created_at": "created at, date de creation, date d inscription, cree le",
    "last_seen_at": "last seen at, derniere visite",
    "updated_at": "updated at, date de modification, modifie le",
    "id": "parcours id, id parcours",
}


def plain(header: str) -> str:
    """A header without accents, capitals and marks, its words apart by one blank."""
    text = unicodedata.normalize("NFKD", header.casefold())
    text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(re.findall(r"[a-z0-9]+", text))


_NAMES = {plain(field): field for field in _FIELDS} | {
    synonym.strip(): field for field, synonyms in _SYNONYMS.items() for synonym in synonyms.split(",")
}

_CONSENT_WORDS = ("consent", "consents", "consentement")
_CHANNEL_WORDS = {"email": ("email", "e mail"), "sms": ("sms",), "whatsapp": ("whatsapp",)}
_NAMES |= {
    header: f"consents.{channel}"
    for channel, words in _CHANNEL_WORDS.items()
    for word in words
    for consent in _CONSENT_WORDS
    for header in (f"{consent} {word}", f"{word} {consent}")
}


def field_of(header: str, attributes: Iterable[str]) -> str | None:
    """The field that a header names: a contact's, `attributes.NAME`, `consents.CHANNEL`; None for none.

    An attribute that the account has already needs no prefix.
    """
    header = header.strip()
    prefix, dot, name = header.partition(".")
    if dot and prefix.strip().lower() in ("attributes", "attribute", "attributs", "attribut"):
        return f"attributes.{check_name(name.strip())}"
    if dot and prefix.strip().lower() in ("consents", "consent", "consentements", "consentement"):
        channel = name.strip().lower()
        return f"consents.{channel}" if channel in CHANNELS else None
    known = _NAMES.get(plain(header))
    if known:
        return known
    folded = header.casefold()
    return next((f"attributes.{name}" for name in attributes if name.casefold() == folded), None)


def recognised(headers: Sequence[str], attributes: Iterable[str]) -> int:
    """How many headers name a field."""
    names = tuple(attributes)
    count = 0
    for header in headers:
        try:
            count += field_of(header, names) is not None
        except Unfit:
            continue
    return count


def targets(headers: Sequence[str], mapping: Mapping[str, str]) -> list[str | None]:
    """For each column, what a mapping by header says of it ("" leaves it out); None where it says nothing.

    Raises Invalid for a header that the file has not.
    """
    said = {header.strip(): target for header, target in mapping.items()}
    unknown = [header for header in said if header not in headers]
    if unknown:
        detail = _("The file has no column “%(header)s”.") % {"header": unknown[0][:60]}
        raise Invalid(detail, [{"pointer": "/mapping", "detail": detail}])
    return [said.get(header) for header in headers]


def read_target(target: str) -> tuple[str | None, str]:
    """A field as a mapping writes it (`attributes.points:number`), and its type when it says one. Raises Unfit."""
    target = target.strip()
    if not target:
        return None, ""
    if target in _FIELDS:
        return target, ""
    group, _dot, name = target.partition(".")
    if group == "consents" and name in CHANNELS:
        return target, ""
    if group != "attributes":
        raise Unfit(_("A contact has no such field."))
    bare, colon, kind = name.rpartition(":")
    if colon and kind in AttributeDefinition.Type.values:
        return f"attributes.{check_name(bare.strip())}", kind
    return f"attributes.{check_name(name)}", ""


def map_columns(
    headers: Sequence[str], attributes: Iterable[str], targets: Sequence[str | None] = ()
) -> tuple[list[str | None], dict[str, str]]:
    """For each column, its field (None for one that is left out); and the types said of attributes.

    `targets` are what the sender says of the columns; where that is None, the header tells. Raises Invalid when two
    columns have the same name or name the same field, or none names a key.
    """
    names = tuple(attributes)
    fields: list[str | None] = []
    types: dict[str, str] = {}
    seen: dict[str, str] = {}
    faults = []
    for place, header in enumerate(headers):
        pointer = f"/{place}"
        target = targets[place] if targets else None
        field, kind = None, ""
        try:
            if target is None:
                field = field_of(header, names)
            else:
                field, kind = read_target(target)
        except Unfit as error:
            faults.append({"pointer": pointer, "detail": f"“{header[:60]}”: {error}"})
        identity = field or ("" if target is not None else plain(header) or header.strip())
        if identity and identity in seen:
            faults.append(
                {
                    "pointer": pointer,
                    "detail": _("The columns “%(one)s” and “%(two)s” are the same one twice.")
                    % {"one": seen[identity][:60], "two": header[:60]},
                }
            )
        seen[identity] = header
        fields.append(field)
        if field and kind:
            types[field.removeprefix("attributes.")] = kind
    if not faults and not any(field in NAMED_BY for field in fields):
        detail = _(
            "No column says who each contact is: one of them must be named email, phone, external_id or id."
            " The columns found are: %(columns)s."
        ) % {"columns": ", ".join(header.strip()[:40] for header in headers[:20] if header.strip()) or "—"}
        faults.append({"pointer": "", "detail": detail})
    if faults:
        raise Invalid(" ".join(fault["detail"] for fault in faults[:5]), faults)  # type: ignore[arg-type]
    return fields, types


class LineReader:
    """Makes of the cells of a row the line that `upsert_many` takes; an empty cell says nothing and changes nothing.

    `types` are those of the account's attributes, `decimal` and `dates` how the file writes numbers and dates.
    """

    def __init__(
        self, fields: Sequence[str | None], *, types: Mapping[str, str], decimal: str, dates: str
    ) -> None:
        self.fields = fields
        self._ways = [self._way(field, types, decimal, dates) for field in fields]

    @staticmethod
    def _way(
        field: str | None, types: Mapping[str, str], decimal: str, dates: str
    ) -> Callable[[str], Any] | None:
        if field is None:
            return None
        group, dot, name = field.partition(".")
        if group == "consents":
            return cells.consent
        if group == "attributes" and dot:
            kind = types.get(name, "text")
            if kind == AttributeDefinition.Type.NUMBER:
                return lambda text: cells.number(text, decimal)
            if kind == AttributeDefinition.Type.DATE:
                return lambda text: cells.day(text, dates)
            return str
        if field in ("created_at", "last_seen_at"):
            return lambda text: cells.day(text.strip(), dates)
        return split if field in ("lists", "tags") else str.strip

    def value(self, place: int, cell: str) -> Any:
        """What the cell of a column that is not left out says, in the shape of the API; None for an empty one."""
        way = self._ways[place]
        return None if way is None or not cell or cell.isspace() else way(cell)

    def line(self, row: Sequence[str]) -> dict[str, Any]:
        """A row as a line."""
        line: dict[str, Any] = {}
        for field, way, cell in zip(self.fields, self._ways, row, strict=False):
            if field is None or way is None or not cell or cell.isspace():
                continue
            group, dot, name = field.partition(".")
            if dot:
                line.setdefault(group, {})[name] = way(cell)
            else:
                line[field] = way(cell)
        return line


def with_defaults(
    line: dict[str, Any], *, lists: Sequence[str], consents: Mapping[str, str], tags: Sequence[str] = ()
) -> dict[str, Any]:
    """The line with what the import says of everyone; what the line itself says of a consent stands."""
    if tags and isinstance(line.get("tags", []), list | None):
        line["tags"] = [*(line.get("tags") or []), *tags]
    if lists and isinstance(line.get("lists", []), list | None):
        line["lists"] = [*(line.get("lists") or []), *lists]
    if consents and isinstance(line.get("consents", {}), dict | None):
        line["consents"] = {**consents, **(line.get("consents") or {})}
    return line
