"""The page of business units (Unités commerciales)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from parcours.accounts import units
from parcours.accounts.access import ADMIN, PageRequest, find, for_account, page
from parcours.accounts.forms import UnitForm, add_faults
from parcours.accounts.models import BusinessUnit
from parcours.lib.problems import Invalid


@require_http_methods(["GET", "POST"])
@page(scope=ADMIN)
def index(request: PageRequest) -> HttpResponse:
    """The account's business units by name; a new one is made here."""
    form = UnitForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = units.save(BusinessUnit(account=request.actor.account), form.cleaned_data["name"])
        except Invalid as problem:
            add_faults(form, problem)
        else:
            messages.success(request, _("The business unit “%(name)s” is made.") % {"name": made.name})
            return redirect("settings:units")
    found = {"form": form, "units": for_account(BusinessUnit, request.actor).order_by("name", "pk")}
    return render(request, "accounts/units.html", found, status=422 if form.errors else 200)


@require_POST
@page(scope=ADMIN)
def rename(request: PageRequest, unit_id: str) -> HttpResponse:
    """Give a business unit another name."""
    unit = find(BusinessUnit, unit_id, actor=request.actor)
    try:
        units.save(unit, request.POST.get("name", ""))
    except Invalid as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("The business unit is renamed."))
    return redirect("settings:units")


@require_POST
@page(scope=ADMIN)
def delete(request: PageRequest, unit_id: str) -> HttpResponse:
    """Delete a business unit; what was limited to it is the whole account's."""
    unit = find(BusinessUnit, unit_id, actor=request.actor)
    unit.delete()
    messages.success(request, _("The business unit “%(name)s” is deleted.") % {"name": unit.name})
    return redirect("settings:units")
