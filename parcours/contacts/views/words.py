"""How consents, fields and the sources of changes are said to people."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy

from parcours.contacts.models import ConsentValue
from parcours.lib.paging import decode_cursor
from parcours.lib.problems import Invalid

CONSENT_TONES = {"opted_in": "good", "opted_out": "bad", "pending": "neutral"}

#: Where changes come from, when the product itself says it.
_SOURCES = {
    "import": gettext_lazy("an import"),
    "api": gettext_lazy("the API"),
    "page": gettext_lazy("by hand"),
    "merge": gettext_lazy("a merge of contacts"),
    "unmerge": gettext_lazy("the undoing of a merge"),
    "duplicates": gettext_lazy("the merge of duplicates"),
    "undo": gettext_lazy("the undoing of an import"),
    "bulk": gettext_lazy("an action in bulk"),
    "attributes": gettext_lazy("a change of an attribute"),
    "erasure": gettext_lazy("an erasure"),
    "tracking": gettext_lazy("the tracking of the site"),
    "journey": gettext_lazy("a journey"),
    "deletion": gettext_lazy("the deletion of the list"),
    "unsubscribe_page": gettext_lazy("the unsubscription page"),
    "one_click": gettext_lazy("the mail reader’s unsubscribe button"),
}


def source_of(source: str) -> str:
    """Where a change comes from: a word of ours in the reader's language, any other as it was given."""
    return str(_SOURCES.get(source, source))


def after(cursor: str) -> int | None:
    """The id after which a page begins; None for the first page, and for an address edited by hand."""
    try:
        return int(decode_cursor(cursor, int)[0]) if cursor else None
    except Invalid:
        return None


_FIELDS = {
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "external_id": gettext_lazy("External id"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "city": gettext_lazy("City"),
    "country": gettext_lazy("Country"),
    "locale": gettext_lazy("Language"),
    "timezone": gettext_lazy("Time zone"),
    "tags": gettext_lazy("Tags"),
}


def field_name(name: str) -> str:
    """A contact's field as people call it; an attribute bears its own name."""
    return str(_FIELDS.get(name, name.removeprefix("attributes.")))


def consent_name(value: Any) -> str:
    """A consent's value in words; any other as it was given."""
    return str(ConsentValue(value).label) if value in ConsentValue.values else str(value)
