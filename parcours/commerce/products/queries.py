"""What is asked of products."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from parcours.commerce import amounts
from parcours.commerce.models import Product
from parcours.lib.instants import iso


def search(account_id: int, *, text: str = "", category: str = "") -> QuerySet[Product]:
    """Products whose id, name or category bear every word."""
    found = Product.objects.filter(account_id=account_id)
    for word in text.replace("\0", "").split()[:6]:
        found = found.filter(
            Q(name__icontains=word) | Q(product_id__istartswith=word) | Q(category__icontains=word)
        )
    return found.filter(category=category) if category else found


def names(account_id: int, product_ids: Iterable[str]) -> dict[str, str]:
    """The names behind ids of products; those without a name are left out."""
    found = Product.objects.filter(account_id=account_id, product_id__in=set(product_ids)).exclude(name="")
    return dict(found.values_list("product_id", "name"))


def as_json(product: Product) -> dict[str, Any]:
    """A product as the API tells it."""
    return {
        "id": str(product.pk),
        "product_id": product.product_id,
        "name": product.name or None,
        "url": product.url or None,
        "image_url": product.image_url or None,
        "category": product.category or None,
        "price": None if product.price is None else amounts.plain(product.price),
        "currency": product.currency or None,
        "last_seen_at": None if product.last_seen_at is None else iso(product.last_seen_at),
        "created_at": iso(product.created_at),
        "updated_at": iso(product.updated_at),
    }
