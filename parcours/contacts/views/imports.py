"""The pages of an import: the file sent, how far it is, what became of its lines."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.models import Job
from parcours.contacts.forms import ImportForm, add_faults
from parcours.contacts.importing import actions as importing
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.problems import Fault, Problem

_SHOWN = 50


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """Send a file of contacts."""
    account = request.actor.account
    initial = {"list": request.GET.get("list", "")}
    form = ImportForm(request.POST or None, request.FILES or None, initial=initial, account_id=account.pk)
    if request.method == "POST" and form.is_valid():
        said: dict[str, Any] = form.cleaned_data
        try:
            job = importing.start(
                account,
                said["file"].chunks(),
                options=importing.Options(
                    lists=[said["list"]] if said["list"] else [],
                    consents={"email": said["consent_email"]} if said["consent_email"] else {},
                    source=said["source"],
                    resubscribe=said["resubscribe"],
                ),
                content_type=said["file"].content_type or "",
                filename=said["file"].name or "",
            )
        except Problem as problem:
            errors = problem.errors or [Fault(pointer="/file", detail=problem.detail)]
            about_file = [
                Fault(
                    pointer=each["pointer"] if each["pointer"] == "/source" else "/file",
                    detail=each["detail"],
                )
                for each in errors
            ]
            add_faults(form, about_file)
        else:
            return redirect("contacts:import_report", job.pk)
    return render(request, "contacts/import.html", {"form": form}, status=422 if form.errors else 200)


def _job(request: PageRequest, job_id: str) -> Job:
    return find(Job, job_id, actor=request.actor, rows=Job.objects.filter(kind=importing.KIND))


def _told(job: Job) -> dict[str, Any]:
    columns = job.result.get("columns") or {}
    return {
        "job": job,
        "under_way": job.status in (Job.Status.QUEUED, Job.Status.RUNNING),
        "failed": job.status == Job.Status.FAILED,
        "filename": job.parameters.get("filename") or _("Import of contacts"),
        "created": job.result.get("created", 0),
        "updated": job.result.get("updated", 0),
        "kept_opted_out": job.result.get("kept_opted_out", 0),
        "encoding": job.result.get("encoding", ""),
        "columns": [(header, field) for header, field in columns.items() if field],
        "left_out": [header for header, field in columns.items() if not field],
        "refused": job.refused[:_SHOWN],
    }


@require_GET
@page
def report(request: PageRequest, job_id: str) -> HttpResponse:
    """How far an import is, then what became of it."""
    return render(request, "contacts/import_report.html", _told(_job(request, job_id)))


@require_GET
@page
def progress(request: PageRequest, job_id: str) -> HttpResponse:
    """The part of the report that changes, asked for every second until the end."""
    return render(request, "contacts/import_progress.html", _told(_job(request, job_id)))


@require_GET
@page
def refused(request: PageRequest, job_id: str) -> StreamingHttpResponse:
    """The lines refused, as CSV."""
    job = _job(request, job_id)
    rows = ((each["line"], each["reason"]) for each in job.refused)
    return streamed(
        request,
        csv_lines([_("line"), _("reason")], rows),
        content_type="text/csv; charset=utf-8",
        filename=f"import-{job.pk}-refused.csv",
    )
