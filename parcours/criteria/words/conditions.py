"""What a language is given to say: conditions, counts and windows whose values are words already."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from parcours.criteria import values
from parcours.criteria.words import amounts

GAP = "…"
"""Said in place of what is missing or cannot be read: criteria are said while they are being written."""
MOST_SAID = 6
_LONGEST = 120
_POSITIVE = {"ne": "eq", "not_in": "in", "not_contains": "contains", "missing": "exists"}
_DURATIONS = {"within_last": "within_last", "not_within_last": "outside", "within_next": "within_next"}
_ORDER = ("gt", "gte", "lt", "lte", "between")
_TO_THE_END = ("after", "gt", "lte")
_KNOWN = {"eq", "in", "contains", "starts_with", "ends_with", "exists", *_ORDER}
_FLIPPED = {
    "gt": "lte",
    "gte": "lt",
    "lt": "gte",
    "lte": "gt",
    "eq": "ne",
    "ne": "eq",
    "in": "not_in",
    "not_in": "in",
}

Names = Mapping[tuple[str, str], str]
"""(kind, id) -> name: of lists, segments, journeys, messages, forms… A step is ("step", "journey/step")."""


@dataclass(frozen=True)
class Condition:
    """An operator without its negation, and its values in words; `sort` is text, number, money, date or length.

    `op`: eq, in, contains, starts_with, ends_with, gt, gte, lt, lte, between, exists, before, after, within_last,
    outside, within_next. `more` values of a long list are not among `values`.
    """

    op: str
    values: tuple[str, ...] = ()
    sort: str = "text"
    negated: bool = False
    more: int = 0
    length: amounts.Length | None = None

    @property
    def value(self) -> str:
        return self.values[0] if self.values else GAP

    def turned(self, negated: bool) -> Condition:
        """The opposite, when `negated`."""
        return replace(self, negated=self.negated != negated)


@dataclass(frozen=True)
class Count:
    """How many times: an operator (negations included) and its numbers."""

    op: str
    numbers: tuple[int | Decimal | float | None, ...]

    @property
    def none(self) -> bool:
        """Whether it asks for none at all."""
        return (self.op, self.numbers) in (("eq", (0,)), ("lt", (1,)), ("lte", (0,)))

    @property
    def some(self) -> bool:
        """Whether it asks for one at least, and no more than that."""
        return (self.op, self.numbers) in (("gte", (1,)), ("gt", (0,)), ("ne", (0,)))

    @property
    def takes_none(self) -> bool:
        """Whether those who have none are in it, though others are as well."""
        first = self.numbers[0] if self.numbers else None
        return (
            self.op in ("lt", "lte")
            or (self.op == "between" and first == 0)
            or (self.op == "in" and 0 in self.numbers)
        )

    def opposite(self) -> Count | None:
        """The count that holds when this one does not; None when no single one does."""
        return Count(_FLIPPED[self.op], self.numbers) if self.op in _FLIPPED else None


@dataclass(frozen=True)
class Window:
    """When: the last `length`, or between bounds in words; a `last_day` is in, an `until` instant is out."""

    length: amounts.Length | None = None
    since: str | None = None
    last_day: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Filter:
    """A condition on a property of an event."""

    property: str
    condition: Condition


@dataclass(frozen=True)
class Aggregate:
    """A condition on the sum, min, max or avg of a property of events."""

    kind: str
    property: str
    condition: Condition


@dataclass(frozen=True)
class Done:
    """Events of the contact. `run`: only those of this run of a journey."""

    event: str
    count: Count
    filters: tuple[Filter, ...] = ()
    window: Window | None = None
    run: bool = False
    aggregate: Aggregate | None = None


@dataclass(frozen=True)
class Reader:
    """Reads conditions of a document into words; whatever cannot be read is a gap, never an error."""

    language: str
    names: Names
    currency: str
    zone: str
    quoted: Callable[[str], str]
    yes_or_no: tuple[str, str]
    run_key: str

    def text(self, value: Any) -> str:
        """A text between quotation marks, on one line, cut when it is long."""
        if not isinstance(value, str):
            return GAP
        line = " ".join(value.split())
        return self.quoted(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…")

    def named(self, kind: str, value: Any) -> str:
        """The name behind an id, between quotation marks; the id itself when it has none."""
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            return GAP
        return self.text(self.names.get((kind, str(value))) or str(value))

    def _day(self, value: Any, op: str, hours: bool) -> str | None:
        """A date in words; None when it is none. A day counts whole after `after` and before `lte` only where its end
        is written; where what is compared has an hour (`hours`), its beginning is said with the hour."""
        if not isinstance(value, str):
            return None
        if op not in _TO_THE_END:
            return amounts.date(value, self.language, self.zone)
        if values.is_date_alone(value) and hours:
            value = f"{value}T00:00"
        return amounts.date(value.removesuffix(amounts.END_OF_DAY), self.language, self.zone)

    def _one(self, value: Any, sort: str, kind: str | None) -> str:
        if value == {"run": "key"}:
            return self.run_key
        if kind is not None and value != "" and isinstance(value, str | int) and not isinstance(value, bool):
            return self.named(kind, value)
        if isinstance(value, bool) or (sort == "boolean" and value in ("true", "false")):
            return self.yes_or_no[0 if value in (True, "true") else 1]
        if isinstance(value, int | float | Decimal):
            if sort == "money":
                return amounts.money(value, self.language, self.currency)
            return amounts.quantity(value, self.language)
        if sort == "date" and isinstance(value, str):
            return amounts.date(value, self.language, self.zone) or GAP
        return self.text(value)

    def condition(
        self, document: Any, *, sort: str = "text", kind: str | None = None, hours: bool = False
    ) -> Condition:
        """The condition of `op` and `value`. `sort`: text, money, date, boolean; `kind` is whose ids the values are;
        `hours` says that what is compared are instants, not days."""
        said = document if isinstance(document, dict) else {}
        op, value = said.get("op"), said.get("value")
        if not isinstance(op, str):
            return Condition("eq", (GAP,))
        if op in _DURATIONS:
            length = amounts.Length(value, self.language)
            return Condition(_DURATIONS[op], (length.said,), "length", length=length)
        if op in ("before", "after"):
            day = self._day(value, op, hours)
            if day is not None:
                return Condition("lt" if op == "before" else "gt", (day,), "date")
            length = amounts.Length(value, self.language)
            return Condition(op, (length.said,), "length", length=length)
        positive = _POSITIVE.get(op, op)
        if positive not in _KNOWN:
            return Condition("eq", (GAP,))
        if positive == "exists":
            return Condition("exists", negated=op != positive)
        given = value if isinstance(value, list) and positive in ("in", "between") else [value]
        if positive == "between":
            given = [*given, None, None][:2]
        if positive in _ORDER:
            if sort != "money":
                sort = "date" if any(isinstance(one, str) for one in given) else "number"
        elif positive not in ("eq", "in"):
            sort = "text"
        if sort == "date" and not all(isinstance(one, str) for one in given):
            sort = "number"
        if sort == "date" and positive in _ORDER:
            ends = ("gte", "lte") if positive == "between" else (positive,)
            days = [self._day(one, end, hours) or GAP for one, end in zip(given, ends, strict=True)]
            return Condition(positive, tuple(days), sort)
        whose = kind if positive in ("eq", "in") else None
        words = tuple(self._one(one, sort, whose) for one in given[: MOST_SAID + 1])
        more = len(given) - MOST_SAID if len(given) > MOST_SAID + 1 else 0
        if sort != "money" and words and all(_is_number(one) for one in given):
            sort = "number"
        return Condition(positive, words[:MOST_SAID] if more else words, sort, op != positive, more)

    def count(self, document: Any) -> Count:
        """The `count` of an event leaf."""
        said = document if isinstance(document, dict) else {}
        op, value = said.get("op"), said.get("value")
        if op not in ("eq", "ne", "in", "not_in", "gt", "gte", "lt", "lte", "between"):
            op = "gte"
        given = value if isinstance(value, list) else [value]
        if op == "between":
            given = [*given, None, None][:2]
        elif op not in ("in", "not_in"):
            given = given[:1] or [None]
        return Count(op, tuple(one if _is_number(one) else None for one in given[: MOST_SAID * 2]))

    def window(self, document: Any) -> Window | None:
        """The `window` of an event leaf."""
        if not isinstance(document, dict):
            return None
        if "last" in document:
            return Window(length=amounts.Length(document["last"], self.language))
        since, until = (
            amounts.date(text, self.language, self.zone) or GAP if isinstance(text, str) else None
            for text in (document.get("from"), document.get("to"))
        )
        if since is None and until is None:
            return None
        whole_day = until is not None and len(document["to"]) == 10
        return Window(None, since, until if whole_day else None, None if whole_day else until)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
