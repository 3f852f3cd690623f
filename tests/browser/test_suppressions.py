"""Suppressions in a browser: the three tabs, by hand, by a file, found, exported, removed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Account:
    return installation.create_account("Atelier Lilas", email="lilas@example.org")


def test_from_an_address_by_hand_to_its_removal(visits: Visits, shop: Account, tmp_path: Path) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/suppressions/")
    tabs = page.get_by_role("navigation", name="Suppressions")
    for name in ("Plaintes pour abus", "Rebonds définitifs", "Désabonnements"):
        expect(tabs.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_text("Aucune plainte", exact=True)).to_be_visible()
    assert_accessible(page)
    page.get_by_label("Adresse e-mail ou numéro de téléphone").fill("Facheux@example.org")
    page.get_by_role("button", name="Supprimer des envois", exact=True).click()
    expect(page.get_by_role("row", name="facheux@example.org")).to_contain_text("À la main")

    listed = tmp_path / "list.csv"
    listed.write_text("E-mail\none@example.org\ntwo@example.org\nrien\n")
    page.get_by_label("Fichier d’adresses").set_input_files(listed)
    page.get_by_role("button", name="Tout supprimer des envois").click()
    expect(page.get_by_text("2 adresses sont ajoutées.")).to_be_visible()
    expect(page.get_by_text("Lignes sans adresse")).to_contain_text("4")
    assert_accessible(page)
    shoot(page, "suppressions-fr-1440")

    page.get_by_label("Chercher une adresse").fill("one@")
    page.get_by_role("button", name="Chercher").click()
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Exporter en tant que CSV").click()
    assert "one@example.org" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Retirer", exact=True).click()
    assert_accessible(page)
    page.get_by_role("button", name="Retirer la suppression").click()
    expect(page.get_by_text("On peut à nouveau écrire à cette adresse")).to_be_visible()
    expect(page.get_by_text("one@example.org")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_fit_and_read_well(visits: Visits, shop: Account, language: str, width: int) -> None:
    page = visits.page(account=shop, language=language, width=width)
    for tab in ("complaints", "bounces", "opt-outs"):
        page.goto(f"/suppressions/?tab={tab}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".page-tabs .active")).to_be_in_viewport()
        assert_accessible(page)
        assert_fits(page)
        shoot(page, f"suppressions-{tab}-{language}-{width}")
