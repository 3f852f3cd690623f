"""What the lines about orders, products and deals have in common: read field by field, every fault kept."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.currencies import CURRENCIES
from parcours.contacts import actions as contacts
from parcours.contacts import normalise
from parcours.contacts.normalise import Unfit
from parcours.lib.problems import Fault, Invalid

LONGEST_KEY = 255
CONTACT_KEYS = ("id", "external_id", "email", "phone")
_TOO_FAR = timedelta(hours=24)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
Given = dict[str, Any]


class Refused(Exception):
    """A line that is not taken, with everything that is wrong with it; its text names the fields."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        named = [
            f"{fault['pointer'].lstrip('/').replace('/', '.')}: {fault['detail']}"
            if fault["pointer"]
            else fault["detail"]
            for fault in self.faults
        ]
        super().__init__(" ".join(named))

    def as_problem(self) -> Invalid:
        """The same as the API's answer."""
        return Invalid(_("The request says something that cannot be."), self.faults)


class Reader:
    """Reads one line after the other: `open`, the fields, `close`, which raises Refused with all the faults."""

    def __init__(self, account: Account, *, now: datetime) -> None:
        self.account = account
        self.now = now
        self.faults: list[Fault] = []

    def open(self, line: object, known: Collection[str], *, ignored: Collection[str] = ()) -> Given:
        """Begin a line; what is `ignored` may be there, as in what was read from the API, but says nothing."""
        self.faults = []
        if not isinstance(line, Mapping):
            raise Refused([Fault(pointer="", detail=_("A line is an object."))])
        for name in line:
            if name not in known and name not in ignored:
                self.fault(str(name)[:100], _("There is no such field."))
        return {name: value for name, value in line.items() if name in known}

    def close(self) -> None:
        """End a line. Raises Refused with its faults, if it has any."""
        if self.faults:
            raise Refused(self.faults)

    def fault(self, field: str, detail: str) -> None:
        escaped = "/".join(part.replace("~", "~0") for part in field.split("."))
        self.faults.append(Fault(pointer=f"/{escaped}", detail=detail))

    def text(self, given: Given, name: str, *, longest: int = LONGEST_KEY, required: bool = False) -> str:
        """A text without blanks around it; "" for null."""
        value = given.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if value is None:
            value = ""
        if not isinstance(value, str):
            self.fault(name, _("The value is not a text."))
            return ""
        try:
            value = normalise.text(value, longest=longest)
        except Unfit as error:
            self.fault(name, str(error))
            return ""
        if required and not value:
            self.fault(name, _("This is needed."))
        return value

    def key(self, given: Given, name: str) -> str:
        """The id that another system gave: a text, or a number taken as text."""
        return self.text(given, name, required=True)

    def amount(self, given: Given, name: str) -> Decimal | None:
        """An amount of money: a number, or a text that reads as one; None for null."""
        value = given.get(name)
        if value is None or value == "":
            return None
        text = value.strip() if isinstance(value, str) else None
        try:
            if text is not None:
                if not _NUMBER.fullmatch(text):
                    raise InvalidOperation
                exact = Decimal(text)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                exact = Decimal(str(value))
            else:
                raise InvalidOperation
        except InvalidOperation:
            self.fault(name, _("This is not an amount, such as 19.90."))
            return None
        if not exact.is_finite() or abs(exact) > amounts.LARGEST:
            self.fault(name, _("This amount is too large."))
        elif exact < 0:
            self.fault(name, _("An amount cannot be negative."))
        elif exact != amounts.from_units(amounts.to_units(exact)):
            self.fault(name, _("An amount has at most %(most)d decimals.") % {"most": amounts.DECIMALS})
        else:
            return exact
        return None

    def currency(self, given: Given, name: str = "currency") -> str:
        """A currency of ISO 4217; the account's for null."""
        value = given.get(name)
        if value is None or value == "":
            return self.account.currency
        code = value.strip().upper() if isinstance(value, str) else ""
        if code not in CURRENCIES and code != self.account.currency:
            self.fault(name, _("There is no such currency: three letters of ISO 4217, such as EUR."))
            return self.account.currency
        return code

    def instant(self, given: Given, name: str) -> datetime | None:
        """An instant of ISO 8601, without an offset in the account's zone; None for null. It is not to come."""
        value = given.get(name)
        if value is None or value == "":
            return None
        try:
            if not isinstance(value, str):
                raise Unfit(_("The value is not a date, such as “2026-03-28”."))
            found = normalise.instant(value.strip(), zone=self.account.timezone)
        except Unfit as error:
            self.fault(name, str(error))
            return None
        if found - self.now > _TOO_FAR:
            self.fault(name, _("This date is to come."))
        return min(found, self.now).astimezone(UTC)

    def end(self, given: Given, name: str) -> datetime | None:
        """An instant that ends a range: a day alone is in the range to its end."""
        found = self.instant(given, name)
        value = given.get(name)
        if found is None or not isinstance(value, str) or len(value.strip()) > 10:
            return found
        zone = ZoneInfo(self.account.timezone)
        day = found.astimezone(zone).date()
        if day >= date.max - timedelta(days=1):
            return found
        following = day + timedelta(days=1)
        return datetime.combine(following, time.min, tzinfo=zone).astimezone(UTC)

    def day(self, given: Given, name: str) -> date | None:
        """A day, `2026-03-28`; None for null."""
        value = given.get(name)
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(value.strip()[:10]) if isinstance(value, str) else date.min
        except ValueError:
            self.fault(name, _("The value is not a date, such as “2026-03-28”."))
            return None

    def contact(self, given: Given, name: str = "contact") -> Given | None:
        """The keys of a contact; None when there are none."""
        return self.contact_keys(given.get(name), name)

    def contact_keys(self, value: object, at: str) -> Given | None:
        """The keys of a contact given as `{id | external_id | email | phone}`."""
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fault(at, _("A contact is an object with its id, external_id, email or phone."))
            return None
        keys: Given = {}
        for key, said in value.items():
            if key not in CONTACT_KEYS:
                if key != "name":  # which the API tells beside the keys
                    self.fault(f"{at}.{key}"[:120], _("There is no such field."))
            elif said not in (None, ""):
                keys[key] = said
        return keys or None


def find_contacts(
    account: Account,
    wanted: Sequence[Given | None],
    *,
    now: datetime,
    source: str,
    sent: datetime | None = None,
) -> tuple[list[int | None], dict[int, list[Fault]]]:
    """Whom keys name, found or made, in the caller's transaction; and for those who cannot be told, why, by place."""
    places: dict[str, int] = {}
    lines: list[Given] = []
    for keys in wanted:
        if keys:
            mark = json.dumps(keys, sort_keys=True, default=str)
            if mark not in places:
                places[mark] = len(lines)
                lines.append(keys)
    if not lines:
        return [None] * len(wanted), {}
    found = contacts.upsert_many(account, lines, source=source, now=now, sent=sent)
    refused = {refusal.index: refusal.faults for refusal in found.refused}
    people: list[int | None] = []
    faults: dict[int, list[Fault]] = {}
    for place, keys in enumerate(wanted):
        if not keys:
            people.append(None)
            continue
        at = places[json.dumps(keys, sort_keys=True, default=str)]
        people.append(found.contacts[at])
        if at in refused:
            faults[place] = [
                Fault(pointer=f"/contact{fault['pointer']}", detail=fault["detail"]) for fault in refused[at]
            ]
    return people, faults
