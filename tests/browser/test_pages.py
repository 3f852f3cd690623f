"""Every page of an account, in both languages, on a desk and on a phone: it opens, fits, and axe is content."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import Account, Installation

CONTACTS = "email,first_name,last_name,country\n" + "".join(
    f"client{number}@example.org,Élodie,Un nom de famille composé n° {number},FR\n" for number in range(120)
)
MJML = "<mjml><mj-body><mj-section><mj-column><mj-text>Bonjour</mj-text></mj-column></mj-section></mj-body></mjml>"


@pytest.fixture(scope="module")
def pages(installation: Installation, account: Account) -> list[str]:
    """The addresses of pages with something in them, made through the API."""
    with installation.api(account) as api:

        def post(path: str, body: object) -> str:
            answer = api.post(path, json=body)
            assert answer.status_code < 300, answer.text
            return str(answer.json().get("id", ""))

        imported = api.post(
            "contacts/import?wait=true", content=CONTACTS, headers={"Content-Type": "text/csv"}
        )
        assert imported.json()["accepted"] == 120, imported.text
        contact = api.get("contacts", params={"limit": 1}).json()["items"][0]["id"]
        list_id = post("lists", {"name": "Infolettre"})
        post(f"lists/{list_id}/members", {"contacts": [{"id": contact}]})
        post("segments", {"name": "Clients", "criteria": {"field": "country", "op": "eq", "value": "FR"}})
        message = post(
            "messages",
            {
                "name": "Bienvenue",
                "channel": "email",
                "subject": "Bonjour {{ contact.first_name }}",
                "mjml": MJML,
                "from": "Maison Lavande <bonjour@example.org>",
            },
        )
        steps = [
            {"id": "mail", "type": "send_email", "message": message, "next": "wait"},
            {"id": "wait", "type": "delay", "for": "2d", "next": "end"},
            {"id": "end", "type": "end"},
        ]
        entry = {"triggers": [{"type": "list_joined", "list": list_id}], "include": "both"}
        journey = post("journeys", {"name": "Bienvenue", "entry": entry, "start": "mail", "steps": steps})
        post(f"journeys/{journey}/activate", {})
    return [
        "/journeys/",
        "/journeys/archived",
        f"/journeys/{journey}/statistics",
        "/contacts/",
        "/contacts/?page=2",
        f"/contacts/{contact}",
        "/contacts/import",
        "/contacts/new",
        "/lists/",
        f"/lists/{list_id}",
        "/segments/",
        "/messages/",
        f"/messages/{message}",
        "/settings/",
        "/settings/keys",
        "/settings/tracking",
        "/settings/profile",
    ]


@each_way
def test_every_page(visits: Visits, account: Account, pages: list[str], language: str, width: int) -> None:
    page = visits.page(account=account, language=language, width=width)
    for path in pages:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.locator("html").get_attribute("lang") == language
        if page.locator("[data-island=canvas]").count():
            expect(page.locator(".step").first).to_be_visible(timeout=15_000)
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        else:
            at_rest(page)
        assert_fits(page)
        shoot(page, f"page{path}-{language}-{width}")
