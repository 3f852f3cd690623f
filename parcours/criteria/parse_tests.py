"""Reads an operator and its value into a test, by the type of what is compared."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any, Protocol

from parcours.criteria import values
from parcours.criteria.context import Context
from parcours.criteria.nodes import Kind, Moment, Test
from parcours.lib.translation import gettext as _

LONGEST_TEXT = 4_000
MOST_CHOICES = 10_000
_EQUAL = ("eq", "ne", "in", "not_in")
_TEXT = ("contains", "not_contains", "starts_with", "ends_with")
_ORDER = ("gt", "gte", "lt", "lte", "between")
_TIME = ("before", "after", "within_last", "not_within_last", "within_next")
_PRESENCE = ("exists", "missing")
ALL_OPERATORS = (*_EQUAL, *_TEXT, *_ORDER, *_TIME, *_PRESENCE)
#: type of what is compared -> the operators that have a sense for it
OPERATORS: dict[str, tuple[str, ...]] = {
    "any": ALL_OPERATORS,
    "text": ALL_OPERATORS,
    "list": ALL_OPERATORS,
    "name": (*_EQUAL, *_TEXT, *_PRESENCE),
    "number": (*_EQUAL, *_ORDER, *_PRESENCE),
    "amount": (*_EQUAL, *_ORDER, *_PRESENCE),
    "boolean": (*_EQUAL, *_PRESENCE),
    "date": (*_EQUAL, *_ORDER, *_TIME, *_PRESENCE),
    "count": (*_EQUAL, *_ORDER),
}
AT_LEAST_ONE = Test(Kind.NUMBER, "gte", numbers=(Decimal(1),))
#: A country before its region, as texts are compared.
_REGION = re.compile(r"^[a-z]{2}-(?=[a-z0-9]{1,3}$)")
_BROKEN = Test(Kind.PRESENCE, "exists")


class Reader(Protocol):
    """What reading a test needs of the reading of the whole."""

    context: Context

    def fault(self, pointer: str, detail: str) -> None: ...

    def keys(self, document: dict[str, Any], pointer: str, allowed: set[str]) -> None: ...

    def duration(self, value: Any, pointer: str) -> int: ...


def under(pointer: str, key: str) -> str:
    """The JSON Pointer of a key that may hold any character."""
    return f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"


def encodable(text: str) -> bool:
    """Whether a text is valid Unicode: JSON can carry halves of surrogate pairs, which nothing can store."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def read_count(document: Any, pointer: str, reader: Reader) -> Test:
    """The `count` of an event leaf: an operator and a whole number."""
    if not isinstance(document, dict):
        reader.fault(pointer, _("A count is an object with an operator and a whole number."))
        return AT_LEAST_ONE
    reader.keys(document, pointer, {"op", "value"})
    return read(document, pointer, reader, "count")


def of_region(test: Test) -> Test:
    """A test on regions, which events bear without their country: "US-TN" (ISO 3166-2) asks for "TN"."""
    if test.op != "in":
        return test
    return replace(test, texts=tuple(_REGION.sub("", text) for text in test.texts))


def of_days(test: Test, value: Any, zone: str) -> list[Test]:
    """What an equality of dates asks, one of which has to hold: to be within each day that stands alone among its
    values, or to be one of the other instants. Any other test is as it is."""
    if test.kind is not Kind.INSTANT or test.op != "in":
        return [test]
    given = value if isinstance(value, list) else [value]
    days, others = [], []
    for one, moment in zip(given, test.moments, strict=True):
        end = values.end_of_day(one, zone) if isinstance(one, str) and values.is_date_alone(one) else None
        if end is None:
            others.append(moment)
        else:
            days.append(replace(test, op="between", moments=(moment, Moment(at=end - 1))))
    return [*days, replace(test, moments=tuple(others))] if others or not days else days


def read(document: dict[str, Any], pointer: str, reader: Reader, kind: str) -> Test:
    """The test of `op` and `value` on something of this kind (a key of OPERATORS)."""
    op, at = document.get("op"), f"{pointer}/value"
    if not isinstance(op, str) or op not in ALL_OPERATORS:
        reader.fault(f"{pointer}/op", _("This operator is not known."))
        return _BROKEN
    if op not in OPERATORS[kind]:
        reader.fault(f"{pointer}/op", _("The operator “%(op)s” has no sense here.") % {"op": op})
        return _BROKEN
    value = document.get("value")
    if op in _PRESENCE:
        if value is not None:
            reader.fault(at, _("The operator “%(op)s” takes no value.") % {"op": op})
        return Test(Kind.PRESENCE, "exists", negated=op == "missing")
    if value is None:
        reader.fault(at, _("A value is missing."))
        return _BROKEN
    if op in _TEXT:
        return _text_test(op, value, at, reader)
    if op in _TIME:
        return _time_test(op, value, at, reader)
    if op in _ORDER:
        return _order_test(op, value, at, reader, kind)
    return _equality_test(op, value, at, reader, kind)


def _bare(op: str) -> tuple[str, bool]:
    """An operator without its negation, and whether it had one."""
    return ("eq", True) if op == "ne" else (op.removeprefix("not_"), op.startswith("not_"))


def _folded(value: Any, at: str, reader: Reader) -> str:
    if not isinstance(value, str):
        reader.fault(at, _("This must be a text."))
    elif len(value) > LONGEST_TEXT or not encodable(value):
        reader.fault(at, _("This must be a text of %(most)s characters at most.") % {"most": LONGEST_TEXT})
    else:
        return values.fold(value)
    return ""


def _is_run_key(value: Any, at: str, reader: Reader) -> bool:
    if value != {"run": "key"}:
        return False
    if not reader.context.in_run:
        reader.fault(at, _("The run's key has a sense inside a journey only."))
    return True


