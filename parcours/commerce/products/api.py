"""The API's products."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Body, Query, Router, Status
from pydantic import Field

from parcours.accounts.access import Actor, find
from parcours.commerce.models import Product
from parcours.commerce.products import actions, queries
from parcours.lib import clock
from parcours.lib.paging import Paging, newest_first

router = Router(tags=["products"])


class Search(Paging):
    """Which products."""

    search: str = Field("", max_length=200)
    category: str = Field("", max_length=255)


def actor_of(request: HttpRequest) -> Actor:
    """The caller, as the API's authentication has found."""
    return request.actor  # type: ignore[attr-defined]


@router.get("/products", summary="Products, newest first")
def list_products(request: HttpRequest, asked: Query[Search]) -> Any:
    found = queries.search(actor_of(request).account_id, text=asked.search, category=asked.category)
    return newest_first(found, asked, as_json=queries.as_json)


@router.post(
    "/products", response={200: Any, 201: Any}, summary="Make or change a product, by its product_id"
)
def save_product(request: HttpRequest, payload: Body[dict[str, Any]]) -> Any:
    product, created = actions.save(actor_of(request).account, payload, now=clock.now())
    return Status(201 if created else 200, queries.as_json(product))


@router.get("/products/{product_id}", summary="A product")
def read_product(request: HttpRequest, product_id: str) -> Any:
    return queries.as_json(find(Product, product_id, actor=actor_of(request)))


@router.delete(
    "/products/{product_id}", response={204: None}, summary="Delete a product; what is sold again comes back"
)
def delete_product(request: HttpRequest, product_id: str) -> Any:
    find(Product, product_id, actor=actor_of(request)).delete()
    return Status(204, None)
