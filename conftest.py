"""Fixtures that every test can use, and the order in which several workers take the tests up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.fixtures.database", "tests.fixtures.store"]

#: What takes long begins early. Whole installations wait until the browser's share of the machine is free.
EARLY = ("tests/browser/", "crash", "oracle", "test_walk", "test_live", "tests/end_to_end/")


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """What pytest-django asks for before it makes the test database."""
    from tests.fixtures.database import schema_in_memory

    with schema_in_memory():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of a file share what it sets up: they stay with one worker."""
    for item in items:
        file = item.nodeid.split("::")[0]
        # All browser tests share one installation and one browser.
        item.add_marker(pytest.mark.xdist_group("browser" if file.startswith("tests/browser/") else file))
    items.sort(key=lambda item: _rank(item.nodeid.split("::")[0]))


def _rank(file: str) -> int:
    return next((rank for rank, part in enumerate(EARLY) if part in file), len(EARLY))
