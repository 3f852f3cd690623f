"""The page frame: signing in, the languages, a phone, and what axe says of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot, sign_in
from tests.fixtures.installation import Account, Installation

WORDS = {"fr": ("Se connecter", "Mot de passe"), "en": ("Sign in", "Password")}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_sign_in_page(visits: Visits, account: Account, language: str, width: int) -> None:
    page = visits.page(language=language, width=width)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language][0])
    expect(page.get_by_label(WORDS[language][1], exact=True)).to_be_visible()
    assert page.locator("html").get_attribute("lang") == language
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"sign-in-{language}-{width}")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
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


def test_a_wrong_password_is_said(visits: Visits, account: Account) -> None:
    page = visits.page(language="fr")
    page.goto("/accounts/login/")
    page.fill("#id_login", account.email)
    page.fill("#id_password", "pas le bon")
    page.click("button.btn-primary")
    expect(page.get_by_role("alert")).to_contain_text("mot de passe")
    assert_accessible(page)


def test_signing_out(visits: Visits, account: Account) -> None:
    page = visits.page(language="fr")
    sign_in(page, account)
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url(re.compile("/accounts/login"))
    page.goto("/")
    page.wait_for_url(re.compile("/accounts/login"))


def test_the_language_chosen_is_kept_with_the_user(visits: Visits, installation: Installation) -> None:
    account = installation.create_account("Polyglotte", email="poly@example.org")
    page = visits.page(language="fr")
    sign_in(page, account)
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("navigation", name="Main menu")).to_be_visible()
    elsewhere = visits.page(language="fr")
    sign_in(elsewhere, account)
    expect(elsewhere.get_by_role("navigation", name="Main menu")).to_be_visible()


@pytest.mark.parametrize(("language", "words"), [("fr", "Page introuvable"), ("en", "Page not found")])
def test_an_address_that_leads_nowhere(visits: Visits, account: Account, language: str, words: str) -> None:
    page = visits.page(account=account, language=language)
    answer = page.goto("/nulle-part")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    assert_accessible(page)
    visits.faults.clear()  # Chromium itself calls a 404 an error
