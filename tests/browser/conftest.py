"""One installation and one Chromium for all browser tests; a test fails on any script error or refused resource."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import Sessions, Visits, chromium
from tests.fixtures.installation import Account, Installation, installed

pytestmark = pytest.mark.browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture(scope="package")
def account(installation: Installation) -> Account:
    return installation.create_account("Maison Lavande", email="marie@example.org")


# The package's, not the session's: while Playwright runs, Django's database would refuse later tests of this process.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def sessions(browser: Browser) -> Sessions:
    return Sessions()


@pytest.fixture
def visits(browser: Browser, installation: Installation, sessions: Sessions) -> Iterator[Visits]:
    """Opens pages: `visits.page(account=…, language="fr", width=390)`."""
    opened = Visits(browser, installation, sessions)
    yield opened
    opened.close()
    assert not opened.faults, opened.faults
