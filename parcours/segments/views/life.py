"""What is done to a segment from its menu."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.lib import clock
from parcours.lib.problems import Problem
from parcours.segments import actions
from parcours.segments.models import Segment


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
