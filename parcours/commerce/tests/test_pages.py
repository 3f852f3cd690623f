"""The pages of orders, products and deals."""

from __future__ import annotations

import io
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.commerce.models import Deal, Order, Product
from parcours.commerce.orders import views as order_views
from parcours.commerce.tests.conftest import Shop

pytestmark = pytest.mark.django_db


def text_of(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, (answer.status_code, answer.get("Location"))
    return answer.content.decode()


def test_nothing_yet(quiet_shop: Shop) -> None:
    reader = quiet_shop.browser()
    assert "Aucune commande pour l’instant" in text_of(reader.get("/orders/"))
    assert "Aucun produit pour l’instant" in text_of(reader.get("/products/"))
    assert "Aucune transaction pour l’instant" in text_of(reader.get("/deals/"))
    assert "Aucune transaction pour l’instant" in text_of(reader.get("/deals/list"))
    assert "Aucun pipeline pour l’instant" in text_of(reader.get("/settings/pipelines/"))
    assert reader.get("/deals/new")["Location"] == "/settings/pipelines/new"


def test_orders_by_hand(quiet_shop: Shop) -> None:
    reader = quiet_shop.browser()
    refused = reader.post(
        "/orders/new", {"order_id": "1", "contact": "a@example.org", "subtotal": "-1", "currency": "EUR"}
    )
    assert "Un montant ne peut pas être négatif" in text_of(refused, 422)
    said = {"order_id": "N° 1", "contact": "a@example.org", "subtotal": "1 234,50", "currency": "EUR"}
    page = text_of(reader.post("/orders/new", said, follow=True))
    assert "La commande est ajoutée." in page
    order = Order.objects.get()
    quiet_shop.call(
        "POST",
        "orders",
        {"order_id": "N° 2", "contact": {"email": "b@example.org"}, "value": 3, "currency": "USD"},
        status=201,
    )
    listed = text_of(reader.get("/orders/"))
    assert "Chiffre d’affaires en USD" in listed
    assert listed.count('scope="row"') == 2
    assert (
        text_of(reader.get("/orders/?search=b@example&status=placed&from=2020-01-01&to=bad")).count(
            'scope="row"'
        )
        == 1
    )
    assert "Aucune commande ne répond" in text_of(reader.get("/orders/?status=cancelled"))
    assert "Il reste au plus" in text_of(reader.post(f"/orders/{order.pk}/refund", {"amount": "2000"}), 422)
    assert "Le remboursement est noté" in text_of(
        reader.post(f"/orders/{order.pk}/refund", {"amount": "34,5"}, follow=True)
    )
    assert "Remboursée en partie" in text_of(reader.get(f"/orders/of/{order.contact_id}"))
    assert "est annulée" in text_of(reader.post(f"/orders/{order.pk}/cancel", follow=True))
    assert "déjà annulée" in text_of(reader.post(f"/orders/{order.pk}/cancel", follow=True))


def test_what_many_orders_amount_to_is_asked_for_apart(quiet_shop: Shop, monkeypatch: Any) -> None:
    monkeypatch.setattr(order_views, "_A_PAGE", 2)
    monkeypatch.setattr(order_views, "_SUMMED_AT_ONCE", 2)
    reader = quiet_shop.browser()
    for number in range(3):
        told = {"order_id": f"N-{number}", "contact": {"email": "ada@example.org"}, "subtotal": 10}
        quiet_shop.call("POST", "orders", told, status=201)
    page = reader.get("/orders/?search=ada").content.decode()
    assert 'hx-get="/orders/totals?search=ada"' in page
    assert "30,00" not in page
    assert "30,00\u00a0€" in reader.get("/orders/totals?search=ada").content.decode()
    assert "10,00\u00a0€" in reader.get("/orders/?search=N-2").content.decode()


def test_products_by_hand(quiet_shop: Shop) -> None:
    reader = quiet_shop.browser()
    said = {
        "product_id": "the",
        "name": "<b>Thé</b>",
        "price": "12,5",
        "currency": "EUR",
        "url": "javascript:x",
    }
    assert "commence par http" in text_of(reader.post("/products/new", said), 422)
    page = text_of(reader.post("/products/new", said | {"url": "https://example.org"}, follow=True))
    assert "&lt;b&gt;Thé&lt;/b&gt;" in page
    product = Product.objects.get()
    assert 'value="12.50"' in text_of(reader.get(f"/products/{product.pk}"))
    changed = {"name": "Thé vert", "price": "", "currency": "", "category": "Thés", "product_id": "other"}
    reader.post(f"/products/{product.pk}", changed)
    product = Product.objects.get()
    assert (product.product_id, product.name, product.price, product.category) == (
        "the",
        "Thé vert",
        None,
        "Thés",
    )
    reader.post(f"/products/{product.pk}/delete")
    assert not Product.objects.exists()


def test_pipelines_and_deals_by_hand(quiet_shop: Shop) -> None:
    reader = quiet_shop.browser()
    form = {
        "name": "Ventes",
        "stage_id": ["", "", ""],
        "stage_name": ["Piste", "", "Gagnée"],
        "stage_kind": ["open", "open", "won"],
    }
    assert "Ventes" in text_of(reader.post("/settings/pipelines/new", form, follow=True))
    assert "de 1 à 50 phases" in text_of(reader.post("/settings/pipelines/new", {"name": "X"}), 422)
    pipelines = quiet_shop.call("GET", "deals/pipelines")["items"]
    first, won = pipelines[0]["stages"]
    assert won["kind"] == "won"
    said = {
        "name": "Cuisine",
        "stage": first["id"],
        "amount": "1 200,50",
        "currency": "EUR",
        "contact": "ada@example.org",
    }
    page = text_of(reader.post("/deals/new", said, follow=True))
    assert "ada@example.org" in page
    deal = Deal.objects.get()
    assert "négatif" in text_of(reader.post(f"/deals/{deal.pk}/edit", said | {"amount": "-1"}), 422)
    board = text_of(reader.get("/deals/"))
    assert "Cuisine" in board
    assert "1\u202f200,50" in board
    assert "Cuisine" in text_of(reader.get("/deals/list?search=ada&sort=amount&state=open"))
    assert "Aucune transaction ne répond" in text_of(reader.get("/deals/list?state=lost"))
    moved = reader.post(f"/deals/{deal.pk}/move", {"stage": won["id"]}, headers={"HX-Request": "true"})
    assert moved.status_code == 204
    refused = reader.post(f"/deals/{deal.pk}/move", {"stage": "99999"}, headers={"HX-Request": "true"})
    assert "n’a pas de phase" in text_of(refused, 422)
    assert "Gagnée" in text_of(reader.get(f"/deals/of/{deal.ties.get().contact_id}"))
    assert "rattaché" in text_of(
        reader.post(f"/deals/{deal.pk}/contacts", {"email": "bob@example.org"}, follow=True)
    )
    assert "n’est pas une adresse" in text_of(
        reader.post(f"/deals/{deal.pk}/contacts", {"email": "bob"}, follow=True)
    )
    contact = deal.ties.order_by("pk").values_list("contact_id", flat=True)[0]
    assert "détaché" in text_of(reader.post(f"/deals/{deal.pk}/contacts/{contact}/remove", follow=True))
    pipeline = pipelines[0]["id"]
    assert "déplacez-la" in text_of(reader.post(f"/settings/pipelines/{pipeline}/delete", follow=True))
    assert "est supprimé" in text_of(reader.post(f"/deals/{deal.pk}/delete", follow=True))
    assert "est supprimé" in text_of(reader.post(f"/settings/pipelines/{pipeline}/delete", follow=True))


def test_a_board_is_read_column_by_column(quiet_shop: Shop) -> None:
    for number in range(45):
        quiet_shop.call("POST", "deals", {"name": f"Affaire {number}"}, status=201)
    reader = quiet_shop.browser()
    board = text_of(reader.get("/deals/"))
    assert board.count('class="board-card"') == 20
    seen = 20
    while "hx-get" in board and "/deals/column/" in board:
        address = board.split('hx-get="/deals/column/')[1].split('"')[0].replace("&amp;", "&")
        board = text_of(reader.get(f"/deals/column/{address}"))
        seen += board.count('class="board-card"')
    assert seen == 45
    assert (
        reader.get(
            f"/deals/column/{Deal.objects.values_list('stage_id', flat=True)[0]}?cursor=forged"
        ).status_code
        == 404
    )


def test_an_import_from_the_page_to_its_report(quiet_shop: Shop) -> None:
    reader = quiet_shop.browser()
    empty = io.BytesIO(b"a,b\n1,2\n")
    empty.name = "rien.csv"
    assert "Aucune colonne n’est" in text_of(reader.post("/deals/import", {"file": empty}), 422)
    file = io.BytesIO(
        "Nom;Phase;Montant;Courriel\nCuisine;Devis;1 200,50;ada@example.org\n;;;\n;Devis;5;x\n".encode(
            "cp1252"
        )
    )
    file.name = "affaires.csv"
    answer = reader.post("/deals/import", {"file": file})
    assert jobs.round()
    report = text_of(reader.get(answer["Location"]))
    assert "L’import est terminé." in report
    assert "n’est pas une adresse e-mail" in report
    assert quiet_shop.call("GET", "deals?search=cuisine")["items"][0]["amount"] == 1200.5
    assert text_of(reader.get(answer["Location"] + "/progress"))


def test_the_activity_of_a_contact_names_stages_as_people_do(shop: Shop) -> None:
    stages = [{"name": "Devis envoyé"}, {"name": "Gagné", "kind": "won"}]
    shop.call("POST", "deals/pipelines", {"name": "Grands comptes", "stages": stages}, status=201)
    deal = {"name": "Cuisine", "contacts": [{"email": "ada@example.org"}]}
    made = shop.call("POST", "deals", deal, status=201)
    shop.call("PATCH", f"deals/{made['id']}", {"stage": "Gagné"})
    shop.catch_up()
    path = f"/contacts/{made['contacts'][0]['id']}/timeline"
    page = text_of(shop.browser().get(path))
    assert (
        page.count("Devis envoyé") == 4
    )  # the first stage, told and in the facts; then `from` and `from_stage`
    assert page.count("Grands comptes") == 2
    assert "gagne" not in page
