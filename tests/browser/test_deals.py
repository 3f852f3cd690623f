"""Deals in a browser: the board by mouse, keyboard and menu, the list, a deal and its contacts; pipelines."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import expect

from tests.browser.commerce import WORDS, with_deals
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

PAGES = ("deals/", "deals/list", "deals/new", "settings/pipelines/", "settings/pipelines/new")


@pytest.fixture(scope="module")
def shops(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(lambda way: with_deals(installation, way))


@pytest.fixture
def shop(shops: Callable[[str], Account], language: str, width: int) -> Account:
    return shops(f"{language}.{width}")


@each_way
def test_a_deal_is_moved_by_hand_by_keyboard_and_on_its_page(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/deals/")
    columns = page.locator(".board-column")
    expect(columns).to_have_count(5)
    before = int(columns.nth(1).locator("[data-count]").inner_text())
    shoot(page, f"deals-board-{language}-{width}")
    assert_accessible(page)
    assert_fits(page)
    card = columns.nth(0).locator(".board-card").first
    name = card.locator(".board-card-name").inner_text()
    if width > 700:
        card.locator(".board-card-amount").hover()
        page.mouse.down()
        for place in (2, 1, 1):  # A browser tells of a drag over something once the mouse moves there.
            columns.nth(place).locator("[data-cards]").hover()
        name = page.locator(".is-dragged .board-card-name").inner_text()
        page.mouse.up()
    else:
        card.get_by_role("button", name=words["move"].format(name)).tap()
        card.get_by_role("button", name="Devis envoyé").tap()
    expect(columns.nth(1).locator("[data-count]")).to_have_text(str(before + 1), timeout=20_000)
    expect(columns.nth(1).locator(".board-card").first).to_contain_text(name)

    card = columns.nth(1).locator(".board-card", has_text=name)
    card.get_by_role("button", name=words["move"].format(name)).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(card.get_by_role("button", name="Devis envoyé")).to_have_count(0)
    expect(card.get_by_role("button", name="Négociation")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["moved"])).to_be_visible()
    expect(columns.nth(2).locator(".board-card").first).to_contain_text(name)

    page.get_by_role("link", name=name).click()
    expect(page.get_by_role("button", name="Négociation")).to_have_attribute("aria-current", "step")
    page.get_by_role("button", name="Gagnée").click()
    expect(page.get_by_role("button", name="Gagnée")).to_have_attribute("aria-current", "step")


@each_way
def test_a_deal_its_contacts_with_their_dates_and_its_end(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/deals/")
    page.get_by_role("link", name=words["new_deal"]).click()
    page.get_by_label(words["deal_name"]).fill("Vitrine de printemps")
    page.get_by_label(words["stage"]).select_option(label="Devis envoyé")
    page.get_by_label(words["deal_amount"], exact=True).fill("1 500,50")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vitrine de printemps")
    for number in (1, 2):
        page.get_by_label(words["email"], exact=True).fill(f"client{number}@example.org")
        page.get_by_role("button", name=words["tie"], exact=True).click()
        expect(page.get_by_role("link", name=f"client{number}@example.org")).to_be_visible()
    one = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="client1@example.org"))
    expect(one).to_contain_text(words["tied"])
    expect(one).to_contain_text(words["first"])
    one.get_by_role("button", name=words["untie"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["untie"], exact=True).click()
    expect(page.get_by_text(words["untied"])).to_be_visible()
    expect(one).to_contain_text(words["tied_until"])  # from when until when they were
    two = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="client2@example.org"))
    expect(two).to_contain_text(words["first"])
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"deal-{language}-{width}")
    page.get_by_role("link", name="client2@example.org").click()
    expect(page.get_by_role("link", name="Vitrine de printemps").first).to_be_visible()
    page.go_back()
    page.get_by_role("link", name=words["edit"], exact=True).click()
    page.get_by_label(words["in_charge"]).fill("zoé@example.org")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["deal_saved"])).to_be_visible()
    expect(page.get_by_text("zoé@example.org")).to_be_visible()
    page.get_by_role("button", name=words["actions"], exact=True).click()
    page.get_by_role("button", name=words["delete"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_text(words["deleted"].format("Vitrine de printemps"))).to_be_visible()


@each_way
def test_the_list_is_searched_filtered_sorted_and_exported(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/deals/")
    page.get_by_role("link", name=words["list"], exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(24)
    page.get_by_label(words["in_charge"]).select_option(label="léa@example.org")
    page.get_by_label(words["sort"]).select_option(label=words["largest"])
    page.get_by_role("button", name=words["search"], exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(12)
    expect(page.locator("tbody tr").first).to_contain_text("n° 22")
    page.get_by_label(words["find_deal"]).fill("client4@example.org")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(2)
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"deals-list-{language}-{width}")
    with page.expect_download() as download:
        page.get_by_role("link", name=words["export"]).click()
    assert len(download.value.path().read_text("utf-8-sig").splitlines()) == 3
    page.get_by_label(words["state"]).select_option(label=words["open"])
    page.get_by_label(words["find_deal"]).fill("personne")
    page.get_by_role("button", name=words["search"], exact=True).click()
    expect(page.get_by_text(words["no_deal"])).to_be_visible()


@each_way
def test_a_pipeline_is_made_changed_and_deleted(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/settings/pipelines/new")
    page.get_by_label(words["name"], exact=True).fill("Réparations")
    for number in (2, 3, 4):
        page.get_by_label(words["stage_n"].format(number)).fill("")
    page.get_by_role("button", name=words["down"]).first.click()
    assert_fits(page)
    shoot(page, f"pipeline-{language}-{width}")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("heading", name="Réparations")).to_be_visible()
    assert_accessible(page)
    page.goto("/deals/new")
    page.get_by_label(words["deal_name"]).fill("Tasse fêlée")
    won = page.locator("optgroup[label='Réparations'] option", has_text=words["won"])
    page.get_by_label(words["stage"]).select_option(value=won.get_attribute("value"))
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tasse fêlée")

    page.goto("/settings/pipelines/")
    card = page.locator("section.card", has=page.get_by_role("heading", name="Réparations"))
    card.get_by_role("link", name=words["edit"], exact=True).click()
    page.locator(f"input[name=stage_name][value='{words['won']}']").fill("")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["stands"])).to_be_visible()  # a deal stands in that stage
    page.locator("input[name=stage_name]").first.fill("À chiffrer")
    page.goto("/settings/pipelines/")
    for refusal in (True, False):
        card.get_by_role("button", name=words["more"].format("Réparations")).click()
        card.get_by_role("button", name=words["delete"], exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
        if not refusal:
            break
        expect(page.get_by_text(words["in_pipeline"])).to_be_visible()
        page.goto("/deals/list?search=Tasse")
        page.get_by_role("link", name="Tasse fêlée").click()
        page.get_by_role("button", name=words["actions"], exact=True).click()
        page.get_by_role("button", name=words["delete"], exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
        expect(page.get_by_text(words["deleted"].format("Tasse fêlée"))).to_be_visible()
        page.goto("/settings/pipelines/")
    expect(page.get_by_text(words["deleted"].format("Réparations"))).to_be_visible()
    visits.faults[:] = [fault for fault in visits.faults if "422" not in fault]


@each_way
def test_pages_fit_and_read_well(
    visits: Visits, shops: Callable[[str], Account], language: str, width: int
) -> None:
    page = visits.page(account=shops("fr.1440"), language=language, width=width)
    for path in PAGES:
        page.goto(f"/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        assert_fits(page)
        shoot(page, f"{path.strip('/').replace('/', '-')}-{language}-{width}")
