"""The pages of Marketing automatisé: the journeys, and the form in which they are written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from parcours.accounts.access import SEND, WRITE, PageRequest, find, for_account, page
from parcours.accounts.models import Account
from parcours.journeys import actions, queries
from parcours.journeys.examples import examples
from parcours.journeys.forms import DocumentForm, written
from parcours.journeys.models import Journey
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem

_PAGE = 50
Status = Journey.Status
TONES = {Status.ACTIVE: "good", Status.PAUSED: "late", Status.DRAFT: "neutral", Status.ARCHIVED: "neutral"}


@require_safe
@page
def listing(request: PageRequest) -> HttpResponse:
    """Scénarios: the active ones, the paused, the drafts."""
    order = Case(
        When(status=Status.ACTIVE, then=Value(0)),
        When(status=Status.PAUSED, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    rows = for_account(Journey, request.actor).exclude(status=Status.ARCHIVED).order_by(order, "-pk")
    return _list(request, rows, "journeys/list.html")


@require_safe
@page
def archived(request: PageRequest) -> HttpResponse:
    """Scénarios archivés."""
    rows = for_account(Journey, request.actor).filter(status=Status.ARCHIVED).order_by("-archived_at", "-pk")
    return _list(request, rows, "journeys/archived.html")


def _list(request: PageRequest, rows: QuerySet[Journey], template: str) -> HttpResponse:
    found = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    every = for_account(Journey, request.actor)
    put_away = every.filter(status=Status.ARCHIVED).count()
    shown = [
        {
            **each,
            "statistics": _statistics(each["journey"]),
            "entered_url": _runs(each["journey"], "entered"),
            "active_url": _runs(each["journey"], "active"),
            "label": each["journey"].get_status_display(),
            "tone": TONES[Status(each["journey"].status)],
        }
        for each in queries.shown(found.object_list)  # type: ignore[arg-type]
    ]
    tabs = [
        (_("Journeys"), reverse("journeys:list"), every.count() - put_away),
        (_("Archived journeys"), reverse("journeys:archived"), put_away),
    ]
    free = request.actor.account.plan == Account.Plan.FREE
    return render(request, template, {"page": found, "rows": shown, "tabs": tabs, "free": free})


def _statistics(journey: Journey) -> str:
    return _address("reports:journey", journey.pk) if journey.version else ""


def _runs(journey: Journey, state: str) -> str:
    address = _address("reports:runs", journey.pk) if journey.version else ""
    return f"{address}?state={state}" if address else ""


def _address(name: str, *args: object) -> str:
    """The address of a page of another package; empty where there is none."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """A new journey, empty or from an example."""
    ready = examples(request.actor.account)
    chosen = next((each for each in ready if each.key == request.GET.get("example")), ready[0])
    initial = {"name": chosen.document["name"], "document": written(chosen.document)}
    form = DocumentForm(request.POST or None, initial=initial)
    account = request.actor.account
    made, faults = _saved(form, lambda: actions.create(account, form.whole(), now=clock.now()))
    if made is not None:
        messages.success(request, _("The journey “%(name)s” is saved as a draft.") % {"name": made.name})
        return redirect("journeys:list")
    found = {"form": form, "faults": faults, "examples": ready, "chosen": chosen.key}
    return render(request, "journeys/edit.html", found, status=422 if faults or form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, journey_id: str) -> HttpResponse:
    """The draft of a journey; what is in force goes on meanwhile."""
    journey = _find(request, journey_id)
    document = actions.current_document(journey)
    form = DocumentForm(
        request.POST or None, initial={"name": document.get("name", ""), "document": written(document)}
    )
    saved, faults = _saved(form, lambda: actions.save_draft(journey, form.whole(), now=clock.now()))
    if saved is not None:
        messages.success(request, _("The draft of “%(name)s” is saved.") % {"name": saved.name})
        return redirect("journeys:edit", saved.pk)
    warnings = [] if journey.status == Status.ARCHIVED else _warnings(journey, document)
    found = {"form": form, "faults": faults, "journey": journey, "warnings": warnings}
    return render(request, "journeys/edit.html", found, status=422 if faults or form.errors else 200)


def _saved(form: DocumentForm, save: Callable[[], Journey]) -> tuple[Journey | None, list[Any]]:
    if not form.is_bound or not form.is_valid():
        return None, []
    try:
        return save(), []
    except Invalid as invalid:
        return None, list(invalid.errors)
    except Problem as problem:
        return None, [{"pointer": "", "detail": problem.detail}]


def _warnings(journey: Journey, document: dict[str, Any]) -> list[Any]:
    try:
        return list(actions.check(journey.account, document).warnings)
    except Invalid as invalid:
        return list(invalid.errors)


@require_POST
@page(scope=SEND)
def publish(request: PageRequest, journey_id: str) -> HttpResponse:
    """Put the draft in force; those under way follow, or finish in their version."""
    follow = request.POST.get("under_way") == "follow"
    return _do(
        request,
        journey_id,
        lambda journey: actions.publish(journey, follow=follow, moved={}, now=clock.now()),
        _("A new version of “%(name)s” is in force."),
    )


@require_POST
@page(scope=SEND)
def activate(request: PageRequest, journey_id: str) -> HttpResponse:
    """Let contacts in."""
    return _do(
        request,
        journey_id,
        lambda journey: actions.activate(journey, now=clock.now()),
        _("The journey “%(name)s” is active."),
    )


@require_POST
@page(scope=WRITE)
def pause(request: PageRequest, journey_id: str) -> HttpResponse:
    """Hold everyone where they are."""
    return _do(
        request,
        journey_id,
        lambda journey: actions.pause(journey, now=clock.now()),
        _("The journey “%(name)s” is paused."),
    )


@require_POST
@page(scope=SEND)
def resume(request: PageRequest, journey_id: str) -> HttpResponse:
    """Go on."""
    return _do(
        request,
        journey_id,
        lambda journey: actions.resume(journey, now=clock.now()),
        _("The journey “%(name)s” goes on."),
    )


@require_POST
@page(scope=WRITE)
def archive(request: PageRequest, journey_id: str) -> HttpResponse:
    """Put it away."""
    return _do(
        request,
        journey_id,
        lambda journey: actions.archive(journey, now=clock.now()),
        _("The journey “%(name)s” is archived."),
    )


@require_POST
@page(scope=WRITE)
def duplicate(request: PageRequest, journey_id: str) -> HttpResponse:
    """A copy, as a draft."""
    return _do(
        request,
        journey_id,
        lambda journey: actions.duplicate(journey, now=clock.now()),
        _("The journey “%(name)s” is saved as a draft."),
    )


def _do(request: PageRequest, journey_id: str, act: Callable[[Journey], Journey], said: str) -> HttpResponse:
    journey = _find(request, journey_id)
    try:
        done = act(journey)
    except Problem as problem:
        details = [fault["detail"] for fault in problem.errors] or [problem.detail]
        messages.error(request, " ".join(details))
    else:
        messages.success(request, said % {"name": done.name})
    return redirect("journeys:list")


def _find(request: PageRequest, journey_id: str) -> Journey:
    rows = Journey.objects.select_related("account")
    return find(Journey, journey_id, actor=request.actor, rows=rows)
