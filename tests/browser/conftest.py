"""One installation and one Chromium for all browser tests; a test fails on any script error or refused resource."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.fixtures.browser import Visits, chromium
from tests.fixtures.installation import Account, Installation, installed

pytestmark = pytest.mark.browser


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # With several workers, all browser tests share one installation and one browser.
            item.add_marker(pytest.mark.xdist_group("browser"))


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
def sessions() -> dict[str, Any]:
    return {}


@pytest.fixture
def visits(browser: Browser, installation: Installation, sessions: dict[str, Any]) -> Iterator[Visits]:
    """Opens pages: `visits.page(account=…, language="fr", width=390)`."""
    opened = Visits(browser, installation, signed_in=sessions)
    yield opened
    opened.close()
    assert not opened.faults, opened.faults
