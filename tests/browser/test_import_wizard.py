"""The wizard that imports contacts: from a file to its report, then undone; both languages, a phone too."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

FILE = """Prénom;Nom;Adresse e-mail;Téléphone;Newsletter;Points fidélité;Né le;Courriel
Zoé;Lefèvre;zoe@example.org;06 12 34 56 78;oui;1 234,5;28/03/1985;z@work.example
Léo;Martin;leo@example.org;;non;12;01/12/1990;
Qui;Quoi;pas une adresse;;;;;
"""
WORDS = {
    "fr": {
        "continue": "Continuer",
        "columns": "Ce que devient chaque colonne",
        "twice": "désignent deux fois la même",
        "leave": "Ne pas importer cette colonne",
        "new_list": "Ou sur une nouvelle liste, nommée",
        "tags": "Donner à tous ces étiquettes",
        "resubscribe": "Écrire aussi de nouveau à ceux qui s’étaient désabonnés",
        "source": "D’où viennent ces consentements",
        "preview": "Voici ce qui se passerait",
        "import": "Importer",
        "finished": "L’import est terminé.",
        "download": "Les télécharger en CSV",
        "undo": "Annuler l’import",
        "sure": "Oui, annuler l’import",
        "undone": "L’import a été annulé.",
        "imports": "Imports récents",
        "discard": "Jeter",
        "discarded": "Le fichier a été jeté ; rien n’a été importé.",
        "workbook": "C’est un classeur ou une archive : enregistrez-le en CSV, puis envoyez ce fichier.",
    },
    "en": {
        "continue": "Continue",
        "columns": "What each column becomes",
        "twice": "the same one twice",
        "leave": "Leave this column out",
        "new_list": "Or on a new list, named",
        "tags": "Give everyone these tags",
        "resubscribe": "Also write again to those who had opted out",
        "source": "Where these consents come from",
        "preview": "This is what would happen",
        "import": "Import",
        "finished": "The import is finished.",
        "download": "Download them as CSV",
        "undo": "Undo the import",
        "sure": "Yes, undo the import",
        "undone": "The import was undone.",
        "imports": "Imports of late",
        "discard": "Throw away",
        "discarded": "The file was thrown away; nothing was imported.",
        "workbook": "This is a workbook or an archive: save it as CSV, then send that file.",
    },
}


@pytest.fixture(scope="module")
def shopkeeper(installation: Installation) -> Account:
    return installation.create_account("Importations", email="imports@example.org")


@pytest.fixture
def customers(tmp_path: Path) -> Path:
    path = tmp_path / "clients.csv"
    path.write_bytes(FILE.encode() + "Noël;D;noel@example.org;;;3;;\n".encode("cp1252"))
    return path


def _seen(page: Page, name: str, language: str, width: int) -> None:
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"import-{name}-{language}-{width}")


def _forgive_refusals(visits: Visits) -> None:
    """The browser notes each form that was sent back as a fault of the page."""
    visits.faults[:] = [fault for fault in visits.faults if "422" not in fault]


@each_way
def test_from_a_file_to_its_undoing(
    visits: Visits, shopkeeper: Account, customers: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shopkeeper, language=language, width=width)
    page.goto("/contacts/import")
    _seen(page, "file", language, width)
    page.locator("input[type=file]").set_input_files(customers)
    page.get_by_role("button", name=words["continue"]).click()

    expect(page.get_by_role("heading", name=words["columns"])).to_be_visible()
    expect(page.get_by_text("6", exact=False).first).to_be_visible()  # the first line that is not UTF-8
    expect(page.get_by_label("Newsletter")).to_have_value("consents.email")
    expect(page.get_by_label("Adresse e-mail")).to_have_value("email")
    _seen(page, "columns", language, width)
    page.get_by_label("Courriel", exact=True).select_option("email")
    page.get_by_role("button", name=words["continue"]).click()
    expect(page.get_by_role("alert").filter(has_text="Courriel")).to_be_visible()
    page.get_by_label("Courriel", exact=True).select_option(label=words["leave"])
    page.get_by_role("button", name=words["continue"]).click()

    page.get_by_label(words["new_list"]).fill(f"Lettre {language} {width}")
    page.get_by_label(words["tags"]).fill("vip, 2026")
    page.get_by_label(words["resubscribe"]).check()
    page.get_by_role("button", name=words["continue"]).click()
    expect(page.locator(".invalid-feedback")).to_be_visible()  # opt-outs end only with a source
    page.get_by_label(words["source"]).fill("Formulaire du site")
    _seen(page, "everyone", language, width)
    page.get_by_role("button", name=words["continue"]).click()

    expect(page.get_by_text(words["preview"])).to_be_visible()
    expect(page.get_by_text("zoe@example.org").first).to_be_visible()
    _seen(page, "check", language, width)
    page.get_by_role("button", name=words["import"], exact=True).click()

    expect(page.get_by_text(words["finished"])).to_be_visible(timeout=60_000)
    _seen(page, "report", language, width)
    with page.expect_download() as download:
        page.get_by_role("link", name=words["download"]).click()
    refused = Path(download.value.path()).read_text(encoding="utf-8-sig")
    assert "pas une adresse" in refused
    assert "noel@example.org" in refused
    page.get_by_role("button", name=words["undo"]).click()
    page.get_by_role("button", name=words["sure"]).click()
    expect(page.get_by_text(words["undone"])).to_be_visible(timeout=90_000)
    _seen(page, "undone", language, width)
    page.goto("/contacts/import")
    expect(page.get_by_role("heading", name=words["imports"])).to_be_visible()
    _seen(page, "recent", language, width)
    _forgive_refusals(visits)


@each_way
def test_a_file_that_is_none_is_told_beside_its_field(
    visits: Visits, shopkeeper: Account, tmp_path: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shopkeeper, language=language, width=width)
    workbook = tmp_path / "clients.xlsx"
    workbook.write_bytes(b"PK\x03\x04" + b"\0" * 200)
    page.goto("/contacts/import")
    page.locator("input[type=file]").set_input_files(workbook)
    page.get_by_role("button", name=words["continue"]).click()
    expect(page.locator(".invalid-feedback")).to_have_text(words["workbook"])
    _seen(page, "refused", language, width)
    _forgive_refusals(visits)


@each_way
def test_a_file_is_thrown_away(
    visits: Visits, shopkeeper: Account, customers: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shopkeeper, language=language, width=width)
    page.goto("/contacts/import")
    page.locator("input[type=file]").set_input_files(customers)
    page.get_by_role("button", name=words["continue"]).click()
    page.wait_for_url("**/columns")
    page.get_by_role("button", name=words["discard"]).click()
    page.get_by_role("dialog").get_by_role("button", name=words["discard"]).click()
    expect(page).to_have_url(re.compile("/contacts/import$"))
    expect(page.get_by_text(words["discarded"])).to_be_visible()
