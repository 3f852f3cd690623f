"""Marketing automatisé in a browser: journeys written, activated, paused, archived; both languages, a phone too."""

from __future__ import annotations

import json

import httpx
from playwright.sync_api import expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

DOCUMENT = {
    "entry": {"triggers": [{"type": "manual"}]},
    "start": "rest",
    "steps": [{"id": "rest", "type": "delay", "for": "1d", "next": "end"}, {"id": "end", "type": "end"}],
}


def _api(installation: Installation, account: Account, name: str) -> str:
    headers = {"Authorization": f"Bearer {account.api_key}"}
    made = httpx.post(f"{installation.url}/api/v1/journeys", json={**DOCUMENT, "name": name}, headers=headers)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_a_journey_is_written_activated_paused_and_archived(visits: Visits, account: Account) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/journeys/")
    page.get_by_role("link", name="Nouveau scénario").first.click()
    page.get_by_role("link", name="Rappel avant la première commande").click()
    page.get_by_label("Nom", exact=True).fill("Mon rappel")
    page.get_by_label("Document (JSON)").fill(json.dumps({**DOCUMENT, "start": "nowhere"}))
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    expect(page.get_by_text("/start")).to_be_visible()
    assert_accessible(page)
    shoot(page, "journey-refused-fr-1440")
    # The refusal is a 422, which the browser notes.
    [refused] = visits.faults
    assert "422" in refused
    visits.faults.clear()
    page.get_by_label("Document (JSON)").fill(json.dumps(DOCUMENT))
    page.get_by_role("button", name="Enregistrer le brouillon").click()
    expect(page.get_by_text("est enregistré comme brouillon")).to_be_visible()

    def choose(action: str, *, agree: bool = False) -> None:
        page.get_by_role("button", name="Actions pour Mon rappel").click()
        page.get_by_role("button", name=action, exact=True).click()
        if agree:
            page.locator("#confirm-yes").click()

    row = page.get_by_role("row", name="Mon rappel")
    choose("Activer", agree=True)
    expect(row.get_by_text("Actif", exact=True)).to_be_visible()
    choose("Mettre en pause")
    expect(row.get_by_text("En pause", exact=True)).to_be_visible()
    choose("Reprendre")
    expect(row.get_by_text("Actif", exact=True)).to_be_visible()
    choose("Archiver", agree=True)
    expect(page.get_by_text("est archivé")).to_be_visible()
    page.get_by_role("link", name="Scénarios archivés").click()
    expect(page.get_by_role("row", name="Mon rappel")).to_be_visible()
    assert_accessible(page)


@each_way
def test_pages_fit_in_both_languages(
    visits: Visits, installation: Installation, account: Account, width: int, language: str
) -> None:
    journey = _api(installation, account, f"Bienvenue {language} {width}")
    page = visits.page(account=account, language=language, width=width)
    for path, name in (
        ("/journeys/", "list"), ("/journeys/new", "new"), (f"/journeys/{journey}/edit", "edit"),
        ("/journeys/archived", "archived"),
    ):  # fmt: skip
        page.goto(path)
        assert_fits(page)
        assert_accessible(page)
        shoot(page, f"journeys-{name}-{language}-{width}")
    page.goto("/journeys/")
    actions = "Actions pour" if language == "fr" else "Actions for"
    page.get_by_role("button", name=f"{actions} Bienvenue {language} {width}").click()
    shoot(page, f"journeys-menu-{language}-{width}")
