"""Orders and products in a browser: seen, added, corrected, given back, cancelled, imported; what a message earned."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.commerce import WORDS, refused, with_orders
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

PAGES = ("orders/", "orders/new", "orders/import", "products/", "products/new", "deals/import")


@pytest.fixture(scope="module")
def shops(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(lambda way: with_orders(installation, way))


@pytest.fixture
def shop(shops: Callable[[str], Account], language: str, width: int) -> Account:
    return shops(f"{language}.{width}")


@each_way
def test_an_order_from_the_list_to_its_refund(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/orders/")
    expect(page.locator("tbody tr")).to_have_count(8)
    expect(page.locator(".figure-tile", has_text=words["orders"])).to_contain_text("8")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"orders-{language}-{width}")
    page.get_by_label(words["find_order"]).fill("FR-1003")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="FR-1003").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["order"].format("FR-1003"))
    expect(page.get_by_text("Soldes d’été")).to_be_visible(timeout=20_000)
    page.get_by_label(words["give_back"]).fill("60")
    page.get_by_role("button", name=words["refund"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["refund"]).click()
    expect(page.get_by_text(words["at_most"])).to_be_visible()
    refused(visits)
    page.get_by_label(words["give_back"]).fill("15,50")
    page.get_by_role("button", name=words["refund"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["refund"]).click()
    expect(page.get_by_text(words["partly"])).to_be_visible()
    expect(page.get_by_text(re.compile("39[.,]50")).first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"order-{language}-{width}")
    page.get_by_role("button", name=words["cancel_order"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["cancel_order"]).click()
    expect(page.get_by_text(words["cancelled"])).to_be_visible()
    expect(page.get_by_role("button", name=words["refund"])).to_have_count(0)
    page.get_by_role("link", name="client3@example.org").click()
    expect(page.get_by_role("link", name="FR-1003")).to_be_visible()
    shoot(page, f"contact-shop-{language}-{width}")

    page.goto("/orders/?search=FR-1004")
    page.get_by_role("link", name="FR-1004").click()
    page.get_by_role("button", name=words["refund"]).click()  # nothing said: the whole order
    page.get_by_role("dialog").get_by_role("button", name=words["refund"]).click()
    expect(page.get_by_text(words["noted"])).to_be_visible()
    expect(page.get_by_text(words["refunded"], exact=True).first).to_be_visible()
    expect(page.get_by_role("button", name=words["refund"])).to_have_count(0)

    page.goto("/orders/")
    page.get_by_label(words["state"]).select_option(label=words["cancelled_one"])
    page.get_by_role("button", name=words["search"], exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name=words["export"]).click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "FR-1003" in lines[1]


@each_way
def test_an_order_by_hand_with_what_is_wrong_in_it(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/orders/new")
    page.get_by_label(words["order_number"]).fill("EN-1")
    page.get_by_label(words["buyer"]).fill("new.buyer@example.org")
    page.get_by_label(words["amount"]).fill("-5")
    page.get_by_label(words["currency"]).fill("ABC")
    page.get_by_role("button", name=words["add_order"]).click()
    expect(page.get_by_text(words["negative"])).to_be_visible()
    expect(page.get_by_text(words["no_currency"])).to_be_visible()
    refused(visits)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_label(words["amount"]).fill("1 250.50")
    page.get_by_label(words["currency"]).fill("EUR")
    page.get_by_role("button", name=words["add_order"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["order"].format("EN-1"))
    page.goto("/orders/new")
    page.get_by_label(words["order_number"]).fill("EN-1")
    page.get_by_label(words["buyer"]).fill("new.buyer@example.org")
    page.get_by_label(words["amount"]).fill("990")
    page.get_by_role("button", name=words["add_order"]).click()
    expect(page.get_by_text(words["corrected"])).to_be_visible()
    expect(page.get_by_text(re.compile("990[.,]00")).first).to_be_visible()
    assert_fits(page)


@each_way
def test_a_product_by_hand_from_its_making_to_its_end(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/products/")
    page.get_by_role("link", name=words["add_product"]).click()
    page.get_by_label(words["product_id"]).fill("theiere")
    page.get_by_label(words["product_name"], exact=True).fill("Théière en fonte")
    page.get_by_label(words["category"]).fill("Thés")
    page.get_by_label(words["price"]).fill("-1")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["negative"])).to_be_visible()
    refused(visits)
    page.get_by_label(words["price"]).fill("42,90")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["product_saved"])).to_be_visible()
    page.goto("/products/?search=fonte")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text(re.compile("42[.,]90"))).to_be_visible()
    menu = page.get_by_role("button", name=words["actions_on"].format("Théière en fonte"))
    menu.click()
    page.get_by_role("link", name=words["edit"], exact=True).click()
    page.get_by_label(words["price"]).fill("39")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["product_saved"])).to_be_visible()
    page.goto("/products/")
    page.get_by_label(words["find_product"]).fill("théière")
    page.keyboard.press("Enter")
    expect(page.get_by_text(re.compile("39[.,]00"))).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    menu.click()
    page.get_by_role("button", name=words["delete"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_text(words["deleted"].format("Théière en fonte"))).to_be_visible()
    page.goto("/products/?search=théière")
    expect(page.get_by_text(words["no_product"])).to_be_visible()


@each_way
def test_files_of_orders_products_and_deals(
    visits: Visits, shop: Account, tmp_path: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    file = tmp_path / "lignes.csv"
    page = visits.page(account=shop, language=language, width=width)

    def send(kind: str, lines: str) -> None:
        file.write_text(lines)
        page.goto(f"/{kind}/import")
        page.get_by_label(words["file"]).set_input_files(file)
        page.get_by_role("button", name=words["import"], exact=True).click()
        expect(page.get_by_text(words["imported"])).to_be_visible(timeout=20_000)

    send(
        "orders",
        "Commande;Courriel;Date;Sous-total;Devise\nI-1;a@example.org;28/03/2026;1 234,50;EUR\nI-2;;;5;EUR\n"
        "I-1;a@example.org;28/03/2026;99,90;EUR\nI-3;a@example.org;;-1;EUR\n",
    )
    expect(page.get_by_role("row", name=re.compile(words["whose"]))).to_contain_text("3")
    expect(page.get_by_role("row", name=re.compile(words["below_zero"]))).to_contain_text("5")
    with page.expect_download() as download:
        page.get_by_role("link", name=words["lines_refused"]).click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 3
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"orders-import-report-{language}-{width}")
    page.goto("/orders/?search=I-")
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_text(re.compile("99[.,]90")).first).to_be_visible()

    send("products", "product_id;name;price\nbol;Bol en bois;12,50\n")
    page.goto("/products/?search=bol")
    expect(page.get_by_role("link", name="Bol en bois")).to_be_visible()

    send("deals", "name;external_id;amount;email\nVitrine;V-1;1500;a@example.org\n")
    page.goto("/deals/list")
    expect(page.get_by_role("link", name="Vitrine")).to_be_visible()
    expect(page.get_by_role("link", name="a@example.org")).to_be_visible()


@each_way
def test_a_message_tells_what_it_earned(
    visits: Visits, shops: Callable[[str], Account], installation: Installation, language: str, width: int
) -> None:
    words = WORDS[language]
    shop = shops("seen")
    with installation.api(shop) as api:
        message = api.get("messages").json()["items"][0]["id"]
    page = visits.page(account=shop, language=language, width=width)
    page.goto(f"/messages/{message}/statistics")
    tiles = page.locator("[data-metric]")
    expect(tiles.filter(has_text=words["order_rate"])).to_contain_text("6")
    expect(page.locator('[data-metric="revenue"]')).to_contain_text("€")
    expect(page.locator("[data-other-currency]")).to_contain_text("$")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"message-commerce-{language}-{width}")
    page.locator('[data-metric="orders"] a').click()
    expect(page.locator("tbody tr")).to_have_count(6)
    assert_fits(page)
    shoot(page, f"message-orders-{language}-{width}")


@each_way
def test_pages_fit_and_read_well(
    visits: Visits, shops: Callable[[str], Account], language: str, width: int
) -> None:
    page = visits.page(account=shops("seen"), language=language, width=width)
    for path in PAGES:
        page.goto(f"/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        assert_fits(page)
        shoot(page, f"{path.strip('/').replace('/', '-')}-{language}-{width}")


@pytest.fixture(scope="module")
def newcomer(installation: Installation) -> Account:
    """An account in which nothing was done."""
    return installation.create_account("Rien encore", email="rien@example.org")


@each_way
def test_pages_without_anything_yet(visits: Visits, newcomer: Account, language: str, width: int) -> None:
    page = visits.page(account=newcomer, language=language, width=width)
    for path in ("orders/", "products/", "deals/", "deals/list", "settings/pipelines/"):
        page.goto(f"/{path}")
        expect(page.locator(".empty")).to_be_visible()
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        assert_fits(page)
        shoot(page, f"{path.strip('/').replace('/', '-')}-empty-{language}-{width}")
