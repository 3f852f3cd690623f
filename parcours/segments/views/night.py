"""The page where the hour of the computation in full is chosen."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from parcours.accounts.access import ADMIN, PageRequest, page
from parcours.lib import clock
from parcours.segments import actions, queries
from parcours.segments.forms import NightForm


@require_http_methods(["GET", "POST"])
@page(scope=ADMIN)
def night(request: PageRequest) -> HttpResponse:
    """The hour at which every segment is computed in full."""
    account = request.actor.account
    form = NightForm(request.POST or None, initial={"night_hour": queries.night_hour(account)})
    if request.method == "POST" and form.is_valid():
        actions.set_night(account=account, hour=form.cleaned_data["night_hour"], now=clock.now())
        messages.success(request, _("The hour is saved."))
        return redirect("segments:list")
    context = {"form": form, "account": account}
    return render(request, "segments/night.html", context, status=422 if form.errors else 200)
