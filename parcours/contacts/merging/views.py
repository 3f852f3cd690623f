"""The pages of duplicates: who may be one person, side by side, and the merges of a contact."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, as_id, find, page
from parcours.accounts.models import Job
from parcours.contacts import queries
from parcours.contacts.merging import fields, joining, pairs, parting, rows
from parcours.contacts.merging.models import Merge, Pair
from parcours.contacts.merging.people import find_contact
from parcours.contacts.models import Contact
from parcours.contacts.person import Person
from parcours.contacts.views.people import people as shown_people
from parcours.lib import clock
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid, NotFound, Problem
from parcours.ui import formats

_A_PAGE = 25
_MOST_SIDE_BY_SIDE = 6
_UNDER_WAY = (Job.Status.QUEUED, Job.Status.RUNNING)
_TONES = ((pairs.CERTAIN, "good"), (70, "busy"), (0, "neutral"))

LABELS: dict[str, Any] = {
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Phone"),
    "external_id": gettext_lazy("External id"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "locale": gettext_lazy("Language"),
    "timezone": gettext_lazy("Time zone"),
    "country": gettext_lazy("Country"),
    "city": gettext_lazy("City"),
}
_SOURCES: dict[str, Any] = {
    "api": gettext_lazy("by the API"),
    "page": gettext_lazy("by hand"),
    "duplicates": gettext_lazy("with all certain duplicates"),
}


@require_GET
@page
def duplicates(request: PageRequest) -> HttpResponse:
    """The pairs that nobody dismissed, the surest first."""
    account_id = request.actor.account_id
    certain = request.GET.get("certain") == "1"
    try:
        cursor = request.GET.get("cursor", "")
        after = decode_cursor(cursor, int, int) if cursor else None
    except Invalid:  # An address edited by hand.
        after = None
    found = pairs.some(account_id, certain=certain, after=after, limit=_A_PAGE + 1)
    more, found = len(found) > _A_PAGE, found[:_A_PAGE]
    ids = sorted({contact for each in found for contact in (each.pair.one_id, each.pair.other_id)})
    people = {person["contact"]: person for person in shown_people(ids)}
    last = found[-1].pair if found else None
    context = {
        "pairs": [
            {
                "pair": each.pair,
                "people": [people[each.pair.one_id], people[each.pair.other_id]],
                "sure": pairs.sureness(each.pair.score),
                "tone": next(tone for least, tone in _TONES if each.pair.score >= least),
                "reasons": [pairs.WORDS[reason] for reason in each.pair.reasons],
            }
            for each in found
        ],
        "certain": certain,
        "total": pairs.waiting(account_id).count(),
        "certain_total": pairs.waiting(account_id, certain=True).count(),
        "next": encode_cursor(last.score, last.pk) if more and last is not None else None,
        **_work(account_id),
    }
    return render(request, "contacts/duplicates/index.html", context)


def _work(account_id: int) -> dict[str, Any]:
    """The last search, and what is under way."""
    of_account = Job.objects.filter(account_id=account_id)
    search = of_account.filter(kind=pairs.SEARCH).order_by("-pk").first()
    merging = of_account.filter(kind=pairs.MERGE).order_by("-pk").first()
    return {
        "search": search,
        "searching": search is not None and search.status in _UNDER_WAY,
        "merging": merging if merging is not None and merging.status in _UNDER_WAY else None,
    }


@require_GET
@page
def progress(request: PageRequest) -> HttpResponse:
    """How far the search or the merges are; at their end the page is shown anew."""
    work = _work(request.actor.account_id)
    if not work["searching"] and work["merging"] is None:
        response = HttpResponse(status=204)
        response["HX-Refresh"] = "true"
        return response
    return render(request, "contacts/duplicates/progress.html", work)


@require_POST
@page(scope=WRITE)
def search(request: PageRequest) -> HttpResponse:
    """Look for duplicates anew."""
    pairs.start_search(request.actor.account)
    return redirect("merging:duplicates")


@require_POST
@page(scope=WRITE)
def merge_all(request: PageRequest) -> HttpResponse:
    """Merge all the pairs that are as good as certain."""
    pairs.start_merging(request.actor.account, by=_user(request))
    return redirect("merging:duplicates")


@require_POST
@page(scope=WRITE)
def dismiss(request: PageRequest, pair_id: str) -> HttpResponse:
    """They are two people."""
    pairs.dismiss(find(Pair, pair_id, actor=request.actor), by=_user(request), now=clock.now())
    messages.success(request, _("These two will not be shown as duplicates again."))
    return redirect("merging:duplicates")


def _user(request: PageRequest) -> int | None:
    return request.actor.user.pk if request.actor.user else None


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def compare(request: PageRequest) -> HttpResponse:
    """Contacts side by side (`ids=1,2`), to choose whose value is kept of each field, and to merge them."""
    account = request.actor.account
    given = request.POST.get("ids") or request.GET.get("ids", "")
    ids = list(dict.fromkeys(filter(None, map(as_id, given.split(",")))))
    people = rows.living(account.pk, ids)
    if len(people) < 2 or len(people) > _MOST_SIDE_BY_SIDE or len(people) != len(ids):
        raise NotFound(_("There is nothing of this id here."))
    everyone = [people[contact] for contact in ids]
    kept = pairs.best(everyone)
    if request.method == "POST":
        kept = people.get(as_id(request.POST.get("into", "")) or 0, kept)
        choices = {
            name: chosen
            for name in fields.names(everyone)
            if (chosen := as_id(request.POST.get(f"field-{name}", ""))) in people and chosen is not None
        }
        try:
            joining.merge(
                account,
                into=kept.id,
                merged=[contact for contact in ids if contact != kept.id],
                choices=choices,
                source="page",
                by=_user(request),
                now=clock.now(),
            )
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            said = ngettext(
                "%(n)d contact was merged into this one.",
                "%(n)d contacts were merged into this one.",
                len(ids) - 1,
            )
            messages.success(request, said % {"n": len(ids) - 1})
            return redirect("contacts:contact", kept.id)
    context = {
        "ids": ",".join(str(contact) for contact in ids),
        "people": [
            {"person": person, "shown": each}
            for person, each in zip(everyone, shown_people(ids), strict=True)
        ],
        "kept": kept.id,
        "lines": _lines(everyone, kept),
        "pair": _pair(account.pk, ids),
    }
    return render(request, "contacts/duplicates/compare.html", context)


def _pair(account_id: int, ids: list[int]) -> Pair | None:
    """The pair that two contacts are, when they are one."""
    if len(ids) != 2:
        return None
    return pairs.waiting(account_id).filter(one_id=min(ids), other_id=max(ids)).first()


def _lines(people: list[Person], kept: Person) -> list[dict[str, Any]]:
    """A line for each field that somebody has: each one's value, which is proposed, and whether they differ."""
    found = []
    for name in fields.names(people):
        values = [fields.value_of(person, name) for person in people]
        if all(value in (None, "", []) for value in values):
            continue
        proposed = kept if fields.value_of(kept, name) not in (None, "", []) else None
        if proposed is None:
            proposed = next(p for p, v in zip(people, values, strict=True) if v not in (None, "", []))
        found.append(
            {
                "name": name,
                "label": LABELS.get(name) or name.removeprefix("attributes."),
                "differs": any(value != values[0] for value in values),
                "cells": [
                    {"contact": person.id, "text": _said(value), "checked": person is proposed}
                    for person, value in zip(people, values, strict=True)
                ],
            }
        )
    return found


