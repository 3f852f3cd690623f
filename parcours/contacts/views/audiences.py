"""An audience as pages show it: its filters to choose from, what it is in words, its address."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from parcours.accounts.access import as_id
from parcours.accounts.models import Account
from parcours.contacts import audience as audiences
from parcours.contacts import queries, tags
from parcours.contacts.audience import Audience
from parcours.contacts.models import Channel, ConsentValue, List

#: Beyond, a page does not read how many contacts it lists from their ids in its address.
MOST_IDS = 1_000
#: The orders that the page offers, its own first.
SORTS = {
    "-created_at": gettext_lazy("Newest first"),
    "created_at": gettext_lazy("Oldest first"),
    "name": gettext_lazy("By name"),
    "-name": gettext_lazy("By name, from Z to A"),
    "email": gettext_lazy("By e-mail address"),
    "-email": gettext_lazy("By e-mail address, from Z to A"),
    "-last_seen_at": gettext_lazy("Last seen first"),
    "last_seen_at": gettext_lazy("Seen longest ago first"),
}
BY_CREATION = "-created_at"


def of_request(query: QueryDict) -> Audience:
    """The audience that an address names; `contact` may be there many times."""
    return Audience.read(query, ids=query.getlist("contact")[:MOST_IDS])


def address(audience: Audience) -> str:
    """The query string that names an audience."""
    said = audience.as_json()
    ids = said.pop("ids", ())
    return urlencode([*said.items(), *(("contact", each) for each in ids)])


def consent_choices() -> list[tuple[str, str]]:
    """Channel and value together, as one choice."""
    return [
        (f"{channel.value}:{value.value}", f"{channel.label} · {value.label}")
        for channel in Channel
        for value in ConsentValue
    ]


def choices(account: Account) -> dict[str, Any]:
    """What the filters of the page of contacts offer."""
    return {
        "lists": list(List.objects.filter(account=account).order_by("name", "pk").values_list("pk", "name")),
        "segments": audiences.segments(account.pk),
        "tags": tags.offered(account.pk),
        "consents": consent_choices(),
        "attributes": list(queries.attribute_types(account.pk)),
        "sorts": SORTS.items(),
    }


def in_words(account: Account, audience: Audience) -> list[dict[str, str]]:
    """Each filter in force: what it is, what it asks, and the address without it."""
    named = {
        "search": (_("Search"), audience.search),
        "list": (_("List"), _name(audience.list, List.objects.filter(account=account))),
        "tag": (_("Tag"), audience.tag),
        "segment": (
            _("Segment"),
            next((name for pk, name in audiences.segments(account.pk) if str(pk) == audience.segment), ""),
        ),
        "consent": (_("Consent"), dict(consent_choices()).get(audience.consent, "")),
        "attribute": (_("Has a value"), audience.attribute),
    }
    return [
        {"label": label, "value": value, "without": address(_without(audience, field))}
        for field, (label, value) in named.items()
        if getattr(audience, field)
    ]


def _without(audience: Audience, field: str) -> Audience:
    return Audience.read({**audience.as_json(), field: ""})


def _name(pk: str, rows: Any) -> str:
    found = rows.filter(pk=as_id(pk) or 0).first()
    return found.name if found else ""
