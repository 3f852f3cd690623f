"""Names behind ids: campaigns, forms, documents… of other systems, as last said by an event or by the API.

An event may carry `form_name` beside `form_id`; a page view names its `content_id` by the page's title. Wherever an
id is shown, its name is; an id without a name shows itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from parcours.events.entries import Event
from parcours.events.models import ObjectName
from parcours.lib import bulk
from parcours.lib.instants import to_ms

KINDS = (
    "campaign",
    "content",
    "cta",
    "form",
    "document",
    "media",
    "marketing_event",
    "sequence",
    "template",
    "user",
)
_LONGEST_ID, _LONGEST_NAME = 255, 500
_NAMED = {f"{kind}_name": (kind, f"{kind}_id") for kind in KINDS}

Names = dict[tuple[str, str], str]
"""(kind, id) -> name."""


def seen(events: Iterable[Event]) -> Names:
    """The names that events carry; the last one said of an id stands."""
    found: Names = {}
    last: dict[str, Any] = {}
    for event in events:
        said = event.properties
        if not _NAMED.keys().isdisjoint(said):
            last.clear()
            for name_property in _NAMED.keys() & said.keys():
                kind, id_property = _NAMED[name_property]
                if id_property in said:
                    _note(found, kind, said[id_property], said[name_property])
        if event.name == "page.viewed" and "title" in said:
            page, title = said.get("content_id", said.get("path")), said["title"]
            # Thousands of views of one page say the same: it is read once.
            if type(page) is not str or last.get(page) != title:
                _note(found, "content", page, title)
                if type(page) is str:
                    last[page] = title
    return found


def _note(found: Names, kind: str, object_id: Any, name: Any) -> None:
    if isinstance(object_id, bool) or not isinstance(object_id, (str, int)) or not isinstance(name, str):
        return
    text = name.replace("\0", "").strip()[:_LONGEST_NAME]
    key = str(object_id).replace("\0", "")
    if text and key and len(key) <= _LONGEST_ID:
        found[kind, key] = text


def record(account_id: int, names: Names, *, now: datetime) -> None:
    """Keep names in the caller's transaction; those that are as they were cost nothing but their reading."""
    known = by_ids(account_id, names)
    changed = {key: name for key, name in names.items() if known.get(key) != name}
    bulk.insert_many(
        "events_objectname",
        ("account_id", "kind", "object_id", "name", "type", "url", "updated_at"),
        [
            (account_id, kind, object_id, name, "", "", to_ms(now))
            for (kind, object_id), name in sorted(changed.items())
        ],
        on_conflict='("account_id", "kind", "object_id") DO UPDATE'
        " SET name = excluded.name, updated_at = excluded.updated_at",
    )


def by_ids(account_id: int, ids: Iterable[tuple[str, str]]) -> Names:
    """The names of (kind, id) pairs, in a query for each kind; those without a name are left out."""
    wanted: dict[str, list[str]] = {}
    for kind, object_id in ids:
        wanted.setdefault(kind, []).append(object_id)
    found: Names = {}
    with connection.cursor() as cursor:
        for kind, object_ids in wanted.items():
            among, bound = bulk.among("object_id", object_ids)
            cursor.execute(
                f"SELECT object_id, name FROM events_objectname WHERE account_id = %s AND kind = %s AND {among}",
                [account_id, kind, bound],
            )
            found.update({(kind, object_id): name for object_id, name in cursor.fetchall()})
    return found


def search(account_id: int, kind: str, text: str, *, limit: int) -> list[tuple[str, str]]:
    """(id, name) of objects whose name or id holds the text, those named last first."""
    found = ObjectName.objects.filter(account_id=account_id, kind=kind).order_by("-updated_at", "-pk")
    if text := text.replace("\0", "").strip():
        found = found.filter(Q(name__icontains=text) | Q(object_id__icontains=text))
    return list(found.values_list("object_id", "name")[:limit])


def put(
    account_id: int, kind: str, object_id: str, values: Mapping[str, str], *, now: datetime
) -> ObjectName:
    """Name an object as the API says it: `name`, and perhaps `type` and `url`."""
    named, _ = ObjectName.objects.update_or_create(
        account_id=account_id,
        kind=kind,
        object_id=object_id,
        defaults={
            "name": values["name"],
            "type": values.get("type", ""),
            "url": values.get("url", ""),
            "updated_at": now,
        },
    )
    return named
