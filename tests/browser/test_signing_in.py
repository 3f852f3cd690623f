"""Signing in: a second factor set, asked for, taken away; other sessions ended."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

from playwright.sync_api import Page, expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import PASSWORD, Account, Installation

SAID = {
    "fr": {
        "first": "Activer la double authentification",
        "codes": "Codes de récupération",
        "left": "Il reste 10 codes de récupération.",
        "fewer": "Il reste 9 codes de récupération.",
        "factor": "Double authentification",
        "new_codes": "Créer de nouveaux codes de récupération",
        "take_away": "Désactiver la double authentification",
        "require": "L’exiger de tous",
        "require_it": "L’exiger",
        "required": "Tous les membres doivent avoir la double authentification",
        "leave_it": "Laisser le choix à chacun",
        "each": "Les membres peuvent se connecter avec leur seul mot de passe.",
        "saved": "Les paramètres sont enregistrés.",
        "elsewhere": "Se déconnecter ailleurs",
        "sign_out": "Se déconnecter",
        "ended": "Vos autres sessions sont terminées.",
    },
    "en": {
        "first": "Set a second factor",
        "codes": "Recovery codes",
        "left": "10 recovery codes are left.",
        "fewer": "9 recovery codes are left.",
        "factor": "Second factor",
        "new_codes": "Make new recovery codes",
        "take_away": "Take the second factor away",
        "require": "Require it of everybody",
        "require_it": "Require it",
        "required": "Every member needs a second factor",
        "leave_it": "Leave it to each member",
        "each": "Members may sign in with their password alone.",
        "saved": "The settings are saved.",
        "elsewhere": "Sign out elsewhere",
        "sign_out": "Sign out",
        "ended": "Your other sessions are ended.",
    },
}
#: The account asks every member for a second factor, as its page does once its owner has one.
REQUIRED = """
from parcours.accounts.models import Account
Account.objects.filter(pk={account}).update(second_factor_required=True)
"""


def code_of(secret: str) -> str:
    """The code of now (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def _owner(installation: Installation, name: str, language: str, width: int) -> Account:
    email = f"{name.lower()}.{language}.{width}@example.org"
    return installation.create_account(f"{name} {language} {width}", email=email, language=language)


def _seen(page: Page, name: str, language: str, width: int) -> None:
    at_rest(page)
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"{name}-{language}-{width}")


def _confirmed(page: Page, secret: str = "") -> None:
    """What touches the way in asks first for the password, or for a code."""
    if "/reauthenticate/" in page.url:
        if page.locator("#id_password").count():
            page.fill("#id_password", PASSWORD)
        else:
            page.fill("#id_code", code_of(secret))
        page.click("main button.btn-primary")


def _with_password(page: Page, account: Account, password: str = PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.fill("#id_login", account.email)
    page.fill("#id_password", password)
    page.click("button.btn-primary")


@each_way
def test_a_second_factor_is_set_asked_for_and_taken_away(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said = SAID[language]
    account = _owner(installation, "Coffre", language, width)
    page = visits.page(language=language, width=width)
    _with_password(page, account)
    page.goto("/settings/security")
    _seen(page, "security", language, width)
    page.get_by_role("link", name=said["first"]).click()
    _confirmed(page)
    expect(page.locator(".second-factor-code")).to_be_visible()
    page.locator("details summary").click()
    _seen(page, "second-factor", language, width)
    secret = page.locator("details code").inner_text()
    page.fill("#id_code", code_of(secret))
    page.click("main button.btn-primary")
    expect(page.get_by_role("heading", level=1)).to_have_text(said["codes"])
    _seen(page, "recovery-codes", language, width)
    recovery = page.locator(".recovery-codes code").first.inner_text()
    page.goto("/settings/security")
    expect(page.get_by_text(said["left"])).to_be_visible()
    _seen(page, "security-set", language, width)

    # From now on the password alone opens nothing; a recovery code does.
    theirs = visits.page(language=language, width=width)
    _with_password(theirs, account)
    expect(theirs.get_by_role("heading", level=1)).to_have_text(said["factor"])
    _seen(theirs, "second-factor-asked", language, width)
    theirs.fill("#id_code", "123")
    theirs.click("main button.btn-primary")
    expect(theirs.locator(".invalid-feedback")).to_be_visible()
    theirs.fill("#id_code", recovery)
    theirs.click("main button.btn-primary")
    theirs.wait_for_url(re.compile(r"/$"))
    page.reload()
    expect(page.get_by_text(said["fewer"])).to_be_visible()

    # Everybody is asked for one, then nobody.
    page.goto("/settings/members")
    page.get_by_role("button", name=said["require"]).click()
    page.locator("#confirm-dialog").get_by_role("button", name=said["require_it"], exact=True).click()
    expect(page.get_by_text(said["required"])).to_be_visible()
    _seen(page, "members-second-factor", language, width)
    page.get_by_role("button", name=said["leave_it"]).click()
    expect(page.get_by_text(said["each"])).to_be_visible()

    page.goto("/settings/security")
    page.get_by_role("link", name=said["new_codes"]).click()
    _confirmed(page, secret)
    _seen(page, "recovery-codes-anew", language, width)
    page.get_by_role("button", name=said["new_codes"]).click()
    expect(page.locator(".recovery-codes code")).to_have_count(10)
    assert recovery not in page.locator(".recovery-codes").inner_text()
    page.goto("/settings/security")
    page.get_by_role("link", name=said["take_away"]).click()
    _confirmed(page, secret)
    _seen(page, "second-factor-away", language, width)
    page.get_by_role("button", name=said["take_away"]).click()
    page.goto("/settings/security")
    expect(page.get_by_role("link", name=said["first"])).to_be_visible()


@each_way
def test_a_member_without_a_second_factor_is_led_to_it(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said = SAID[language]
    account = _owner(installation, "Exigeante", language, width)
    installation.quickly("manage", "shell", "-c", REQUIRED.format(account=account.id))
    page = visits.page(language=language, width=width)
    _with_password(page, account)
    page.goto("/segments/")
    page.wait_for_url("**/settings/security")
    expect(page.get_by_role("link", name=said["first"])).to_be_visible()
    _seen(page, "security-required", language, width)


@each_way
def test_other_sessions_are_ended(
    visits: Visits, installation: Installation, language: str, width: int
) -> None:
    said = SAID[language]
    account = _owner(installation, "Ailleurs", language, width)
    page, lost = (visits.page(language=language, width=width) for _ in range(2))
    for one in (page, lost):
        _with_password(one, account)
        one.goto("/settings/security")
        expect(one.get_by_role("button", name=said["elsewhere"])).to_be_visible()
    page.get_by_role("button", name=said["elsewhere"]).click()
    page.locator("#confirm-dialog").get_by_role("button", name=said["sign_out"], exact=True).click()
    expect(page.get_by_text(said["ended"])).to_be_visible()
    lost.goto("/settings/security")
    lost.wait_for_url("**/accounts/login/**")