def _text_test(op: str, value: Any, at: str, reader: Reader) -> Test:
    bare, negated = _bare(op)
    if _is_run_key(value, at, reader):
        return Test(Kind.RUN_KEY, bare, negated)
    return Test(Kind.TEXT, bare, negated, texts=(_folded(value, at, reader),))


def _number(value: Any, at: str, reader: Reader) -> Decimal | None:
    """A JSON number, exactly; None (told or not) when it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    number = values.exact_number(value)
    if number is None:
        reader.fault(at, _("A number has at most 28 digits, and 10 after the point."))
        return Decimal(0)
    return number


def _equality_test(op: str, value: Any, at: str, reader: Reader, kind: str) -> Test:
    bare, negated = _bare(op)
    if bare == "eq":
        if kind == "any" and _is_run_key(value, at, reader):
            return Test(Kind.RUN_KEY, "eq", negated)
        choices, places = [value], [at]
    elif not isinstance(value, list) or len(value) > MOST_CHOICES:
        reader.fault(at, _("This must be a list of at most %(most)s values.") % {"most": MOST_CHOICES})
        return _BROKEN
    else:
        choices, places = value, [f"{at}/{place}" for place in range(len(value))]
    texts: list[str] = []
    numbers: list[Decimal] = []
    moments: list[Moment] = []
    for one, place in zip(choices, places, strict=True):
        _choice(one, place, reader, kind, texts, numbers, moments)
    if kind == "date":
        return Test(Kind.INSTANT, "in", negated, moments=tuple(moments))
    found = Kind.MIXED if texts and numbers else Kind.NUMBER if numbers else Kind.TEXT
    return Test(found, "in", negated, texts=tuple(texts), numbers=tuple(numbers))


def _choice(
    value: Any,
    at: str,
    reader: Reader,
    kind: str,
    texts: list[str],
    numbers: list[Decimal],
    moments: list[Moment],
) -> None:
    """One value of an equality, put with those of its kind."""
    number = _number(value, at, reader)
    if kind == "date":
        moments.append(Moment(at=_instant(value, at, reader)))
    elif kind == "boolean":
        if not isinstance(value, bool) and value not in ("true", "false"):
            reader.fault(at, _("This must be true or false."))
        texts.append(str(value).lower())
    elif kind == "count" and (number is None or number < 0 or number != int(number)):
        reader.fault(at, _("This must be a whole number."))
    elif number is not None:
        if kind == "name":
            reader.fault(at, _("This must be a text."))
        numbers.append(number)
    elif kind == "amount":
        reader.fault(at, _("This must be a number."))
    elif kind == "number" and not (isinstance(value, str) and values.as_number(value) is not None):
        reader.fault(at, _("This field holds numbers: this must be a number."))
    elif isinstance(value, bool):
        texts.append("true" if value else "false")
    else:
        texts.append(_folded(value, at, reader))


def _instant(value: Any, at: str, reader: Reader) -> int:
    instant = values.as_instant(value, reader.context.timezone) if isinstance(value, str) else None
    if instant is None:
        reader.fault(at, _("This must be a date or an instant in ISO 8601."))
        return 0
    return instant


def _order_test(op: str, value: Any, at: str, reader: Reader, kind: str) -> Test:
    if op == "between":
        if not isinstance(value, list) or len(value) != 2:
            reader.fault(at, _("This must be a list of two values, the lower first."))
            return _BROKEN
        bounds, places = value, [f"{at}/0", f"{at}/1"]
    else:
        bounds, places = [value], [at]
    numbers = [_number(one, place, reader) for one, place in zip(bounds, places, strict=True)]
    if all(number is not None for number in numbers) and kind != "date":
        known = tuple(number for number in numbers if number is not None)
        if kind == "count":
            for whole, place in zip(known, places, strict=True):
                if whole < 0 or whole != int(whole):
                    reader.fault(place, _("This must be a whole number."))
        if len(known) == 2 and known[0] > known[1]:
            reader.fault(at, _("The lower value comes first."))
        return Test(Kind.NUMBER, op, numbers=known)
    if kind in ("number", "amount", "count"):
        for number, place in zip(numbers, places, strict=True):
            if number is None:
                reader.fault(place, _("This must be a number."))
        return _BROKEN
    instants: list[int] = []
    for one, number, place in zip(bounds, numbers, places, strict=True):
        if number is None and isinstance(one, str) and values.as_instant(one, "UTC") is not None:
            instants.append(_instant(one, place, reader))
        elif kind == "date":
            reader.fault(place, _("This must be a date or an instant in ISO 8601."))
        else:
            reader.fault(place, _("This must be a number or a date; two bounds are of the same kind."))
    if len(instants) == 2 and instants[0] > instants[1]:
        reader.fault(at, _("The lower value comes first."))
    return Test(Kind.INSTANT, op, moments=tuple(Moment(at=instant) for instant in instants))


def _time_test(op: str, value: Any, at: str, reader: Reader) -> Test:
    if op in ("before", "after"):
        bare = "lt" if op == "before" else "gt"
        if isinstance(value, str) and value[:1].isdigit() and value[-1:].isalpha() and value.isalnum():
            return Test(Kind.INSTANT, bare, moments=(Moment(ago=reader.duration(value, at)),))
        return Test(Kind.INSTANT, bare, moments=(Moment(at=_instant(value, at, reader)),))
    length = reader.duration(value, at)
    if op == "within_next":
        return Test(Kind.INSTANT, "between", moments=(Moment(), Moment(ago=-length)))
    bounds = (Moment(ago=length), Moment())
    return Test(Kind.INSTANT, "not_within" if op == "not_within_last" else "between", moments=bounds)
