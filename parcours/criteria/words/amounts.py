"""Numbers, amounts, dates and durations of criteria, as French and English write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from parcours.criteria import values
from parcours.lib.durations import DurationError, split_duration
from parcours.ui.formats import with_currency

END_OF_DAY = "T23:59:59.999"
"""What follows a date to mean the last instant of that day, in the account's zone."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
#: unit of a duration -> (one, several, feminine in French)
_UNITS = {
    "fr": {
        "s": ("seconde", "secondes", True),
        "m": ("minute", "minutes", True),
        "h": ("heure", "heures", True),
        "d": ("jour", "jours", False),
        "w": ("semaine", "semaines", True),
    },
    "en": {
        "s": ("second", "seconds", False),
        "m": ("minute", "minutes", False),
        "h": ("hour", "hours", False),
        "d": ("day", "days", False),
        "w": ("week", "weeks", False),
    },
}


def quantity(value: int | float | Decimal, language: str) -> str:
    """A number with all its decimals, its digits grouped; "…" when it is not finite."""
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        return "…"
    whole, _, decimals = format(number.copy_abs(), "f").partition(".")
    decimals = decimals.rstrip("0")
    grouped = f"{int(whole):,}" if len(whole) < 4_000 else whole
    if language == "fr":
        grouped = grouped.replace(",", "\u202f")
    sign = "-" if number < 0 else ""
    return f"{sign}{grouped}{(',' if language == 'fr' else '.') + decimals if decimals else ''}"


def money(value: int | float | Decimal, language: str, currency: str) -> str:
    """An amount with its currency (ISO 4217); cents are written when there are some."""
    text = quantity(value, language)
    point = "," if language == "fr" else "."
    whole, _, decimals = text.partition(point)
    text = f"{whole}{point}{decimals.ljust(2, '0')}" if decimals else whole
    return with_currency(text, currency, language)


def date(text: str, language: str, zone: str) -> str | None:
    """A day, or a day and an hour of the account's zone, without article; None when the text is no date."""
    instant = values.as_instant(text, zone)
    if instant is None:
        return None
    if values.is_date_alone(text):
        local = datetime.fromisoformat(text)
    else:
        local = (_EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(zone))
    month = _MONTHS[language][local.month - 1]
    day = "1er" if language == "fr" and local.day == 1 else str(local.day)
    said = f"{day} {month} {local.year}"
    if values.is_date_alone(text):
        return said
    hour = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{said} à {hour}" if language == "fr" else f"{said} at {hour}"


class Length:
    """A duration in words: `said` is "90 days"; `last` and `following` are the window that ends or begins now."""

    def __init__(self, text: object, language: str) -> None:
        try:
            number, unit = split_duration(text)
        except DurationError:
            self.said = "…"
            one, several, feminine, count, singular = "", "…", False, "", False
        else:
            one, several, feminine = _UNITS[language][unit]
            singular = number == 1
            count = quantity(number, language)
            plural = number > 1 if language == "fr" else number != 1
            self.said = f"{count} {several if plural else one}"
        count = f"{count} " if count else ""
        if language == "en":
            self.last = f"in the last {one}" if singular else f"in the last {count}{several}"
            self.following = f"in the next {one}" if singular else f"in the next {count}{several}"
            self.outside = self.last.replace("in the", "outside the", 1)
        elif singular:
            article = "la" if feminine else "le"
            end = f"{'dernière' if feminine else 'dernier'} {one}"
            self.last = f"dans {article} {end}"
            self.following = f"dans {article} {'prochaine' if feminine else 'prochain'} {one}"
            self.outside = f"hors de {article} {end}".replace("de le ", "du ")
        else:
            end = f"{count}{'dernières' if feminine else 'derniers'} {several}"
            self.last = f"dans les {end}"
            self.following = f"dans les {count}{'prochaines' if feminine else 'prochains'} {several}"
            self.outside = f"hors des {end}"
