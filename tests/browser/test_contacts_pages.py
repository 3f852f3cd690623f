"""Contacts in a browser: filtered, chosen, acted upon together, undone; a person changed in place; attributes, tags."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation


@pytest.fixture(scope="module")
def shop(installation: Installation) -> Account:
    """An account of its own, with a dozen contacts, a list, a segment, attributes and tags."""
    account = installation.create_account("Atelier Mimosa", email="jeanne@example.org")
    with installation.api(account) as api:
        news = api.post("lists", json={"name": "Lettre"}).json()["id"]
        for name, kind in (("points", "number"), ("birthday", "date"), ("gift", "text")):
            api.post("attributes", json={"name": name, "type": kind})
        for number in range(12):
            person: dict[str, Any] = {
                "email": f"p{number}@mimosa.example",
                "first_name": "Zoé" if number == 0 else "Léo",
                "last_name": f"Lefèvre{number}",
                "tags": ["vip"] if number % 3 == 0 else [],
                "consents": {"email": "opted_out" if number == 1 else "opted_in"},
                "attributes": {"points": number},
                "lists": [news] if number < 2 else [],
            }
            assert api.post("contacts", json=person).status_code == 201
        criteria = {"all": [{"field": "attributes.points", "op": "gte", "value": 6}]}
        assert api.post("segments", json={"name": "Fidèles", "criteria": criteria}).status_code == 201
        api.post("events?wait=true", content=b"", headers={"Content-Type": "application/x-ndjson"})
    return account


def refused_forms(visits: Visits) -> None:
    """A form refused answers 422, which the browser tells as an error: here it was asked for."""
    visits.faults[:] = [fault for fault in visits.faults if "status of 422" not in fault]


def settle(page: Page, *, undone: bool = False) -> None:
    """Wait until an action in bulk says that it is done, or undone."""
    said = "L’action est annulée." if undone else "L’action est faite."
    expect(page.get_by_text(said)).to_be_visible(timeout=30_000)


def test_filters_then_an_action_on_all_that_match_and_its_undoing(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/contacts/")
    expect(page.get_by_text("12 contacts", exact=True)).to_be_visible()
    page.get_by_text("Filtrer et trier").click()
    page.get_by_label("Étiquette").fill("vip")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("4 contacts", exact=True)).to_be_visible()
    page.get_by_role("link", name="Actions sur ces 4 contacts").click()
    page.get_by_role("link", name="Mettre sur une liste").click()
    page.get_by_label("Liste").select_option(label="Lettre")
    assert_accessible(page)
    page.get_by_role("button", name="Appliquer").click()
    page.get_by_role("dialog").get_by_role("button", name="Appliquer").click()
    settle(page)
    expect(page.locator(".figure-tile").first).to_contain_text("3")  # one was on the list already
    assert_accessible(page)
    page.get_by_role("button", name="Annuler l’action").click()
    page.get_by_role("dialog").get_by_role("button", name="Annuler l’action").click()
    settle(page, undone=True)
    page.goto("/lists/")
    expect(page.get_by_role("row", name=re.compile("Lettre"))).to_contain_text("2")


def test_a_choice_by_hand_and_by_keyboard(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr", width=390)
    page.goto("/contacts/?search=leo")
    expect(page.get_by_role("button", name="Actions sur la sélection")).to_be_hidden()
    first = page.get_by_role("checkbox", name="Sélectionner Léo Lefèvre11")
    first.focus()
    page.keyboard.press("Space")
    page.get_by_role("checkbox", name="Sélectionner Léo Lefèvre10").check()
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    page.get_by_role("button", name="Actions sur la sélection").click()
    page.get_by_role("link", name="Ajouter une étiquette").click()
    page.get_by_label("Étiquette").fill("été")
    page.get_by_role("button", name="Appliquer").click()
    page.get_by_role("dialog").get_by_role("button", name="Appliquer").click()
    settle(page)
    page.goto("/contacts/?tag=été")
    expect(page.get_by_text("2 contacts", exact=True)).to_be_visible()
    page.get_by_label("Tout sélectionner sur cette page").check()
    expect(page.locator("[data-selected-count]")).to_have_text("2")
    page.get_by_label("Tout sélectionner sur cette page").uncheck()
    expect(page.get_by_role("button", name="Actions sur la sélection")).to_be_hidden()


def test_a_segment_filters_too(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="en")
    page.goto("/contacts/")
    page.get_by_text("Filter and sort").click()
    page.get_by_label("Segment").select_option(label="Fidèles")
    page.get_by_label("Order").select_option(label="By e-mail address")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("6 contacts", exact=True)).to_be_visible(timeout=20_000)
    expect(page.locator("a.person").first).to_have_text("Léo Lefèvre10")


def test_erasing_asks_for_the_number(visits: Visits, shop: Account, installation: Installation) -> None:
    with installation.api(shop) as api:
        for number in range(2):
            api.post("contacts", json={"email": f"gone{number}@mimosa.example", "tags": ["gone"]})
    page = visits.page(account=shop, language="en")
    page.goto("/contacts/bulk?tag=gone&action=erase")
    page.get_by_label("Type 2 to confirm").fill("3")
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(page.get_by_text("This is not the number of people who would be erased.")).to_be_visible()
    page.get_by_label("Type 2 to confirm").fill("2")
    page.get_by_role("button", name="Erase", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Erase").click()
    expect(page.get_by_text("The action is done.")).to_be_visible(timeout=30_000)
    page.goto("/contacts/?tag=gone")
    expect(page.get_by_text("Nobody matches this search")).to_be_visible()
    refused_forms(visits)


def test_a_person_is_changed_in_place(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/contacts/?search=lefevre1 leo")
    page.get_by_role("link", name="Léo Lefèvre1", exact=True).click()
    profile = page.locator("#profile")
    profile.get_by_role("link", name="Modifier").click()
    profile.get_by_label("Adresse e-mail").fill("pas une adresse")
    profile.get_by_role("button", name="Enregistrer").click()
    expect(profile.get_by_text("n’est pas une adresse e-mail")).to_be_visible()
    profile.get_by_label("Adresse e-mail").fill("p1@mimosa.example")
    profile.get_by_label("Ville").fill("Évreux")
    profile.get_by_label("gift").fill("savon")
    profile.get_by_role("button", name="Enregistrer").click()
    expect(profile.get_by_text("Le profil est enregistré.")).to_be_visible()
    expect(profile).to_contain_text("Évreux")
    expect(profile).to_contain_text("savon")

    consents = page.locator("#consents")
    consents.get_by_text("Enregistrer un consentement").click()
    consents.get_by_label("Consentement", exact=True).select_option(label="Abonné")
    consents.get_by_label("D’où vient ce consentement").fill("au téléphone")
    consents.get_by_role("button", name="Enregistrer ce consentement").click()
    expect(consents.get_by_text("Cette personne s’est désabonnée : dites")).to_be_visible()
    consents.get_by_label("demande qu’on lui écrive à nouveau").check()
    consents.get_by_role("button", name="Enregistrer ce consentement").click()
    expect(consents.get_by_text("au téléphone")).to_be_visible()
    expect(consents.locator("strong", has_text="Abonné").first).to_be_visible()

    tags = page.locator("#tags")
    tags.get_by_label("Ajouter une étiquette").fill("Noël")
    tags.get_by_role("button", name="Ajouter").click()
    expect(tags.get_by_role("link", name="Noël")).to_be_visible()
    tags.get_by_role("button", name=re.compile("Retirer l’étiquette")).click()
    expect(tags.get_by_role("link", name="Noël")).to_have_count(0)

    lists = page.locator("#lists")
    lists.get_by_role("button", name=re.compile("Retirer de la liste")).click()
    expect(lists.get_by_text("Sur aucune liste.")).to_be_visible()
    lists.get_by_role("button", name="Mettre sur la liste").click()
    expect(lists.get_by_role("link", name="Lettre")).to_be_visible()

    page.reload()
    expect(page.get_by_text("Dans aucun scénario jusqu’ici.")).to_be_visible()
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    page.get_by_role("button", name="Profil").click()
    expect(page.get_by_role("button", name="Profil")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".timeline-event", has_text="Contact créé")).to_have_count(1)
    expect(page.locator(".timeline-event", has_text="Ajouté à une liste")).to_have_count(0)
    page.locator(".timeline-event details summary").first.click()
    assert_accessible(page)
    shoot(page, "contact-changed-fr-1440")


def test_an_attribute_from_its_declaration_to_its_end(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/attributes/")
    expect(page.get_by_role("row", name=re.compile("^points"))).to_contain_text("12")
    expect(page.get_by_role("row", name=re.compile("^points"))).to_contain_text("1")  # the segment
    page.get_by_label("Nom de l’attribut").fill("pointure")
    page.get_by_role("button", name="Déclarer l’attribut").click()
    expect(page.get_by_text("L’attribut est déclaré.")).to_be_visible()
    page.get_by_role("link", name="pointure").click()
    page.get_by_label("Nom de l’attribut").fill("taille")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", name="taille")).to_be_visible()
    page.goto("/attributes/")
    page.get_by_role("link", name="points").click()
    expect(page.locator("#uses")).to_contain_text("Fidèles")
    page.get_by_label("Nom de l’attribut").fill("fidélité")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("alert")).to_contain_text("Fidèles")
    page.get_by_label("Nom de l’attribut").fill("points")
    page.get_by_label("Type").select_option(label="Oui ou non")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_label("Type")).to_have_value("boolean")
    expect(page.get_by_role("alert")).to_contain_text("Fidèles")
    assert_accessible(page)
    page.goto("/attributes/")
    page.get_by_role("link", name="taille").click()
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("button", name="Supprimer l’attribut").click()
    page.get_by_role("dialog").get_by_role("button", name="Supprimer").click()
    expect(page.get_by_role("link", name="taille")).to_have_count(0, timeout=20_000)
    refused_forms(visits)


def test_a_tag_is_merged_into_another(visits: Visits, shop: Account, installation: Installation) -> None:
    with installation.api(shop) as api:
        api.post("contacts", json={"email": "p4@mimosa.example", "tags": ["a-tag", "b-tag"]})
        api.post("contacts", json={"email": "p5@mimosa.example", "tags": ["a-tag"]})
    page = visits.page(account=shop, language="en")
    page.goto("/tags/?search=a-tag")
    page.get_by_role("button", name="Actions on the tag a-tag").click()
    page.get_by_role("button", name="Rename or merge").click()
    page.get_by_label("New name").fill("b-tag")
    page.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(page.get_by_text("The action is done.")).to_be_visible(timeout=30_000)
    page.goto("/tags/")
    expect(page.get_by_role("row", name=re.compile("b-tag"))).to_contain_text("2")
    expect(page.get_by_role("row", name=re.compile("a-tag"))).to_have_count(0)


def test_the_columns_of_an_export_are_chosen(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/contacts/?tag=vip")
    page.get_by_role("link", name="Exporter en tant que CSV").click()
    page.get_by_label("Toutes").uncheck()
    page.get_by_label("email", exact=True).check()
    page.get_by_label("attributes.points").check()
    with page.expect_download() as download:
        page.get_by_role("button", name="Exporter en tant que CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert lines[0] == "email,attributes.points"
    assert len(lines) == 5


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_pages_fit_and_read_well(visits: Visits, shop: Account, language: str, width: int) -> None:
    page = visits.page(account=shop, language=language, width=width)
    for path in (
        "contacts/?tag=vip&consent=email:opted_in",
        "contacts/?search=nobody",
        "contacts/bulk?tag=vip",
        "contacts/bulk?tag=vip&action=set_consent",
        "contacts/bulk?tag=vip&action=erase",
        "contacts/export/columns?tag=vip",
        "attributes/",
        "tags/",
        "tags/?search=nothing",
        "lists/?search=nothing",
    ):
        page.goto(f"/{path}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
        shoot(page, f"{path}-{language}-{width}")
    page.goto("/contacts/?search=zoe")
    page.get_by_role("link", name="Zoé Lefèvre0").click()
    expect(page.locator(".timeline-event").first).to_be_visible(timeout=20_000)
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"contact-{language}-{width}")
