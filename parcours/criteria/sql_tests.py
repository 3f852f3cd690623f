"""Tests on values as ClickHouse's SQL; every value is bound, none is pasted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from parcours.criteria import values
from parcours.criteria.nodes import Kind, Moment, Test

EARLIEST = -2_208_988_800_000  # 1900, in ms: the store's instants go no further back


@dataclass
class Bound:
    """The parameters of one statement, named as they come: a prefix and a number."""

    prefix: str = "p"
    parameters: dict[str, Any] = field(default_factory=dict)
    _known: dict[tuple[str, Any], str] = field(default_factory=dict)

    def add(self, value: Any, kind: str) -> str:
        """The place of a value in the statement, `{p0:String}`; the same value takes the same place."""
        key = (kind, tuple(value) if isinstance(value, list) else value)
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = f"{self.prefix}{len(self.parameters)}"
            self.parameters[name] = value
        return f"{{{name}:{kind}}}"

    def text(self, value: str) -> str:
        return self.add(value, "String")

    def whole(self, value: int) -> str:
        return self.add(value, "Int64")

    def number(self, value: Decimal) -> str:
        return self.add(value, f"Decimal(38, {values.SCALE})")


@dataclass(frozen=True)
class Elements:
    """A value's elements: an array of texts, and an array of those that are JSON numbers ("" when there are none).

    `folded` are the texts as they are compared, and `decimals` all that reads as a number, where these are columns
    already: what several tests ask is then worked out once.
    """

    texts: str
    numbers: str = ""
    folded: str = ""
    decimals: str = ""


@dataclass
class Tests:
    """Writes tests; `now` is the SQL of the instant (ms) of the evaluation, `now_ms` its value where it is the same
    for every row, `key` the SQL of the run's key."""

    __test__ = False  # not a test of pytest's

    bound: Bound
    now: str
    zone: str
    now_ms: int | None = None
    key: str = "''"

    def elements(self, test: Test, value: Elements) -> str:
        """Whether a value of several elements meets a test."""
        return _turn(self._elements(test, value), test.negated)

    def scalar(self, test: Test, column: str) -> str:
        """Whether a text column, where "" is missing, meets a test."""
        if test.kind is Kind.PRESENCE:
            return _turn(f"{column} != ''", test.negated)
        if test.kind in (Kind.TEXT, Kind.RUN_KEY):
            return _turn(f"({column} != '' AND {self._text(test, column)})", test.negated)
        return self.elements(test, Elements(f"[{column}]"))

    def instant(self, test: Test, column: str) -> str:
        """Whether a column of instants, which may be null, meets a test."""
        if test.kind is Kind.PRESENCE:
            return _turn(f"isNotNull({column})", test.negated)
        ms = f"toUnixTimestamp64Milli({column})"
        met = self._instant(test, ms)
        if test.op == "not_within":
            met = f"NOT {met}"
        return _turn(f"ifNull({met}, 0)", test.negated)

    def instants(self, texts: str) -> str:
        """The instants (ms) of those texts that read as dates, as an array."""
        known = f"arrayFilter(y -> isNotNull(y.1), {self._read(texts)})"
        return f"arrayMap(y -> assumeNotNull({self._looked_up()}), {known})"

    def whole(self, test: Test, expression: str) -> str:
        """Whether a whole number meets a test."""
        return _turn(self._number(test, expression), test.negated)

    def amount(self, test: Test, expression: str, present: str, scale: str = "") -> str:
        """Whether a decimal meets a test; `present` says when there is one, `scale` multiplies the bounds."""
        if test.kind is Kind.PRESENCE:
            return _turn(present, test.negated)
        if not test.numbers:
            return _turn("0", test.negated)
        return _turn(f"({present} AND ifNull({self._number(test, expression, scale)}, 0))", test.negated)

    def _elements(self, test: Test, value: Elements) -> str:
        if test.kind is Kind.PRESENCE:
            return f"notEmpty({value.texts})"
        if test.kind is Kind.NUMBER:
            return self._numbers(test, value)
        if test.kind is Kind.INSTANT:
            return self._dates(test, value.texts)
        texts = self._among_folded(test, value) or f"arrayExists(x -> {self._text(test, 'x')}, {value.texts})"
        return f"({texts} OR {self._numbers(test, value)})" if test.kind is Kind.MIXED else texts

    def _among_folded(self, test: Test, value: Elements) -> str:
        """A test of texts on those that are folded already; "" where they are not."""
        if not value.folded or test.kind is Kind.RUN_KEY:
            return ""
        if test.op in ("in", "eq"):
            if len(test.texts) == 1:
                return f"has({value.folded}, {self.bound.text(test.texts[0])})"
            return f"hasAny({value.folded}, {self.bound.add(list(test.texts), 'Array(String)')})"
        compared = self._compared(test, "x", self.bound.text(test.texts[0]))
        return f"arrayExists(x -> {compared}, {value.folded})"

    def _compared(self, test: Test, folded: str, against: str) -> str:
        if test.op == "contains":
            return f"position({folded}, {against}) > 0"
        return f"{'startsWith' if test.op == 'starts_with' else 'endsWith'}({folded}, {against})"

    def columns(self, value: Elements) -> Elements:
        """What `folded` and `decimals` are of an array of texts, and one of numbers."""
        read = (
            f"arrayMap(x -> toDecimal128OrZero(x, {values.SCALE}),"
            f" arrayFilter(x -> match(x, {self.bound.text(values.NUMBER)}), {value.texts}))"
        )
        if value.numbers:
            # Most are JSON numbers: texts are read as numbers only where there are others.
            others = f"length({value.texts}) != length({value.numbers})"
            read = f"if({others}, arrayConcat({value.numbers}, {read}), {value.numbers})"
        return Elements(
            value.texts,
            value.numbers,
            f"arrayMap(x -> {folding('x')}, {value.texts})",
            read,
        )

    def _text(self, test: Test, column: str) -> str:
        folded = folding(column)
        if test.kind is Kind.RUN_KEY:
            against = folding(self.key)
        elif test.op == "in" and len(test.texts) != 1:
            return f"has({self.bound.add(list(test.texts), 'Array(String)')}, {folded})"
        else:
            against = self.bound.text(test.texts[0])
        if test.op in ("in", "eq"):
            return f"{folded} = {against}"
        return self._compared(test, folded, against)

    def _numbers(self, test: Test, value: Elements) -> str:
        if value.decimals:
            return f"arrayExists(n -> {self._number(test, 'n')}, {value.decimals})"
        form = self.bound.text(values.NUMBER)
        read = f"toDecimal128OrZero(x, {values.SCALE})"
        met = f"arrayExists(x -> match(x, {form}) AND {self._number(test, read)}, {value.texts})"
        if value.numbers:
            # Most are JSON numbers: texts are read as numbers only where there are others.
            met = f"(length({value.texts}) != length({value.numbers}) AND {met})"
            met = f"(arrayExists(n -> {self._number(test, 'n')}, {value.numbers}) OR {met})"
        return met

    def _number(self, test: Test, expression: str, scale: str = "") -> str:
        if test.op == "in" and len(test.numbers) > 1:
            choices = self.bound.add(list(test.numbers), f"Array(Decimal(38, {values.SCALE}))")
            return f"arrayExists(b -> {expression} = b{scale}, {choices})"
        return compare(test.op, expression, [self.bound.number(number) + scale for number in test.numbers])

    def _instant(self, test: Test, expression: str) -> str:
        op = "between" if test.op == "not_within" else test.op
        return compare(op, expression, [self._moment(moment) for moment in test.moments])

    def _moment(self, moment: Moment) -> str:
        if moment.at is not None:
            return self.bound.whole(moment.at)
        return f"({self.now} - {self.bound.whole(moment.ago)})" if moment.ago else self.now

    def _dates(self, test: Test, texts: str) -> str:
        """Whether texts that read as instants (`values.as_instant`) meet a test; a day that does not exist is null."""
        dates = self._read(texts)
        known = self.now_ms is not None or all(moment.at is not None for moment in test.moments)
        met = self._in_ranges(test) if known else self._instant(test, self._looked_up())
        exists = f"arrayExists(y -> ifNull({met}, 0), {dates})"
        if test.op == "not_within":
            return f"(arrayExists(y -> isNotNull(y.1), {dates}) AND NOT {exists})"
        return exists

    def _read(self, texts: str) -> str:
        """Of each date: its local time in ms, the offset given, and whether that is Z."""
        day = (
            "toUnixTimestamp64Milli(parseDateTime64BestEffortOrNull("
            "concat(substring(x, 1, 10), ' 00:00:00'), 3, 'UTC'))"
        )
        clock = (
            "toInt64OrZero(substring(x, 12, 2)) * 3600000 + toInt64OrZero(substring(x, 15, 2)) * 60000"
            " + if(substring(x, 17, 1) = ':', toInt64OrZero(substring(x, 18, 2)) * 1000, 0)"
            " + toInt64OrZero(rightPad(extract(x, '\\\\.([0-9]{1,3})'), 3, '0'))"
        )
        offset = "extract(x, '[+-][0-9]{2}:?[0-9]{2}$')"
        dates = f"arrayFilter(x -> match(x, {self.bound.text(values.DATE)}), {texts})"
        return f"arrayMap(x -> ({day} + {clock}, {offset}, endsWith(x, 'Z')), {dates})"

    def _in_ranges(self, test: Test) -> str:
        """With bounds known now, a date without offset is compared in local time: no zone has to be looked up."""
        given, local = [], []
        for low, high in self._ranges(test):
            given.append(self._between("y.1 - " + _OFFSET, low, high))
            for first, last in values.local_ranges(low, high, self.zone):
                local.append(self._between("y.1", first, last))
        return f"if(y.3 OR y.2 != '', {_any(given)}, {_any(local)})"

    def _ranges(self, test: Test) -> list[tuple[int | None, int | None]]:
        """The instants that meet a test, as ranges in ms, both ends in."""
        bounds = [moment.when(self.now_ms or 0) for moment in test.moments]
        if test.op in ("between", "not_within"):
            return [(bounds[0], bounds[1])]
        if test.op == "in":
            return [(bound, bound) for bound in bounds]
        if test.op in ("gt", "gte"):
            return [(bounds[0] + (test.op == "gt"), None)]
        return [(None, bounds[0] - (test.op == "lt"))]

    def _between(self, expression: str, low: int | None, high: int | None) -> str:
        parts = [] if low is None else [f"{expression} >= {self.bound.whole(low)}"]
        parts += [] if high is None else [f"{expression} <= {self.bound.whole(high)}"]
        return f"({' AND '.join(parts)})"

    def _looked_up(self) -> str:
        """A date's instant where each row has a `now` of its own."""
        thresholds, offsets = values.transitions(self.zone)
        since = self.bound.add(list(thresholds), "Array(Int64)")
        ahead = self.bound.add(list(offsets), "Array(Int64)")
        local = f"{ahead}[1 + arrayCount(t -> t <= assumeNotNull(y.1), {since})]"
        return f"(y.1 - if(y.3 OR y.2 != '', {_OFFSET}, {local}))"


_MINUTES = "(toInt64OrZero(substring(y.2, 2, 2)) * 60 + toInt64OrZero(right(y.2, 2)))"
_OFFSET = f"if(startsWith(y.2, '-'), -60000, 60000) * {_MINUTES}"


def _any(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})" if conditions else "0"


def compare(op: str, expression: str, bounds: Sequence[str]) -> str:
    """A comparison with bounds that are SQL; with none, nothing meets it."""
    if op == "between":
        return f"({expression} >= {bounds[0]} AND {expression} <= {bounds[1]})"
    if op == "in":
        return "(" + " OR ".join(f"{expression} = {bound}" for bound in bounds) + ")" if bounds else "0"
    sign = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}[op]
    return f"{expression} {sign} {bounds[0]}"


def folding(text: str) -> str:
    """A text as it is compared (`values.fold`)."""
    return f"lowerUTF8(normalizeUTF8NFC({text}))"


def instant(ms: str) -> str:
    """The store's instant of a number of milliseconds given in SQL."""
    return f"fromUnixTimestamp64Milli(greatest({ms}, {EARLIEST}), 'UTC')"


def _turn(positive: str, negated: bool) -> str:
    return f"NOT ({positive})" if negated else positive
