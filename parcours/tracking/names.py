"""Segment's names for events and people, in ours. docs/tracking.md shows these tables."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

#: Segment's event names (lower case, its first e-commerce specification's too) -> ours, and the properties
#: that tell apart those which become one.
EVENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "order completed": ("order.placed", {}),
    "completed order": ("order.placed", {}),
    "order refunded": ("order.refunded", {}),
    "order cancelled": ("order.cancelled", {}),
    "product viewed": ("product.viewed", {}),
    "viewed product": ("product.viewed", {}),
    "product added": ("cart.updated", {"action": "added"}),
    "added product": ("cart.updated", {"action": "added"}),
    "product removed": ("cart.updated", {"action": "removed"}),
    "removed product": ("cart.updated", {"action": "removed"}),
    "video playback started": ("media.played", {}),
    "promotion viewed": ("cta.viewed", {}),
    "promotion clicked": ("cta.clicked", {}),
}

#: Names of traits, lower case without underscores -> fields of a contact.
FIELDS = {
    "email": "email",
    "phone": "phone",
    "firstname": "first_name",
    "lastname": "last_name",
    "locale": "locale",
    "timezone": "timezone",
    "country": "country",
    "city": "city",
}

_NAMING_NOBODY = frozenset(
    {
        "",
        "0",
        "-1",
        "00000000-0000-0000-0000-000000000000",
        "[object object]",
        "anonymous",
        "anonymous_id",
        "anonymousid",
        "distinct_id",
        "email",
        "false",
        "guest",
        "id",
        "nan",
        "nil",
        "none",
        "not_authenticated",
        "null",
        "true",
        "undefined",
        "unknown",
    }
)


def event_name(name: str) -> tuple[str, dict[str, Any]]:
    """Our name of an event and the properties that come with the renaming; a name of ours or a custom one stays."""
    found = EVENTS.get(name.lower())
    return found if found is not None else (name, {})


@lru_cache(maxsize=100_000)
def names_nobody(identifier: str) -> bool:
    """Whether an id is what a broken or signed-out page sends for everyone: it must never join people."""
    return identifier.strip().strip("\"'").lower() in _NAMING_NOBODY
