"""The API's imports of orders, deals and products."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from parcours.accounts import jobs
from parcours.accounts.access import Actor
from parcours.commerce.importing import actions
from parcours.commerce.importing.kinds import KINDS

router = Router(tags=["imports"])
_CHUNK = 1 << 16


class ImportOptions(Schema):
    """What is said of all the lines."""

    history: bool = Field(False, description="Past orders and deals: they start and move no journey.")
    wait: bool = Field(False, description="Answer when everything is visible to segments and reports.")


def _import(request: HttpRequest, name: str, options: ImportOptions) -> Any:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    chunks = iter(lambda: request.read(_CHUNK), b"")
    job = actions.start(
        KINDS[name],
        actor.account,
        chunks,
        history=options.history,
        content_type=request.headers.get("Content-Type", ""),
    )
    if not options.wait:
        return Status(202, jobs.as_json(job))
    return Status(200, jobs.as_json(jobs.wait(job)))


@router.post("/orders/import", response={200: Any, 202: Any}, summary="Import orders from CSV or NDJSON")
def import_orders(request: HttpRequest, options: Query[ImportOptions]) -> Any:
    return _import(request, "orders", options)


@router.post("/deals/import", response={200: Any, 202: Any}, summary="Import deals from CSV or NDJSON")
def import_deals(request: HttpRequest, options: Query[ImportOptions]) -> Any:
    return _import(request, "deals", options)


@router.post("/products/import", response={200: Any, 202: Any}, summary="Import products from CSV or NDJSON")
def import_products(request: HttpRequest, options: Query[ImportOptions]) -> Any:
    return _import(request, "products", options)
