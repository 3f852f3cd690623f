"""`parcours demo`: its numbers are those of a plain script, and a visitor sees themselves walk."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page, expect

from parcours.demo import check
from parcours.demo.http import Api
from parcours.demo.state import State
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, chromium, shoot
from tests.fixtures.installation import Account, Installation, free_port

#: Two days of a journey in 24 seconds: an audience on a busy machine still reads its mail in time.
SPEED = 7200
CUSTOMERS = 1200
LINES = ("URL", "Sign-in", "API key", "Write key")


@dataclass
class Demo:
    """A running demonstration."""

    installation: Installation
    printed: dict[str, str]

    @property
    def account(self) -> Account:
        email, password = self.printed["Sign-in"].split(" / ")
        return Account(
            id="1", name="Le Disquaire", email=email, password=password,
            api_key=self.printed["API key"], write_key=self.printed["Write key"],
        )  # fmt: skip

    @property
    def api(self) -> Api:
        return Api(url=self.printed["URL"].rstrip("/"), key=self.printed["API key"])

    @property
    def state(self) -> State:
        return State(self.installation.data_dir)


def log_of(installation: Installation) -> str:
    return installation.log.read_text(errors="replace") if installation.log.exists() else ""


def wait_for_log(installation: Installation, pattern: str, *, seconds: float = 120, start: int = 0) -> None:
    deadline = time.monotonic() + seconds
    while not re.search(pattern, log_of(installation)[start:], re.MULTILINE):
        assert time.monotonic() < deadline, log_of(installation)[-3000:]
        assert installation.process is None or installation.process.poll() is None, log_of(installation)
        time.sleep(0.1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Started, ended while its story is being set up, and started again: it goes on where it was."""
    now = datetime.now(UTC).replace(hour=20, minute=0, second=0, microsecond=0)
    environment = {
        "PARCOURS_CLOCK": f"{now:%Y-%m-%dT%H:%M:%SZ}*{SPEED}",
        "PARCOURS_DEMO_CUSTOMERS": str(CUSTOMERS),
    }
    made = Installation(tmp_path_factory.mktemp("demo"), free_port(), environment=environment, command="demo")
    made.start()
    try:
        wait_for_log(made, "purchases imported")
        made.stop()
        before = len(log_of(made))
        made.start()
        wait_for_log(made, "^Write key: ", start=before)
        printed = dict(re.findall(r"^(\w[\w -]*): (.+)$", log_of(made)[before:], re.MULTILINE))
        yield Demo(made, printed)
    finally:
        made.stop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def test_every_number_is_that_of_a_plain_script(demo: Demo) -> None:
    assert set(LINES) <= set(demo.printed)
    state = demo.state
    with override_settings(DATA_DIR=demo.installation.data_dir):
        check.wait_until_over(demo.api, state, seconds=240)
        assert check.differences(demo.api, state) == []
    for kind, number in (("lists", 3), ("messages", 6), ("segments", 2), ("journeys", 3)):
        assert len(demo.api.pages(kind)) == number, f"{kind}: the story was told twice"
    loyal = demo.api.call("GET", f"journeys/{state['story']['journeys']['loyal']}/statistics")
    assert loyal["entered"] > 50
    demo.installation.parcours("verify")
    assert "urllib3" not in log_of(demo.installation)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_visitor_sees_themselves_walk(demo: Demo, browser: Browser, language: str) -> None:
    visits = Visits(browser, demo.installation)
    try:
        walk(demo, visits, language)
    finally:
        visits.close()
    assert not visits.faults, visits.faults


def walk(demo: Demo, visits: Visits, language: str) -> None:
    journey = wait_for_story(demo)["journeys"]["visitors"]
    address = f"newcomer-{language}@example.com"
    before = steps_of(demo, journey)
    window = visits.page(account=demo.account, language=language)
    window.goto(f"/journeys/{journey}/statistics")
    expect(window.locator("[data-step=browse]")).to_be_visible()

    shop = visits.page(language=language)
    shop.goto("/demo/shop")
    assert_accessible(shop)
    assert_fits(shop)
    shop.fill("#email", address)
    shop.click("[data-letter] button")
    wait_for(lambda: steps_of(demo, journey)["browse"]["waiting"] == 1, "The visitor did not enter.")
    shop.click("[data-record=lp-103]")
    expect(shop.locator("[data-basket]")).to_have_text("1")

    # The numbers of the other window tick, and open their people.
    for step in ("welcome", "chosen"):
        number = before[step]["passages"] + 1
        shown = window.locator(f"[data-step={step}] a.step-passages")
        expect(shown).to_contain_text(str(number), timeout=30_000)
    shoot(window, f"demo-visitor-{language}")
    open_people(window, "chosen", address)
    assert steps_of(demo, journey)["nudge"]["passages"] == 0

    shop.click("[data-mailbox]")
    mail = shop.get_by_role("link", name="Bienvenue au Disquaire")
    expect(mail).to_have_count(1)
    mail.click()
    expect(shop.frame_locator("iframe").get_by_text("Merci de votre visite")).to_be_visible()


def open_people(window: Page, step: str, address: str) -> None:
    """The list behind a step's number holds the address."""
    window.locator(f"[data-step={step}] a.step-passages").click()
    panel = window.locator("#side-panel")
    expect(panel.get_by_text(address)).to_be_visible()
    count = int(panel.locator("[data-count]").first.inner_text())
    assert panel.locator("tbody tr").count() == count


def wait_for_story(demo: Demo) -> Any:
    wait_for(lambda: demo.state.get("story") is not None, "The story was not set up.")
    return demo.state["story"]


def steps_of(demo: Demo, journey: str) -> dict[str, Any]:
    read = demo.api.call("GET", f"journeys/{journey}/statistics")
    return {step["id"]: step for step in read["steps"]}


def wait_for(met: Any, otherwise: str, *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)
