"""The pages of contacts: all of them, and one."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.contacts import actions, exports, queries, timeline
from parcours.contacts.forms import ContactForm, add_faults
from parcours.contacts.models import AttributeDefinition, Channel, ConsentValue, Contact, List
from parcours.contacts.views.words import CONSENT_TONES, after, events_of, source_of
from parcours.lib import clock
from parcours.lib.instants import from_ms
from parcours.lib.paging import encode_cursor
from parcours.lib.problems import Invalid

_A_PAGE = 50
_TIMELINE_PAGE = 30


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's contacts, newest first; a search narrows them."""
    account = request.actor.account
    text = request.GET.get("search", "").strip()[:200]
    found = queries.search(account.pk, text=text, country=account.country)
    rows = found.order_by("-pk").values_list("pk", flat=True)
    last = after(request.GET.get("cursor", ""))
    if last:
        rows = rows.filter(pk__lt=last)
    ids = list(rows[: _A_PAGE + 1])
    more, ids = len(ids) > _A_PAGE, ids[:_A_PAGE]
    context = {
        "people": people(ids),
        "search": text,
        "count": found.count(),
        "next": encode_cursor(ids[-1]) if more else None,
        "empty": not ids and not text and not last,
    }
    return render(request, "contacts/index.html", context)


def people(contact_ids: list[int]) -> list[dict[str, Any]]:
    """Contacts as the rows of a table show them, in the order of the ids."""
    shown = {
        person["contact"]: {
            **person,
            "name": " ".join(part for part in (person["first_name"], person["last_name"]) if part),
            "consents": consents_of(person),
            "created": from_ms(person["created_at"]),
        }
        for person in queries.snapshot(contact_ids)
    }
    return [shown[contact_id] for contact_id in contact_ids if contact_id in shown]


def consents_of(person: dict[str, Any]) -> list[dict[str, Any]]:
    """The consents of a snapshot: channel, its label, value, its label, tone."""
    return [
        {
            "channel": channel.value,
            "label": channel.label,
            "value": person[f"consent_{channel.value}"],
            "words": ConsentValue(person[f"consent_{channel.value}"]).label,
            "tone": CONSENT_TONES[person[f"consent_{channel.value}"]],
        }
        for channel in Channel
    ]


def found_contact(request: PageRequest, contact_id: str) -> Contact:
    """A contact of the reader's account who was not erased. Raises NotFound."""
    return find(Contact, contact_id, actor=request.actor, rows=queries.living(request.actor.account_id))


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """A contact made by hand; one whose address is known already is updated instead."""
    account = request.actor.account
    form = ContactForm(request.POST or None, account_id=account.pk)
    if request.method == "POST" and form.is_valid():
        outcome = actions.upsert_many(
            account,
            [form.line()],
            source="page",
            now=clock.now(),
            proof={"user": str(request.user.pk)},
        )
        if outcome.refused:
            add_faults(form, outcome.refused[0].faults)
        else:
            said = (
                _("The contact is added.")
                if outcome.created
                else _("This contact was known already: it is updated.")
            )
            messages.success(request, said)
            return redirect("contacts:contact", outcome.contacts[0])
    return render(request, "contacts/new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@page
def export(request: PageRequest) -> StreamingHttpResponse:
    """The contacts of the search as CSV."""
    account = request.actor.account
    text = request.GET.get("search", "").strip()[:200]
    found = queries.search(account.pk, text=text, country=account.country)
    return exports.contacts(request, found, account=account, kind="csv")


@require_GET
@page
def one(request: PageRequest, contact_id: str) -> HttpResponse:
    """Everything that is known of a contact."""
    contact = found_contact(request, contact_id)
    (person,) = people([contact.pk])
    types = dict(
        AttributeDefinition.objects.filter(account_id=contact.account_id).values_list("name", "type")
    )
    context = {
        "contact": contact,
        "person": person,
        "lists": List.objects.filter(memberships__contact=contact).order_by("name"),
        "attributes": sorted(
            (name, value, types.get(name, "text")) for name, value in contact.attributes.items()
        ),
        "history": [
            {
                "channel": Channel(change.channel).label,
                "before": ConsentValue(change.before).label,
                "after": ConsentValue(change.after).label,
                "tone": CONSENT_TONES[change.after],
                "source": source_of(change.source),
                "at": change.at,
            }
            for change in contact.consent_changes.order_by("-pk")[:50]
        ],
    }
    return render(request, "contacts/contact.html", context)


@require_GET
@page
def timeline_part(request: PageRequest, contact_id: str) -> HttpResponse:
    """A part of a contact's timeline, to be put into their page."""
    contact = found_contact(request, contact_id)
    cursor, as_of = request.GET.get("cursor", ""), request.GET.get("as_of", "")
    try:
        part = timeline.page(contact, limit=_TIMELINE_PAGE, cursor=cursor, as_of=as_of)
    except Invalid:  # An address edited by hand: the timeline's beginning is what is shown for it.
        cursor = ""
        part = timeline.page(contact, limit=_TIMELINE_PAGE)
    except (StoreError, OSError):
        return render(request, "contacts/timeline_away.html", {"contact": contact})
    context = {
        "contact": contact,
        "first": not cursor,
        "as_of": part.as_of,
        "events": events_of(part.items),
        "next": part.next,
    }
    return render(request, "contacts/timeline.html", context)


@require_POST
@page(scope=WRITE)
def erase(request: PageRequest, contact_id: str) -> HttpResponse:
    """Forget a person."""
    contact = found_contact(request, contact_id)
    actions.erase(account_id=contact.account_id, contact_ids=[contact.pk], now=clock.now())
    messages.success(request, _("This person is erased. They stay in the figures, without name or address."))
    return redirect("contacts:index")
