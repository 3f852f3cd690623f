"""Members in a real browser: invited, joining, kept to their role; the second factor; both languages and widths."""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
import time

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import PASSWORD, Account, Installation

SAID = {
    "fr": {
        "invited": "Aucun message n’a pu être envoyé à",
        "role": "Analyste",
        "join": "Rejoindre « Équipe fr »",
        "first": "Activer la double authentification",
        "codes": "Codes de récupération",
        "left": "Il reste 10 codes de récupération.",
    },
    "en": {
        "invited": "No mail could be sent to",
        "role": "Analyst",
        "join": "Join “Équipe en”",
        "first": "Set a second factor",
        "codes": "Recovery codes",
        "left": "10 recovery codes are left.",
    },
}


def code_of(secret: str) -> str:
    """The code of now (RFC 6238)."""
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.fixture(scope="module")
def teams(installation: Installation) -> dict[str, Account]:
    return {
        language: installation.create_account(
            f"Équipe {language}", email=f"chef.{language}@example.org", language=language
        )
        for language in SAID
    }


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("en", 390)])
def test_a_member_is_invited_and_kept_to_their_role(
    visits: Visits, teams: dict[str, Account], language: str, width: int
) -> None:
    said, email = SAID[language], f"nouveau.{language}@example.org"
    page = visits.page(account=teams[language], language=language, width=width)
    page.goto("/settings/members")
    page.fill("#id_email", email)
    page.select_option("#id_role", "analyst")
    page.click("form[action$='/invite'] button")
    expect(page.get_by_role("status").filter(has_text=said["invited"])).to_be_visible()
    at_rest(page)
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"members-{language}-{width}")
    link = page.get_attribute("[data-copy*='/invitation/']", "data-copy")
    assert link is not None

    theirs = visits.page(language=language, width=width)
    theirs.goto(link)
    expect(theirs.get_by_role("heading", level=1)).to_have_text(said["join"])
    assert_fits(theirs)
    assert_accessible(theirs)
    shoot(theirs, f"invitation-{language}-{width}")
    theirs.fill("#id_name", "Camille")
    theirs.fill("#id_password", PASSWORD)
    theirs.click("main button.btn-primary")
    theirs.wait_for_url(lambda url: "/invitation/" not in url)
    theirs.goto("/contacts/")
    assert theirs.locator("a[href*='/contacts/import'], a[href$='/contacts/new']").count() == 0
    for path in (
        "/contacts/",
        "/lists/",
        "/segments/",
        "/journeys/",
        "/messages/",
        "/suppressions/",
        "/deals/",
    ):
        theirs.goto(path)
        assert theirs.locator("main form[method=post]").count() == 0, path
    theirs.goto("/settings/")
    assert theirs.url.endswith("/settings/profile")
    assert_accessible(theirs)

    page.reload()
    expect(page.locator("select[name=role]").first).to_have_value("analyst")
    page.goto("/settings/log")
    expect(page.get_by_text(f"{email} ({said['role']})")).to_be_visible()
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"log-{language}-{width}")


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("fr", 390)])
def test_a_second_factor_is_set(visits: Visits, teams: dict[str, Account], language: str, width: int) -> None:
    said = SAID[language]
    page = visits.page(account=teams[language], language=language, width=width)
    page.goto("/settings/security")
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"security-{language}-{width}")
    page.get_by_role("link", name=said["first"]).click()
    page.fill("#id_password", PASSWORD)
    page.click("main button.btn-primary")
    expect(page.locator(".second-factor-code")).to_be_visible()
    page.locator("details summary").click()
    at_rest(page)
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"second-factor-{language}-{width}")
    secret = page.locator("details code").inner_text()
    page.fill("#id_code", code_of(secret))
    page.click("main button.btn-primary")
    expect(page.get_by_role("heading", level=1)).to_have_text(said["codes"])
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"recovery-codes-{language}-{width}")
    page.goto("/settings/security")
    expect(page.get_by_text(said["left"])).to_be_visible()
