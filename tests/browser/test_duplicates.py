"""Duplicates in a browser: looked for, compared side by side, merged, parted again, all the certain ones at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache

import pytest
from playwright.sync_api import Page, expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

PEOPLE = (
    {"email": "zoe.lefevre@gmail.com", "first_name": "Zoé", "last_name": "Lefèvre", "city": "Évreux"},
    {
        "email": "zoelefevre+promo@gmail.com",
        "first_name": "Zoe",
        "last_name": "Lefevre",
        "phone": "+33612345678",
    },
    {"email": "leo@example.org", "first_name": "Léo", "last_name": "Martin", "city": "Brest"},
    {
        "email": "leo.martin@example.org",
        "first_name": "Léo",
        "last_name": "Martin",
        "city": "Brest",
        "tags": ["vip"],
    },
    {"email": "ada@example.org", "first_name": "Ada", "last_name": "Byron", "city": "London"},
    {"email": "ada+news@example.org"},
)
WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "none": "Personne n’a encore cherché de doublons",
        "search": "Chercher les doublons",
        "again": "Chercher à nouveau",
        "compare": "Comparer et fusionner",
        "title": "Fusionner des contacts",
        "certain": "Certain",
        "certain_ones": "Certains",
        "mailbox": "la même boîte aux lettres",
        "merge": "Fusionner",
        "merged": "1 contact a été fusionné avec celui-ci.",
        "undo": "Annuler la fusion",
        "undone": "La fusion est annulée",
        "parted": "séparé à nouveau",
        "compare_one": "Comparer",
        "not": "Pas des doublons",
        "dismissed": "Ces deux contacts ne seront plus montrés comme doublons.",
        "merge_all": "Fusionner tous les certains",
        "no_duplicates": "Aucun doublon",
        "4 contacts": "4 contacts",
    },
    "en": {
        "none": "Nobody has looked for duplicates yet",
        "search": "Search for duplicates",
        "again": "Search again",
        "compare": "Compare and merge",
        "title": "Merge contacts",
        "certain": "Certain",
        "certain_ones": "Certain ones",
        "mailbox": "the same mailbox",
        "merge": "Merge",
        "merged": "1 contact was merged into this one.",
        "undo": "Undo the merge",
        "undone": "The merge is undone",
        "parted": "parted again",
        "compare_one": "Compare",
        "not": "Not duplicates",
        "dismissed": "These two will not be shown as duplicates again.",
        "merge_all": "Merge all the certain ones",
        "no_duplicates": "No duplicates",
        "4 contacts": "4 contacts",
    },
}


def with_doubles(installation: Installation, way: str) -> Account:
    """An account with three pairs of duplicates, two of them certain."""
    made = installation.create_account("Maison Jumelle", email=f"jumelle.{way}@example.org")
    people = "\n".join(json.dumps(person) for person in PEOPLE)
    with installation.api(made) as api:
        done = api.post(
            "contacts/import?wait=true", content=people, headers={"Content-Type": "application/x-ndjson"}
        )
        assert done.json()["accepted"] == len(PEOPLE), done.text  # they are in the store by now
    return made


@pytest.fixture(scope="module")
def accounts(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(lambda way: with_doubles(installation, way))


@pytest.fixture
def doubles(accounts: Callable[[str], Account], language: str, width: int) -> Account:
    return accounts(f"{language}.{width}")


def searched(page: Page, words: dict[str, str]) -> None:
    """Look for duplicates to the end, when nobody has."""
    page.goto("/contacts/duplicates")
    button = page.get_by_role("button", name=words["search"], exact=True)
    if button.count():
        expect(page.get_by_text(words["none"])).to_be_visible()
        assert_fits(page)
        button.click()
    expect(page.locator(".list-group-item").first).to_be_visible(timeout=20_000)


@each_way
def test_the_pages_are_at_home_everywhere(
    visits: Visits, accounts: Callable[[str], Account], language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=accounts("seen"), language=language, width=width)
    searched(page, words)
    expect(page.locator(".list-group-item")).to_have_count(3)
    assert_fits(page)
    if language == "fr":  # What axe looks at is the same in both.
        assert_accessible(page)
    shoot(page, f"duplicates-{language}-{width}")
    page.get_by_role("link", name=words["compare"]).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["title"])
    assert_fits(page)
    if language == "fr":
        assert_accessible(page)
    shoot(page, f"compare-{language}-{width}")


@each_way
def test_two_are_compared_merged_and_parted_again(
    visits: Visits, doubles: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=doubles, language=language, width=width)
    searched(page, words)
    line = page.locator(".list-group-item", has_text="zoe.lefevre@gmail.com")
    expect(line).to_contain_text(words["certain"])
    expect(line).to_contain_text(words["mailbox"])
    line.get_by_role("link", name=words["compare"]).click()
    page.get_by_role("radio", name="zoelefevre+promo@gmail.com").check()
    page.get_by_role("button", name=words["merge"]).click()
    expect(page.get_by_text(words["merged"])).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Lef[èe]vre"))
    expect(page.get_by_text("+33612345678").or_(page.get_by_text("06 12 34 56 78")).first).to_be_visible()
    undo = page.get_by_role("button", name=words["undo"])
    expect(undo).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"merged-{language}-{width}")
    kept = page.url
    undo.click()
    page.get_by_role("dialog").get_by_role("button", name=words["undo"]).click()
    expect(page.get_by_text(words["undone"])).to_be_visible()
    page.goto(kept)
    expect(page.get_by_text(words["parted"])).to_be_visible()  # the merge stays told
    page.goto("/contacts/?search=lefevre")
    expect(page.locator("tbody tr")).to_have_count(2)


@each_way
def test_one_pair_is_dismissed_and_the_certain_ones_merged(
    visits: Visits, doubles: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=doubles, language=language, width=width)
    searched(page, words)
    with page.expect_navigation():
        page.get_by_role("button", name=words["again"]).click()
    expect(page.get_by_role("button", name=words["again"])).to_be_enabled(timeout=20_000)
    page.get_by_role("link", name=words["certain_ones"]).click()
    expect(page.locator(".list-group-item")).to_have_count(2)
    page.get_by_role("link", name="ada@example.org").or_(page.get_by_role("link", name="Ada Byron")).click()
    page.get_by_role("link", name=words["compare_one"], exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["title"])
    page.goto("/contacts/duplicates")
    line = page.locator(".list-group-item", has_text="leo.martin@example.org")
    line.get_by_role("button", name=words["not"]).click()
    expect(page.get_by_text(words["dismissed"])).to_be_visible()
    expect(page.locator(".list-group-item")).to_have_count(2)
    page.get_by_role("button", name=words["merge_all"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["merge"]).click()
    expect(page.get_by_text(words["no_duplicates"])).to_be_visible(timeout=20_000)
    expect(page.locator("section[hx-get]")).to_have_count(
        0
    )  # the merges' progress, which loads the page again
    assert_accessible(page)
    assert_fits(page)
    page.goto("/contacts/")
    expect(page.get_by_text(words["4 contacts"], exact=True)).to_be_visible()
