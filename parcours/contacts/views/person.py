"""The page of one contact: profile, consents, lists, tags, what they did; each part is changed in its place."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts import log
from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.contacts import actions, bulk_actions, tags, timeline
from parcours.contacts.forms import ConsentForm, add_faults
from parcours.contacts.forms_profile import ProfileForm
from parcours.contacts.models import AttributeDefinition, Channel, ConsentValue, Contact, List
from parcours.contacts.panels import panels
from parcours.contacts.views.events import events_of, families
from parcours.contacts.views.origins import origins
from parcours.contacts.views.people import found_contact, people
from parcours.contacts.views.words import CONSENT_TONES
from parcours.lib import clock
from parcours.lib.problems import Invalid

_TIMELINE_PAGE = 30
_HISTORY = 20


@require_GET
@page
def one(request: PageRequest, contact_id: str) -> HttpResponse:
    """Everything that is known of a contact."""
    contact = found_contact(request, contact_id)
    context = {
        **_profile(contact),
        **_consents(contact),
        **_memberships(contact),
        "panels": [
            {"title": panel.title, "url": panel.url(contact.pk), "wide": panel.wide} for panel in panels()
        ],
    }
    return render(request, "contacts/contact.html", context)


def _profile(contact: Contact) -> dict[str, Any]:
    (person,) = people([contact.pk])
    types = dict(
        AttributeDefinition.objects.filter(account_id=contact.account_id).values_list("name", "type")
    )
    return {
        "contact": contact,
        "person": person,
        "attributes": sorted(
            (name, value, types.get(name, "text")) for name, value in contact.attributes.items()
        ),
    }


def _consents(contact: Contact, *, form: ConsentForm | None = None) -> dict[str, Any]:
    (person,) = people([contact.pk])
    found = list(contact.consent_changes.order_by("-pk")[: _HISTORY + 1])
    changes = found[:_HISTORY]
    return {
        "contact": contact,
        "person": person,
        "consent_form": form or ConsentForm(contact=contact),
        "more_history": len(found) > _HISTORY,
        "history": [
            {
                "channel": Channel(change.channel).label,
                "before": ConsentValue(change.before).label,
                "after": ConsentValue(change.after).label,
                "tone": CONSENT_TONES[change.after],
                "origin": origin,
                "at": change.at,
            }
            for change, origin in zip(changes, origins(contact.account_id, changes), strict=True)
        ],
    }


def _memberships(contact: Contact) -> dict[str, Any]:
    lists = List.objects.filter(memberships__contact=contact).order_by("name", "pk")
    return {
        "contact": contact,
        "lists": lists,
        "other_lists": List.objects.filter(account_id=contact.account_id)
        .exclude(pk__in=lists.values("pk"))
        .order_by("name", "pk"),
        "tags": contact.tags.order_by("name").values_list("name", flat=True),
        "known_tags": tags.offered(contact.account_id),
    }


def _part(request: PageRequest, name: str, context: dict[str, Any], *, failed: bool = False) -> HttpResponse:
    """A part of the page when the page asks for it; the whole page's address when the browser does."""
    if request.headers.get("HX-Request") == "true":
        return render(request, f"contacts/person/{name}.html", context)
    if failed:
        return render(request, "contacts/person/alone.html", {**context, "part": name}, status=422)
    return redirect("contacts:contact", context["contact"].pk)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, contact_id: str) -> HttpResponse:
    """The profile as a form, and what it says."""
    contact = found_contact(request, contact_id)
    form = ProfileForm(request.POST or None, contact=contact)
    if request.method == "POST" and form.is_valid():
        outcome = actions.upsert_many(
            request.actor.account, [form.line()], source="page", now=clock.now(), cells=True
        )
        if not outcome.refused:
            contact.refresh_from_db()
            return _part(request, "profile", {**_profile(contact), "saved": True})
        add_faults(form, form.renamed(outcome.refused[0].faults))
    context = {"contact": contact, "form": form, "part": "edit"}
    if request.headers.get("HX-Request") == "true":
        return render(request, "contacts/person/edit.html", context)
    return render(request, "contacts/person/alone.html", context, status=422 if form.errors else 200)


