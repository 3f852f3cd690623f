"""The page frame: signing in, the languages, a phone, and what axe says of it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot, sign_in
from tests.fixtures.installation import Account, Installation

WORDS = {"fr": ("Se connecter", "Mot de passe"), "en": ("Sign in", "Password")}


@each_way
def test_sign_in_page(visits: Visits, account: Account, language: str, width: int) -> None:
    page = visits.page(language=language, width=width)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][0])
    expect(page.get_by_label(WORDS[language][1], exact=True)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"sign-in-{language}-{width}")


@each_way
def test_home(visits: Visits, account: Account, language: str, width: int) -> None:
    page = visits.page(account=account, language=language, width=width)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    menu = page.get_by_role("navigation", name="Menu principal" if language == "fr" else "Main menu")
    if width == 390:
        expect(menu).to_be_hidden()
        page.get_by_role("button", name="Menu").click()
    expect(menu).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"home-{language}-{width}")


SAID: dict[str, dict[str, Any]] = {
    "fr": {
        "wrong": "mot de passe",
        "out": "Se déconnecter",
        "menu": "Menu principal",
        "other": ("English", "Main menu"),
        "nowhere": "Page introuvable",
        "start": "Retour à l’accueil",
    },
    "en": {
        "wrong": "password",
        "out": "Sign out",
        "menu": "Main menu",
        "other": ("Français", "Menu principal"),
        "nowhere": "Page not found",
        "start": "Back to the start",
    },
}


def _open_menu(page: Page, width: int) -> None:
    """On a phone the menu is behind a button."""
    if width == 390:
        page.get_by_role("button", name="Menu").click()


@each_way
def test_a_wrong_password_is_said(visits: Visits, account: Account, language: str, width: int) -> None:
    page = visits.page(language=language, width=width)
    page.goto("/accounts/login/")
    page.fill("#id_login", account.email)
    page.fill("#id_password", "pas le bon")
    page.click("button.btn-primary")
    expect(page.get_by_role("alert")).to_contain_text(SAID[language]["wrong"])
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"sign-in-wrong-{language}-{width}")


@each_way
def test_signing_out(visits: Visits, account: Account, language: str, width: int) -> None:
    page = visits.page(language=language, width=width)
    sign_in(page, account)
    _open_menu(page, width)
    page.get_by_role("button", name=SAID[language]["out"]).click()
    page.wait_for_url(re.compile("/accounts/login"))
    page.goto("/")
    page.wait_for_url(re.compile("/accounts/login"))


@each_way
def test_the_language_chosen_is_kept_with_the_user(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    account = installation.create_account("Polyglotte", email=f"poly.{language}.{width}@example.org")
    name, menu = SAID[language]["other"]
    page = visits.page(language=language, width=width)
    sign_in(page, account)
    _open_menu(page, width)
    page.get_by_role("button", name=name).click()
    elsewhere = visits.page(language=language, width=width)
    for shown in (page, elsewhere):
        if shown is elsewhere:
            sign_in(elsewhere, account)
        _open_menu(shown, width)
        expect(shown.get_by_role("navigation", name=menu)).to_be_visible()


@each_way
def test_an_address_that_leads_nowhere(visits: Visits, account: Account, language: str, width: int) -> None:
    words = SAID[language]
    page = visits.page(account=account, language=language, width=width)
    answer = page.goto("/nulle-part")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text(words["nowhere"])
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"nowhere-{language}-{width}")
    page.get_by_role("link", name=words["start"]).click()
    expect(page).to_have_url(re.compile("/$"))
    visits.faults.clear()  # Chromium itself calls a 404 an error
