"""The API's orders."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Status
from pydantic import Field

from parcours.accounts.access import Actor, as_id, find
from parcours.commerce.lines import Reader, Refused
from parcours.commerce.models import Order
from parcours.commerce.orders import actions, queries
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.paging import Paging, decode_cursor, encode_cursor
from parcours.lib.problems import Invalid

router = Router(tags=["orders"])


class Search(Paging):
    """Which orders; `from` is in, `to` is out, a day alone is in to its end."""

    search: str = Field("", max_length=200)
    status: Literal["", "placed", "partially_refunded", "refunded", "cancelled"] = ""
    contact: str = Field("", max_length=20, description="The id of a contact.")
    order_id: str = Field("", max_length=255)
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)


def actor_of(request: HttpRequest) -> Actor:
    """The caller, as the API's authentication has found."""
    return request.actor  # type: ignore[attr-defined]


def bounds(actor: Actor, *, since: str, until: str) -> tuple[datetime | None, datetime | None]:
    """The instants of `from` and `to`. Raises Invalid."""
    reader = Reader(actor.account, now=datetime.max.replace(tzinfo=clock.now().tzinfo))
    found = (reader.instant({"from": since}, "from"), reader.end({"to": until}, "to"))
    try:
        reader.close()
    except Refused as refusal:
        raise Invalid(_("The filter cannot be read."), refusal.faults) from refusal
    return found


def _found(request: HttpRequest, asked: Search) -> Any:
    actor = actor_of(request)
    since, until = bounds(actor, since=asked.since, until=asked.until)
    return queries.search(
        actor.account_id,
        text=asked.search,
        country=actor.account.country,
        status=asked.status,
        since=since,
        until=until,
        contact=(as_id(asked.contact) or 0) if asked.contact else None,
        order_id=asked.order_id,
    )


def _order(request: HttpRequest, order_id: str) -> Order:
    rows = Order.objects.select_related("contact", "account")
    return find(Order, order_id, actor=actor_of(request), rows=rows)


@router.get("/orders", summary="Orders, the latest placed first")
def list_orders(request: HttpRequest, asked: Query[Search]) -> Any:
    rows = _found(request, asked)
    if asked.cursor:
        placed, last = decode_cursor(asked.cursor, int, int)
        rows = queries.after(rows, from_ms(placed), last)
    found = list(rows[: asked.limit + 1])
    page = found[: asked.limit]
    more = len(found) > asked.limit
    return {
        "items": [queries.as_json(order) for order in page],
        "next": encode_cursor(to_ms(page[-1].placed_at), page[-1].pk) if more else None,
    }


@router.get("/orders/export", summary="The same as CSV, whole")
def export_orders(request: HttpRequest, asked: Query[Search]) -> Any:
    lines = csv_lines(queries.CSV_COLUMNS, queries.csv_rows(_found(request, asked)))
    return streamed(request, lines, content_type="text/csv; charset=utf-8", filename="orders.csv")


@router.post("/orders", response={200: Any, 201: Any}, summary="Make or correct an order, by its order_id")
def save_order(request: HttpRequest, payload: Body[dict[str, Any]]) -> Any:
    order, created = actions.save(actor_of(request).account, payload, now=clock.now(), source="api")
    return Status(201 if created else 200, queries.as_json(order))


@router.get("/orders/{order_id}", summary="An order")
def read_order(request: HttpRequest, order_id: str) -> Any:
    return queries.as_json(_order(request, order_id))


@router.post("/orders/{order_id}/refund", summary="Give back an amount of an order, or all of it")
def refund_order(request: HttpRequest, order_id: str, payload: Body[dict[str, Any]] = {}) -> Any:  # noqa: B006
    order = actions.refund(_order(request, order_id), given=payload, now=clock.now())
    return queries.as_json(order)


@router.post("/orders/{order_id}/cancel", summary="Cancel an order")
def cancel_order(request: HttpRequest, order_id: str, payload: Body[dict[str, Any]] = {}) -> Any:  # noqa: B006
    order = actions.cancel(_order(request, order_id), given=payload, now=clock.now())
    return queries.as_json(order)
