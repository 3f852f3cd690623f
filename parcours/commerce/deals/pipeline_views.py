"""The settings pages of pipelines and their stages."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import ADMIN, PageRequest, find, for_account, page
from parcours.commerce.deals import stages
from parcours.commerce.models import Pipeline, Stage
from parcours.lib import clock
from parcours.lib.problems import Invalid

_BLANK_ROWS = 2


@require_GET
@page(scope=ADMIN)
def index(request: PageRequest) -> HttpResponse:
    """The account's pipelines, each with its stages."""
    found = for_account(Pipeline, request.actor).annotate(count=Count("deals")).order_by("position", "pk")
    rows = [(pipeline, pipeline.stages.order_by("position", "pk")) for pipeline in found]
    return render(request, "commerce/pipelines/index.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@page(scope=ADMIN)
def new(request: PageRequest) -> HttpResponse:
    """A pipeline made by hand, begun with the stages of a plain sale."""
    if request.method == "POST":
        return _saved(request, None)
    suggested = [
        {"name": name, "kind": kind}
        for name, kind in (
            (_("New lead"), "open"),
            (_("Qualified"), "open"),
            (_("Proposal sent"), "open"),
            (_("Negotiation"), "open"),
            (_("Won"), "won"),
            (_("Lost"), "lost"),
        )
    ]
    return _form(request, None, name=_("Sales"), lines=suggested)


@require_http_methods(["GET", "POST"])
@page(scope=ADMIN)
def edit(request: PageRequest, pipeline_id: str) -> HttpResponse:
    """Change a pipeline and its stages."""
    pipeline = find(Pipeline, pipeline_id, actor=request.actor)
    if request.method == "POST":
        return _saved(request, pipeline)
    return _form(request, pipeline, name=pipeline.name, lines=stages.as_lines(pipeline))


def _form(
    request: PageRequest,
    pipeline: Pipeline | None,
    *,
    name: str,
    lines: list[dict[str, Any]],
    faults: list[str] | None = None,
) -> HttpResponse:
    blank = [{"id": "", "name": "", "kind": "open"} for _number in range(_BLANK_ROWS)]
    context = {
        "pipeline": pipeline,
        "name": name,
        "lines": [*lines, *blank],
        "kinds": Stage.Kind.choices,
        "faults": faults or [],
    }
    return render(request, "commerce/pipelines/edit.html", context, status=422 if faults else 200)


def _saved(request: PageRequest, pipeline: Pipeline | None) -> HttpResponse:
    """Save what the form says: its rows in their order, those without a name left out."""
    said = request.POST
    lists = [
        said.getlist(name)[: 2 * stages.MOST_STAGES] for name in ("stage_id", "stage_name", "stage_kind")
    ]
    lines = [
        {"id": id, "name": name.strip(), "kind": kind}
        for id, name, kind in zip(*lists, strict=False)
        if name.strip()
    ]
    name = said.get("name", "")
    try:
        given = {"name": name, "stages": lines}
        if pipeline is None:
            stages.make(request.actor.account, given=given, now=clock.now())
        else:
            stages.change(pipeline, given=given, now=clock.now())
    except Invalid as problem:
        return _form(
            request, pipeline, name=name, lines=lines, faults=[fault["detail"] for fault in problem.errors]
        )
    messages.success(request, _("The pipeline is saved."))
    return redirect("pipelines:index")


@require_POST
@page(scope=ADMIN)
def delete(request: PageRequest, pipeline_id: str) -> HttpResponse:
    """Delete a pipeline that no deal is in."""
    pipeline = find(Pipeline, pipeline_id, actor=request.actor)
    try:
        stages.delete(pipeline)
    except Invalid as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("“%(name)s” is deleted.") % {"name": pipeline.name})
    return redirect("pipelines:index")
