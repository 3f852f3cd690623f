"""One spelling for each value that identifies or places a person: decided here, at the edge, once.

Each function takes a text and answers it normalised, or raises `Unfit` with a sentence for whoever sent it.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import unicodedata
import zoneinfo
from datetime import UTC, date, datetime

import idna
import phonenumbers
from django.utils.translation import gettext as _

from parcours.lib import clock
from parcours.lib.instants import iso

_MAX_LOCAL_OCTETS = 64  # RFC 5321, 4.5.3.1.1
_MAX_EMAIL_OCTETS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_PLAIN_EMAIL = re.compile(
    r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])"
)
_ASCII_OF_LOCAL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+/=?^_`{|}~-.")
_LOCALE = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{1,8})*)")
_OUTSIDE_TEXT = re.compile("[\x00\ud800-\udfff]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_PHONE_MARKS = str.maketrans("", "", " .-()\u00a0\u202f")


class Unfit(ValueError):
    """A value that cannot be what it is given as; the message is for whoever sent it."""


def text(value: str, *, longest: int) -> str:
    """A text without blanks around it, in Unicode NFC; what no database can keep (NUL, half characters) is unfit."""
    value = value.strip()
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    if len(value) > longest:
        raise Unfit(_("The text is longer than %(longest)d characters.") % {"longest": longest})
    if _OUTSIDE_TEXT.search(value):
        raise Unfit(_("The text holds a character that cannot be kept (NUL or half a character)."))
    return value


def email(value: str) -> str:
    """An e-mail address in lower case, its domain in Unicode (RFC 5321, RFC 6531).

    Quoted local parts, addresses in brackets, comments and names beside the address are unfit, and so is a domain
    without a dot: nobody subscribes with them, and they are how headers get forged.
    """
    value = value.strip().lower()
    if _PLAIN_EMAIL.fullmatch(value) and len(value) <= _MAX_EMAIL_OCTETS:
        local, _at, domain = value.partition("@")
        if len(local) <= _MAX_LOCAL_OCTETS and "xn--" not in domain and "--" not in domain[2:4]:
            return value
    fault = Unfit(_("“%(value)s” is not an e-mail address.") % {"value": _shown(value)})
    if len(value) > 2 * _MAX_EMAIL_OCTETS:
        raise fault
    value = unicodedata.normalize("NFC", value)
    local, at, domain = value.rpartition("@")
    if not at or not local or local[0] == "." or local[-1] == "." or ".." in local:
        raise fault
    for character in local:
        if character.isascii() and character not in _ASCII_OF_LOCAL:
            raise fault
        if not character.isascii() and unicodedata.category(character)[0] in "CZ":
            raise fault
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode()
        unicode_domain = idna.decode(ascii_domain)
        octets = len(local.encode())
    except (idna.IDNAError, UnicodeError) as error:
        raise fault from error
    labels = ascii_domain.split(".")
    if len(labels) < 2 or "" in labels or labels[-1].isdigit() or octets > _MAX_LOCAL_OCTETS:
        raise fault
    if octets + 1 + len(ascii_domain) > _MAX_EMAIL_OCTETS:
        raise fault
    return f"{local}@{unicode_domain}"


def phone(value: str, *, country: str) -> str:
    """A phone number as E.164 ("+33612345678"); without a prefix it is read as one of `country`.

    A number with an extension is unfit: E.164 has no place for it, and two people would become one.
    """
    value = value.strip()
    plain = _plain_phone(value, country)
    if plain:
        return plain
    fault = Unfit(_("“%(value)s” is not a phone number.") % {"value": _shown(value)})
    if len(value) > 40:
        raise fault
    try:
        number = phonenumbers.parse(value, country or None)
    except phonenumbers.NumberParseException as error:
        raise fault from error
    if number.extension or not phonenumbers.is_possible_number(number):
        raise fault
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _plain_phone(value: str, country: str) -> str | None:
    """An ordinary number of the account's own country as E.164, thirty times faster than the library; else None."""
    known = _numbering(country)
    digits = value.translate(_PHONE_MARKS)
    if known is None or not digits.isascii() or not digits.removeprefix("+").isdigit():
        return None
    code, trunk, national = known
    if digits.startswith("+"):
        rest = digits[len(code) :] if digits.startswith(code) else ""
    else:
        rest = digits[len(trunk) :] if digits.startswith(trunk) else ""
    return code + rest if rest and not rest.startswith(trunk) and national.fullmatch(rest) else None


