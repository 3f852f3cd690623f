"""The pages of deals: the board, the list, one deal."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, as_id, find, for_account, page
from parcours.accounts.forms import add_faults
from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.deals import actions, queries
from parcours.commerce.forms import DealForm
from parcours.commerce.models import Deal, Pipeline, Stage
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid

A_COLUMN = 20
_A_PAGE = 50
TONES = {"open": "busy", "won": "good", "lost": "neutral"}


def asked_of(request: PageRequest) -> dict[str, str]:
    """What the search form says."""
    names = ("search", "pipeline", "stage", "owner", "state", "sort")
    asked = {name: request.GET.get(name, "").replace("\0", "").strip()[:200] for name in names}
    if asked["state"] not in Stage.Kind.values:
        asked["state"] = ""
    if asked["sort"] not in queries.SORTS:
        asked["sort"] = "newest"
    return asked


def searched(request: PageRequest, asked: dict[str, str]) -> Any:
    """The deals that the search form asks for."""
    return queries.search(
        request.actor.account_id,
        text=asked["search"],
        country=request.actor.account.country,
        pipeline=as_id(asked["pipeline"]),
        stage=as_id(asked["stage"]),
        owner=asked["owner"],
        state=asked["state"],
    )


def _pipelines(request: PageRequest) -> list[Pipeline]:
    return list(for_account(Pipeline, request.actor).order_by("position", "pk"))


def _common(request: PageRequest, asked: dict[str, str]) -> dict[str, Any]:
    account = request.actor.account
    owners = Deal.objects.filter(account=account).exclude(owner="").values_list("owner", flat=True)
    return {
        "asked": asked,
        "pipelines": _pipelines(request),
        "owners": sorted(set(owners.order_by().distinct()[:200])),
        "currency": account.currency,
        "kinds": Stage.Kind.choices,
    }


@require_GET
@page
def board(request: PageRequest) -> HttpResponse:
    """A pipeline's deals, stage by stage."""
    asked = asked_of(request)
    context = _common(request, asked)
    pipelines: list[Pipeline] = context["pipelines"]
    chosen = next((one for one in pipelines if str(one.pk) == asked["pipeline"]), None) or next(
        iter(pipelines), None
    )
    asked["pipeline"] = ""
    found = searched(request, asked)
    columns = queries.board(chosen, found, currency=context["currency"], limit=A_COLUMN) if chosen else []
    context |= {
        "chosen": chosen,
        "columns": [
            {
                "column": column,
                "tone": TONES[column.stage.kind],
                "next": _after(column.deals, more=column.more),
            }
            for column in columns
        ],
        "stages": [column.stage for column in columns],
    }
    return render(request, "commerce/deals/board.html", context)


def _after(deals: list[Deal], *, more: bool) -> str:
    return encode_cursor(to_ms(deals[-1].stage_at), deals[-1].pk) if more and deals else ""


@require_GET
@page
def column(request: PageRequest, stage_id: str) -> HttpResponse:
    """A fragment: the next deals of a column."""
    mine = Stage.objects.filter(pipeline__account_id=request.actor.account_id).select_related("pipeline")
    stage = mine.filter(pk=as_id(stage_id) or 0).first()
    if stage is None:
        return HttpResponse(status=404)
    try:
        at, last = decode_cursor(request.GET.get("cursor", ""), int, int)
    except Invalid:
        return HttpResponse(status=404)
    rows = searched(request, {**asked_of(request), "pipeline": "", "stage": ""})
    found = queries.column(rows, stage, limit=A_COLUMN + 1, after=(from_ms(at), last))
    deals = queries.with_contacts(found[:A_COLUMN])
    context = {
        "deals": deals,
        "stage": stage,
        "stages": list(stage.pipeline.stages.order_by("position", "pk")),
        "next": _after(deals, more=len(found) > A_COLUMN),
    }
    return render(request, "commerce/deals/cards.html", context)


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """All deals in a table: searched, filtered, sorted."""
    asked = asked_of(request)
    found = searched(request, asked).order_by(queries.SORTS[asked["sort"]], "-pk")
    shown = Paginator(found, _A_PAGE).get_page(request.GET.get("page"))
    sorts = (
        ("newest", _("Newest")),
        ("name", _("Name")),
        ("amount", _("Largest amount")),
        ("close_date", _("Nearest closing")),
        ("stage", _("Stage")),
    )
    context = {
        **_common(request, asked),
        "page": shown,
        "deals": queries.with_contacts(list(shown.object_list)),
        "tones": TONES,
        "sorts": sorts,
        "narrowed": any(value for name, value in asked.items() if name != "sort"),
    }
    return render(request, "commerce/deals/index.html", context)


@require_GET
@page
def export(request: PageRequest) -> StreamingHttpResponse:
    """The deals of the search as CSV."""
    lines = csv_lines(queries.CSV_COLUMNS, queries.csv_rows(searched(request, asked_of(request))))
    return streamed(request, lines, content_type="text/csv; charset=utf-8", filename="deals.csv")


