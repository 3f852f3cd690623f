"""The wizard that imports a file of contacts, step by step, and the pages of an import under way or ended."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.models import Job
from parcours.contacts.forms import add_faults
from parcours.contacts.importing import drafts, keeping, previewing, refusals, undoing
from parcours.contacts.importing.drafts import Draft
from parcours.contacts.importing.forms import (
    EveryoneForm,
    ReadingForm,
    UploadForm,
    ValuesForm,
    encoding_shown,
    label_of,
    shown,
    targets,
)
from parcours.contacts.importing.models import Import
from parcours.contacts.queries import attribute_types
from parcours.lib import clock
from parcours.lib.exports import streamed
from parcours.lib.problems import Fault, Invalid, Problem

_SHOWN = 50
_RECENT = 20


def _find(request: PageRequest, import_id: str) -> Import:
    rows = Import.objects.select_related("job", "undo", "account", "user")
    return find(Import, import_id, actor=request.actor, rows=rows)


def _draft(request: PageRequest, import_id: str) -> Draft | HttpResponseRedirect:
    """The file as the wizard left it; the way to its report once it is imported."""
    imported = _find(request, import_id)
    if imported.job_id is not None or not imported.setup:
        return redirect("contacts:import_report", imported.pk)
    return drafts.open_draft(imported)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """Send a file of contacts; below, the imports of late."""
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            imported = drafts.begin(
                request.actor.account,
                file.chunks(),
                content_type=file.content_type or "",
                filename=file.name or "",
                user=request.actor.user,
                list_id=request.POST.get("list", ""),
            )
        except Problem as problem:
            form.add_error("file", problem.detail)
        else:
            return redirect("contacts:import_columns", imported.pk)
    recent = Import.objects.filter(account_id=request.actor.account_id).select_related("job", "undo", "user")
    context = {"form": form, "recent": recent.order_by("-pk")[:_RECENT], "list": request.GET.get("list", "")}
    return render(request, "contacts/imports/new.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def columns(request: PageRequest, import_id: str) -> HttpResponse:
    """Say how the file is read, and what each column becomes."""
    draft = _draft(request, import_id)
    if isinstance(draft, HttpResponseRedirect):
        return draft
    if not draft.is_csv:
        return redirect("contacts:import_everyone", draft.imported.pk)
    told, said = drafts.told_columns(draft)
    found = {
        "encoding": encoding_shown(draft.found.encoding),
        "delimiter": draft.found.delimiter,
        "quote": draft.found.quote,
        "mend": draft.found.mend,
    }
    reading = ReadingForm(
        request.POST if "again" in request.POST else None, initial=found, strays=draft.found.strays
    )
    values = ValuesForm(
        request.POST if "targets" in request.POST and "again" not in request.POST else None,
        initial={"key": draft.options.key, "decimal": said.decimal, "dates": said.dates},
    )
    faults: list[Fault] = []
    try:
        if reading.is_bound and reading.is_valid():
            drafts.read_again(draft, reading.said(draft.options.said, found))
            return redirect("contacts:import_columns", draft.imported.pk)
        if values.is_bound and values.is_valid():
            chosen = [request.POST.get(f"target-{place}", "") for place in range(len(told))]
            for column, target in zip(told, chosen, strict=True):
                column.target = target
            drafts.say_columns(draft, chosen, **values.cleaned_data)
            return redirect("contacts:import_everyone", draft.imported.pk)
    except Invalid as problem:
        faults = problem.errors
    context = {
        "draft": draft,
        "step": 2,
        "columns": told,
        "choices": targets(attribute_types(request.actor.account_id)),
        "reading": reading,
        "values": values,
        "faults": faults,
        "at_fault": {fault["pointer"].strip("/") for fault in faults},
    }
    return render(request, "contacts/imports/columns.html", context, status=422 if faults else 200)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def everyone(request: PageRequest, import_id: str) -> HttpResponse:
    """Say what holds for everyone in the file: consents and their proof, lists, tags."""
    draft = _draft(request, import_id)
    if isinstance(draft, HttpResponseRedirect):
        return draft
    form = EveryoneForm(
        request.POST or None,
        initial=EveryoneForm.initial_of(draft.options, new_list=draft.new_list),
        account_id=request.actor.account_id,
    )
    if request.method == "POST" and form.is_valid():
        try:
            drafts.say_everyone(draft, form.options(draft.options), new_list=form.cleaned_data["new_list"])
        except Invalid as problem:
            add_faults(form, [{**fault, "pointer": _field_of(fault["pointer"])} for fault in problem.errors])
        else:
            return redirect("contacts:import_check", draft.imported.pk)
    context = {"draft": draft, "step": 3, "form": form}
    return render(request, "contacts/imports/everyone.html", context, status=422 if form.errors else 200)


def _field_of(pointer: str) -> str:
    return "/tags" if pointer == "/tag" else pointer


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def check(request: PageRequest, import_id: str) -> HttpResponse:
    """See what would happen, then have it happen."""
    draft = _draft(request, import_id)
    if isinstance(draft, HttpResponseRedirect):
        return draft
    try:
        found = drafts.mapped(draft)
        if request.method == "POST":
            drafts.run(draft)
            return redirect("contacts:import_report", draft.imported.pk)
        preview = previewing.of_sample(draft.imported, found, draft.options)
    except Invalid as problem:
        messages.error(request, problem.detail)
        return redirect("contacts:import_columns" if draft.is_csv else "contacts:import_everyone", import_id)
    for example in preview.examples:
        example.changes = [
            (label_of(name), None if before is None else shown(before), shown(after))
            for name, before, after in example.changes
        ]
    context = {
        "draft": draft,
        "step": 4,
        "preview": preview,
        "whole": preview.lines < previewing.SAMPLE,
        "checking": _checking(draft.imported),
    }
    return render(request, "contacts/imports/check.html", context)


def _checking(imported: Import) -> Job | None:
    job_id = imported.setup.get("checking")
    return Job.objects.filter(pk=job_id, account_id=imported.account_id).first() if job_id else None


@require_POST
@page(scope=WRITE)
def look(request: PageRequest, import_id: str) -> HttpResponse:
    """Have the whole file looked at, without importing it."""
    draft = _draft(request, import_id)
    if isinstance(draft, HttpResponseRedirect):
        return draft
    job = previewing.start(draft.imported, drafts.mapped(draft), draft.options)
    draft.imported.setup["checking"] = job.pk
    draft.imported.save(update_fields=["setup"])
    return redirect("contacts:import_check", draft.imported.pk)


@require_GET
@page(scope=WRITE)
def looking(request: PageRequest, import_id: str) -> HttpResponse:
    """How far the look at the whole file is, asked for every second until its end."""
    imported = _find(request, import_id)
    return render(
        request, "contacts/imports/looking.html", {"imported": imported, "checking": _checking(imported)}
    )


@require_POST
@page(scope=WRITE)
def discard(request: PageRequest, import_id: str) -> HttpResponse:
    """Forget a file that was sent but not imported."""
    draft = _draft(request, import_id)
    if isinstance(draft, HttpResponseRedirect):
        return draft
    drafts.discard(draft.imported)
    messages.success(request, _("The file was thrown away; nothing was imported."))
    return redirect("contacts:import")


def _told(imported: Import) -> dict[str, Any]:
    job = imported.job
    assert job is not None
    under_way = job.status in (Job.Status.QUEUED, Job.Status.RUNNING)
    columns = job.result.get("columns") or {}
    undo = imported.undo
    rate, left = _pace(job) if under_way else (0, None)
    return {
        "imported": imported,
        "job": job,
        "under_way": under_way,
        "rate": rate,
        "left_ms": None if left is None else left * 1000,
        "failed": job.status == Job.Status.FAILED,
        "created": job.result.get("created", 0),
        "updated": job.result.get("updated", 0),
        "kept_opted_out": job.result.get("kept_opted_out", 0),
        "encoding": job.result.get("encoding", ""),
        "strays": job.result.get("strays"),
        "columns": [(header, label_of(field)) for header, field in columns.items() if field],
        "left_out": [header for header, field in columns.items() if not field],
        "refused": job.refused[:_SHOWN],
        "shown": _SHOWN,
        "undo": undo,
        "undoing": undo is not None and undo.status in (Job.Status.QUEUED, Job.Status.RUNNING),
        "not_undoable": undoing.refusal(imported, now=clock.now()),
        "kept_days": keeping.KEPT.days,
    }


def _pace(job: Job) -> tuple[float, float | None]:
    """Lines a second, and the seconds left (None while that cannot be said)."""
    began = job.result.get("began_ms")
    seconds = (clock.machine_ms() - began) / 1000 if began else 0
    if seconds < 1 or not job.done_lines or not job.done_bytes:
        return 0, None
    left = seconds * (job.total_bytes - job.done_bytes) / job.done_bytes
    return job.done_lines / seconds, max(0, left)


@require_GET
@page
def report(request: PageRequest, import_id: str) -> HttpResponse:
    """How far an import is, then what became of it."""
    imported = _find(request, import_id)
    if imported.job_id is None:
        if not imported.setup:
            return redirect("contacts:import")
        return redirect("contacts:import_columns", imported.pk)
    return render(request, "contacts/imports/report.html", _told(imported))


@require_GET
@page
def progress(request: PageRequest, import_id: str) -> HttpResponse:
    """The part of the report that changes, asked for every second until the end."""
    imported = _find(request, import_id)
    if imported.job_id is None:
        return HttpResponse(status=404)
    return render(request, "contacts/imports/progress.html", _told(imported))


@require_GET
@page
def refused(request: PageRequest, import_id: str) -> StreamingHttpResponse:
    """The lines refused, as CSV: each as it stands in the file, with its number and why."""
    imported = _find(request, import_id)
    return streamed(
        request,
        refusals.lines(imported),
        content_type="text/csv; charset=utf-8",
        filename=f"import-{imported.pk}-refused.csv",
    )


@require_POST
@page(scope=WRITE)
def undo(request: PageRequest, import_id: str) -> HttpResponse:
    """Undo an import."""
    imported = _find(request, import_id)
    try:
        undoing.start(imported)
    except Problem as problem:
        messages.error(request, problem.detail)
    return redirect("contacts:import_report", imported.pk)
