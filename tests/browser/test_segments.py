"""Segments in a browser: every state, every action of the menu, folders, profiles, entries and exits."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.segments import BUYERS, CLOCK, CROWD, WORDS, Place, act, row
from tests.fixtures.browser import Sessions, Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, installed


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
def test_rows_tell_by_themselves_what_others_do(
    visits: Visits, place: Place, language: str, width: int
) -> None:
    words = WORDS[language]
    account = place.account(f"Ailleurs{language}")
    place.people(account, [{"email": "ann@example.org"}])
    segment = place.segment(account, "Tous")
    place.settled(account)
    page = visits.page(account=account, language=language, width=width)
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "/segments/pulse" in request.url else None
    )
    page.goto("/segments/")
    expect(row(page, "Tous")).to_contain_text(words["ready"])
    # Somewhere else, it is paused, and somebody comes.
    with place.api(account) as api:
        assert api.post(f"segments/{segment}/pause").status_code == 200
        expect(row(page, "Tous")).to_contain_text(words["paused"])
        assert len(asked) <= 2
        place.people(account, [{"email": "bob@example.org"}])
        assert api.post(f"segments/{segment}/activate").status_code == 200
    expect(row(page, "Tous").locator("[data-figure=profiles]")).to_have_text("2")
    expect(row(page, "Tous")).to_contain_text(words["ready"])


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_copying_and_deleting(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Vies{language}{width}")
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


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_segment_is_edited(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Edite{language}{width}")
    cities = ["Brest", "Lyon", "Lyon"]
    place.people(account, [{"email": f"c{n}@example.org", "city": city} for n, city in enumerate(cities)])
    place.segment(account, "Brestois", {"all": [{"field": "city", "op": "eq", "value": "Brest"}]})
    place.settled(account)
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    expect(row(page, "Brestois").locator("[data-figure=profiles]")).to_have_text("1")
    row(page, "Brestois").get_by_role("link", name=words["edit"]).click()
    page.get_by_label(words["name"], exact=False).first.fill("Lyonnais")
    page.get_by_role("combobox", name=words["city"]).fill("Lyon")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["saved"])).to_be_visible()
    expect(row(page, "Lyonnais").locator("[data-figure=profiles]")).to_have_text("2")
    expect(row(page, "Lyonnais")).to_contain_text("Lyon")


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("en", 390)])
def test_folders(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Dossiers{width}")
    for name in ("Été", "Hiver", "Noël"):
        place.segment(account, name)
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    page.get_by_role("link", name=words["folders"]).click()
    expect(page.get_by_text(words["no_folder_yet"])).to_be_visible()
    page.get_by_label(words["name"], exact=True).fill("Saisons")
    page.get_by_role("button", name=words["create_folder"]).click()
    expect(page.get_by_label(words["new_name"].format("Saisons"))).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-folders-{language}-{width}")

    page.goto("/segments/?sort=-name")
    bar = page.locator("#move")
    expect(bar).to_be_hidden()
    page.get_by_label(words["tick"].format("Été")).check()
    page.get_by_label(words["tick"].format("Hiver")).check()
    expect(bar).to_be_visible()
    page.get_by_label(words["move_to"]).select_option("Saisons")
    assert_accessible(page)
    shoot(page, f"segments-ticked-{language}-{width}")
    bar.get_by_role("button", name=words["move"]).click()
    expect(page.get_by_text(words["moved"])).to_be_visible()
    assert "sort=-name" in page.url
    page.get_by_label(words["folder"], exact=True).select_option("Saisons (2)")
    expect(row(page, "Noël")).to_have_count(0)
    expect(row(page, "Été")).to_be_visible()
    page.get_by_label(words["tick_all"]).check()
    expect(page.get_by_label(words["tick"].format("Hiver"))).to_be_checked()
    page.get_by_label(words["move_to"]).select_option(words["no_folder"])
    bar.get_by_role("button", name=words["move"]).click()
    expect(page.get_by_text(words["moved_out"])).to_be_visible()

    page.goto("/segments/folders")
    page.get_by_label(words["new_name"].format("Saisons")).fill("Temps forts")
    page.get_by_role("button", name=words["rename"]).click()
    expect(page.get_by_label(words["new_name"].format("Temps forts"))).to_be_visible()
    page.get_by_role("button", name=words["delete"]).click()
    page.locator("#confirm-dialog").get_by_role("button", name=words["delete"]).click()
    expect(page.get_by_text(words["no_folder_yet"])).to_be_visible()


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


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("en", 390)])
def test_profiles_are_searched_sorted_paged_and_exported(
    visits: Visits, shop: Account, language: str, width: int
) -> None:
    words = WORDS[language]
    page = visits.page(account=shop, language=language, width=width)
    page.goto("/segments/")
    row(page, "Clients d’Évreux").get_by_role("link", name="30", exact=True).click()
    expect(page.locator("[data-figure=profiles]")).to_contain_text(words["profiles"].format(30))
    page.get_by_label(words["search_profile"]).fill("eric martin")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["found"])).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(15)
    page.get_by_role("link", name=words["columns"][0]).click()
    expect(page.get_by_role("columnheader", name=words["columns"][0])).to_have_attribute(
        "aria-sort", "ascending"
    )
    names = page.locator("tbody .person").all_inner_texts()
    assert names == sorted(names)
    with page.expect_download() as download:
        page.get_by_role("link", name=words["export"]).click()
    lines = list(csv.DictReader(download.value.path().read_text("utf-8-sig").splitlines()))
    assert [line["name"] for line in lines] == names

    page.goto("/segments/")
    row(page, "Tout le monde").get_by_role("link", name=words["see"]).click()
    first = set(page.locator("tbody .person").all_inner_texts())
    page.get_by_role("link", name=words["next"]).click()
    expect(page.locator("tbody tr")).to_have_count(10)
    rest = set(page.locator("tbody .person").all_inner_texts())
    assert (len(first), len(first | rest)) == (50, 60)
    expect(page.locator("[data-figure=profiles]")).to_contain_text(words["profiles"].format(60))
    assert_accessible(page)
    page.get_by_role("link", name=words["first_page"]).click()
    expect(page.locator("tbody tr")).to_have_count(50)


@pytest.mark.parametrize(("language", "width"), [("fr", 1440), ("en", 390)])
def test_who_entered_and_left_is_told(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Allees{language}")
    criteria = {"field": "city", "op": "eq", "value": "Brest"}
    place.people(account, [{"email": "ann@example.org", "first_name": "Ann", "city": "Brest"}])
    place.segment(account, "Brestois", criteria)
    place.settled(account)
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    page.get_by_role("link", name="Brestois", exact=True).click()
    page.get_by_role("link", name=words["changes"]).click()
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
    page.get_by_label(words["show"], exact=True).select_option(words["exits"])
    page.get_by_role("button", name=words["apply"]).click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("Ann")
    expect(page.locator("tbody tr")).to_contain_text(words["exit"])
    assert_accessible(page)
    page.get_by_label(words["from"], exact=True).fill("2020-01-01")
    page.get_by_label(words["to"], exact=True).fill("2020-01-02")
    page.get_by_role("button", name=words["apply"]).click()
    expect(page.get_by_text(words["nobody_moved"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-changes-none-{language}-{width}")


def test_three_hundred_segments(visits: Visits, place: Place) -> None:
    account = place.account("Foule")
    place.people(account, [{"email": "ann@example.org", "city": "Brest"}])
    with place.api(account) as api:
        folder = api.post("segment-folders", json={"name": "Villes"}).json()["id"]
    place.installation.quickly("manage", "shell", "-c", CROWD.format(account=account.id, folder=folder))
    for language, width in (("fr", 1440), ("en", 390)):
        words = WORDS[language]
        page = visits.page(account=account, language=language, width=width)
        page.goto("/segments/")
        expect(page.get_by_text(words["range"])).to_be_visible()
        assert_accessible(page)
        assert_fits(page)
        shoot(page, f"segments-three-hundred-{language}-{width}")
        page.get_by_label(words["search"]).fill("ville 29")
        page.keyboard.press("Enter")
        expect(page.locator("tbody tr")).to_have_count(13)
        page.get_by_label(words["folder"], exact=True).select_option("Villes (150)")
        expect(page.locator("tbody tr")).to_have_count(8)
        page.get_by_role("link", name=words["name"], exact=True).click()
        head = page.get_by_role("columnheader", name=words["name"], exact=True)
        expect(head).to_have_attribute("aria-sort", "descending")
        page.goto("/segments/?page=6")
        expect(page.locator("tbody tr")).to_have_count(50)
    began = time.monotonic()
    page.goto("/segments/?page=3")
    assert time.monotonic() - began < 3
