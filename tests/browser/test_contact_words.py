"""What contacts are sorted by, in a browser: attributes, tags and lists, from their making to their end."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import expect

from tests.browser.contacts import WORDS, agree, refused_forms, settle, with_people
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation


@pytest.fixture(scope="module")
def shops(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(lambda way: with_people(installation, f"mots.{way}"))


@pytest.fixture
def shop(shops: Callable[[str], Account], language: str, width: int) -> Account:
    return shops(f"{language}.{width}")


@each_way
def test_an_attribute_from_its_declaration_to_its_end(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/attributes/")
    points = page.get_by_role("row", name=re.compile("^points"))
    expect(points.locator("[id$=-count]")).to_have_text("12")
    expect(points.get_by_role("link", name="1", exact=True)).to_be_visible()  # the segment
    page.get_by_label(words["attribute_name"]).fill("pointure")
    page.get_by_role("button", name=words["declare"]).click()
    expect(page.get_by_text(words["declared"])).to_be_visible()
    page.get_by_role("link", name="pointure").click()
    page.get_by_label(words["attribute_name"]).fill("taille")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("heading", name="taille")).to_be_visible()
    page.goto("/attributes/")
    page.get_by_role("link", name="points").click()
    expect(page.locator("#uses")).to_contain_text("Fidèles")
    page.get_by_label(words["attribute_name"]).fill("fidélité")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_role("alert")).to_contain_text("Fidèles")
    page.get_by_label(words["attribute_name"]).fill("points")
    page.get_by_label(words["type"]).select_option(label=words["yes_or_no"])
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_label(words["type"])).to_have_value("boolean")
    expect(page.get_by_role("alert")).to_contain_text("Fidèles")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"attribute-used-{language}-{width}")
    page.goto("/attributes/")
    page.get_by_role("link", name="taille").click()
    page.get_by_role("button", name=words["actions"], exact=True).click()
    page.get_by_role("button", name=words["delete_attribute"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_role("link", name="taille")).to_have_count(0, timeout=20_000)
    refused_forms(visits)


@each_way
def test_a_tag_is_merged_into_another_then_deleted(
    visits: Visits, shop: Account, installation: Installation, language: str, width: int
) -> None:
    words = WORDS[language]
    with installation.api(shop) as api:
        api.post("contacts", json={"email": "p4@mimosa.example", "tags": ["a-tag", "b-tag"]})
        api.post("contacts", json={"email": "p5@mimosa.example", "tags": ["a-tag"]})
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/tags/?search=a-tag")
    page.get_by_role("button", name=words["tag_actions"].format("a-tag")).click()
    page.get_by_role("button", name=words["rename_or_merge"]).click()
    page.get_by_label(words["new_name"]).fill("b-tag")
    page.get_by_role("dialog").get_by_role("button", name=words["rename"]).click()
    settle(page, words["done"])
    page.goto("/tags/")
    expect(page.get_by_role("row", name=re.compile("b-tag"))).to_contain_text("2")
    expect(page.get_by_role("row", name=re.compile("a-tag"))).to_have_count(0)
    page.get_by_label(words["search_tag"]).fill("b-tag")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=words["tag_actions"].format("b-tag")).click()
    page.get_by_role("button", name=words["delete"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    settle(page, words["done"])
    page.goto("/tags/?search=b-tag")
    expect(page.get_by_text(words["no_tag"])).to_be_visible()


@each_way
def test_a_list_from_its_making_to_its_end(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/lists/")
    page.get_by_label(words["list_name"]).fill("Salon")
    page.get_by_role("button", name=words["create_list"]).click()
    expect(page.get_by_text(words["list_made"])).to_be_visible()
    for key, said in (
        ("nobody@mimosa.example", "no_such_contact"),
        ("p2@mimosa.example", "is_on_list"),
        ("p3@mimosa.example", "is_on_list"),
    ):
        page.get_by_label(words["who"]).fill(key)
        page.get_by_role("button", name=words["on_list"]).click()
        expect(page.get_by_text(words[said])).to_be_visible()
    expect(page.locator("a.person")).to_have_count(2)
    page.get_by_label(words["search_person"]).fill("p3@")
    page.keyboard.press("Enter")
    expect(page.locator("a.person")).to_have_count(1)
    agree(page, words["take_off"])
    expect(page.get_by_text(words["is_off_list"])).to_be_visible()
    expect(page.locator("a.person")).to_have_text("Léo Lefèvre2")
    page.get_by_label(words["list_name"]).fill("Salon de mars")
    page.get_by_role("button", name=words["rename"]).click()
    expect(page.get_by_text(words["list_changed"])).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Salon de mars")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"list-{language}-{width}")
    page.get_by_role("button", name=words["actions"], exact=True).click()
    page.get_by_role("button", name=words["delete_list"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_text(words["list_deleted"])).to_be_visible()
    page.get_by_label(words["search_list"]).fill("salon")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["no_such_list"])).to_be_visible()
