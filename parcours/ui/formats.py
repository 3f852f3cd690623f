"""Numbers, amounts and instants as a reader of French or English writes them.

The browser's `Intl` gives the same texts, so that a number on the canvas and the same number in a table are alike:
French groups digits with U+202F (narrow no-break space) and sets U+202F before %, U+00A0 before a currency.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.numbers import get_currency_symbol
from django.utils import formats, timezone
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

from parcours.lib import clock

NOTHING = "—"
_NARROW = "\u202f"
_NO_BREAK = "\u00a0"


def _french() -> bool:
    return (get_language() or "en").startswith("fr")


def country(code: str) -> str:
    """A country (ISO 3166-1) by its name; a code that nobody knows as it stands."""
    return Locale.parse("fr" if _french() else "en").territories.get(code.upper(), code)


def language(tag: str) -> str:
    """A language (BCP 47), with its country if it bears one, by its name; a tag that nobody knows as it stands."""
    try:
        said = Locale.parse(tag.replace("-", "_")).get_display_name("fr" if _french() else "en")
    except (UnknownLocaleError, ValueError):
        return tag
    return f"{said[:1].upper()}{said[1:]}" if said else tag


def _grouped(value: Decimal, decimals: int) -> str:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{rounded:,.{decimals}f}"
    if _french():
        text = text.replace(",", _NARROW).replace(".", ",")
    return text


def number(value: int | float | Decimal | None, decimals: int = 0) -> str:
    """A number with its digits grouped; a dash when there is none."""
    return NOTHING if value is None else _grouped(Decimal(str(value)), decimals)


def percent(ratio: float | Decimal | None, decimals: int = 1) -> str:
    """A fraction as a percentage (0.1234 is 12.3 %); a dash when there is none."""
    if ratio is None:
        return NOTHING
    text = _grouped(Decimal(str(ratio)) * 100, decimals)
    return f"{text}{_NARROW}%" if _french() else f"{text}%"


def money(amount: float | Decimal | None, currency: str) -> str:
    """An amount with two decimals and its currency (ISO 4217); a dash when there is none."""
    if amount is None:
        return NOTHING
    return with_currency(_grouped(Decimal(str(amount)), 2), currency, "fr" if _french() else "en")


def with_currency(text: str, currency: str, language: str) -> str:
    """An amount written already, with the sign of its currency: 21,75 $US, $21.75; of no known currency, its code."""
    symbol = get_currency_symbol(currency, language)
    if not symbol:
        return text
    if language == "fr":
        return f"{text}{_NO_BREAK}{symbol}"
    return f"{symbol}{_NO_BREAK}{text}" if symbol[-1:].isalpha() else f"{symbol}{text}"


def day(instant: datetime | date, style: Literal["short", "long"] = "short") -> str:
    """The day, of an instant the one in the reader's zone: 22 Nov 2026, or in full."""
    local = timezone.localtime(instant) if isinstance(instant, datetime) else instant
    if not _french():
        return formats.date_format(local, "j M Y" if style == "short" else "j F Y", use_l10n=False)
    first = "1er" if local.day == 1 else str(local.day)
    return first + formats.date_format(local, " N Y" if style == "short" else " F Y", use_l10n=False)


def dated(text: str) -> str:
    """A day or an instant of ISO 8601: 11 Feb 1987, 11 February 1987 at 14:32:07; any other text as it stands."""
    try:
        if len(text) <= len("1987-02-11"):
            return day(date.fromisoformat(text))
        instant = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if instant.tzinfo is None else moment(instant)


def hour(instant: datetime, *, seconds: bool = False) -> str:
    """The hour in the reader's zone: 14:32, or 14:32:07."""
    return timezone.localtime(instant).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(instant: datetime) -> str:
    """The full instant in the reader's zone: 22 November 2026 at 14:32:07."""
    return _("%(day)s at %(hour)s") % {"day": day(instant, "long"), "hour": hour(instant, seconds=True)}


def when(instant: datetime, now: datetime | None = None) -> str:
    """The instant as one would say it: 5 minutes ago, today at 14:32, 22 Nov 2026 at 14:32."""
    now = now or clock.now()
    passed = now - instant
    if abs(passed) < timedelta(seconds=60):
        return _("just now") if passed >= timedelta(0) else _("in a moment")
    if abs(passed) < timedelta(hours=1):
        minutes = int(abs(passed).total_seconds() // 60)
        if passed > timedelta(0):
            return ngettext("%(count)s minute ago", "%(count)s minutes ago", minutes) % {"count": minutes}
        return ngettext("in %(count)s minute", "in %(count)s minutes", minutes) % {"count": minutes}
    days = (timezone.localtime(instant).date() - timezone.localtime(now).date()).days
    at = {"hour": hour(instant), "day": day(instant)}
    named = {0: _("today at %(hour)s"), -1: _("yesterday at %(hour)s"), 1: _("tomorrow at %(hour)s")}
    return named.get(days, _("%(day)s at %(hour)s")) % at


def duration(milliseconds: int | float | None) -> str:
    """A length of time with its two largest units: 2 d 4 h, 12 min 3 s, 0.4 s, 35 ms; a dash when there is none."""
    if milliseconds is None:
        return NOTHING
    if milliseconds < 100:
        return f"{_grouped(Decimal(str(milliseconds)), 0)}{_NO_BREAK}ms"
    seconds = Decimal(str(milliseconds)) / 1000
    if seconds < 10:
        return f"{_grouped(seconds, 1)}{_NO_BREAK}{pgettext('unit', 's')}"
    left = int(seconds)
    parts: list[tuple[int, str]] = []
    day_word, second_word = pgettext("unit", "d"), pgettext("unit", "s")
    for unit, length in ((day_word, 86400), ("h", 3600), ("min", 60), (second_word, 1)):
        count, left = divmod(left, length)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count}{_NO_BREAK}{unit}" for count, unit in parts[:2] if count)
