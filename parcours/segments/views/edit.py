"""The pages where a segment is written."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.lib import clock
from parcours.lib.problems import Invalid
from parcours.segments import actions
from parcours.segments.examples import BY_KEY, EXAMPLES
from parcours.segments.forms import SegmentForm, written
from parcours.segments.models import Segment


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
    account = request.actor.account
    context = {"form": form, "examples": EXAMPLES, "chosen": chosen, "segment": None, "account": account}
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
    context = {"form": form, "segment": segment, "account": request.actor.account}
    return render(request, "segments/edit.html", context, status=422 if form.errors else 200)
