"""What criteria can be composed of in an account: fields, events, lists, tags, segments, journeys and their steps."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.db import connection
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.contacts import naming
from parcours.contacts.models import Channel
from parcours.contacts.queries import attribute_types
from parcours.criteria.parse import BUILT_IN
from parcours.criteria.parse_tests import OPERATORS
from parcours.criteria.words.nouns import FIELD_KINDS, KIND_OF
from parcours.events import catalogue
from parcours.lib.problems import NotFound
from parcours.segments.builder import seen
from parcours.segments.builder.families import FAMILIES, any_event_properties, properties

MOST_LISTED = 50
SEARCHED = ("list", "segment", "journey", "tag")
#: field of contacts -> what it is called
FIELDS: dict[str, Promise | str] = {
    "email": _("E-mail"),
    "phone": _("Phone"),
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "locale": _("Language"),
    "timezone": _("Time zone"),
    "country": _("Country"),
    "city": _("City"),
    "created_at": _("Created"),
    "updated_at": _("Changed"),
    "last_seen_at": _("Last seen"),
    "external_id": _("External id"),
    "id": _("Contact’s id"),
}


def everything(account: Account, language: str) -> dict[str, Any]:
    """All that a builder offers; of lists, tags, segments and journeys the first ones, and whether there are more."""
    attributes = attribute_types(account.pk)
    return {
        "currency": account.currency,
        "timezone": account.timezone,
        "operators": {kind: list(known) for kind, known in OPERATORS.items()},
        "fields": [
            {"name": name, "label": str(label), "type": BUILT_IN[name], "kind": FIELD_KINDS.get(name, "")}
            for name, label in FIELDS.items()
        ],
        "attributes": [
            {"name": f"attributes.{name}", "label": name, "type": kind, "kind": ""}
            for name, kind in attributes.items()
        ],
        "consents": [{"name": channel.value, "label": str(channel.label)} for channel in Channel],
        "families": _families(language),
        "any_event": {
            "name": "*",
            "properties": [asdict(one) for one in any_event_properties(language)],
        },
        "custom": [name for name in seen.events(account.pk) if not catalogue.is_known(name)],
        **{kind: listed(account, kind) for kind in SEARCHED},
    }


def _families(language: str) -> list[dict[str, Any]]:
    families: dict[str, list[dict[str, Any]]] = {str(label): [] for label in FAMILIES.values()}
    for event in catalogue.EVENTS.values():
        families[str(FAMILIES[event.category])].append(
            {
                "name": event.name,
                "label": event.label.said(language),
                "meaning": event.meaning.said(language),
                "properties": [asdict(one) for one in properties(event, language)],
            }
        )
    return [{"label": label, "events": events} for label, events in families.items()]


def listed(account: Account, kind: str, text: str = "", within: str = "") -> dict[str, Any]:
    """Things of a kind whose name holds a text: `{items: [{id, name}], more}`; the steps `within` a journey.

    Raises NotFound for a kind that is not chosen by name.
    """
    if kind == "tag":
        found = naming.best(((name, name) for name in _tags(account.pk)), text, MOST_LISTED + 1)
    elif kind == "step":
        found = [
            (id.partition("/")[2], name)
            for id, name in naming.search(account.pk, kind, f"{within}/{text}", limit=MOST_LISTED + 1)
        ]
    elif kind in naming.kinds():
        found = naming.search(account.pk, kind, text, limit=MOST_LISTED + 1)
    else:
        raise NotFound(gettext("Nothing of this kind is chosen by name."))
    items = [{"id": id, "name": name} for id, name in found[:MOST_LISTED]]
    return {"items": items, "more": len(found) > MOST_LISTED}


def _tags(account_id: int) -> list[str]:
    """The names of tags, each found from the one before by the index: contacts may bear millions of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE found(name) AS ("
            " SELECT MIN(name) FROM contacts_tag WHERE account_id = %s"
            " UNION ALL SELECT (SELECT MIN(name) FROM contacts_tag WHERE account_id = %s AND name > found.name)"
            " FROM found WHERE found.name IS NOT NULL"
            ") SELECT name FROM found WHERE name IS NOT NULL LIMIT %s",
            [account_id, account_id, naming.MOST_SEARCHED],
        )
        return [row[0] for row in cursor.fetchall()]


def suggested(
    account: Account, *, event: str = "", property: str = "", field: str = "", text: str = ""
) -> Any:
    """Values to choose from, each with its name where it is an id: of a property of an event, or of a field."""
    if field:
        values = seen.field_values(account.pk, field, text)
        kind = FIELD_KINDS.get(field, "")
    else:
        values = seen.values(account.pk, event, property, text)
        kind = KIND_OF.get(property, "")
    if not kind:
        return [{"value": value, "name": ""} for value in values]
    known = naming.lookup(account.pk, [(kind, value) for value in values])
    found = {value: known.get((kind, value), "") for value in values}
    if kind in naming.kinds():
        for id, name in naming.search(account.pk, kind, text, limit=seen.MOST_SUGGESTED):
            found.setdefault(id, name)
    return [{"value": value, "name": name} for value, name in found.items()]
