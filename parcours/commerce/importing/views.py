"""The pages of imports of orders, deals and products: the file sent, how far it is, what became of its lines."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.models import Job
from parcours.commerce.forms import ImportForm
from parcours.commerce.importing import actions
from parcours.commerce.importing.kinds import KINDS
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.problems import Problem

_SHOWN = 50


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest, kind: str) -> HttpResponse:
    """Send a file of orders, deals or products."""
    what = KINDS[kind]
    form = ImportForm(request.POST or None, request.FILES or None)
    if kind == "products":
        del form.fields["history"]
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            job = actions.start(
                what,
                request.actor.account,
                file.chunks(),
                history=form.cleaned_data.get("history", False),
                content_type=file.content_type or "",
                filename=file.name or "",
            )
        except Problem as problem:
            form.add_error("file", problem.detail)
        else:
            return redirect(f"{kind}:import_report", job.pk)
    context = {"form": form, "kind": what, "index": f"{kind}:index", "fields": list(what.synonyms)}
    return render(request, "commerce/imports/new.html", context, status=422 if form.errors else 200)


def _told(request: PageRequest, kind: str, job_id: str) -> dict[str, Any]:
    job = find(Job, job_id, actor=request.actor, rows=Job.objects.filter(kind=KINDS[kind].job))
    columns = job.result.get("columns") or {}
    return {
        "kind": KINDS[kind],
        "index": f"{kind}:index",
        "again": f"{kind}:import",
        "progress_url": f"{kind}:import_progress",
        "refused_url": f"{kind}:import_refused",
        "job": job,
        "under_way": job.status in (Job.Status.QUEUED, Job.Status.RUNNING),
        "failed": job.status == Job.Status.FAILED,
        "filename": job.parameters.get("filename") or KINDS[kind].title,
        "created": job.result.get("created", 0),
        "updated": job.result.get("updated", 0),
        "columns": [(header, field) for header, field in columns.items() if field],
        "left_out": [header for header, field in columns.items() if not field],
        "refused": job.refused[:_SHOWN],
    }


@require_GET
@page
def report(request: PageRequest, kind: str, job_id: str) -> HttpResponse:
    """How far an import is, then what became of it."""
    return render(request, "commerce/imports/report.html", _told(request, kind, job_id))


@require_GET
@page
def progress(request: PageRequest, kind: str, job_id: str) -> HttpResponse:
    """The part of the report that changes, asked for every second until the end."""
    return render(request, "commerce/imports/progress.html", _told(request, kind, job_id))


@require_GET
@page
def refused(request: PageRequest, kind: str, job_id: str) -> StreamingHttpResponse:
    """The lines refused, as CSV."""
    job: Job = _told(request, kind, job_id)["job"]
    rows = ((each["line"], each["reason"]) for each in job.refused)
    return streamed(
        request,
        csv_lines([_("line"), _("reason")], rows),
        content_type="text/csv; charset=utf-8",
        filename=f"import-{job.pk}-refused.csv",
    )
