"""The pages of orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, find, page
from parcours.accounts.forms import add_faults
from parcours.commerce.forms import OrderForm, RefundForm, as_number
from parcours.commerce.lines import Reader
from parcours.commerce.models import Order, OrderChange
from parcours.commerce.orders import actions, queries
from parcours.commerce.products import queries as products
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid

_A_PAGE = 50
_ON_A_PROFILE = 8
#: Of more orders, the page asks for what they amount to once it is there.
_SUMMED_AT_ONCE = 20_000
TONES = {"placed": "good", "partially_refunded": "late", "refunded": "neutral", "cancelled": "bad"}


def _asked(request: PageRequest) -> dict[str, str]:
    """What the search form says."""
    asked = {
        name: request.GET.get(name, "").replace("\0", "").strip()[:200]
        for name in ("search", "status", "from", "to")
    }
    if asked["status"] not in TONES:
        asked["status"] = ""
    return asked


def _search(request: PageRequest, asked: dict[str, str]) -> Any:
    # A date that cannot be read narrows nothing: the field still shows it.
    reader = Reader(request.actor.account, now=datetime.max.replace(tzinfo=clock.now().tzinfo))
    return queries.search(
        request.actor.account_id,
        text=asked["search"],
        country=request.actor.account.country,
        status=asked["status"],
        since=reader.instant(asked, "from"),
        until=reader.end(asked, "to"),
    )


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's orders, the latest placed first; a search narrows them."""
    asked = _asked(request)
    found = _search(request, asked)
    rows, cursor = found, request.GET.get("cursor", "")
    if cursor:
        try:
            placed, last = decode_cursor(cursor, int, int)
            rows = queries.after(rows, from_ms(placed), last)
        except Invalid:
            return redirect("orders:index")
    listed = list(rows[: _A_PAGE + 1])
    more, listed = len(listed) > _A_PAGE, listed[:_A_PAGE]
    summed = found if more or cursor else Order.objects.filter(pk__in=[order.pk for order in listed])
    few = summed.order_by()[: _SUMMED_AT_ONCE + 1].count() <= _SUMMED_AT_ONCE
    context = {
        **(_totals(request, summed) if few else {"totals": None}),
        "orders": rows_of(listed),
        "asked": asked,
        "statuses": Order.Status.choices,
        "next": encode_cursor(to_ms(listed[-1].placed_at), listed[-1].pk) if more else None,
        "empty": not listed and not any(asked.values()) and not cursor,
    }
    return render(request, "commerce/orders/index.html", context)


def _totals(request: PageRequest, found: Any) -> dict[str, Any]:
    currency = request.actor.account.currency
    return {"totals": queries.totals(found, currency=currency), "currency": currency}


@require_GET
@page
def totals(request: PageRequest) -> HttpResponse:
    """A fragment: what the orders of the search amount to."""
    context = _totals(request, _search(request, _asked(request)))
    return render(request, "commerce/orders/totals.html", context)


def rows_of(orders: list[Order]) -> list[dict[str, Any]]:
    """Orders as the rows of a table show them."""
    return [
        {
            "order": order,
            "state": Order.Status(order.status).label,
            "tone": TONES[order.status],
            "person": order.contact,
            "lines": len(order.products),
        }
        for order in orders
    ]


@require_GET
@page
def export(request: PageRequest) -> StreamingHttpResponse:
    """The orders of the search as CSV."""
    lines = csv_lines(queries.CSV_COLUMNS, queries.csv_rows(_search(request, _asked(request))))
    return streamed(request, lines, content_type="text/csv; charset=utf-8", filename="orders.csv")


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def new(request: PageRequest) -> HttpResponse:
    """An order made by hand."""
    account = request.actor.account
    initial = {"currency": account.currency, "contact": request.GET.get("email", "")}
    form = OrderForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            order, created = actions.save(account, form.line(), now=clock.now(), source="page")
        except Invalid as problem:
            add_faults(form, problem)
        else:
            said = (
                _("The order is added.") if created else _("This order was known already: it is corrected.")
            )
            messages.success(request, said)
            return redirect("orders:order", order.pk)
    return render(request, "commerce/orders/new.html", {"form": form}, status=422 if form.errors else 200)


def _order(request: PageRequest, order_id: str) -> Order:
    return find(Order, order_id, actor=request.actor, rows=Order.objects.select_related("contact", "account"))


@require_GET
@page
def one(request: PageRequest, order_id: str) -> HttpResponse:
    """An order: its amounts, its lines, what was given back."""
    return _shown(request, _order(request, order_id), RefundForm())


def _shown(request: PageRequest, order: Order, form: RefundForm) -> HttpResponse:
    names = products.names(order.account_id, [line["product_id"] for line in order.products])
    lines = [
        {**line, "name": line.get("name") or names.get(line["product_id"]) or line["product_id"] or "—"}
        for line in order.products
    ]
    context = {
        "order": order,
        "row": rows_of([order])[0],
        "lines": lines,
        "changes": [(change, OrderChange.Kind(change.kind).label) for change in queries.changes(order)],
        "left": order.amount - order.refunded,
        "form": form,
    }
    return render(request, "commerce/orders/order.html", context, status=422 if form.errors else 200)


@require_POST
@page(scope=WRITE)
def refund(request: PageRequest, order_id: str) -> HttpResponse:
    """Give back an amount."""
    order = _order(request, order_id)
    form = RefundForm(request.POST)
    if form.is_valid():
        given = {"amount": as_number(form.cleaned_data["amount"]), "reason": form.cleaned_data["reason"]}
        try:
            actions.refund(order, given=given, now=clock.now())
        except Invalid as problem:
            add_faults(form, problem)
        else:
            messages.success(request, _("The refund is noted."))
            return redirect("orders:order", order.pk)
    return _shown(request, order, form)


@require_POST
@page(scope=WRITE)
def cancel(request: PageRequest, order_id: str) -> HttpResponse:
    """Cancel an order."""
    order = _order(request, order_id)
    try:
        actions.cancel(order, given={}, now=clock.now())
    except Invalid as problem:
        messages.error(request, problem.detail)
    else:
        messages.success(request, _("The order is cancelled."))
    return redirect("orders:order", order.pk)


@require_GET
@page
def of_contact(request: PageRequest, contact_id: str) -> HttpResponse:
    """A part of a contact's page: their orders, and what they amount to."""
    contact = find(Contact, contact_id, actor=request.actor)
    found = queries.search(contact.account_id, contact=contact.pk)
    context = {
        "contact": contact,
        "orders": rows_of(list(found[:_ON_A_PROFILE])),
        **_totals(request, found),
    }
    return render(request, "commerce/orders/of_contact.html", context)
