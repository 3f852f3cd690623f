"""Custom attributes: which types they have, and what fits each."""

from __future__ import annotations

import math
import re
from typing import Any

from django.utils.translation import gettext as _

from parcours.contacts import normalise
from parcours.contacts.models import AttributeDefinition
from parcours.contacts.normalise import Unfit

Type = AttributeDefinition.Type

MOST_ATTRIBUTES = 1_000  # in an account: a tracker gone wild must not fill the criteria's menus without end
LONGEST_TEXT = 20_000
MOST_ELEMENTS = 1_000
_NUMBER = re.compile(r"-?\d{1,30}(?:\.\d{1,20})?")
_NAME = re.compile(r"[^\x00-\x1f\x7f.\ud800-\udfff]{1,100}")
_TRUE = frozenset(("true", "1", "yes", "oui", "vrai"))
_FALSE = frozenset(("false", "0", "no", "non", "faux"))
_SEPARATORS = re.compile(r"[;,|\n]")


def split(text: str) -> list[str]:
    """The elements of a cell that holds several: separated by a comma, a semicolon, a bar or a line break."""
    return [element.strip() for element in _SEPARATORS.split(text) if element.strip()]


def check_name(name: object) -> str:
    """An attribute's name: 1 to 100 characters without a dot, which in criteria leads into objects."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.strip():
        raise Unfit(_("An attribute's name has 1 to 100 characters, and no dot among them."))
    return name


def type_of(value: object) -> str:
    """The type that an attribute never seen before takes from its first value."""
    if isinstance(value, bool):
        return Type.BOOLEAN
    if isinstance(value, int | float):
        return Type.NUMBER
    if isinstance(value, list):
        return Type.LIST
    if isinstance(value, str):
        return Type.TEXT
    raise Unfit(_("An attribute's value is a text, a number, true, false or a list."))


def fit(value: object, kind: str, *, zone: str, cell: bool = False) -> Any:
    """The value as an attribute of type `kind` keeps it; None clears it. Raises Unfit.

    `zone` is the zone of dates without an offset. `cell` says that the value comes from a CSV file, where a list is
    written with separators.
    """
    if value is None or value == "" or value == []:
        return None
    if kind == Type.TEXT and isinstance(value, str):
        return normalise.text(value, longest=LONGEST_TEXT) or None
    if kind == Type.NUMBER:
        return _number(value)
    if kind == Type.BOOLEAN:
        return _boolean(value)
    if kind == Type.DATE and isinstance(value, str):
        return normalise.date_value(value, zone=zone)
    if kind == Type.LIST:
        return _elements(split(value) if cell and isinstance(value, str) else value)
    raise _misfit(kind)


def _number(value: object) -> int | float:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
        return float(text) if "." in text else int(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        if isinstance(value, int) and abs(value) < 10**30:
            return value
        if isinstance(value, float) and math.isfinite(value):
            return value
    raise _misfit(Type.NUMBER)


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _TRUE or word in _FALSE:
            return word in _TRUE
    raise _misfit(Type.BOOLEAN)


def _elements(value: object) -> list[Any] | None:
    if not isinstance(value, list) or len(value) > MOST_ELEMENTS:
        raise _misfit(Type.LIST)
    kept: list[Any] = []
    for element in value:
        if isinstance(element, bool):
            kept.append(element)
        elif isinstance(element, int | float):
            kept.append(_number(element))
        elif isinstance(element, str):
            element = normalise.text(element, longest=LONGEST_TEXT)
            if element:
                kept.append(element)
        else:
            raise _misfit(Type.LIST)
    return kept or None


def _misfit(kind: str) -> Unfit:
    return Unfit(
        {
            Type.TEXT: _("The value is not a text."),
            Type.NUMBER: _("The value is not a number."),
            Type.BOOLEAN: _("The value is neither true nor false."),
            Type.DATE: _("The value is not a date, such as “2026-03-28”."),
            Type.LIST: _("The value is not a list of texts and numbers."),
        }[Type(kind)]
    )