@require_GET
@page
def profile(request: PageRequest, contact_id: str) -> HttpResponse:
    """The profile as it is kept: what leaving the form brings back."""
    return _part(request, "profile", _profile(found_contact(request, contact_id)))


@require_POST
@page(scope=WRITE)
def consent(request: PageRequest, contact_id: str) -> HttpResponse:
    """Record a consent, with where it comes from."""
    contact = found_contact(request, contact_id)
    form = ConsentForm(request.POST, contact=contact)
    if form.is_valid():
        said = form.cleaned_data
        proof = {"user": request.user.get_username(), "note": said["note"]}
        actions.set_consent(
            account_id=contact.account_id,
            contact_ids=[contact.pk],
            channel=said["channel"],
            value=said["value"],
            source=said["source"],
            proof={name: value for name, value in proof.items() if value},
            now=clock.now(),
        )
        contact.refresh_from_db()
        form = ConsentForm(contact=contact)
    failed = bool(form.errors)
    return _part(request, "consents", {**_consents(contact, form=form), "part": "consents"}, failed=failed)


@require_POST
@page(scope=WRITE)
def tag(request: PageRequest, contact_id: str) -> HttpResponse:
    """Add a tag, or take one away (`remove`)."""
    contact = found_contact(request, contact_id)
    fault = ""
    if gone := request.POST.get("remove", ""):
        actions.remove_tags(
            account_id=contact.account_id,
            contact_ids=[contact.pk],
            tags=[gone.replace("\0", "")],
            source="page",
            now=clock.now(),
        )
    else:
        try:
            name = bulk_actions.tag_name(request.POST.get("tag", ""))
        except Invalid as problem:
            fault = problem.detail
        else:
            actions.add_tags(
                account=request.actor.account,
                contact_ids=[contact.pk],
                tags=[name],
                source="page",
                now=clock.now(),
            )
    if fault and request.headers.get("HX-Request") != "true":
        messages.error(request, fault)
    return _part(request, "tags", {**_memberships(contact), "fault": fault})


@require_POST
@page(scope=WRITE)
def membership(request: PageRequest, contact_id: str) -> HttpResponse:
    """Put the contact on a list, or take them off one (`remove`)."""
    contact = found_contact(request, contact_id)
    leaving = request.POST.get("remove", "")
    chosen = find(List, leaving or request.POST.get("list", ""), actor=request.actor)
    change = actions.remove_from_list if leaving else actions.add_to_list
    change(
        account_id=contact.account_id,
        list_id=chosen.pk,
        contact_ids=[contact.pk],
        source="page",
        now=clock.now(),
    )
    return _part(request, "lists", _memberships(contact))


@require_GET
@page
def timeline_part(request: PageRequest, contact_id: str) -> HttpResponse:
    """A part of a contact's timeline, to be put into their page."""
    contact = found_contact(request, contact_id)
    cursor, as_of = request.GET.get("cursor", ""), request.GET.get("as_of", "")
    family = request.GET.get("family", "")
    wanted = next((each for each in families() if each.key == family), None)
    categories = wanted.categories if wanted else ()
    try:
        part = timeline.page(contact, limit=_TIMELINE_PAGE, cursor=cursor, as_of=as_of, categories=categories)
    except Invalid:  # An address edited by hand: the timeline's beginning is what is shown for it.
        cursor = ""
        part = timeline.page(contact, limit=_TIMELINE_PAGE, categories=categories)
    except (StoreError, OSError):
        return render(request, "contacts/timeline_away.html", {"contact": contact, "family": family})
    context = {
        "contact": contact,
        "first": not cursor,
        "families": families(),
        "family": family if wanted else "",
        "as_of": part.as_of,
        "events": events_of(contact.account, part.items),
        "next": part.next,
    }
    return render(request, "contacts/timeline.html", context)


@require_POST
@page(scope=WRITE)
def erase(request: PageRequest, contact_id: str) -> HttpResponse:
    """Forget a person."""
    contact = found_contact(request, contact_id)
    actions.erase(account_id=contact.account_id, contact_ids=[contact.pk], now=clock.now())
    log.note(request.actor, "contacts.erased", str(contact.pk))
    messages.success(request, _("This person is erased. They stay in the figures, without name or address."))
    return redirect("contacts:index")
