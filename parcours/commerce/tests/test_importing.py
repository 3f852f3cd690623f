"""Files of orders, deals and products: taken, refused by number, once whatever is killed."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.commerce.importing import actions
from parcours.commerce.importing.kinds import KINDS
from parcours.commerce.models import Deal, Order, Product
from parcours.commerce.tests.conftest import Shop
from parcours.events.models import JournalRow
from parcours.lib import crashpoints
from parcours.lib.problems import Invalid

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("no_uploads")]


def test_orders_of_a_csv_file_as_shops_write_it(shop: Shop) -> None:
    body = (
        "Numéro de commande;Courriel;Date de commande;Total TTC;TVA;Frais de port;Devise;Statut;Produits;Couleur\n"
        'A-1;ada@example.org;28/03/2026 10:30;"1 234,50";200,5;4;eur;;"[{""sku"": ""the"", ""name"": ""Thé""}]";bleu\n'
        "A-2;ada@example.org;2026-03-29;10;;;;refunded;;\n"
        "A-3;ada@example.org;2026-03-29;10;;;;égarée;;\n"
        "A-4;;2026-03-29;10;;;;;;\n"
        "A-1;bob@example.org;28/03/2026;20;;;;;;\n"
        "A-6;ada@example.org;2026-03-29;10;;;;Annulée;;\n"
        "A-5;ada@example.org;2026-03-29;-3;;;XXX;;;\n"
    ).encode("cp1252")
    job = shop.send("orders/import?history=true", body)
    assert (job["status"], job["accepted"], job["result"]["created"]) == ("finished", 4, 3)
    assert [one["line"] for one in job["refused"]] == [4, 5, 8]
    assert "total" in job["refused"][2]["reason"]
    assert "currency" in job["refused"][2]["reason"]
    first, second, third = Order.objects.order_by("order_id")
    assert third.status == "cancelled"
    assert first.contact is not None
    assert (first.contact.email, first.total, first.tax) == ("bob@example.org", 20, Decimal("200.5"))
    assert first.placed_at.isoformat() == "2026-03-27T23:00:00+00:00"
    assert first.products[0]["product_id"] == "the"
    assert (second.status, second.net) == ("refunded", 0)


def test_orders_of_ndjson(shop: Shop) -> None:
    lines: list[Any] = [
        {"order_id": 1, "contact": {"external_id": "c1"}, "revenue": 12.5, "cancelled_at": "2026-01-02"},
        {"order_id": "2", "contact": {"id": "9999"}, "revenue": 1},
        "nonsense",
        {"order_id": "3", "email": "a@example.org", "subtotal": 10, "refunded": 2.5},
        [1],
    ]
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    job = shop.send("orders/import", body, content_type="application/x-ndjson")
    assert (job["accepted"], [one["line"] for one in job["refused"]]) == (2, [2, 3, 5])
    told = {
        order.order_id: (order.status, float(order.amount), float(order.net)) for order in Order.objects.all()
    }
    assert told == {"1": ("cancelled", 12.5, 0), "3": ("partially_refunded", 10, 7.5)}


def test_deals_and_products(shop: Shop) -> None:
    job = shop.send(
        "deals/import",
        b"Record ID,Deal name,Deal stage,Amount,Close date,Deal owner,Email\n"
        b"7,Kitchen,Quote,1200.50,2026-12-24,lea@example.org,ada@example.org\n"
        b"8,Stairs,Closed won,300,,,\n"
        b"7,Kitchen 2,,,,,\n",
    )
    assert (job["accepted"], job["result"]["created"], job["refused"]) == (3, 2, [])
    kitchen = Deal.objects.get(external_id="7")
    assert kitchen.stage is not None
    assert (kitchen.name, kitchen.stage.name, kitchen.amount) == ("Kitchen 2", "Quote", Decimal("1200.5"))
    assert [tie.contact.email for tie in kitchen.ties.all()] == ["ada@example.org"]
    assert Deal.objects.get(external_id="8").closed_at is not None
    job = shop.send(
        "products/import", "SKU,Title,Price,Image\nthe,Thé,12.5,https://a.example/t.png\n,x,1,\n".encode()
    )
    assert (job["accepted"], [one["line"] for one in job["refused"]]) == (1, [3])
    assert Product.objects.get().image_url == "https://a.example/t.png"


@pytest.mark.parametrize(
    "body",
    [b"", b"  \n ", b"a,b\n1,2", b"order_id,Commande\n1,2", b"PK\x03\x04zip"],
    ids=["0", "1", "2", "3", "4"],
)
def test_a_file_of_which_nothing_can_be_taken_is_refused_whole(quiet_shop: Shop, body: bytes) -> None:
    with pytest.raises(Invalid):
        actions.start(KINDS["orders"], quiet_shop.account, [body])


def test_a_killed_import_goes_on_where_it_was(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = "".join(f"N-{number},c{number % 7}@example.org,{number}\n" for number in range(2500))
    body = ("order_id,email,subtotal\n" + lines).encode()
    job = actions.start(KINDS["orders"], shop.account, [body])
    reached: list[str] = []

    def die(name: str) -> None:
        reached.append(name)
        if reached.count("import.uncommitted") == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(crashpoints, "point", die)
    with pytest.raises(KeyboardInterrupt):
        jobs.round()
    monkeypatch.undo()
    job.refresh_from_db()
    assert (job.done_lines, Order.objects.count()) == (1000, 1000)
    type(job).objects.update(lease_until=0)
    shop.catch_up()
    job.refresh_from_db()
    assert (job.status, job.accepted, Order.objects.count()) == ("finished", 2500, 2500)
    assert not JournalRow.objects.exists()


def test_files_as_people_make_them(shop: Shop) -> None:
    """A quotation mark never closed, a million characters, two encodings, a bomb of brackets: each its own line."""
    head = b"order_id,email,total,products,currency\n"
    body = head + b"".join(
        (
            b'Q-1,a@example.org,10,"never closed,\n',
            b"Q-2,a@example.org,20,,\n",
            b"Q-3,a@example.org,30," + b"x" * 1_000_000 + b",\n",
            b"Q-4,a@example.org,40," + b"[" * 100_000 + b",\n",
            "Q-é,a@example.org,50,,\n".encode(),
            "Q-è,a@example.org,60,,\n".encode("cp1252"),
            b"Q-5,a@example.org,1e999,,\nQ-6,a@example.org,douze,,\n",
            b"Q-" + b"7" * 300 + b",a@example.org,1,,\n",
            b"Q-8,nobody,1,,\n",
            b"Q-9,a@example.org,70,,\n",
        )
    )
    job = shop.send("orders/import?history=true", body)
    assert job["status"] == "finished", job
    assert [each["line"] for each in job["refused"]] == [2, 4, 5, 8, 9, 10, 11]
    assert {order.order_id for order in Order.objects.all()} == {"Q-2", "Q-é", "Q-è", "Q-9"}
    job = shop.send("orders/import", (head + b"U-1,a@example.org,5,,\n").decode().encode("utf-16"))
    assert (job["accepted"], job["refused"]) == (1, [])


def test_two_columns_of_addresses_are_told_at_their_place(quiet_shop: Shop) -> None:
    with pytest.raises(Invalid) as refused:
        actions.start(KINDS["orders"], quiet_shop.account, [b"order_id,email,Courriel\n1,a@x.fr,b@x.fr\n"])
    assert refused.value.errors[0]["pointer"] == "/2"
