"""Orders, products, deals and pipelines in a browser, both languages, a phone too."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

NOW = datetime.now(UTC)
PAGES = (
    "orders/",
    "orders/new",
    "orders/import",
    "products/",
    "products/new",
    "deals/",
    "deals/list",
    "deals/new",
    "settings/pipelines/",
    "settings/pipelines/new",
)


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Account:
    """An account with a message clicked, orders in two currencies, products, and deals in every stage."""
    account = installation.create_account("Maison Lavande", email="shop@example.org")
    with installation.api(account) as api:
        message = api.post(
            "messages",
            json={"name": "Soldes d’été", "channel": "email", "subject": "Soldes", "text": "Bonjour"},
        ).json()["id"]
        lines = []
        for number in range(12):
            person = {"email": f"client{number}@example.org"}
            links = {"message": message, "send": f"envoi-{number}"}
            at = NOW - timedelta(days=2)
            lines.append({"name": "email.sent", "occurred_at": at.isoformat(), "contact": person, **links})
            lines.append(
                {"name": "email.delivered", "occurred_at": at.isoformat(), "contact": person, **links}
            )
            if number < 6:
                clicked = at + timedelta(hours=1)
                lines.append(
                    {"name": "email.clicked", "occurred_at": clicked.isoformat(), "contact": person, **links}
                )
        body = "\n".join(json.dumps(line) for line in lines)
        assert api.post("events?history=true&wait=true", content=body).json()["refused"] == []
        for number in range(8):
            tea = {
                "product_id": "the-vert",
                "name": "Thé vert Sencha",
                "price": 12.5,
                "quantity": 2,
                "category": "Thés",
            }
            order = {
                "order_id": f"FR-{1000 + number}",
                "contact": {"email": f"client{number}@example.org"},
                "placed_at": (NOW - timedelta(days=1, hours=number)).isoformat(),
                "subtotal": 25 + number * 10,
                "tax": 5,
                "shipping": 4.9,
                "currency": "USD" if number == 5 else "EUR",
                "products": [
                    tea,
                    {"product_id": "tasse", "name": "Tasse en grès", "price": 18, "quantity": 1},
                ],
            }
            assert api.post("orders", json=order).status_code == 201
        pipeline = {
            "name": "Ventes aux entreprises",
            "stages": [
                {"name": name} for name in ("Piste", "Devis envoyé", "Négociation", "Gagnée", "Perdue")
            ],
        }
        stages = api.post("deals/pipelines", json=pipeline).json()["stages"]
        for number in range(24):
            deal = {
                "name": f"Coffrets de Noël, entreprise n° {number}",
                "stage": stages[0 if number > 20 else number % 4]["id"],
                "amount": 900 + number * 150,
                "close_date": (NOW + timedelta(days=number)).date().isoformat(),
                "owner": "shop@example.org" if number % 2 else "léa@example.org",
                "contacts": [{"email": f"client{number % 12}@example.org"}],
            }
            answer = api.post("deals", json=deal)
            assert answer.status_code == 201, answer.text
    return account


def refused(visits: Visits) -> None:
    """The browser's console tells of the refusal that was asked for, and of nothing else."""
    assert all("422" in fault for fault in visits.faults)
    visits.faults.clear()


def test_an_order_from_the_list_to_its_refund(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/orders/")
    expect(page.get_by_role("row")).to_have_count(9)
    expect(page.locator(".figure-tile", has_text="Commandes")).to_contain_text("8")
    assert_accessible(page)
    shoot(page, "orders-fr-1440")
    page.get_by_label("Numéro de commande ou acheteur").fill("FR-1003")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="FR-1003").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Commande FR-1003")
    expect(page.get_by_text("Soldes d’été")).to_be_visible(timeout=20_000)
    page.get_by_label("Montant à rembourser").fill("60")
    page.get_by_role("button", name="Rembourser").click()
    page.get_by_role("dialog").get_by_role("button", name="Rembourser").click()
    expect(page.get_by_text("Il reste au plus 55")).to_be_visible()
    refused(visits)
    page.get_by_label("Montant à rembourser").fill("15,50")
    page.get_by_role("button", name="Rembourser").click()
    page.get_by_role("dialog").get_by_role("button", name="Rembourser").click()
    expect(page.get_by_text("Remboursée en partie")).to_be_visible()
    expect(page.get_by_text("39,50").first).to_be_visible()
    assert_accessible(page)
    shoot(page, "order-fr-1440")
    page.get_by_role("button", name="Annuler la commande").click()
    page.get_by_role("dialog").get_by_role("button", name="Annuler la commande").click()
    expect(page.get_by_text("La commande est annulée.")).to_be_visible()
    page.get_by_role("link", name="client3@example.org").click()
    expect(page.get_by_role("link", name="FR-1003")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("entreprise n° 3"))).to_be_visible()
    shoot(page, "contact-shop-fr-1440")


def test_an_order_by_hand_with_what_is_wrong_in_it(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="en", width=390)
    page.goto("/orders/new")
    page.get_by_label("Order number").fill("EN-1")
    page.get_by_label("Buyer's e-mail address").fill("new.buyer@example.org")
    page.get_by_label("Amount before tax and shipping").fill("-5")
    page.get_by_label("Currency").fill("ABC")
    page.get_by_role("button", name="Add the order").click()
    expect(page.get_by_text("An amount cannot be negative.")).to_be_visible()
    expect(page.get_by_text("There is no such currency")).to_be_visible()
    refused(visits)
    assert_accessible(page)
    page.get_by_label("Amount before tax and shipping").fill("1 250.50")
    page.get_by_label("Currency").fill("EUR")
    page.get_by_role("button", name="Add the order").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Order EN-1")
    assert_fits(page)
    shoot(page, "order-en-390")
    page.get_by_role("button", name="Cancel the order").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the order").click()
    expect(page.get_by_text("The order is cancelled.")).to_be_visible()


