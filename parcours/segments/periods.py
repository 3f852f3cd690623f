"""What a reading of a segment is bounded by, as it comes in an address: an instant, a period."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, cast
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid
from parcours.segments.members import Period

KINDS = ("", "entered", "left")


def read_period(account: Account, *, kind: str = "", since: str = "", until: str = "") -> Period:
    """A period from `from` and `to`: days of the account's zone, both in, or instants (`to` is out).

    Raises Invalid with every fault.
    """
    faults: list[Fault] = []
    bounds = {"from": 0, "to": 0}
    for name, text in (("from", since), ("to", until)):
        try:
            bounds[name] = _bound(text, account=account, end=name == "to") if text else 0
        except (ValueError, OverflowError):
            detail = _("“%(text)s” is neither a date nor an instant of ISO 8601.") % {"text": text[:40]}
            faults.append({"pointer": f"/{name}", "detail": detail})
    if kind not in KINDS:
        faults.append({"pointer": "/kind", "detail": _("Choose among: entered, left.")})
    if faults:
        raise Invalid(_("The filter cannot be read."), faults)
    return Period(since=bounds["from"], until=bounds["to"], kind=cast(Literal["", "entered", "left"], kind))


def read_as_of(text: str) -> datetime | None:
    """The `as_of` of an answer given before; None where none is said. Raises Invalid."""
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        detail = _("“as_of” is the instant that an answer gave, with its offset.")
        raise Invalid(detail, [{"pointer": "/as_of", "detail": detail}])
    return instant


def _bound(text: str, *, account: Account, end: bool) -> int:
    zone = ZoneInfo(account.timezone)
    if len(text) == 10:
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return to_ms(datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC))
    instant = datetime.fromisoformat(text)
    return to_ms(instant if instant.tzinfo else instant.replace(tzinfo=zone))
