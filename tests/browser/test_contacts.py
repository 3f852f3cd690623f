"""Contacts in a browser: a file sent, its report, a person and what they did, a list; both languages, a phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account

FILE = """Prénom;Nom;Adresse e-mail;Téléphone;Ville;consents.email;tags
Zoé;Lefèvre;zoe@example.org;06 12 34 56 78;Évreux;opted_in;vip, fidèle
Léo;Martin;leo@example.org;;Brest;opted_out;
Ada;Byron;ada@example.org;;London;;
Qui;Quoi;pas une adresse;;;;
"""


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    path = tmp_path / "clients.csv"
    path.write_bytes(FILE.encode("cp1252"))
    return path


def test_from_a_file_to_a_person_and_a_list(visits: Visits, account: Account, customers: Path) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/lists/")
    page.get_by_label("Nom de la liste").fill("Lettre d’été")
    page.get_by_role("button", name="Créer la liste").click()
    page.get_by_role("link", name="Importer des contacts").first.click()
    page.get_by_label("Fichier CSV ou NDJSON").set_input_files(customers)
    shoot(page, "import-fr-1440")
    assert_accessible(page)
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/columns")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_label("Mettre tout le monde sur la liste")).to_have_value(re.compile(r"\d+"))
    page.get_by_role("button", name="Continuer").click()
    page.get_by_role("button", name="Importer", exact=True).click()
    expect(page.get_by_text("L’import est terminé.")).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Windows-1252")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("pas une adresse"))).to_contain_text("5")
    assert_accessible(page)
    shoot(page, "import-report-fr-1440")

    page.get_by_role("link", name="Voir les contacts").click()
    expect(page.get_by_role("link", name="Léo Martin")).to_be_visible()
    page.get_by_label("Chercher un nom").fill("lefèvre")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Zoé Lefèvre").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoé Lefèvre")
    activity = page.locator(".timeline-event")
    expect(activity).to_have_count(3, timeout=20_000)
    expect(page.get_by_text("Lettre d’été").first).to_be_visible()
    assert_accessible(page)
    shoot(page, "contact-fr-1440")


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("path", ["contacts", "contacts/new", "contacts/import", "lists"])
def test_pages_fit_and_read_well(
    visits: Visits, account: Account, path: str, language: str, width: int
) -> None:
    page = visits.page(account=account, language=language, width=width)
    page.goto(f"/{path}/" if "/" not in path else f"/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"{path.replace('/', '-')}-{language}-{width}")
