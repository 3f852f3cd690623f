"""The catalogue of products: what events show, what people and programs say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.lines import Reader, Refused
from parcours.commerce.models import Product
from parcours.lib import bulk

_COLUMNS = (
    *("account_id", "product_id", "name", "url", "image_url", "category", "price", "currency"),
    *("kept", "last_seen_at", "created_at", "updated_at"),
)
_TEXTS = ("name", "url", "image_url", "category")
FIELDS = ("product_id", *_TEXTS, "price", "currency")
_LONGEST = {"name": 500, "url": 2000, "image_url": 2000, "category": 255}


def note(account: Account, found: Mapping[str, Mapping[str, Any]], *, now_ms: int) -> None:
    """Keep what events said of products (`reading.seen`), in the caller's transaction.

    The last word stands, but what a person or a program said of a product stands over what events say.
    """
    rows = []
    for product_id, known in sorted(found.items()):
        price = known.get("price")
        rows.append(
            (
                account.pk,
                product_id,
                *(known.get(name, "") for name in _TEXTS),
                None if price is None else amounts.to_units(price),
                (known.get("currency") or account.currency) if price is not None else "",
                False,
                known["at"],
                now_ms,
                now_ms,
            )
        )
    mine = "commerce_product"
    sets = [
        f"{name} = CASE WHEN excluded.{name} = '' OR ({mine}.kept AND {mine}.{name} != '') THEN {mine}.{name}"
        f" ELSE excluded.{name} END"
        for name in _TEXTS
    ]
    known_price = f"excluded.price IS NULL OR ({mine}.kept AND {mine}.price IS NOT NULL)"
    sets += [
        f"{name} = CASE WHEN {known_price} THEN {mine}.{name} ELSE excluded.{name} END"
        for name in ("price", "currency")
    ]
    later = f"{mine}.last_seen_at IS NULL OR {mine}.last_seen_at < excluded.last_seen_at"
    sets.append(f"last_seen_at = CASE WHEN {later} THEN excluded.last_seen_at ELSE {mine}.last_seen_at END")
    bulk.insert_many(
        mine,
        _COLUMNS,
        rows,
        on_conflict=f'("account_id", "product_id") DO UPDATE SET {", ".join(sets)}',
    )


@dataclass
class Outcome:
    """What became of lines: the products written, by line, and the lines refused with their faults."""

    products: list[Product | None] = field(default_factory=list)
    created: int = 0
    refused: list[tuple[int, Refused]] = field(default_factory=list)


def save_many(account: Account, lines: Sequence[Mapping[str, Any]], *, now: datetime) -> Outcome:
    """Make or change products as lines say; what a line does not mention stays, null clears. One transaction."""
    done = Outcome(products=[None] * len(lines))
    reader = Reader(account, now=now)
    read: list[tuple[int, str, dict[str, Any]]] = []
    for place, line in enumerate(lines):
        try:
            product_id, values = _read(reader, line)
        except Refused as refusal:
            done.refused.append((place, refusal))
        else:
            read.append((place, product_id, values))
    with transaction.atomic():
        known = {
            product.product_id: product
            for product in Product.objects.filter(account=account, product_id__in={each[1] for each in read})
        }
        written: dict[str, Product] = {}
        for place, product_id, values in read:
            product = known.get(product_id)
            if product is None:
                product = known[product_id] = Product(
                    account=account, product_id=product_id, created_at=now, currency=account.currency
                )
                done.created += 1
            for name, value in values.items():
                setattr(product, name, value)
            product.kept, product.updated_at = True, now
            written[product_id] = product
            done.products[place] = product
        fields = [*_TEXTS, "price", "currency", "kept", "updated_at"]
        Product.objects.bulk_update([one for one in written.values() if one.pk is not None], fields)
        Product.objects.bulk_create([one for one in written.values() if one.pk is None])
    return done


def _read(reader: Reader, line: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    given = reader.open(line, (*FIELDS, "image"), ignored=("id", "last_seen_at", "created_at", "updated_at"))
    if "image" in given and "image_url" not in given:
        given["image_url"] = given.pop("image")
    product_id = reader.key(given, "product_id")
    values: dict[str, Any] = {}
    for name in _TEXTS:
        if name in given:
            values[name] = reader.text(given, name, longest=_LONGEST[name])
    for name in ("url", "image_url"):
        if values.get(name) and not values[name].lower().startswith(("http://", "https://")):
            reader.fault(name, _("An address begins with http:// or https://."))
    if "price" in given:
        price: Decimal | None = reader.amount(given, "price")
        values["price"] = price
    if "currency" in given:
        values["currency"] = reader.currency(given)
    reader.close()
    return product_id, values


def save(account: Account, line: Mapping[str, Any], *, now: datetime) -> tuple[Product, bool]:
    """Make or change one product; answers it, and whether it is new. Raises Invalid with all the faults."""
    done = save_many(account, [line], now=now)
    if done.refused:
        raise done.refused[0][1].as_problem()
    product = done.products[0]
    assert product is not None
    return product, bool(done.created)
