"""The pages of all contacts: searched, filtered, exported, and one added by hand."""

from __future__ import annotations

import contextlib
from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from parcours.accounts.access import WRITE, PageRequest, page
from parcours.contacts import actions, exports
from parcours.contacts.audience import Audience, Page
from parcours.contacts.forms import ContactForm, add_faults
from parcours.contacts.views.audiences import BY_CREATION, SORTS, address, choices, in_words, of_request
from parcours.contacts.views.people import people
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem
from parcours.ui.columns import columns

_A_PAGE = 50
_COLUMNS = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("Address"),
    "last_seen_at": gettext_lazy("Last seen"),
    "created_at": gettext_lazy("Added"),
}
_CSS = {
    "email": "d-none d-md-table-cell",
    "last_seen_at": "d-none d-lg-table-cell",
    "created_at": "d-none d-sm-table-cell",
}
_FALLING = ("last_seen_at", "created_at")


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's contacts; a search and filters narrow them."""
    account = request.actor.account
    audience = of_request(request.GET)
    asked = request.GET.get("sort", "")
    sort = asked if asked in SORTS else BY_CREATION
    cursor = request.GET.get("cursor", "")
    found, away = Page([], None, 0), False
    try:
        audience.check(account)
    except Invalid:  # An address edited by hand: a consent that is none filters nothing.
        audience = Audience.read({**audience.as_json(), "consent": ""})
    try:
        try:
            found = audience.page(account, sort=sort, cursor=cursor, size=_A_PAGE)
        except Invalid:  # A cursor of another order: the first page.
            cursor = ""
            found = audience.page(account, sort=sort, cursor="", size=_A_PAGE)
    except (StoreError, OSError):
        away = True
    context = {
        "people": people(found.ids),
        "audience": audience,
        "address": address(audience),
        "filters": [each for each in in_words(account, audience) if each["value"]],
        "choices": choices(account),
        "sort": sort,
        "by_itself": sort == BY_CREATION,
        "heads": dict(zip(_COLUMNS, columns(_COLUMNS, sort, falling=_FALLING, css=_CSS), strict=True)),
        "count": found.count,
        "next": found.next,
        "first": not cursor,
        "away": away,
        "empty": not found.ids and audience.everybody and not cursor and not away,
    }
    return render(request, "contacts/index.html", context)


@require_GET
@page
def count(request: PageRequest) -> HttpResponse:
    """A fragment: how many contacts a search and filters find, asked apart where counting them takes a while."""
    account = request.actor.account
    audience = of_request(request.GET)
    counted: int | None = None
    with contextlib.suppress(Invalid, StoreError, OSError):
        audience.check(account)
        counted = audience.count(account)
    return render(request, "contacts/count.html", {"count": counted})


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """A contact made by hand; one whose address is known already is updated instead."""
    account = request.actor.account
    form = ContactForm(request.POST or None, account_id=account.pk)
    if request.method == "POST" and form.is_valid():
        outcome = actions.upsert_many(
            account,
            [form.line()],
            source="page",
            now=clock.now(),
            proof={"user": str(request.user.pk)},
        )
        if outcome.refused:
            add_faults(form, outcome.refused[0].faults)
        else:
            said = (
                _("The contact is added.")
                if outcome.created
                else _("This contact was known already: it is updated.")
            )
            messages.success(request, said)
            return redirect("contacts:contact", outcome.contacts[0])
    return render(request, "contacts/new.html", {"form": form}, status=422 if form.errors else 200)


@require_GET
@page
def export(request: PageRequest) -> StreamingHttpResponse | HttpResponse:
    """The contacts of the search and filters as a file; `column`, given many times, says which columns."""
    account = request.actor.account
    try:
        ids = _chosen(request)
        return exports.contacts(
            request,
            ids,
            account=account,
            kind=request.GET.get("format", "csv"),
            columns=request.GET.getlist("column"),
        )
    except Invalid as problem:
        messages.error(request, problem.detail)
    except (StoreError, OSError):
        messages.error(request, _("The segments cannot be read at this moment."))
    return redirect("contacts:index")


def _chosen(request: PageRequest) -> Any:
    audience = of_request(request.GET)
    audience.check(request.actor.account)
    return audience.chosen(request.actor.account)


@require_GET
@page
def export_columns(request: PageRequest) -> HttpResponse:
    """Which columns to export, of whom."""
    account = request.actor.account
    audience = of_request(request.GET)
    try:
        audience.check(account)
        counted: int | None = audience.count(account)
    except (StoreError, OSError):
        counted = None
    except Problem as problem:
        if problem.status == 404:
            raise
        messages.error(request, problem.detail)
        return redirect("contacts:index")
    context = {
        "audience": audience,
        "filters": in_words(account, audience),
        "address": address(audience),
        "columns": exports.columns_of(account.pk),
        "count": counted,
    }
    return render(request, "contacts/export.html", context)
