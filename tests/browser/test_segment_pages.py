"""The pages beside the list of segments: folders, a segment's own page and its menu, entries and exits, the night."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.segments import WORDS, Place, row
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Installation

BRESTOIS = {"field": "city", "op": "eq", "value": "Brest"}


@pytest.fixture(scope="module")
def place(installation: Installation) -> Place:
    return Place(installation)


@each_way
def test_a_segment_without_anybody(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Personne{language}{width}")
    place.people(account, [{"email": "ann@example.org", "city": "Lyon"}])
    segment = place.segment(account, "Brestois", BRESTOIS)
    place.settled(account)
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    row(page, "Brestois").get_by_role("link", name=words["see"]).click()
    expect(page.get_by_text(words["empty"])).to_be_visible()
    expect(page.locator("[data-figure=profiles]")).to_contain_text("0")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-nobody-{language}-{width}")
    page.goto(f"/segments/{segment}/uses")
    expect(page.get_by_text(words["unused"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-unused-{language}-{width}")


@each_way
def test_the_menu_of_a_segments_own_page(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Page{language}{width}")
    place.people(account, [{"email": "ann@example.org", "first_name": "Ann", "city": "Brest"}])
    segment = place.segment(account, "Brestois", BRESTOIS)
    place.settled(account)
    page = visits.page(account=account, language=language, width=width)
    state = page.locator(".segment-head .state")

    def choose(action: str) -> None:
        page.get_by_role("button", name=words["more"]).click()
        page.get_by_role("button", name=words[action], exact=True).click()

    page.goto(f"/segments/{segment}")
    page.get_by_label(words["search_profile"]).fill("zoe")
    page.keyboard.press("Enter")
    expect(page.get_by_text(words["nobody_found"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name=words["everybody"]).click()
    expect(page.get_by_role("link", name="Ann", exact=True)).to_be_visible()

    choose("pause")
    expect(state).to_have_text(words["paused"])
    assert page.url.endswith(f"/segments/{segment}")
    place.people(account, [{"email": "bob@example.org", "first_name": "Bob", "city": "Brest"}])
    page.reload()
    expect(page.locator("[data-figure=profiles]")).to_contain_text("1")
    shoot(page, f"segment-paused-{language}-{width}")
    with place.at_rest():
        choose("activate")
        expect(state).to_have_text(words["computing"])
        assert_accessible(page)
        assert_fits(page)
        shoot(page, f"segment-computing-{language}-{width}")
    # The page shows by itself what the computation found.
    expect(page.locator("[data-figure=profiles]")).to_contain_text("2")
    expect(state).to_have_text(words["ready"])
    expect(page.get_by_role("link", name="Bob", exact=True)).to_be_visible()
    with place.at_rest():
        choose("refresh")
        expect(state).to_have_text(words["computing"])
    expect(state).to_have_text(words["ready"])
    expect(page.get_by_role("link", name=words["to_all"])).to_have_attribute(
        "href", f"/contacts/bulk?segment={segment}"
    )
    choose("duplicate")
    page.wait_for_url(re.compile(r"/segments/$"))
    expect(row(page, f"Brestois {words['copy']}")).to_be_visible()
    page.goto(f"/segments/{segment}")
    choose("delete")
    page.locator("#confirm-dialog").get_by_role("button", name=words["delete"]).click()
    page.wait_for_url(re.compile(r"/segments/$"))
    expect(row(page, f"Brestois {words['copy']}")).to_be_visible()
    expect(row(page, "Brestois")).to_have_count(0)


@each_way
def test_the_hour_of_the_night(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Nuit{language}{width}")
    place.segment(account, "Tous")
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/")
    page.get_by_role("link", name=words["change_hour"]).click()
    page.get_by_label(words["hour"], exact=True).select_option("05:00")
    page.get_by_role("button", name=words["save_hour"]).click()
    expect(page.get_by_text(words["hour_saved"])).to_be_visible()
    page.goto("/segments/")
    expect(page.get_by_text(words["each_night"])).to_be_visible()


@each_way
def test_folders(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Dossiers{language}{width}")
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


@each_way
def test_who_entered_and_left_is_told(visits: Visits, place: Place, language: str, width: int) -> None:
    words = WORDS[language]
    account = place.account(f"Allees{language}{width}")
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
    page.get_by_role("link", name=words["span"]).click()
    expect(page.get_by_role("link", name=words["span"])).to_have_attribute("aria-current", "true")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-changes-exits-{language}-{width}")
    page.get_by_label(words["from"], exact=True).fill("2020-01-01")
    page.get_by_label(words["to"], exact=True).fill("2020-01-02")
    page.get_by_role("button", name=words["apply"]).click()
    expect(page.get_by_text(words["nobody_moved"])).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-changes-none-{language}-{width}")
