"""Segments in a browser: every state, every action of the menu, folders, profiles, entries and exits."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fixtures.browser import Sessions, Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation, installed

#: An hour passes in six seconds: a segment that nobody computes is soon late.
CLOCK = "2026-11-16T09:00:00Z*600"
EVERYONE: dict[str, Any] = {"all": []}
BUYERS = {
    "all": [
        {"field": "city", "op": "eq", "value": "Évreux"},
        {"event": "order.placed", "count": {"op": "gte", "value": 2}, "window": {"last": "90d"}},
    ]
}
WORDS = {
    "fr": {
        "title": "Segments",
        "new": "Nouveau segment",
        "computing": "En cours",
        "late": "En retard",
        "ready": "À jour",
        "paused": "En pause",
        "see": "Voir les profils",
        "edit": "Modifier",
        "more": "Autres actions sur",
        "refresh": "Mettre à jour maintenant",
        "duplicate": "Dupliquer",
        "pause": "Mettre en pause",
        "activate": "Activer",
        "delete": "Supprimer",
        "copy": "(copie)",
        "not_begun": "Son calcul n’a pas commencé",
        "none": "Pas encore de segment",
        "columns": ["Nom et prénom", "E-mail", "Date d’entrée", "E-mail opt-in", "SMS opt-in"],
        "changes": "Entrées et sorties",
    },
    "en": {
        "title": "Segments",
        "new": "New segment",
        "computing": "Computing",
        "late": "Late",
        "ready": "Up to date",
        "paused": "Paused",
        "see": "See the profiles",
        "edit": "Edit",
        "more": "More actions for",
        "refresh": "Update now",
        "duplicate": "Duplicate",
        "pause": "Pause",
        "activate": "Activate",
        "delete": "Delete",
        "copy": "(copy)",
        "not_begun": "Its computation has not begun",
        "none": "No segment yet",
        "columns": ["First and last name", "E-mail", "Date of entry", "E-mail opt-in", "SMS opt-in"],
        "changes": "Entries and exits",
    },
}

#: Three hundred segments made by the product's own action, half of them in a folder.
CROWD = """
from django.db import transaction
from parcours.accounts.models import Account
from parcours.lib import clock
from parcours.segments import actions
from parcours.segments.models import Segment
account = Account.objects.get(pk={account})
with transaction.atomic():
    made = [
        actions.create(
            account=account, name=f"Ville {{number:03}}", now=clock.now(),
            criteria={{"field": "city", "op": "eq", "value": f"Ville {{number}}"}},
        ).pk
        for number in range(300)
    ]
    Segment.objects.filter(pk__in=made[1::2]).update(folder={folder})
