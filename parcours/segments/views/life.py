"""What is done to a segment from its menu."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.lib import clock
from parcours.lib.problems import Problem
from parcours.segments import actions
from parcours.segments.models import Segment

#: What narrows and orders the list, kept when an act leads back to it.
_KEPT = ("search", "folder", "sort", "page")


def back_to_list(request: HttpRequest) -> HttpResponse:
    """The way back to the list as the reader left it (`back` is its query)."""
    left = QueryDict(request.POST.get("back", "")[:1000])
    kept = QueryDict(mutable=True)
    kept.update({name: left[name] for name in _KEPT if left.get(name)})
    return redirect(reverse("segments:list") + (f"?{kept.urlencode()}" if kept else ""))


def _act(request: PageRequest, segment_id: str, act: Callable[[Segment], object], said: str) -> HttpResponse:
    segment = find(Segment, segment_id, actor=request.actor)
    try:
        act(segment)
    except Problem as problem:
        faults = "; ".join(fault["detail"] for fault in problem.errors)
        messages.error(request, f"{problem} {faults}".strip())
    else:
        messages.success(request, said % {"name": segment.name})
    if request.POST.get("from") == "profiles":
        return redirect("segments:profiles", segment.pk)
    return back_to_list(request)


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
    """Supprimer; one that something depends on stays, and what uses it is shown."""
    segment = find(Segment, segment_id, actor=request.actor)
    try:
        actions.delete(segment=segment)
    except actions.InUse:
        messages.error(request, _("“%(name)s” is used, and cannot be deleted.") % {"name": segment.name})
        return redirect("segments:uses", segment_id)
    messages.success(request, _("“%(name)s” is deleted. Its contacts stay.") % {"name": segment.name})
    return back_to_list(request)


@require_GET
@page
def uses(request: PageRequest, segment_id: str) -> HttpResponse:
    """What depends on a segment, each a link to where it is named."""
    segment = find(Segment, segment_id, actor=request.actor)
    return render(request, "segments/uses.html", {"segment": segment, "uses": actions.uses(segment)})
