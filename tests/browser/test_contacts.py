"""Contacts in a browser: a file sent, its report, a person and what they did, a list; both languages, a phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.segments import Place
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

FILE = """Prénom;Nom;Adresse e-mail;Téléphone;Ville;consents.email;tags
Zoé;Lefèvre;zoe@example.org;06 12 34 56 78;Évreux;opted_in;vip, fidèle
Léo;Martin;leo@example.org;;Brest;opted_out;
Ada;Byron;ada@example.org;;London;;
Qui;Quoi;pas une adresse;;;;
"""
WORDS = {
    "fr": {
        "list_name": "Nom de la liste",
        "create": "Créer la liste",
        "import_contacts": "Importer des contacts",
        "file": "Fichier CSV ou NDJSON",
        "continue": "Continuer",
        "on_list": "Mettre tout le monde sur la liste",
        "import": "Importer",
        "finished": "L’import est terminé.",
        "see": "Voir les contacts",
        "search": "Chercher un nom",
    },
    "en": {
        "list_name": "Name of the list",
        "create": "Create the list",
        "import_contacts": "Import contacts",
        "file": "CSV or NDJSON file",
        "continue": "Continue",
        "on_list": "Put everyone on the list",
        "import": "Import",
        "finished": "The import is finished.",
        "see": "See the contacts",
        "search": "Search a name",
    },
}


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    path = tmp_path / "clients.csv"
    path.write_bytes(FILE.encode("cp1252"))
    return path


@each_way
def test_from_a_file_to_a_person_and_a_list(
    visits: Visits, installation: Installation, customers: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    account = installation.create_account("Carnet", email=f"carnet.{language}.{width}@example.org")
    page = visits.page(account=account, language=language, width=width)
    page.goto("/lists/")
    page.get_by_label(words["list_name"]).fill("Lettre d’été")
    page.get_by_role("button", name=words["create"]).click()
    page.get_by_role("link", name=words["import_contacts"]).first.click()
    page.get_by_label(words["file"]).set_input_files(customers)
    shoot(page, f"import-{language}-{width}")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name=words["continue"]).click()
    page.wait_for_url("**/columns")
    page.get_by_role("button", name=words["continue"]).click()
    expect(page.get_by_label(words["on_list"])).to_have_value(re.compile(r"\d+"))
    page.get_by_role("button", name=words["continue"]).click()
    page.get_by_role("button", name=words["import"], exact=True).click()
    expect(page.get_by_text(words["finished"])).to_be_visible(timeout=20_000)
    expect(page.get_by_text("Windows-1252")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("pas une adresse"))).to_contain_text("5")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"import-report-{language}-{width}")

    page.get_by_role("link", name=words["see"]).click()
    expect(page.get_by_role("link", name="Léo Martin")).to_be_visible()
    page.get_by_label(words["search"]).fill("lefèvre")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Zoé Lefèvre").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoé Lefèvre")
    activity = page.locator(".timeline-event")
    expect(activity).to_have_count(3, timeout=20_000)
    expect(page.get_by_text("Lettre d’été").first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"contact-{language}-{width}")


@pytest.fixture(scope="module")
def filled(installation: Installation) -> Account:
    """An account with some contacts and a list."""
    account = installation.create_account("Carnet plein", email="carnet@example.org")
    place = Place(installation)
    place.people(
        account,
        [{"email": f"client{n}@example.org", "first_name": "Zoé", "city": "Évreux"} for n in range(12)],
    )
    with installation.api(account) as api:
        assert api.post("lists", json={"name": "Lettre d’été"}).status_code == 201
    return account


@each_way
@pytest.mark.parametrize("path", ["contacts", "contacts/new", "contacts/import", "lists"])
def test_pages_fit_and_read_well(
    visits: Visits, filled: Account, path: str, language: str, width: int
) -> None:
    page = visits.page(account=filled, language=language, width=width)
    page.goto(f"/{path}/" if "/" not in path else f"/{path}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"{path.replace('/', '-')}-{language}-{width}")
