"""The statistics of a running journey, read as a marketer reads them: every number opens its people."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from parcours.messaging.sink import Sink
from tests.browser.ways import each_way
from tests.end_to_end import road
from tests.fixtures.browser import Sessions, Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import Installation, installed

WORDS = {
    "fr": {
        "statistics": "Statistiques",
        "full": "Statistiques complètes",
        "preview": "Aperçu",
        "tab": "Scénarios",
    },
    "en": {"statistics": "Statistics", "full": "Full statistics", "preview": "Preview", "tab": "Journeys"},
}


@dataclass
class Place:
    installation: Installation
    laid: road.Road


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """An installation where twenty contacts stand in the middle of their road."""
    folder = tmp_path_factory.mktemp("statistics")
    mails = Sink(directory=folder / "sink").start()
    with installed(folder, {"PARCOURS_EMAIL_URL": mails.url}) as running:
        laid = road.lay(running, "Maison Tilleul", wait="12h")
        road.drive(laid)
        for _ in range(300):
            read = laid.statistics()
            if read["active"] == len(laid.addresses) and len(laid.mailbox(running)) == len(laid.addresses):
                break
            time.sleep(0.1)
        yield Place(running, laid)
    mails.stop()


@pytest.fixture
def visits(browser: Browser, place: Place, sessions: Sessions) -> Iterator[Visits]:
    opened = Visits(browser, place.installation, sessions)
    yield opened
    opened.close()
    assert not opened.faults, opened.faults


def statistics_page(visits: Visits, place: Place, language: str, width: int) -> Page:
    """From the menu to the statistics, as one goes there."""
    words = WORDS[language]
    page = visits.page(account=place.laid.account, language=language, width=width)
    page.goto("/journeys")
    expect(page.get_by_role("link", name=words["tab"]).first).to_be_visible()
    page.locator("[data-bs-toggle=dropdown]").last.click()
    page.locator(".dropdown-item", has_text=words["statistics"]).first.click()
    page.wait_for_url("**/statistics")
    expect(page.locator("[data-step=hello]")).to_be_visible()
    return page


@each_way
def test_the_numbers_are_those_of_the_mailbox_and_open_their_people(
    visits: Visits, place: Place, language: str, width: int
) -> None:
    page = statistics_page(visits, place, language, width)
    received = place.laid.mailbox(place.installation)

    number = page.locator("[data-step=hello] a.step-passages")
    expect(number).to_contain_text(str(len(received)))
    expect(page.locator("[data-step=pause] a.step-waiting")).to_contain_text(str(len(received)))
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"statistics-{language}-{width}")

    number.click()
    panel = page.locator("#side-panel")
    expect(panel.locator("[data-count]").first).to_have_text(str(len(received)))
    expect(panel.locator("[data-email]")).to_have_count(len(received))
    assert set(panel.locator("[data-email]").all_text_contents()) == set(received)
    assert_accessible(page)
    shoot(page, f"statistics-people-{language}-{width}")


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_quick_view_leads_to_the_message_s_statistics(
    visits: Visits, place: Place, language: str
) -> None:
    words = WORDS[language]
    page = statistics_page(visits, place, language, 1440)
    step = page.locator("[data-step=hello]")
    step.hover()
    step.get_by_role("link", name=words["preview"]).click()
    expect(page.locator("#preview-dialog iframe")).to_be_visible()
    page.keyboard.press("Escape")
    step.hover()
    step.get_by_role("button", name=words["statistics"]).click()
    link = page.get_by_role("link", name=words["full"])
    expect(link).to_be_visible()
    expect(page.locator("[data-metric=sends]").first).to_contain_text(str(len(place.laid.addresses)))
    at_rest(page)
    shoot(page, f"quick-view-{language}")
    with page.context.expect_page() as opened:
        link.click()
    report = opened.value
    expect(report.get_by_role("heading", level=1)).to_have_text("Bonjour")
    expect(report.locator("[data-metric=deliveries]")).to_contain_text(str(len(place.laid.addresses)))
    assert_accessible(report)
    assert_fits(report)
    shoot(report, f"message-statistics-{language}")
