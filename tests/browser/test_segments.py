"""Segments in a browser: every state, every action of the menu, profiles, hundreds of them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.segments import BUYERS, CLOCK, CROWD, WORDS, Place, act, row
from tests.browser.ways import each_way, long_way
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


@each_way
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


@each_way
def test_every_state_as_it_comes(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Etats{language}{width}")
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


@long_way
def test_rows_tell_by_themselves_what_others_do(
    visits: Visits, place: Place, language: str, width: int
) -> None:
    words = WORDS[language]
    account = place.account(f"Ailleurs{language}{width}")
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


@each_way
def test_copying_and_deleting(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Vies{language}{width}")
    inner = place.segment(account, "Base")
    place.segment(account, "Dérivé", {"segment": inner, "op": "member"})
    place.journey(account, "Bienvenue", segment=inner)
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
    expect(page.get_by_text(words["used"])).to_be_visible()
    expect(page.get_by_role("link", name="Bienvenue")).to_contain_text(words["journey"])
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-uses-{language}-{width}")
    page.get_by_role("link", name="Dérivé").click()
    page.wait_for_url(re.compile(r"/segments/\d+/edit"))
    page.go_back()
    page.get_by_role("link", name="Bienvenue").click()
    page.wait_for_url(re.compile(r"/journeys/\d+"))

    page.goto("/segments/")
    act(page, copy, words, "delete")
    dialog.get_by_role("button", name=words["delete"]).click()
    expect(row(page, copy)).to_have_count(0)


@each_way
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


@each_way
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


@each_way
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


@pytest.fixture(scope="module")
def crowd(place: Place) -> Account:
    """An account with three hundred segments, half of them in a folder."""
    account = place.account("Foule")
    place.people(account, [{"email": "ann@example.org", "city": "Brest"}])
    with place.api(account) as api:
        folder = api.post("segment-folders", json={"name": "Villes"}).json()["id"]
    place.installation.quickly("manage", "shell", "-c", CROWD.format(account=account.id, folder=folder))
    return account


@long_way
def test_three_hundred_segments(visits: Visits, crowd: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=crowd, language=language, width=width)
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
    page.get_by_label(words["search"]).fill("nulle part")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["none_found"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segments-none-found-{language}-{width}")
    page.get_by_role("link", name=words["all"]).click()
    expect(page.get_by_text(words["range"])).to_be_visible()
    page.get_by_role("link", name=words["next"]).click()
    expect(page.get_by_text(words["second_range"])).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(50)
    page.goto("/segments/?page=6")
    expect(page.locator("tbody tr")).to_have_count(50)
