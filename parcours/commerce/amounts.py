"""Amounts of money, exact: decimals in Python, whole ten-thousandths in the state database."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from django.db import models

from parcours.events.store.rows import decimal

DECIMALS = 4
_ONE_UNIT = Decimal(1).scaleb(-DECIMALS)
_CENT = Decimal("0.01")
LARGEST = Decimal(10) ** 12
"""No amount is larger: their sums stay within 64 bits."""
_AS_TEXT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,10})?", re.ASCII)
PARTS = ("subtotal", "revenue", "tax", "shipping", "discount", "total", "value")
"""The amounts that an order may say, by the names of its properties."""


def to_units(amount: Decimal) -> int:
    """An amount as the database keeps it, rounded to ten-thousandths, half to even."""
    return int(amount.quantize(_ONE_UNIT, rounding=ROUND_HALF_EVEN).scaleb(DECIMALS))


def from_units(units: int) -> Decimal:
    """The amount that the database keeps."""
    return Decimal(units).scaleb(-DECIMALS)


def cents(amount: Decimal) -> Decimal:
    """An amount as reports say it: two decimals, half up."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_UP)


def plain(amount: Decimal) -> int | float:
    """An amount as a JSON number: whole when it is."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


class AmountField(models.BigIntegerField):
    """A model field that is a Decimal in Python and a number of ten-thousandths in the database.

    SQLite would keep a decimal as a binary fraction; a whole number is exact, and sums exactly, everywhere.
    """

    description = "An amount of money"
    # What type checkers take its values to be (django-stubs reads these names).
    _pyi_private_set_type: Decimal  # type: ignore[assignment]
    _pyi_private_get_type: Decimal  # type: ignore[assignment]
    _pyi_lookup_exact_type: Decimal  # type: ignore[assignment]

    def from_db_value(self, value: int | None, *_: Any) -> Decimal | None:
        return None if value is None else from_units(value)

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else to_units(Decimal(str(value)))

    def formfield(self, **kwargs: Any) -> None:
        return None


def said(properties: Mapping[str, Any], name: str) -> Decimal | None:
    """The amount that a property of an event says; None when it says none that is one: shops send anything.

    A number, or a text that reads as one; of an array the first. A negative amount is none.
    """
    value = properties.get(name)
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, str):
        exact = Decimal(value) if _AS_TEXT.fullmatch(value) else None
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        exact = decimal(value)
    else:
        exact = None
    return exact if exact is not None and 0 <= exact <= LARGEST else None


def amount_of(properties: Mapping[str, Any]) -> Decimal | None:
    """The amount of an order before tax and shipping: `subtotal`, else `revenue`, else `total` - `tax` - `shipping`,
    else `value`; None when it says none of them."""
    for name in ("subtotal", "revenue"):
        found = said(properties, name)
        if found is not None:
            return found
    total = said(properties, "total")
    if total is not None:
        rest = total - (said(properties, "tax") or 0) - (said(properties, "shipping") or 0)
        if rest >= 0:
            return rest
    return said(properties, "value")


def refund_of(properties: Mapping[str, Any]) -> Decimal | None:
    """The amount that a refund gives back: `amount`, else as an order's; None: the whole order."""
    found = said(properties, "amount")
    return found if found is not None else amount_of(properties)


def currency_of(properties: Mapping[str, Any]) -> str:
    """The currency that an event names, in capitals; "" when it names none."""
    value = properties.get("currency")
    return value.upper()[:12] if isinstance(value, str) else ""


def shown(amount: Decimal) -> str:
    """An amount as a form shows it, to be typed over: two decimals, more when it has more."""
    exact = amount.normalize()
    return format(max(exact, exact.quantize(_CENT), key=lambda one: -int(one.as_tuple().exponent)), "f")