def stage_choices(account: Account) -> list[tuple[str, Any]]:
    """The stages to choose from, under their pipelines; the first are made where there is none."""
    choices: list[tuple[str, Any]] = []
    for pipeline in (
        Pipeline.objects.filter(account=account).order_by("position", "pk").prefetch_related("stages")
    ):
        stages = sorted(pipeline.stages.all(), key=lambda stage: (stage.position, stage.pk))
        choices.append((pipeline.name, [(str(stage.pk), stage.name) for stage in stages]))
    return choices


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """A deal made by hand."""
    account = request.actor.account
    choices = stage_choices(account)
    if not choices:
        return redirect("pipelines:new")
    initial = {
        "currency": account.currency,
        "stage": request.GET.get("stage", ""),
        "contact": request.GET.get("email", ""),
        "owner": request.actor.user.email if request.actor.user else "",
    }
    form = DealForm(request.POST or None, initial=initial, account=account, stages=choices)
    return _edited(request, form, None)


def _edited(request: PageRequest, form: DealForm, deal: Deal | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        line = form.line()
        chosen = Stage.objects.filter(pipeline__account=request.actor.account, pk=int(line["stage"])).first()
        line |= {"pipeline": str(chosen.pipeline_id)} if chosen else {}
        line |= {"id": str(deal.pk)} if deal else {}
        try:
            saved, _created = actions.save(request.actor.account, line, now=clock.now(), source="page")
        except Invalid as problem:
            add_faults(form, problem)
        else:
            messages.success(request, _("The deal is saved."))
            return redirect("deals:deal", saved.pk)
    context = {"form": form, "deal": deal}
    return render(request, "commerce/deals/edit.html", context, status=422 if form.errors else 200)


def _deal(request: PageRequest, deal_id: str) -> Deal:
    rows = Deal.objects.select_related("pipeline", "stage", "account")
    return find(Deal, deal_id, actor=request.actor, rows=rows)


@require_GET
@page
def one(request: PageRequest, deal_id: str) -> HttpResponse:
    """A deal: its fields, its contacts with their dates, its history."""
    deal = _deal(request, deal_id)
    ties = deal.ties.select_related("contact").order_by("until", "since", "pk")
    context = {
        "deal": deal,
        "ties": ties,
        "first": next((tie.pk for tie in deal.ties.order_by("since", "pk") if tie.until is None), None),
        "stages": deal.pipeline.stages.order_by("position", "pk") if deal.pipeline else [],
        "tone": TONES[deal.stage.kind] if deal.stage else "neutral",
    }
    return render(request, "commerce/deals/deal.html", context)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, deal_id: str) -> HttpResponse:
    """Change a deal."""
    deal = _deal(request, deal_id)
    initial = {
        "name": deal.name,
        "stage": str(deal.stage_id or ""),
        "amount": "" if deal.amount is None else amounts.shown(deal.amount),
        "currency": deal.currency,
        "close_date": deal.close_date.isoformat() if deal.close_date else "",
        "owner": deal.owner,
    }
    form = DealForm(
        request.POST or None, initial=initial, account=deal.account, stages=stage_choices(deal.account)
    )
    return _edited(request, form, deal)


@require_POST
@page(scope=WRITE)
def move(request: PageRequest, deal_id: str) -> HttpResponse:
    """Move a deal to another stage: by a card dropped (204, or the reason as text) or by a form."""
    deal = _deal(request, deal_id)
    by_script = bool(request.headers.get("HX-Request"))
    try:
        moved = actions.move(deal, stage=request.POST.get("stage", "")[:100], now=clock.now())
    except Invalid as problem:
        if by_script:
            return HttpResponse(
                problem.errors[0]["detail"], status=422, content_type="text/plain; charset=utf-8"
            )
        messages.error(request, problem.errors[0]["detail"])
        return redirect("deals:deal", deal.pk)
    if by_script:
        return HttpResponse(status=204)
    messages.success(
        request, _("“%(deal)s” is now in “%(stage)s”.") % {"deal": moved.name, "stage": moved.stage}
    )
    if request.POST.get("back") == "board":
        return redirect(f"{reverse('deals:board')}?pipeline={moved.pipeline_id}")
    return redirect("deals:deal", deal.pk)


@require_POST
@page(scope=WRITE)
def tie(request: PageRequest, deal_id: str) -> HttpResponse:
    """Tie a contact to a deal by their address."""
    deal = _deal(request, deal_id)
    email = request.POST.get("email", "").strip()
    try:
        actions.add_contacts(deal, [{"email": email}] if email else [], now=clock.now(), source="page")
    except Invalid as problem:
        messages.error(request, " ".join(fault["detail"] for fault in problem.errors))
    else:
        messages.success(request, _("The contact is tied to the deal."))
    return redirect("deals:deal", deal.pk)


@require_POST
@page(scope=WRITE)
def untie(request: PageRequest, deal_id: str, contact_id: str) -> HttpResponse:
    """Untie a contact."""
    deal = _deal(request, deal_id)
    actions.remove_contact(deal, as_id(contact_id) or 0, now=clock.now())
    messages.success(request, _("What happens to the deal is no longer told of this contact."))
    return redirect("deals:deal", deal.pk)


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, deal_id: str) -> HttpResponse:
    """Delete a deal."""
    deal = _deal(request, deal_id)
    actions.delete(deal)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": deal.name})
    return redirect("deals:index")
