"""The pages of segments."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, for_account, page
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid, Problem
from parcours.segments import actions, queries
from parcours.segments.examples import BY_KEY, EXAMPLES
from parcours.segments.forms import SegmentForm, read, written
from parcours.segments.models import Segment

_A_PAGE = 50
Status = Segment.Status
TONES = {Status.COMPUTING: "busy", Status.LATE: "late", Status.UP_TO_DATE: "good", Status.PAUSED: "neutral"}


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's segments; the table alone for a page that follows a computation."""
    search = request.GET.get("search", "").replace("\0", "").strip()[:200]
    found = for_account(Segment, request.actor)
    if search:
        found = found.filter(name__icontains=search)
    shown = Paginator(found.order_by("name", "pk"), _A_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    rows = []
    for segment in shown.object_list:
        state = Status(segment.state(now))
        rows.append(
            {"segment": segment, "state": state.label, "tone": TONES[state], "paused": state == Status.PAUSED}
        )
    moving = any(one.settling_at or one.status == Status.COMPUTING for one in shown.object_list)
    context = {"rows": rows, "page": shown, "search": search, "moving": moving}
    return render(
        request,
        "segments/table.html" if request.headers.get("HX-Request") else "segments/index.html",
        context,
    )


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """Write a new segment, from an example or from nothing."""
    chosen = request.GET.get("example", "")
    example = BY_KEY.get(chosen, EXAMPLES[0])
    name = str(example.title) if chosen in BY_KEY else ""
    form = SegmentForm(request.POST or None, initial={"name": name, "criteria": written(example.criteria)})
    if request.method == "POST" and form.is_valid():
        try:
            segment = actions.create(
                account=request.actor.account,
                name=form.cleaned_data["name"],
                criteria=form.cleaned_data["criteria"],
                now=clock.now(),
            )
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The segment “%(name)s” is made.") % {"name": segment.name})
            return redirect("segments:list")
    context = {"form": form, "examples": EXAMPLES, "chosen": chosen, "segment": None}
    return render(request, "segments/edit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def edit(request: PageRequest, segment_id: str) -> HttpResponse:
    """Change a segment."""
    segment = find(Segment, segment_id, actor=request.actor)
    initial = {"name": segment.name, "criteria": written(segment.criteria)}
    form = SegmentForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            actions.update(
                segment=segment,
                name=form.cleaned_data["name"],
                criteria=form.cleaned_data["criteria"],
                now=clock.now(),
            )
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The segment “%(name)s” is saved.") % {"name": segment.name})
            return redirect("segments:list")
    context = {"form": form, "segment": segment}
    return render(request, "segments/edit.html", context, status=422 if form.errors else 200)


@require_POST
@page
def preview(request: PageRequest) -> HttpResponse:
    """A fragment: how many contacts meet the criteria being written, and some of them."""
    try:
        criteria = read(request.POST.get("criteria", ""))
        found = queries.preview(account=request.actor.account, criteria=criteria, pointer="")
    except Invalid as refusal:
        return render(request, "segments/preview.html", {"faults": refusal.errors})
    except ValueError as error:
        return render(request, "segments/preview.html", {"faults": [{"pointer": "", "detail": str(error)}]})
    return render(request, "segments/preview.html", {"found": found})


@require_GET
@page
def profiles(request: PageRequest, segment_id: str) -> HttpResponse:
    """A segment's contacts, the last to enter first."""
    segment = find(Segment, segment_id, actor=request.actor)
    after = None
    if request.GET.get("cursor"):
        try:
            segment.figures_load, at, contact = decode_cursor(request.GET["cursor"], int, int, int)
            after = (at, contact)
        except Invalid:
            return redirect("segments:profiles", segment.pk)
    found = queries.members(segment, limit=_A_PAGE + 1, after=after)
    shown = found[:_A_PAGE]
    following = None
    if len(found) > _A_PAGE:
        following = encode_cursor(segment.figures_load, to_ms(shown[-1].entered_at), shown[-1].contact)
    state = Status(segment.state(clock.now()))
    context = {
        "segment": segment,
        "members": shown,
        "next": following,
        "state": state.label,
        "tone": TONES[state],
    }
    return render(request, "segments/profiles.html", context)


def _act(request: PageRequest, segment_id: str, act: Callable[[Segment], object], said: str) -> HttpResponse:
    segment = find(Segment, segment_id, actor=request.actor)
    try:
        act(segment)
    except Problem as problem:
        faults = "; ".join(fault["detail"] for fault in problem.errors)
        messages.error(request, f"{problem} {faults}".strip())
    else:
        messages.success(request, said % {"name": segment.name})
    return redirect("segments:list")


@require_POST
@page(scope=WRITE)
def refresh(request: PageRequest, segment_id: str) -> HttpResponse:
    """Mettre à jour maintenant."""
    said = _("“%(name)s” is being updated.")
    return _act(request, segment_id, lambda one: actions.refresh(segment=one, now=clock.now()), said)


@require_POST
@page(scope=WRITE)
def duplicate(request: PageRequest, segment_id: str) -> HttpResponse:
    """Dupliquer."""
    said = _("“%(name)s” is duplicated.")
    return _act(request, segment_id, lambda one: actions.duplicate(segment=one, now=clock.now()), said)


@require_POST
@page(scope=WRITE)
def pause(request: PageRequest, segment_id: str) -> HttpResponse:
    """Mettre en pause."""
    said = _("“%(name)s” is paused: nobody enters or leaves it.")
    return _act(request, segment_id, lambda one: actions.pause(segment=one, now=clock.now()), said)


@require_POST
@page(scope=WRITE)
def activate(request: PageRequest, segment_id: str) -> HttpResponse:
    """Activer."""
    said = _("“%(name)s” is active again, and being updated.")
    return _act(request, segment_id, lambda one: actions.activate(segment=one, now=clock.now()), said)


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, segment_id: str) -> HttpResponse:
    """Supprimer."""
    said = _("“%(name)s” is deleted. Its contacts stay.")
    return _act(request, segment_id, lambda one: actions.delete(segment=one), said)