def test_a_file_of_orders(visits: Visits, shop: Account, tmp_path: Path) -> None:
    file = tmp_path / "commandes.csv"
    file.write_text(
        "Commande;Courriel;Date;Sous-total;Devise\nI-1;a@example.org;28/03/2026;1 234,50;EUR\nI-2;;;5;EUR\n"
        "I-1;a@example.org;28/03/2026;99,90;EUR\nI-3;a@example.org;;-1;EUR\n"
    )
    page = visits.page(account=shop, language="fr")
    page.goto("/orders/import")
    page.get_by_label("Fichier CSV ou NDJSON").set_input_files(file)
    page.get_by_role("button", name="Importer", exact=True).click()
    expect(page.get_by_text("L’import est terminé.")).to_be_visible(timeout=20_000)
    expect(page.get_by_role("row", name=re.compile("Dites de qui"))).to_contain_text("3")
    expect(page.get_by_role("row", name=re.compile("négatif"))).to_contain_text("5")
    assert_accessible(page)
    shoot(page, "orders-import-report-fr-1440")
    page.goto("/orders/?search=I-")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_text("99,90").first).to_be_visible()


def test_a_deal_is_moved_by_hand_by_keyboard_and_on_its_page(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/deals/")
    columns = page.locator(".board-column")
    expect(columns).to_have_count(5)
    before = int(columns.nth(1).locator("[data-count]").inner_text())
    shoot(page, "deals-board-fr-1440")
    assert_accessible(page)
    card = columns.nth(0).locator(".board-card").first
    card.locator(".board-card-amount").hover()
    page.mouse.down()
    for place in (2, 1, 1):  # A browser tells of a drag over something once the mouse moves there.
        columns.nth(place).locator("[data-cards]").hover()
    name = page.locator(".is-dragged .board-card-name").inner_text()
    page.mouse.up()
    expect(columns.nth(1).locator("[data-count]")).to_have_text(str(before + 1), timeout=20_000)
    expect(columns.nth(1).locator(".board-card").first).to_contain_text(name)

    card = columns.nth(1).locator(".board-card", has_text=name)
    card.get_by_role("button", name=re.compile("Déplacer")).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(card.get_by_role("button", name="Devis envoyé")).to_have_count(0)
    expect(card.get_by_role("button", name="Négociation")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("est maintenant en .*Négociation"))).to_be_visible()
    expect(columns.nth(2).locator(".board-card").first).to_contain_text(name)

    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("button", name="Négociation")).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="Gagnée").click()
    expect(page.get_by_role("button", name="Gagnée")).to_have_attribute("aria-current", "step")
    page.get_by_placeholder("Adresse e-mail").fill("client1@example.org")
    page.get_by_role("button", name="Rattacher").click()
    expect(page.get_by_role("link", name="client1@example.org")).to_be_visible()
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    assert_accessible(page)
    shoot(page, "deal-fr-1440")


def test_a_pipeline_is_changed(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="en")
    page.goto("/settings/pipelines/new")
    page.get_by_label("Name", exact=True).fill("After-sales")
    for number in (3, 4):
        page.get_by_label(f"Name of stage {number}").fill("")
    page.get_by_label("Name of stage 2").fill("")
    page.get_by_role("button", name="Move down").first.click()
    shoot(page, "pipeline-en-1440")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="After-sales")).to_be_visible()
    assert_accessible(page)
    page.goto("/deals/new")
    page.get_by_label("Name of the deal").fill("Broken cup")
    page.get_by_label("Stage").select_option(label="Won")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Broken cup")


def test_a_message_tells_what_it_earned(visits: Visits, shop: Account, installation: Installation) -> None:
    with installation.api(shop) as api:
        message = api.get("messages").json()["items"][0]["id"]
    page = visits.page(account=shop, language="fr")
    page.goto(f"/messages/{message}/statistics")
    tiles = page.locator("[data-metric]")
    expect(tiles.filter(has_text="Taux de commandes")).to_contain_text("6")
    expect(page.locator('[data-metric="revenue"]')).to_contain_text("€")
    expect(page.locator("[data-other-currency]")).to_contain_text("$")
    assert_accessible(page)
    shoot(page, "message-commerce-fr-1440")
    page.locator('[data-metric="orders"] a').click()
    expect(page.get_by_role("row")).to_have_count(7)
    shoot(page, "message-orders-fr-1440")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_pages_fit_and_read_well(visits: Visits, shop: Account, path: str, language: str, width: int) -> None:
    page = visits.page(account=shop, language=language, width=width)
    page.goto(f"/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"{path.strip('/').replace('/', '-')}-{language}-{width}")


@pytest.fixture(scope="module")
def newcomer(installation: Installation) -> Account:
    """An account in which nothing was done."""
    return installation.create_account("Rien encore", email="rien@example.org")


@pytest.mark.parametrize("path", ["orders/", "products/", "deals/", "deals/list", "settings/pipelines/"])
def test_pages_without_anything_yet(visits: Visits, newcomer: Account, path: str) -> None:
    page = visits.page(account=newcomer, language="fr")
    page.goto(f"/{path}")
    expect(page.locator(".empty")).to_be_visible()
    assert_accessible(page)
    shoot(page, f"{path.strip('/').replace('/', '-')}-empty-fr")