def _said(value: Any) -> str:
    if value is None or value in ("", []):
        return formats.NOTHING
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return ", ".join(str(each) for each in value) if isinstance(value, list) else str(value)


@require_GET
@page
def panel(request: PageRequest, contact_id: str) -> HttpResponse:
    """A part of a contact's page: who was merged into them, and who may be the same person."""
    contact = find_contact(contact_id, request.actor)
    possible = [
        {"pair": pair, "other": other, "sure": pairs.sureness(pair.score)}
        for pair, other in _possible(contact)
    ]
    merges = [
        {
            "merge": merge,
            "who": _who_was(merge),
            "source": _SOURCES.get(merge.source, merge.source),
        }
        for merge in parting.history(contact.account_id, contact)[:50]
    ]
    context = {"contact": contact, "merges": merges, "possible": possible}
    return render(request, "contacts/duplicates/panel.html", context)


def _possible(contact: Contact) -> list[tuple[Pair, Contact]]:
    found = pairs.waiting(contact.account_id)
    with_it = found.filter(one_id=contact.pk) | found.filter(other_id=contact.pk)
    chosen = list(with_it.select_related("one", "other").order_by("-score")[:5])
    return [(pair, pair.other if pair.one_id == contact.pk else pair.one) for pair in chosen]


def _who_was(merge: Merge) -> str:
    """What a contact merged away was called, while that is kept."""
    values = merge.kept.get("merged", {}).get("values", {})
    name = " ".join(filter(None, (values.get("first_name"), values.get("last_name"))))
    key = values.get("email") or values.get("phone") or values.get("external_id") or ""
    if name and key:
        return f"{name} · {key}"
    return name or key or _("Contact %(id)s") % {"id": merge.merged_id}


@require_POST
@page(scope=WRITE)
def unmerge(request: PageRequest, contact_id: str) -> HttpResponse:
    """Undo the merge that took this contact away."""
    account = request.actor.account
    number = as_id(contact_id) or 0
    try:
        parted = parting.unmerge(account, contact=number, source="page", by=_user(request), now=clock.now())
    except NotFound:
        raise
    except Problem as problem:
        messages.error(request, problem.detail)
        into = Merge.objects.filter(account=account, merged_id=number, undone_at__isnull=True).get().into_id
        living = queries.living(account.pk).filter(pk=into).exists()
        return redirect("contacts:contact", into) if living else redirect("contacts:index")
    messages.success(request, _("The merge is undone: they are two contacts again."))
    return redirect("contacts:contact", parted.contact)
