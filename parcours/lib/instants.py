"""Instants kept as whole milliseconds since 1970, UTC.

The hot tables are read and written by raw SQL thousands of rows at a time; an integer costs nothing to parse,
is the same on SQLite and PostgreSQL, and is exact.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970, cut; the instant must bear its offset (ValueError otherwise)."""
    if instant.tzinfo is None:
        raise ValueError("An instant needs its offset.")
    return (instant - _EPOCH) // _MS


def from_ms(value: int) -> datetime:
    """The UTC instant of a number of milliseconds since 1970."""
    return _EPOCH + value * _MS


def iso(instant: datetime) -> str:
    """ISO 8601 with milliseconds and a final Z, as the API writes every instant."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


class InstantField(models.BigIntegerField):
    """A model field that is a UTC datetime in Python and a number of milliseconds in the database."""

    description = "An instant, in milliseconds since 1970 UTC"
    # What type checkers take its values to be (django-stubs reads these names).
    _pyi_private_set_type: datetime  # type: ignore[assignment]
    _pyi_private_get_type: datetime  # type: ignore[assignment]
    _pyi_lookup_exact_type: datetime  # type: ignore[assignment]

    def from_db_value(self, value: int | None, *_: Any) -> datetime | None:
        return None if value is None else from_ms(value)

    def to_python(self, value: Any) -> datetime | None:
        if value is None or isinstance(value, datetime):
            return value
        return from_ms(int(value))

    def get_prep_value(self, value: Any) -> int | None:
        if value is None or isinstance(value, int):
            return value
        return to_ms(value)

    def formfield(self, **kwargs: Any) -> None:
        return None
