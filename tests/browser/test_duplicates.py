"""Duplicates in a browser: looked for, compared side by side, merged, parted again, all the certain ones at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

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


@pytest.fixture(scope="module")
def doubles(installation: Installation) -> Account:
    """An account with three pairs of duplicates, two of them certain."""
    made = installation.create_account("Maison Jumelle", email="jumelle@example.org")
    with installation.api(made) as api:
        for person in PEOPLE:
            assert api.post("contacts", json=person).status_code == 201
        file = b"email\nlast@example.org\n"
        done = api.post("contacts/import?wait=true", content=file, headers={"Content-Type": "text/csv"})
        assert done.status_code == 200  # whoever was added is in the store by now
    return made


def searched(page: Page) -> None:
    """Look for duplicates to the end, when nobody has."""
    page.goto("/contacts/duplicates")
    button = page.get_by_role("button", name=re.compile("Chercher les doublons|Search for duplicates"))
    if button.count():
        shoot(page, "duplicates-none-fr")
        assert_accessible(page)
        button.click()
    expect(page.locator(".list-group-item").first).to_be_visible(timeout=20_000)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_are_at_home_everywhere(
    visits: Visits, doubles: Account, language: str, width: int
) -> None:
    page = visits.page(account=doubles, language=language, width=width)
    searched(page)
    expect(page.locator(".list-group-item")).to_have_count(3)
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"duplicates-{language}-{width}")
    page.get_by_role("link", name=re.compile("Comparer et fusionner|Compare and merge")).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Fusionner des|Merge contacts"))
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"compare-{language}-{width}")


def test_two_are_compared_merged_and_parted_again(visits: Visits, doubles: Account) -> None:
    page = visits.page(account=doubles)
    searched(page)
    line = page.locator(".list-group-item", has_text="zoe.lefevre@gmail.com")
    expect(line).to_contain_text("Certain")
    expect(line).to_contain_text("la même boîte aux lettres")
    line.get_by_role("link", name="Comparer et fusionner").click()
    page.get_by_role("radio", name="zoelefevre+promo@gmail.com").check()
    page.get_by_role("button", name="Fusionner").click()
    expect(page.get_by_text("1 contact a été fusionné avec celui-ci.")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("Lef[èe]vre"))
    expect(page.get_by_text("+33612345678").or_(page.get_by_text("06 12 34 56 78")).first).to_be_visible()
    undo = page.get_by_role("button", name="Annuler la fusion")
    expect(undo).to_be_visible()
    assert_accessible(page)
    shoot(page, "merged-fr-1440")
    undo.click()
    page.get_by_role("dialog").get_by_role("button", name="Annuler la fusion").click()
    expect(page.get_by_text("La fusion est annulée")).to_be_visible()
    page.goto("/contacts/?search=lefevre")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_one_pair_is_dismissed_and_the_certain_ones_merged(visits: Visits, doubles: Account) -> None:
    page = visits.page(account=doubles)
    searched(page)
    page.get_by_role("button", name="Chercher à nouveau").click()
    expect(page.get_by_role("button", name="Chercher à nouveau")).to_be_enabled(timeout=20_000)
    line = page.locator(".list-group-item", has_text="leo.martin@example.org")
    line.get_by_role("button", name="Pas des doublons").click()
    expect(page.get_by_text("ne seront plus montrés")).to_be_visible()
    expect(page.locator(".list-group-item")).to_have_count(2)
    page.get_by_role("button", name="Fusionner tous les certains").click()
    page.get_by_role("dialog").get_by_role("button", name="Fusionner").click()
    expect(page.get_by_text("Aucun doublon")).to_be_visible(timeout=20_000)
    assert_accessible(page)
    page.goto("/contacts/")
    expect(page.get_by_text("5 contacts", exact=True)).to_be_visible()
