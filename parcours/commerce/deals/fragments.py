"""Parts of pages about deals: a deal's history, and the deals of a contact."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, find, page
from parcours.commerce.deals import queries, timeline
from parcours.commerce.deals.views import TONES
from parcours.commerce.models import Deal, Stage
from parcours.contacts.models import Contact
from parcours.events import catalogue
from parcours.lib.problems import Invalid

_A_PAGE = 30
_ON_A_PROFILE = 10


@require_GET
@page
def history(request: PageRequest, deal_id: str) -> HttpResponse:
    """A part of a deal's history, to be put into its page."""
    deal = find(Deal, deal_id, actor=request.actor, rows=Deal.objects.select_related("pipeline"))
    cursor, as_of = request.GET.get("cursor", ""), request.GET.get("as_of", "")
    try:
        part = timeline.page(deal, limit=_A_PAGE, cursor=cursor, as_of=as_of)
    except Invalid:  # An address edited by hand: the history's beginning is what is shown for it.
        cursor = ""
        part = timeline.page(deal, limit=_A_PAGE)
    except (StoreError, OSError):
        return render(request, "commerce/deals/history.html", {"deal": deal, "away": True})
    context = {
        "deal": deal,
        "first": not cursor,
        "as_of": part.as_of,
        "events": _shown(deal, part.items),
        "next": part.next,
    }
    return render(request, "commerce/deals/history.html", context)


def _shown(deal: Deal, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Events as the history shows them: with the names of stages and of people behind their ids."""
    stages = {
        (stage.pipeline.key, stage.key): stage.name
        for stage in Stage.objects.filter(pipeline__account_id=deal.account_id).select_related("pipeline")
    }
    ids = {int(item["contact"]) for item in items if item["contact"]}
    living = Contact.objects.filter(account_id=deal.account_id, pk__in=ids, erased_at=None)
    people = {str(contact.pk): str(contact) for contact in living}
    language = get_language() or "en"
    shown = []
    for item in items:
        said = item["properties"]
        before, now = said.get("from_stage") or said.get("from"), said.get("stage")
        pipeline = str(said.get("pipeline") or "")
        shown.append(
            {
                "label": catalogue.label(item["name"], language),
                "at": datetime.fromisoformat(item["occurred_at"]),
                "own": item["deal"],
                "person": people.get(item["contact"] or ""),
                "contact": item["contact"],
                "stage": stages.get((pipeline, str(now)), now) if item["deal"] else "",
                "before": stages.get((pipeline, str(before)), before) if item["deal"] else "",
                "detail": said.get("title") or said.get("url") or "",
            }
        )
    return shown


@require_GET
@page
def of_contact(request: PageRequest, contact_id: str) -> HttpResponse:
    """A part of a contact's page: the deals that they are tied to."""
    contact = find(Contact, contact_id, actor=request.actor)
    found = queries.search(contact.account_id, contact=contact.pk).order_by("-stage_at", "-pk")
    deals = [(deal, TONES[deal.stage.kind] if deal.stage else "neutral") for deal in found[:_ON_A_PROFILE]]
    context = {"contact": contact, "deals": deals, "count": found.count()}
    return render(request, "commerce/deals/of_contact.html", context)
