"""The pages of actions in bulk: what to do with whom, how far it is, and its undoing."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts import log
from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.models import Job
from parcours.contacts import bulk
from parcours.contacts.bulk_actions import ACTIONS
from parcours.contacts.forms import add_faults
from parcours.contacts.forms_bulk import FORMS, BulkForm
from parcours.contacts.models import Channel, ConsentValue
from parcours.contacts.views.audiences import address, in_words, of_request
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem

_SHOWN = 50
_ICONS = {
    "add_to_list": "playlist-add",
    "remove_from_list": "playlist-x",
    "add_tag": "tag",
    "remove_tag": "tag-off",
    "set_attribute": "user-edit",
    "set_consent": "shield-check",
    "erase": "trash",
}


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def act(request: PageRequest) -> HttpResponse:
    """Choose an action for an audience, say what it needs, and have it done."""
    account = request.actor.account
    audience = of_request(request.GET)
    try:
        audience.check(account)
        count = audience.count(account)
    except Invalid as problem:
        messages.error(request, problem.detail)
        return redirect("contacts:index")
    except (StoreError, OSError):
        messages.error(request, _("The segments cannot be read at this moment."))
        return redirect("contacts:index")
    chosen = request.GET.get("action", "")
    form: BulkForm | None = None
    if chosen in FORMS:
        here = f"?{address(audience)}&action={chosen}"
        initial = {"name": request.GET.get("name", "")}
        form = FORMS[chosen](request.POST or None, account=account, count=count, here=here, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                job = bulk.start(account, audience, chosen, form.said(), user=request.user.pk)
            except Invalid as problem:
                add_faults(form, problem.errors)
            else:
                if chosen == "erase":
                    log.note(request.actor, "contacts.erased", f"{count}")
                return redirect("contacts:bulk_job", job.pk)
    context = {
        "audience": audience,
        "address": address(audience),
        "filters": in_words(account, audience),
        "count": count,
        "chosen": chosen if form else "",
        "actions": [{"name": name, "label": ACTIONS[name].label, "icon": _ICONS[name]} for name in FORMS],
        "form": form,
        "whole": audience.everybody,
        "selection": bool(audience.ids),
    }
    return render(request, "contacts/bulk.html", context, status=422 if form and form.errors else 200)


def _job(request: PageRequest, job_id: str) -> Job:
    rows = Job.objects.filter(kind__in=(bulk.KIND, bulk.UNDO))
    return find(Job, job_id, actor=request.actor, rows=rows)


def _told(job: Job) -> dict[str, Any]:
    result = job.result
    undoing = job.kind == bulk.UNDO
    return {
        "job": job,
        "title": ACTIONS[job.parameters["action"]].label,
        "undoing": undoing,
        "about": _about(job.parameters["said"]),
        "under_way": job.status in (Job.Status.QUEUED, Job.Status.RUNNING),
        "failed": job.status == Job.Status.FAILED,
        "total": result.get("total"),
        "left_ms": _left_ms(job),
        "changed": result.get("changed", 0),
        "unchanged": _unchanged(job),
        "kept_opted_out": result.get("kept_opted_out", 0),
        "refused": job.refused[:_SHOWN],
        "shown": _SHOWN,
        "can_undo": bulk.can_undo(job),
        "undone_by": result.get("undone_by", ""),
    }


def _unchanged(job: Job) -> int:
    """How many were as the action wants them: who was passed over because they opted out were not."""
    others = (job.result.get(name, 0) for name in ("changed", "kept_opted_out"))
    return max(0, job.done_lines - sum(others) - job.refused_count)


def _left_ms(job: Job) -> float | None:
    """About how long it still takes; None while that cannot be said."""
    began, total = job.result.get("began_ms"), job.result.get("total")
    if not (began and total and job.done_lines) or job.status != Job.Status.RUNNING:
        return None
    passed = clock.machine_ms() - began
    return passed * max(0, total - job.done_lines) / job.done_lines if passed > 1000 else None


def _about(said: dict[str, Any]) -> str:
    """What an action was told, in a few words."""
    if "by" in said:
        return f"{said['tag']} → {said['by']}"
    if "channel" in said:
        words = f"{Channel(said['channel']).label} → {ConsentValue(said['value']).label}"
        return f"{words} ({said['source']})"
    if "value" in said:
        value = said["value"]
        shown = (
            _("no value")
            if value is None
            else ", ".join(map(str, value))
            if isinstance(value, list)
            else value
        )
        return f"{said['name']} = {shown}"
    return str(said.get("tag") or said.get("name") or "")


@require_GET
@page
def job(request: PageRequest, job_id: str) -> HttpResponse:
    """How far an action is, then what became of it."""
    return render(request, "contacts/bulk_job.html", _told(_job(request, job_id)))


@require_GET
@page
def progress(request: PageRequest, job_id: str) -> HttpResponse:
    """The part of that page that changes, asked for every second until the end."""
    return render(request, "contacts/bulk_progress.html", _told(_job(request, job_id)))


@require_POST
@page(scope=WRITE)
def undo(request: PageRequest, job_id: str) -> HttpResponse:
    """Take back what an action did to lists or tags."""
    found = _job(request, job_id)
    try:
        return redirect("contacts:bulk_job", bulk.undo(found).pk)
    except Problem as problem:
        if problem.status != 409:
            raise
        messages.error(request, problem.detail)
        return redirect("contacts:bulk_job", found.pk)
