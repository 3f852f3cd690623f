"""The pages of a reading: where one begins, and where it is cut."""

from __future__ import annotations

from typing import Any

from parcours.lib.paging import decode_cursor, encode_cursor


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
