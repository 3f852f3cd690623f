"""What a contact did as their page shows it: amounts, names and dates in the reader's way."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from parcours.contacts.tests.conftest import Shop
from parcours.contacts.views.events import events_of

pytestmark = pytest.mark.django_db


def told(shop: Shop, language: str, called: str, **properties: Any) -> tuple[str, dict[str, str]]:
    """The line that says most of an event, and its details."""
    item = {
        "name": called,
        "occurred_at": "2026-11-22T10:00:00.000Z",
        "machine": False,
        "anonymous": False,
        "properties": properties,
    }
    with translation.override(language):
        (event,) = events_of(shop.account, [item])
        return event["detail"], {fact.label: fact.value for fact in event["facts"]}


def test_amounts_are_written_as_their_reader_writes_them(shop: Shop) -> None:
    order = {
        "order_id": "N-1",
        "total": 1021.75,
        "currency": "USD",
        "products": [{"name": "Savon", "price": 12.5, "quantity": 2}, {"product_id": "p2"}],
    }
    detail, facts = told(shop, "fr", "order.placed", **order)
    assert detail == "N-1 · 1\u202f021,75\u00a0$US"
    assert facts["Total"] == "1\u202f021,75\u00a0$US"
    assert facts["Produits"] == "2 × Savon (12,50\u00a0$US), p2"
    detail, facts = told(shop, "en", "order.placed", **order)
    assert detail == "N-1 · $1,021.75"
    assert facts["Products"] == "2 × Savon ($12.50), p2"


def test_an_amount_without_a_currency_is_in_the_accounts(shop: Shop) -> None:
    assert told(shop, "fr", "order.refunded", order_id="N-1", amount=5)[0] == "N-1 · 5,00\u00a0€"
    assert told(shop, "fr", "product.viewed", name="Brume", price=19.9)[0] == "Brume · 19,90\u00a0€"


def test_what_is_no_amount_stays_as_it_is(shop: Shop) -> None:
    detail, facts = told(
        shop, "fr", "quiz.done", total=12, score=0.5, ok=True, answers={"a": 1}, country="BE"
    )
    assert detail == ""
    assert facts == {"Total": "12", "score": "0,5", "ok": "Oui", "answers": '{"a": 1}', "Pays": "Belgique"}
    for strange in (True, "12", 1e300, float("nan"), [1], None):
        assert told(shop, "fr", "order.placed", order_id="N-1", total=strange)[0] == "N-1"
    assert "products" not in told(shop, "fr", "order.placed", products=[1, 2])[0]
    assert told(shop, "fr", "order.placed", products=[1, 2])[1]["Produits"] == "[1, 2]"
    assert told(shop, "fr", "order.placed", currency=5, total=1)[1]["Total"] == "1,00\u00a0€"
