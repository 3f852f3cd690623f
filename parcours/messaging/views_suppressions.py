"""The pages of suppressions: to which addresses nothing more goes, why, since when."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.contacts import queries as contact_queries
from parcours.contacts.models import Channel
from parcours.contacts.normalise import Unfit
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.problems import Problem
from parcours.messaging import actions, suppression
from parcours.messaging.forms import SuppressionForm, SuppressionListForm
from parcours.messaging.models import Suppression

_A_PAGE = 50
Reason = Suppression.Reason
#: tab -> its name, the reasons that it lists.
TABS = {
    "complaints": (gettext_lazy("Abuse complaints"), (Reason.COMPLAINT,)),
    "bounces": (gettext_lazy("Hard bounces"), (Reason.HARD_BOUNCE,)),
    "opt-outs": (gettext_lazy("Opt-outs"), (Reason.UNSUBSCRIBED, Reason.MANUAL)),
}


def _tab(request: PageRequest) -> str:
    tab = request.GET.get("tab", "") or request.POST.get("tab", "")
    return tab if tab in TABS else next(iter(TABS))


def _back(tab: str) -> HttpResponse:
    return redirect(f"{reverse('suppressions:index')}?tab={tab}")


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The suppressions of a tab, newest first; a search narrows them."""
    account = request.actor.account
    tab = _tab(request)
    search = request.GET.get("search", "").strip()[:320]
    rows = suppression.search(account, text=search, reasons=TABS[tab][1])
    listed = Paginator(rows.order_by("-pk"), _A_PAGE).get_page(request.GET.get("page"))
    context: dict[str, Any] = {
        "rows": suppression.described(list(listed.object_list)),
        "listed": listed,
        "search": search,
        "tab": tab,
        "tabs": [
            {
                "key": key,
                "label": label,
                "count": suppression.search(account, reasons=reasons).count(),
                "current": key == tab,
            }
            for key, (label, reasons) in TABS.items()
        ],
        "form": SuppressionForm(),
        "list_form": SuppressionListForm(),
    }
    return render(request, "messaging/suppressions.html", context)


@require_GET
@page
def export(request: PageRequest) -> StreamingHttpResponse:
    """The suppressions of a tab and search as CSV."""
    search = request.GET.get("search", "").strip()[:320]
    rows = suppression.search(request.actor.account, text=search, reasons=TABS[_tab(request)][1])
    return streamed(
        request,
        csv_lines(suppression.COLUMNS, suppression.csv_rows(rows)),
        content_type="text/csv; charset=utf-8",
        filename=f"suppressions-{_tab(request)}.csv",
    )


@require_POST
@page(scope=WRITE)
def add(request: PageRequest) -> HttpResponse:
    """Send nothing more to an address."""
    account = request.actor.account
    form = SuppressionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("The form is not complete."))
        return _back("opt-outs")
    channel = form.cleaned_data["channel"]
    try:
        address = suppression.read(account, channel, form.cleaned_data["address"])
    except Unfit as error:
        messages.error(request, str(error))
        return _back("opt-outs")
    key = "email" if channel == Channel.EMAIL else "phone"
    person = contact_queries.by_key(account.pk, country=account.country, **{key: address}).first()
    actions.suppress(
        account_id=account.pk,
        channel=channel,
        address=address,
        reason=Reason.MANUAL,
        contact_id=person.pk if person else None,
        now=clock.now(),
    )
    messages.success(request, _("Nothing more is sent to %(address)s.") % {"address": address})
    return _back("opt-outs")


@require_POST
@page(scope=WRITE)
def add_list(request: PageRequest) -> HttpResponse:
    """Send nothing more to the addresses of a file."""
    form = SuppressionListForm(request.POST, request.FILES)
    if not form.is_valid():
        messages.error(request, _("Choose a file: one address a line, or a CSV file."))
        return _back("opt-outs")
    said = form.cleaned_data
    try:
        taken = suppression.take_list(
            request.actor.account, said["file"].chunks(), channel=said["channel"], now=clock.now()
        )
    except Problem as problem:
        messages.error(request, problem.detail)
        return _back("opt-outs")
    told = ngettext("%(count)d address is added.", "%(count)d addresses are added.", taken.added)
    told %= {"count": taken.added}
    if taken.known:
        again = ngettext("%(count)d was known.", "%(count)d were known.", taken.known)
        told += " " + again % {"count": taken.known}
    messages.success(request, told)
    if taken.refused:
        lines = ", ".join(str(line) for line, _reason in taken.refusals[:20])
        messages.warning(request, _("Lines that hold no address: %(lines)s.") % {"lines": lines})
    return _back("opt-outs")


@require_POST
@page(scope=WRITE)
def remove(request: PageRequest, suppression_id: str) -> HttpResponse:
    """Let an address be written to again; after a complaint only when the reader ticked that they know."""
    found = find(Suppression, suppression_id, actor=request.actor)
    try:
        suppression.remove(found, forced=request.POST.get("force") == "on")
    except Problem as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("This address can be written to again, if its contact agrees."))
    return _back(_tab(request))