"""


@dataclass
class Place:
    installation: Installation

    def account(self, name: str) -> Account:
        """An account of its own, without anything in it."""
        return self.installation.create_account(name, email=f"{name.lower()}@example.org")

    def api(self, account: Account) -> httpx.Client:
        return self.installation.api(account)

    def segment(self, account: Account, name: str, criteria: Any = None) -> str:
        """A segment made by the API; its id."""
        with self.api(account) as api:
            answer = api.post("segments", json={"name": name, "criteria": criteria or EVERYONE})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def people(self, account: Account, lines: list[dict[str, Any]]) -> None:
        """Contacts, digested."""
        body = "\n".join(json.dumps(line) for line in lines)
        with self.api(account) as api:
            answer = api.post(
                "contacts/import?wait=true", content=body, headers={"Content-Type": "application/x-ndjson"}
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == len(lines), answer.text

    def settled(self, account: Account) -> None:
        """Wait until every segment of the account is computed."""
        deadline = time.monotonic() + 60
        with self.api(account) as api:
            while time.monotonic() < deadline:
                found = api.get("segments?limit=1000").json()["items"]
                if all(one["status"] in ("up_to_date", "paused") for one in found):
                    return
                time.sleep(0.2)
        raise AssertionError("The segments are not computed.")

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """While nobody works: the work process is held still."""
        pid = self.installation.pid("work")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("segments")
    with installed(folder, {"PARCOURS_CLOCK": CLOCK}) as running:
        yield Place(running)


@pytest.fixture
def visits(browser: Browser, place: Place, sessions: Sessions) -> Iterator[Visits]:
    opened = Visits(browser, place.installation, sessions)
    yield opened
    opened.close()
    assert not opened.faults, opened.faults


@pytest.fixture(scope="module")
def shop(place: Place) -> Account:
    """An account with sixty people, three segments, and a folder."""
    account = place.account("Boutique")
    lines = [
        {
            "email": f"client{number:02}@example.org",
            "first_name": ("Zoé", "Léo", "Ada", "Éric")[number % 4],
            "last_name": f"Martin {number:02}",
            "city": "Évreux" if number % 2 else "Brest",
            "consents": {
                "email": "opted_in" if number % 3 else "opted_out",
                "sms": "opted_in" if number % 5 else "pending",
            },
        }
        for number in range(60)
    ]
    place.people(account, lines)
    place.segment(account, "Tout le monde")
    place.segment(account, "Clients d’Évreux", {"field": "city", "op": "eq", "value": "Évreux"})
    place.segment(account, "Acheteurs réguliers", BUYERS)
    place.settled(account)
    return account


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def act(page: Page, name: str, words: dict[str, Any], action: str) -> None:
    """Choose an entry of a row's menu."""
    row(page, name).get_by_role("button", name=words["more"]).click()
    row(page, name).get_by_role("button", name=words[action], exact=True).click()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_an_account_without_segments(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Vide{language}{width}")
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    expect(page.get_by_text(words["none"])).to_be_visible()
    expect(page.get_by_role("link", name=words["new"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segments-none-{language}-{width}")
    page.get_by_role("link", name=words["new"]).click()
    page.wait_for_url("**/segments/new")


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("en", 390)])
def test_every_state_as_it_comes(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Etats{language}")
    place.people(account, [{"email": "ann@example.org", "consents": {"email": "opted_in"}}])
    page = visits.page(account=account, language=language, width=width)
    with place.at_rest():
        place.segment(account, "Tous")
        page.goto("/segments/")
        expect(row(page, "Tous")).to_contain_text(words["computing"])
        expect(row(page, "Tous").get_by_role("progressbar")).to_be_visible()
        assert_accessible(page)
        shoot(page, f"segments-computing-{language}-{width}")
        # Nobody computes it for more than an hour; the page tells by itself.
        expect(row(page, "Tous")).to_contain_text(words["late"], timeout=20_000)
        expect(row(page, "Tous")).to_contain_text(words["not_begun"])
        assert_accessible(page)
        assert_fits(page)
        shoot(page, f"segments-late-{language}-{width}")
    expect(row(page, "Tous")).to_contain_text(words["ready"], timeout=30_000)
    expect(row(page, "Tous").locator("[data-figure=profiles]")).to_have_text("1")
    expect(row(page, "Tous").locator("[data-figure=email_opt_ins]")).to_have_text("1")
    expect(row(page, "Tous").locator("[data-figure=sms_opt_ins]")).to_have_text("0")
    expect(row(page, "Tous").locator("svg.sparkline")).to_be_visible()
    assert_accessible(page)

    act(page, "Tous", words, "pause")
    expect(row(page, "Tous")).to_contain_text(words["paused"])
    place.people(account, [{"email": "bob@example.org"}])
    shoot(page, f"segments-paused-{language}-{width}")
    assert_accessible(page)
    page.reload()
    expect(row(page, "Tous").locator("[data-figure=profiles]")).to_have_text("1")
    with place.at_rest():
        act(page, "Tous", words, "activate")
        expect(row(page, "Tous")).to_contain_text(words["computing"])
    expect(row(page, "Tous").locator("[data-figure=profiles]")).to_have_text("2", timeout=30_000)
    expect(row(page, "Tous")).to_contain_text(words["ready"], timeout=30_000)
    with place.at_rest():
        act(page, "Tous", words, "refresh")
        expect(row(page, "Tous")).to_contain_text(words["computing"])
    expect(row(page, "Tous")).to_contain_text(words["ready"], timeout=30_000)


@pytest.mark.parametrize(("language", "width"), [("fr", 390), ("en", 1440)])
def test_copying_and_deleting(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Vies{language}")
    inner = place.segment(account, "Base")
    place.segment(account, "Dérivé", {"segment": inner, "op": "member"})
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/?sort=-name")
    act(page, "Base", words, "duplicate")
    copy = f"Base {words['copy']}"
    expect(row(page, copy)).to_be_visible()

    act(page, "Base", words, "delete")
    dialog = page.locator("#confirm-dialog")
    expect(dialog).to_contain_text("Base")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    expect(row(page, "Base")).to_be_visible()
    act(page, "Base", words, "delete")
    dialog.get_by_role("button", name=words["delete"]).click()
    page.wait_for_url("**/uses")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-uses-{language}-{width}")
    page.get_by_role("link", name="Dérivé").click()
    page.wait_for_url(re.compile(r"/segments/\d+/edit"))

    page.goto("/segments/")
    act(page, copy, words, "delete")
    dialog.get_by_role("button", name=words["delete"]).click()
    expect(row(page, copy)).to_have_count(0)


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("fr", 390)])
def test_folders(visits: Visits, place: Place, language: str, width: int) -> None:
    account = place.account(f"Dossiers{width}")
    for name in ("Été", "Hiver", "Noël"):
        place.segment(account, name)
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    page.get_by_role("link", name="Dossiers").click()
    expect(page.get_by_text("Pas encore de dossier")).to_be_visible()
    page.get_by_label("Nom", exact=True).fill("Saisons")
    page.get_by_role("button", name="Créer le dossier").click()
    expect(page.get_by_label("Nouveau nom de « Saisons »")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-folders-{language}-{width}")

    page.goto("/segments/?sort=-name")
    bar = page.locator("#move")
    expect(bar).to_be_hidden()
    page.get_by_label("Cocher « Été »").check()
    page.get_by_label("Cocher « Hiver »").check()
    expect(bar).to_be_visible()
    page.get_by_label("Déplacer les segments cochés vers").select_option("Saisons")
    assert_accessible(page)
    shoot(page, f"segments-ticked-{language}-{width}")
    bar.get_by_role("button", name="Déplacer").click()
    expect(page.get_by_text("2 segments sont maintenant dans « Saisons ».")).to_be_visible()
    assert "sort=-name" in page.url
    page.get_by_label("Dossier", exact=True).select_option("Saisons (2)")
    expect(row(page, "Noël")).to_have_count(0)
    expect(row(page, "Été")).to_be_visible()
    page.get_by_label("Cocher tous les segments de cette page").check()
    expect(page.get_by_label("Cocher « Hiver »")).to_be_checked()
    page.get_by_label("Déplacer les segments cochés vers").select_option("Aucun dossier")
    bar.get_by_role("button", name="Déplacer").click()
    expect(page.get_by_text("2 segments ne sont plus dans aucun dossier.")).to_be_visible()

    page.goto("/segments/folders")
    page.get_by_label("Nouveau nom de « Saisons »").fill("Temps forts")
    page.get_by_role("button", name="Renommer").click()
    expect(page.get_by_label("Nouveau nom de « Temps forts »")).to_be_visible()
    page.get_by_role("button", name="Supprimer").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Supprimer").click()
    expect(page.get_by_text("Pas encore de dossier")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_fit_and_read_well(visits: Visits, shop: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/segments/")
    expect(row(page, "Tout le monde")).to_contain_text(words["ready"])
    expect(row(page, "Acheteurs réguliers")).to_contain_text("Évreux")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segments-three-{language}-{width}")
    row(page, "Tout le monde").get_by_role("button", name=words["more"]).click()
    assert_accessible(page)
    shoot(page, f"segments-menu-{language}-{width}")
    page.keyboard.press("Escape")

    row(page, "Tout le monde").get_by_role("link", name=words["see"]).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tout le monde")
    expect(page.locator("[data-figure=profiles]")).to_contain_text("60")
    assert page.get_by_role("columnheader").all_inner_texts() == words["columns"]
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-profiles-{language}-{width}")

    page.get_by_role("link", name=words["changes"]).click()
    expect(page.locator("[data-figure=entered]")).to_have_text("60")
    expect(page.locator("[data-figure=left]")).to_have_text("0")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-changes-{language}-{width}")

    page.goto("/segments/night")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segments-night-{language}-{width}")


def test_profiles_are_searched_sorted_paged_and_exported(visits: Visits, shop: Account) -> None:
    page = visits.page(account=shop, language="fr")
    page.goto("/segments/")
    row(page, "Clients d’Évreux").get_by_role("link", name="30", exact=True).click()
    expect(page.locator("[data-figure=profiles]")).to_contain_text("30 profils")
    page.get_by_label("Chercher un profil").fill("eric martin")
    page.keyboard.press("Enter")
    expect(page.get_by_text("15 profils trouvés")).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(15)
    page.get_by_role("link", name="Nom et prénom").click()
    expect(page.get_by_role("columnheader", name="Nom et prénom")).to_have_attribute("aria-sort", "ascending")
    names = page.locator("tbody .person").all_inner_texts()
    assert names == sorted(names)
    with page.expect_download() as download:
        page.get_by_role("link", name="Exporter en tant que CSV").click()
    lines = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert [line["name"] for line in lines] == names

    page.goto("/segments/")
    row(page, "Tout le monde").get_by_role("link", name="Voir les profils").click()
    first = set(page.locator("tbody .person").all_inner_texts())
    page.get_by_role("link", name="Suivant").click()
    expect(page.locator("tbody tr")).to_have_count(10)
    rest = set(page.locator("tbody .person").all_inner_texts())
    assert (len(first), len(first | rest)) == (50, 60)
    expect(page.locator("[data-figure=profiles]")).to_contain_text("60 profils")
    assert_accessible(page)
    page.get_by_role("link", name="Revenir à la première page").click()
    expect(page.locator("tbody tr")).to_have_count(50)


def test_who_entered_and_left_is_told(visits: Visits, place: Place) -> None:
    account = place.account("Allees")
    criteria = {"field": "city", "op": "eq", "value": "Brest"}
    place.people(account, [{"email": "ann@example.org", "first_name": "Ann", "city": "Brest"}])
    place.segment(account, "Brestois", criteria)
    place.settled(account)
    page = visits.page(account=account, language="fr")
    page.goto("/segments/")
    page.get_by_role("link", name="Brestois", exact=True).click()
    page.get_by_role("link", name="Entrées et sorties").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    place.people(
        account, [{"email": "ann@example.org", "city": "Lyon"}, {"email": "bob@example.org", "city": "Brest"}]
    )
    deadline = time.monotonic() + 20
    while page.locator("[data-figure=left]").inner_text() != "1" and time.monotonic() < deadline:
        time.sleep(0.3)
        page.reload()
    expect(page.locator("[data-figure=entered]")).to_have_text("2")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.get_by_label("Afficher").select_option("Sorties")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Ann")
    expect(page.locator("tbody tr")).to_contain_text("Sortie")
    assert_accessible(page)
    page.get_by_label("Du", exact=True).fill("2020-01-01")
    page.get_by_label("Au", exact=True).fill("2020-01-02")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("Personne n’est entré ni sorti")).to_be_visible()
    assert_accessible(page)
    shoot(page, "segment-changes-none-fr-1440")


def test_three_hundred_segments(visits: Visits, place: Place) -> None:
    account = place.account("Foule")
    place.people(account, [{"email": "ann@example.org", "city": "Brest"}])
    with place.api(account) as api:
        folder = api.post("segment-folders", json={"name": "Villes"}).json()["id"]
    place.installation.quickly("manage", "shell", "-c", CROWD.format(account=account.id, folder=folder))
    page = visits.page(account=account, language="fr")
    page.goto("/segments/")
    expect(page.get_by_text("1 à 50 sur 300")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, "segments-three-hundred-fr-1440")
    page.get_by_label("Chercher un segment").fill("ville 29")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(13)
    page.get_by_label("Dossier", exact=True).select_option("Villes (150)")
    expect(page.locator("tbody tr")).to_have_count(8)
    page.get_by_role("link", name="Nom", exact=True).click()
    expect(page.get_by_role("columnheader", name="Nom", exact=True)).to_have_attribute(
        "aria-sort", "descending"
    )
    page.goto("/segments/?page=6")
    expect(page.locator("tbody tr")).to_have_count(50)
    began = time.monotonic()
    page.goto("/segments/?page=3")
    assert time.monotonic() - began < 3
