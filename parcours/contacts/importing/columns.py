"""Which column of a file is which field of a contact."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts.attributes import check_name, split
from parcours.contacts.lines import CHANNELS
from parcours.contacts.normalise import Unfit
from parcours.lib.problems import Invalid

KEYS = ("id", "external_id", "email", "phone")
_FIELDS = (
    *KEYS,
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


def map_columns(headers: Sequence[str], attributes: Iterable[str]) -> list[str | None]:
    """For each column, its field; None for one that is left out.

    Raises Invalid when two columns have the same name or name the same field, or none names a key.
    """
    names = tuple(attributes)
    fields: list[str | None] = []
    seen: dict[str, str] = {}
    faults = []
    for place, header in enumerate(headers):
        pointer = f"/{place}"
        try:
            field = field_of(header, names)
        except Unfit as error:
            faults.append({"pointer": pointer, "detail": f"“{header[:60]}”: {error}"})
            field = None
        identity = field or plain(header) or header.strip()
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
    if not faults and not any(field in KEYS for field in fields):
        detail = _(
            "No column says who each contact is: one of them must be named email, phone, external_id or id."
            " The columns found are: %(columns)s."
        ) % {"columns": ", ".join(header.strip()[:40] for header in headers[:20] if header.strip()) or "—"}
        faults.append({"pointer": "", "detail": detail})
    if faults:
        raise Invalid(" ".join(fault["detail"] for fault in faults[:5]), faults)  # type: ignore[arg-type]
    return fields


def line_of(cells: Sequence[str], fields: Sequence[str | None]) -> dict[str, Any]:
    """A row as the line that `upsert_many` takes; an empty cell says nothing, so it changes nothing."""
    line: dict[str, Any] = {}
    for field, cell in zip(fields, cells, strict=False):
        if field is None or not cell or cell.isspace():
            continue
        group, dot, name = field.partition(".")
        if dot:
            line.setdefault(group, {})[name] = cell.strip().lower() if group == "consents" else cell
        elif field in ("lists", "tags"):
            line[field] = split(cell)
        else:
            line[field] = cell.strip()
    return line


def with_defaults(
    line: dict[str, Any], *, lists: Sequence[str], consents: Mapping[str, str]
) -> dict[str, Any]:
    """The line with what the import says of everyone; what the line itself says of a consent stands."""
    if lists and isinstance(line.get("lists", []), list | None):
        line["lists"] = [*(line.get("lists") or []), *lists]
    if consents and isinstance(line.get("consents", {}), dict | None):
        line["consents"] = {**consents, **(line.get("consents") or {})}
    return line
