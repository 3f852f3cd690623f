"""Cells of a CSV file as people write them: numbers with a comma, dates with the day first, words for consents."""

from __future__ import annotations

import re
from datetime import date

POINT, COMMA = "point", "comma"
DECIMALS = (POINT, COMMA)
ISO, DAY_FIRST, MONTH_FIRST = "iso", "dmy", "mdy"
DATES = (ISO, DAY_FIRST, MONTH_FIRST)

_PLAIN = re.compile(r"-?\d+(?:\.\d+)?")
_BLANKS = re.compile(r"(?<=\d)[ \u00a0\u202f\u2009'’](?=\d)")
_WITH_COMMA = re.compile(r"-?\d{1,3}(?:\.?\d{3})*,\d+|-?\d+,\d+|-?\d{1,3}(?:\.\d{3}){2,}")
_WITH_POINT = re.compile(r"-?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DATE = re.compile(
    r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})(?:(?:\s+|T)(\d{1,2})[:h](\d{2})(?::(\d{2}))?)?", re.IGNORECASE
)

#: What forms, shops and other mailing tools write in a column of consents.
_CONSENTS = {
    **dict.fromkeys(
        "opted_in opt-in optin oui yes y o vrai true 1 x subscribed abonné abonne inscrit actif active".split(),
        "opted_in",
    ),
    **dict.fromkeys(
        "opted_out opt-out optout non no n faux false 0 unsubscribed désabonné desabonne désinscrit cleaned".split(),
        "opted_out",
    ),
    **dict.fromkeys(("pending", "en attente", "unknown", "inconnu"), "pending"),
}


def number(text: str, decimal: str) -> str:
    """A number as people write it, as `fit` reads it ("1 234,5" is "1234.5"); what is none stays as it is."""
    text = text.strip()
    if _PLAIN.fullmatch(text):
        return text
    bare = _BLANKS.sub("", text)
    if decimal == COMMA and _WITH_COMMA.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")
    if decimal == POINT and _WITH_POINT.fullmatch(bare):
        return bare.replace(",", "")
    return bare if _PLAIN.fullmatch(bare) else text


def day(text: str, order: str) -> str:
    """A date as people write it in ISO 8601 (28/03/2026 is 2026-03-28); what is none, or impossible, stays."""
    if order == ISO:
        return text
    match = _DATE.fullmatch(text.strip())
    if match is None:
        return text
    first, second, year = int(match[1]), int(match[2]), int(match[3])
    month, of_month = (second, first) if order == DAY_FIRST else (first, second)
    try:
        told = date(year, month, of_month).isoformat()
    except ValueError:
        return text
    return f"{told}T{int(match[4]):02d}:{match[5]}:{match[6] or '00'}" if match[4] else told


def consent(text: str) -> str:
    """A consent as files write it: opted_in, opted_out or pending; any other word stays, to be refused."""
    word = text.strip().lower()
    return _CONSENTS.get(word, word)


_CONSENT_HEADERS = re.compile(
    r"(e ?mail |email )?(newsletter|optin|opt in|consentement|consent|abonne|abonnement|subscribed|subscription|statut"
    r"|status)( (a la |au |to |de la |aux? )?(newsletter|lettre|e mails?|emails?|marketing))?"
)


def names_consent(header: str, samples: list[str]) -> bool:
    """Whether a column, by its header without accents and by its cells, seems to hold the consent to e-mails."""
    return bool(samples and _CONSENT_HEADERS.fullmatch(header)) and all(
        text.strip().lower() in _CONSENTS for text in samples
    )


def guess_decimal(samples: list[str]) -> str | None:
    """Whether numbers are written with a comma or a point, by some of them; None when they do not say."""
    for text in samples:
        bare = _BLANKS.sub("", text.strip())
        if re.fullmatch(r"-?\d+,\d{1,2}", bare):
            return COMMA
        if re.fullmatch(r"-?\d+\.\d{1,2}", bare):
            return POINT
    return None


def guess_dates(samples: list[str]) -> str | None:
    """Whether the day or the month comes first, by some dates; None when they do not say."""
    seen = False
    for text in samples:
        match = _DATE.fullmatch(text.strip())
        if match is None:
            continue
        seen = True
        if int(match[1]) > 12:
            return DAY_FIRST
        if int(match[2]) > 12:
            return MONTH_FIRST
    return DAY_FIRST if seen else None


def guess_type(samples: list[str]) -> str:
    """The type that an attribute never seen before had best have, by some of its values."""
    given = [text.strip() for text in samples if text.strip()]
    if not given:
        return "text"
    if all(_DATE.fullmatch(text) or re.fullmatch(r"\d{4}-\d{2}-\d{2}([T ].*)?", text) for text in given):
        return "date"
    if all(text.lower() in ("oui", "non", "yes", "no", "true", "false", "vrai", "faux") for text in given):
        return "boolean"
    told = [number(text, guess_decimal(given) or POINT) for text in given]
    # A number that begins with a nought is a code: a postcode, a telephone.
    if all(_PLAIN.fullmatch(text) and not re.match(r"-?0\d", text) for text in told):
        return "number"
    return "text"
