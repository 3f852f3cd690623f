"""Pages of a list, by cursor: `?limit=&cursor=` -> `{"items": […], "next": …}`.

A cursor holds the sort key of the last item given, so that what is added or removed meanwhile neither repeats
nor hides another item. It is opaque to clients and bears no right: every reading is bounded to the caller's
account anyway.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from ninja import Schema
from pydantic import Field

from parcours.lib.problems import Invalid

DEFAULT_LIMIT = 100
MOST = 1000


class Paging(Schema):
    """The query parameters of a list: how many items, and after which."""

    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MOST, description="How many items at most.")
    cursor: str = Field("", max_length=1000, description="The `next` of the page before.")


def encode_cursor(*values: int | float | str) -> str:
    """The cursor that stands for a sort key."""
    text = json.dumps(values, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str, *types: type) -> tuple[Any, ...]:
    """The sort key of a cursor, each value of the type given. Raises Invalid (422) when it was not made
    here.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (ValueError, RecursionError):
        values = None
    fits = isinstance(values, list) and len(values) == len(types)
    if not fits or any(type(value) is not kind for value, kind in zip(values, types, strict=True)):
        raise _bad_cursor()
    if any(isinstance(value, int) and abs(value) >= 2**63 for value in values):
        raise _bad_cursor()
    return tuple(values)


def _bad_cursor() -> Invalid:
    detail = _("This cursor was not given by this list.")
    return Invalid(detail, [{"pointer": "/cursor", "detail": detail}])


def newest_first(
    rows: QuerySet[Any], paging: Paging, *, as_json: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """One page of rows, the latest made first: `{"items", "next"}`; `next` is null on the last page."""
    found = rows.order_by("-pk")
    if paging.cursor:
        (last,) = decode_cursor(paging.cursor, int)
        found = found.filter(pk__lt=last)
    items: list[Model] = list(found[: paging.limit + 1])
    more = len(items) > paging.limit
    items = items[: paging.limit]
    return {
        "items": [as_json(item) for item in items],
        "next": encode_cursor(items[-1].pk) if more else None,
    }
