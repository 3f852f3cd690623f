"""The pages of all contacts: searched, filtered, exported, and one added by hand."""

from __future__ import annotations

from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from parcours.accounts.access import WRITE, PageRequest, page
from parcours.contacts import actions, exports
from parcours.contacts import audience as audiences
from parcours.contacts.audience import Audience
from parcours.contacts.forms import ContactForm, add_faults
from parcours.contacts.queries import living
from parcours.contacts.views.audiences import address, choices, in_words, of_request
from parcours.contacts.views.people import people
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem

_A_PAGE = 50


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's contacts; a search and filters narrow them."""
    account = request.actor.account
    audience = of_request(request.GET)
    sort = request.GET.get("sort", "")
    sort = sort if sort in audiences.SORTS else audiences.SORTS[0]
    cursor = request.GET.get("cursor", "")
    away = False
    try:
        audience.check(account)
        rows = audience.rows(account)
    except Invalid:  # An address edited by hand: a consent that is none filters nothing.
        audience = Audience.read({**audience.as_json(), "consent": ""})
        rows = audience.rows(account)
    except (StoreError, OSError):
        away, rows = True, living(account.pk).none()
    try:
        found = audiences.page(rows, sort=sort, cursor=cursor, size=_A_PAGE)
    except Invalid:
        cursor, found = "", audiences.page(rows, sort=sort, cursor="", size=_A_PAGE)
    context = {
        "people": people(found.ids),
        "audience": audience,
        "address": address(audience),
        "filters": [each for each in in_words(account, audience) if each["value"]],
        "choices": choices(account),
        "sort": sort,
        "count": rows.count(),
        "next": found.next,
        "away": away,
        "empty": not found.ids and audience.everybody and not cursor,
    }
    return render(request, "contacts/index.html", context)


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
        count: int | None = audience.rows(account).count()
    except (StoreError, OSError):
        count = None
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
        "count": count,
    }
    return render(request, "contacts/export.html", context)
