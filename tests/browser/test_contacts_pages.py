"""Contacts in a browser: filtered, chosen, acted upon together, undone; one added, changed in place, erased."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import expect

from tests.browser.contacts import WORDS, agree, figure, refused_forms, settle, with_people
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation


@pytest.fixture(scope="module")
def shops(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(lambda way: with_people(installation, way))


@pytest.fixture
def shop(shops: Callable[[str], Account], language: str, width: int) -> Account:
    return shops(f"{language}.{width}")


@each_way
def test_filters_then_an_action_on_all_that_match_and_its_undoing(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/")
    expect(page.get_by_text(words["12 contacts"], exact=True)).to_be_visible()
    page.get_by_text(words["filter"]).click()
    page.get_by_label(words["tag"]).fill("vip")
    page.get_by_role("button", name=words["apply"]).click()
    expect(page.get_by_text(words["4 contacts"], exact=True)).to_be_visible()
    page.get_by_role("link", name=words["on_these_4"]).click()
    page.get_by_role("link", name=words["put_on_a_list"]).click()
    page.get_by_label(words["list"]).select_option(label="Lettre")
    assert_accessible(page)
    assert_fits(page)
    agree(page, words["apply"])
    settle(page, words["done"])
    expect(figure(page, 0)).to_contain_text("3")  # one was on the list already
    expect(figure(page, 1)).to_contain_text("1")
    assert_accessible(page)
    shoot(page, f"bulk-done-{language}-{width}")
    agree(page, words["undo"])
    settle(page, words["undone"])
    page.goto("/lists/")
    expect(page.get_by_role("row", name=re.compile("Lettre"))).to_contain_text("2")
    page.goto("/contacts/?tag=vip")
    page.get_by_role("link", name=words["remove_filter"]).click()
    expect(page.get_by_text(words["12 contacts"], exact=True)).to_be_visible()


@each_way
def test_a_choice_by_hand_and_by_keyboard(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/?search=leo")
    on_selection = page.get_by_role("button", name=words["on_selection"])
    expect(on_selection).to_be_hidden()
    page.get_by_role("checkbox", name=words["select"].format(11)).focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name=words["select"].format(10)).check()
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    on_selection.click()
    page.get_by_role("link", name=words["add_a_tag"]).click()
    page.get_by_label(words["tag"]).fill("été")
    agree(page, words["apply"])
    settle(page, words["done"])
    page.goto("/contacts/?tag=été")
    expect(page.get_by_text(words["2 contacts"], exact=True)).to_be_visible()
    page.get_by_label(words["select_all"]).check()
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    page.get_by_label(words["select_all"]).uncheck()
    expect(on_selection).to_be_hidden()


@each_way
def test_each_action_on_a_segment(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/")
    page.get_by_text(words["filter"]).click()
    page.get_by_label(words["segment"]).select_option(label="Fidèles")
    page.get_by_label(words["order"]).select_option(label=words["by_email"])
    page.get_by_role("button", name=words["apply"]).click()
    expect(page.get_by_text(words["6 contacts"], exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator("a.person").first).to_have_text("Léo Lefèvre10")
    page.get_by_role("link", name=words["on_these_6"]).click()
    actions = page.url
    for action, label, value in (
        ("put_on_a_list", "list", "Lettre"),
        ("take_off_a_list", "list", "Lettre"),
        ("add_a_tag", "tag", "soldes"),
        ("remove_a_tag", "tag", "soldes"),
    ):
        page.goto(actions)
        page.get_by_role("link", name=words[action], exact=True).click()
        asked = page.get_by_label(words[label], exact=True)
        if label == "list":
            asked.select_option(label=value)
        else:
            asked.fill(value)
        agree(page, words["apply"])
        settle(page, words["done"])
        expect(page.get_by_role("heading", level=1)).to_have_text(words[action])
        expect(figure(page, 0)).to_contain_text("6")
    page.goto(actions)
    page.get_by_role("link", name=words["set_an_attribute"]).click()
    asked = page.get_by_label(words["value"], exact=True)
    expect(asked).to_have_attribute("type", "date")  # birthday, the first of them
    page.wait_for_load_state()
    page.get_by_label(words["attribute"]).select_option(label="gift")
    expect(asked).to_have_attribute("type", "text")
    asked.fill("savon")
    agree(page, words["apply"])
    settle(page, words["done"])
    expect(figure(page, 0)).to_contain_text("6")
    page.goto(actions)
    page.get_by_role("link", name=words["record_consent"]).click()
    page.get_by_label(words["consent"], exact=True).select_option(label=words["opted_in"])
    page.get_by_label(words["source"]).fill("foire de printemps")
    agree(page, words["apply"])
    settle(page, words["done"])
    expect(figure(page, 0)).to_contain_text("0")  # five had agreed
    expect(page.locator(".figure-tile", has_text=words["respected"])).to_contain_text("1")
    assert_fits(page)
    shoot(page, f"bulk-consent-{language}-{width}")


@each_way
def test_erasing_asks_for_the_number(
    visits: Visits, shop: Account, installation: Installation, language: str, width: int
) -> None:
    words = WORDS[language]
    with installation.api(shop) as api:
        for number in range(2):
            api.post("contacts", json={"email": f"gone{number}@mimosa.example", "tags": ["gone"]})
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/bulk?tag=gone&action=erase")
    page.get_by_label(words["type_2"]).fill("3")
    agree(page, words["erase"])
    expect(page.get_by_text(words["wrong_number"])).to_be_visible()
    page.get_by_label(words["type_2"]).fill("2")
    agree(page, words["erase"])
    settle(page, words["done"])
    page.goto("/contacts/?tag=gone")
    expect(page.get_by_text(words["nobody"])).to_be_visible()
    expect(page.get_by_role("link", name=words["everybody"]).first).to_be_visible()
    refused_forms(visits)


@each_way
def test_a_person_is_added_and_erased(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/")
    page.get_by_role("link", name=words["add"]).click()
    page.get_by_label(words["first_name"]).fill("Inès")
    page.get_by_role("button", name=words["add_it"]).click()
    expect(page.get_by_text(words["needed"])).to_be_visible()
    assert_accessible(page)
    for said in ("added", "known"):
        page.goto("/contacts/new")
        page.get_by_label(words["first_name"]).fill("Inès")
        page.get_by_label(words["email"], exact=True).fill("ines@mimosa.example")
        page.get_by_label(words["agreed"]).check()
        page.get_by_role("button", name=words["add_it"]).click()
        expect(page.get_by_text(words[said])).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Inès")
    expect(page.locator("#consents")).to_contain_text(words["opted_in"])
    page.get_by_role("button", name=words["actions"], exact=True).click()
    page.get_by_role("button", name=words["erase_person"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["erase"]).click()
    expect(page.get_by_text(words["erased"])).to_be_visible()
    page.goto("/contacts/?search=ines")
    expect(page.get_by_text(words["nobody"])).to_be_visible()
    refused_forms(visits)


@each_way
def test_a_person_is_changed_in_place(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/?search=lefevre1 leo")
    page.get_by_role("link", name="Léo Lefèvre1", exact=True).click()
    profile = page.locator("#profile")
    profile.get_by_role("link", name=words["edit"]).click()
    profile.get_by_label(words["email"]).fill("pas une adresse")
    profile.get_by_role("button", name=words["save"]).click()
    expect(profile.get_by_text(words["not_an_address"])).to_be_visible()
    profile.get_by_label(words["email"]).fill("p1@mimosa.example")
    profile.get_by_label(words["city"]).fill("Évreux")
    profile.get_by_label("gift").fill("savon")
    profile.get_by_role("button", name=words["save"]).click()
    expect(profile.get_by_text(words["saved"])).to_be_visible()
    expect(profile).to_contain_text("Évreux")
    expect(profile).to_contain_text("savon")

    consents = page.locator("#consents")
    consents.get_by_text(words["record_consent"]).click()
    consents.get_by_label(words["consent"], exact=True).select_option(label=words["opted_in"])
    consents.get_by_label(words["source"]).fill("au téléphone")
    consents.get_by_role("button", name=words["record"], exact=True).click()
    expect(consents.get_by_text(words["say_again"])).to_be_visible()
    consents.get_by_label(words["again"]).check()
    consents.get_by_role("button", name=words["record"], exact=True).click()
    expect(consents.get_by_text("au téléphone")).to_be_visible()
    expect(consents.locator("strong", has_text=words["opted_in"]).first).to_be_visible()

    tags = page.locator("#tags")
    tags.get_by_label(words["add_a_tag"]).fill("Noël")
    tags.get_by_role("button", name=words["tag_add"], exact=True).click()
    expect(tags.get_by_role("link", name="Noël")).to_be_visible()
    tags.get_by_role("button", name=words["remove_tag"]).click()
    expect(tags.get_by_role("link", name="Noël")).to_have_count(0)

    lists = page.locator("#lists")
    lists.get_by_role("button", name=words["off_list"]).click()
    expect(lists.get_by_text(words["no_list"])).to_be_visible()
    lists.get_by_role("button", name=words["on_list"]).click()
    expect(lists.get_by_role("link", name="Lettre")).to_be_visible()

    page.reload()
    expect(page.get_by_text(words["no_journey"])).to_be_visible()
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    chip = page.get_by_role("button", name=words["profile"], exact=True)
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".timeline-event", has_text=words["created"])).to_have_count(1)
    expect(page.locator(".timeline-event", has_text=words["joined"])).to_have_count(0)
    page.locator(".timeline-event details summary").first.click()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"contact-changed-{language}-{width}")


@each_way
def test_the_columns_of_an_export_are_chosen(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/contacts/?tag=vip")
    page.get_by_role("link", name=words["export"]).click()
    page.get_by_label(words["all_columns"]).uncheck()
    page.get_by_label("email", exact=True).check()
    page.get_by_label("attributes.points").check()
    with page.expect_download() as download:
        page.get_by_role("button", name=words["export"]).click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0] == "email,attributes.points"
    assert len(lines) == 5


@each_way
def test_pages_fit_and_read_well(
    visits: Visits, shops: Callable[[str], Account], language: str, width: int
) -> None:
    page = visits.page(account=shops("fr.1440"), language=language, width=width)
    for path in (
        "contacts/?tag=vip&consent=email:opted_in",
        "contacts/?search=nobody",
        "contacts/bulk?tag=vip",
        "contacts/bulk?tag=vip&action=set_consent",
        "contacts/bulk?tag=vip&action=erase",
        "contacts/export/columns?tag=vip",
        "attributes/",
        "tags/",
        "tags/?search=nothing",
        "lists/?search=nothing",
    ):
        page.goto(f"/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        assert_fits(page)
        shoot(page, f"{path}-{language}-{width}")
    page.goto("/contacts/?search=zoe")
    page.get_by_role("link", name="Zoé Lefèvre0").click()
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"contact-{language}-{width}")
