"""Suppressions in a browser: the three tabs, by hand, by a file, found, exported, removed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

TABS = ("complaints", "bounces", "opt-outs")
WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "title": "Suppressions",
        "complaints": "Plaintes pour abus",
        "bounces": "Rebonds définitifs",
        "opt-outs": "Désabonnements",
        "none complaints": "Aucune plainte",
        "none bounces": "Aucun rebond définitif",
        "none opt-outs": "Personne ne s’est désabonné d’un message",
        "complaint": "Plainte pour abus",
        "bounce": "Rebond définitif",
        "address": "Adresse e-mail ou numéro de téléphone",
        "suppress": "Supprimer des envois",
        "by_hand": "À la main",
        "file": "Fichier d’adresses",
        "suppress_all": "Tout supprimer des envois",
        "added": "2 adresses sont ajoutées.",
        "refused": "Lignes sans adresse",
        "find": "Chercher une adresse",
        "search": "Chercher",
        "export": "Exporter en tant que CSV",
        "remove": "Retirer",
        "remove_it": "Retirer la suppression",
        "removed": "On peut à nouveau écrire à cette adresse",
        "harm": "Cette personne a signalé un message comme indésirable",
        "know": "Je le sais, et cette personne l’a demandé",
        "no_address": "Aucune adresse ne commence ainsi",
    },
    "en": {
        "title": "Suppressions",
        "complaints": "Abuse complaints",
        "bounces": "Hard bounces",
        "opt-outs": "Opt-outs",
        "none complaints": "No complaint",
        "none bounces": "No hard bounce",
        "none opt-outs": "Nobody opted out from a message",
        "complaint": "Spam complaint",
        "bounce": "Hard bounce",
        "address": "E-mail address or phone number",
        "suppress": "Suppress",
        "by_hand": "By hand",
        "file": "File of addresses",
        "suppress_all": "Suppress them all",
        "added": "2 addresses are added.",
        "refused": "Lines that hold no address",
        "find": "Search an address",
        "search": "Search",
        "export": "Export as CSV",
        "remove": "Remove",
        "remove_it": "Remove the suppression",
        "removed": "This address can be written to again",
        "harm": "This person reported a message as spam",
        "know": "I know it, and this person asked for it",
        "no_address": "No address begins so",
    },
}
#: What a mailbox provider and a receiving server told, by the product's own action.
TOLD = """
from parcours.lib import clock
from parcours.messaging import actions
for reason, address in (("complaint", "plainte@example.org"), ("hard_bounce", "rebond@example.org")):
    actions.suppress(
        account_id={account}, channel="email", address=address, reason=reason, contact_id=None, now=clock.now(),
    )
"""


@pytest.fixture(scope="module")
def shops(installation: Installation) -> Callable[[str], Account]:
    """An account for each way, made when it is first walked."""
    return cache(
        lambda way: installation.create_account("Atelier Lilas", email=f"lilas.{way}@example.org"),
    )


@each_way
def test_from_an_address_by_hand_to_its_removal(
    visits: Visits, shops: Callable[[str], Account], tmp_path: Path, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shops(f"{language}.{width}"), language=language, width=width)
    page.goto("/suppressions/")
    tabs = page.get_by_role("navigation", name=words["title"])
    for tab in TABS:
        tabs.get_by_role("link", name=words[tab]).click()
        expect(page.get_by_text(words[f"none {tab}"], exact=True)).to_be_visible()
        assert_fits(page)
    assert_accessible(page)
    shoot(page, f"suppressions-none-{language}-{width}")
    page.get_by_label(words["address"]).fill("Facheux@example.org")
    page.get_by_role("button", name=words["suppress"], exact=True).click()
    expect(page.get_by_role("row", name="facheux@example.org")).to_contain_text(words["by_hand"])

    listed = tmp_path / "list.csv"
    listed.write_text("E-mail\none@example.org\ntwo@example.org\nrien\n")
    page.get_by_label(words["file"]).set_input_files(listed)
    page.get_by_role("button", name=words["suppress_all"]).click()
    expect(page.get_by_text(words["added"])).to_be_visible()
    expect(page.get_by_text(words["refused"])).to_contain_text("4")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"suppressions-added-{language}-{width}")

    page.get_by_label(words["find"]).fill("one@")
    page.get_by_role("button", name=words["search"], exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    with page.expect_download() as download:
        page.get_by_role("link", name=words["export"]).click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert len(lines) == 2
    assert "one@example.org" in lines[1]
    page.get_by_role("button", name=words["remove"], exact=True).click()
    assert_accessible(page)
    page.get_by_role("button", name=words["remove_it"]).click()
    expect(page.get_by_text(words["removed"])).to_be_visible()
    expect(page.get_by_text("one@example.org")).to_have_count(0)
    page.get_by_label(words["find"]).fill("one@")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["no_address"])).to_be_visible()


@each_way
def test_complaints_and_bounces_are_listed_and_let_go(
    visits: Visits, shops: Callable[[str], Account], installation: Installation, language: str, width: int
) -> None:
    words = WORDS[language]
    shop = shops(f"{language}.{width}")
    installation.quickly("manage", "shell", "-c", TOLD.format(account=shop.id))
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/suppressions/")
    row = page.get_by_role("row", name="plainte@example.org")
    expect(row).to_contain_text(words["complaint"])
    row.get_by_role("button", name=words["remove"], exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(words["harm"])).to_be_visible()
    shoot(page, f"suppressions-complaint-{language}-{width}")
    dialog.get_by_role("button", name=words["remove_it"]).click()
    expect(dialog).to_be_visible()  # not without saying that one knows
    dialog.get_by_label(words["know"]).check()
    dialog.get_by_role("button", name=words["remove_it"]).click()
    expect(page.get_by_text(words["none complaints"], exact=True)).to_be_visible()

    page.get_by_role("navigation", name=words["title"]).get_by_role("link", name=words["bounces"]).click()
    row = page.get_by_role("row", name="rebond@example.org")
    expect(row).to_contain_text(words["bounce"])
    row.get_by_role("button", name=words["remove"], exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=words["remove_it"]).click()
    expect(page.get_by_text(words["removed"])).to_be_visible()
    expect(page.get_by_text(words["none bounces"], exact=True)).to_be_visible()


@each_way
def test_pages_fit_and_read_well(
    visits: Visits, shops: Callable[[str], Account], installation: Installation, language: str, width: int
) -> None:
    shop = shops("seen")
    installation.quickly("manage", "shell", "-c", TOLD.format(account=shop.id))
    page = visits.page(account=shop, language=language, width=width)
    for tab in TABS:
        page.goto(f"/suppressions/?tab={tab}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator(".page-tabs .active")).to_be_in_viewport()
        if language == "fr":  # What axe looks at is the same in both.
            assert_accessible(page)
        assert_fits(page)
        shoot(page, f"suppressions-{tab}-{language}-{width}")
