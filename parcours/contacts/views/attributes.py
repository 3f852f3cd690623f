"""The page of attributes: which there are, how many contacts have a value, what uses them; and their changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, for_account, page
from parcours.accounts.models import Job
from parcours.contacts import attribute_changes, definitions, queries, uses
from parcours.contacts.forms import AttributeForm, add_faults
from parcours.contacts.models import AttributeDefinition
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem

Type = AttributeDefinition.Type


@require_http_methods(["GET", "POST"])
@page(post=WRITE)
def index(request: PageRequest) -> HttpResponse:
    """The account's attributes; a new one is declared here."""
    form = AttributeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            definitions.declare_attribute(
                account_id=request.actor.account_id, now=clock.now(), **form.cleaned_data
            )
        except Invalid as problem:
            add_faults(form, problem.errors)
        else:
            messages.success(request, _("The attribute is declared."))
            return redirect("attributes:index")
    return render(
        request,
        "contacts/attributes.html",
        {**_listed(request), "form": form},
        status=422 if form.errors else 200,
    )


def _listed(request: PageRequest) -> dict[str, Any]:
    account_id = request.actor.account_id
    used = uses.of_account(account_id)
    changing = attribute_changes.under_way(account_id)
    rows = for_account(AttributeDefinition, request.actor).order_by("name")
    return {
        "rows": [
            {
                "definition": definition,
                "type": Type(definition.type).label,
                "uses": used.of("attribute", definition.name),
                "job": changing.get(definition.name),
            }
            for definition in rows
        ],
        "moving": bool(changing),
        "types": Type.choices,
    }


@require_GET
@page
def table(request: PageRequest) -> HttpResponse:
    """The rows, asked for again while an attribute is being changed."""
    return render(request, "contacts/attributes_table.html", _listed(request))


@require_GET
@page
def counts(request: PageRequest) -> HttpResponse:
    """A fragment: of each attribute, how many contacts have a value; asked for when the page is there, once for all."""
    definitions = list(for_account(AttributeDefinition, request.actor).order_by("name"))
    known = queries.bearers(request.actor.account_id, [each.name for each in definitions])
    rows = [(each, known[each.name]) for each in definitions]
    return render(request, "contacts/attribute_counts.html", {"rows": rows})


@require_GET
@page
def count(request: PageRequest, attribute_id: str) -> HttpResponse:
    """How many contacts have a value: counted when the page is there, since that reads all of them."""
    definition = find(AttributeDefinition, attribute_id, actor=request.actor)
    context = {
        "definition": definition,
        "count": queries.bearing(queries.living(definition.account_id), definition.name).count(),
    }
    return render(request, "contacts/attribute_count.html", context)


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def one(request: PageRequest, attribute_id: str) -> HttpResponse:
    """An attribute: another name, another type, what uses it, its deletion, and what became of the last change."""
    definition = find(AttributeDefinition, attribute_id, actor=request.actor)
    initial = {"name": definition.name, "type": definition.type}
    form = AttributeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            _change(definition, form.cleaned_data)
        except Invalid as problem:
            add_faults(form, problem.errors)
        except Problem as problem:
            form.add_error(None, problem.detail)
        else:
            messages.success(request, _("The change is under way: it goes through every contact."))
            return redirect("attributes:attribute", definition.pk)
    definition.refresh_from_db()
    context = {
        "definition": definition,
        "form": form,
        "uses": uses.of_account(definition.account_id).of("attribute", definition.name),
        **_last(definition),
    }
    return render(request, "contacts/attribute.html", context, status=422 if form.errors else 200)


def _change(definition: AttributeDefinition, said: dict[str, str]) -> None:
    """One thing at a time: the type first, where both are asked."""
    if said["type"] != definition.type and said["name"] != definition.name:
        detail = _("Change the name or the type, one after the other.")
        raise Invalid(detail, [{"pointer": "/type", "detail": detail}])
    if said["type"] != definition.type:
        attribute_changes.change_type(definition, said["type"])
    elif said["name"] != definition.name:
        attribute_changes.rename(definition, said["name"])


def _last(definition: AttributeDefinition) -> dict[str, Any]:
    """The last change of this attribute: under way, or what became of it."""
    rows = Job.objects.filter(account_id=definition.account_id, kind=attribute_changes.KIND).order_by("-pk")
    for job in rows[:200]:
        if job.parameters.get("to", job.parameters["name"]) == definition.name:
            asked = job.parameters.get("type", "")
            return {
                "job": job,
                "under_way": job.status in (Job.Status.QUEUED, Job.Status.RUNNING),
                "misfits": job.result.get("misfits", 0),
                "examples": job.result.get("examples", []),
                "asked_type": Type(asked).label if asked in Type.values else "",
                "total": job.result.get("total", 0),
            }
    return {"job": None, "under_way": False}


@require_GET
@page
def progress(request: PageRequest, attribute_id: str) -> HttpResponse:
    """How far the change of an attribute is."""
    definition = find(AttributeDefinition, attribute_id, actor=request.actor)
    return render(
        request, "contacts/attribute_progress.html", {"definition": definition, **_last(definition)}
    )


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, attribute_id: str) -> HttpResponse:
    """Take an attribute away from everybody; what uses it keeps it."""
    definition = find(AttributeDefinition, attribute_id, actor=request.actor)
    try:
        attribute_changes.delete(definition)
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("attributes:attribute", definition.pk)
    messages.success(request, _("The attribute is being taken away from every contact."))
    return redirect("attributes:index")
