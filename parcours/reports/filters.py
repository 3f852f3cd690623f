"""What narrows the figures of a journey: the runs chosen by their entry, and the version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid


@dataclass(frozen=True)
class RunFilter:
    """Runs that entered in [since, until), in milliseconds UTC (0: no bound), of one version (0: all)."""

    since: int = 0
    until: int = 0
    version: int = 0

    def parameters(self) -> dict[str, Any]:
        """The filter as bound parameters of the named queries."""
        return {"since": self.since, "until": self.until, "version": self.version}


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def parse_bound(text: str, *, account: Account, end: bool) -> int:
    """An instant, or a day of the account's zone (as an end, the day is in). Raises ValueError."""
    zone = ZoneInfo(account.timezone)
    if len(text) == 10:
        day = date.fromisoformat(text)
        return to_ms(_midnight(day + timedelta(days=1) if end else day, zone))
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return to_ms(instant)


def parse_filter(account: Account, *, since: str | None, until: str | None, version: str | None) -> RunFilter:
    """Read `from`, `to` and `version` as they come in a URL. Raises Invalid with every fault."""
    faults: list[Fault] = []
    bounds = {"from": 0, "to": 0}
    for name, text in (("from", since), ("to", until)):
        if not text:
            continue
        try:
            bounds[name] = parse_bound(text, account=account, end=name == "to")
        except (ValueError, OverflowError):
            detail = _("“%(text)s” is neither a date nor an instant of ISO 8601.") % {"text": text[:40]}
            faults.append({"pointer": f"/{name}", "detail": detail})
    number = 0
    if version:
        if version.isascii() and version.isdigit() and 0 < int(version) < 2**31:
            number = int(version)
        else:
            faults.append({"pointer": "/version", "detail": _("A version is a whole number above 0.")})
    if faults:
        raise Invalid(_("The filter cannot be read."), faults)
    return RunFilter(since=bounds["from"], until=bounds["to"], version=number)
