"""What every reading needs: its watermark, its filter, and its page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from parcours.events import watermark
from parcours.events.watermark import Watermark
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid


def mark_of(account_id: int, as_of: str | None) -> Watermark:
    """The watermark of a reading: that of a recent answer's `as_of`, else the present one. Raises Invalid."""
    if not as_of:
        return watermark.current(account_id)
    try:
        instant = datetime.fromisoformat(as_of)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        detail = _("“as_of” is the instant that an answer gave, with its offset.")
        raise Invalid(detail, [{"pointer": "/as_of", "detail": detail}])
    return watermark.at(account_id, instant)


def after(cursor: str, *types: type) -> tuple[Any, ...] | None:
    """The sort key that a cursor holds; None for the first page."""
    return decode_cursor(cursor, *types) if cursor else None


def cut_page(
    rows: list[dict[str, Any]], *, limit: int, keys: tuple[str, ...]
) -> tuple[list[dict[str, Any]], str | None]:
    """The page of rows read with `limit + 1`, and the cursor of the next one, if any."""
    if len(rows) <= limit:
        return rows, None
    rows = rows[:limit]
    return rows, encode_cursor(*(rows[-1][key] for key in keys))