@functools.cache
def _numbering(country: str) -> tuple[str, str, re.Pattern[str]] | None:
    """A country's prefix, its trunk digit and the shape of its numbers; None where its numbers are not so plain."""
    found = phonenumbers.PhoneMetadata.metadata_for_region(country, None) if country else None
    if found is None or found.country_code is None or found.general_desc is None:
        return None
    shape = found.general_desc.national_number_pattern
    alone = len(phonenumbers.COUNTRY_CODE_TO_REGION_CODE.get(found.country_code, ())) == 1
    trunk = found.national_prefix_for_parsing
    if not alone or not shape or trunk != "0" or found.national_prefix_transform_rule:
        return None
    return f"+{found.country_code}", trunk, re.compile(shape)


def external_id(value: object) -> str:
    """Another system's id of the person; a whole number is taken as its digits."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Unfit(_("An external id is a text."))
    try:
        value = text(str(value), longest=255)
    except ValueError as error:  # Python itself refuses to write whole numbers of thousands of digits.
        raise Unfit(str(error) if isinstance(error, Unfit) else _("An external id is a text.")) from error
    return value


@functools.cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def timezone(value: str) -> str:
    """The name of a zone of the IANA database, such as "Europe/Paris"."""
    value = value.strip()
    if value not in _zones():
        raise Unfit(_("“%(value)s” is not a time zone, such as “Europe/Paris”.") % {"value": _shown(value)})
    return value


@functools.cache
def countries() -> frozenset[str]:
    """The two-letter country codes of ISO 3166-1."""
    table = (importlib.resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in table.splitlines() if line and not line.startswith("#"))


def country(value: str) -> str:
    """A country's two letters of ISO 3166-1, in upper case."""
    value = value.strip().upper()
    if value not in countries():
        raise Unfit(
            _("“%(value)s” is not the two-letter code of a country, such as “FR”.") % {"value": _shown(value)}
        )
    return value


def locale(value: str) -> str:
    """A language tag in its usual spelling (RFC 5646): "fr_fr" is "fr-FR"."""
    value = value.strip()
    match = _LOCALE.fullmatch(value) if len(value) <= 35 else None
    if match is None:
        raise Unfit(_("“%(value)s” is not a language, such as “fr-FR”.") % {"value": _shown(value)})
    parts = [match[1].lower()]
    for part in re.split("[-_]", match[2])[1:]:
        parts.append(part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part)
    return "-".join(parts)


def is_date(value: str) -> bool:
    """Whether a text is a day alone, such as "2026-03-28"."""
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def instant(value: str, *, zone: str) -> datetime:
    """An ISO 8601 instant, cut to the millisecond; without an offset (or a day alone) it is in `zone`."""
    try:
        moment = datetime.fromisoformat(value.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(zone))
        return clock.cut(moment.astimezone(UTC))
    except (ValueError, OverflowError) as error:
        raise Unfit(
            _("“%(value)s” is not a date, such as “2026-03-28” or “2026-03-28T20:00:00Z”.")
            % {"value": _shown(value)}
        ) from error


def date_value(value: str, *, zone: str) -> str:
    """What a date attribute keeps: a day alone as it is, an instant in UTC with milliseconds."""
    value = value.strip()
    return value if is_date(value) else iso(instant(value, zone=zone))


def _shown(value: str) -> str:
    """What is quoted back of a refused value: short, on one line, printable."""
    short = value if len(value) <= 60 else value[:59] + "…"
    return "".join(character if character.isprintable() else "�" for character in short)
