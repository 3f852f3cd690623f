"""Fixtures that every test can use, and how several workers share the tests."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any

import pytest
from django.utils import translation

pytest_plugins = ["tests.fixtures.database", "tests.fixtures.store"]

#: What takes long begins early. Whole installations wait until the browser's share of the machine is free.
EARLY = ("tests/browser/", "crash", "oracle", "test_walk", "test_live", "tests/end_to_end/")


@pytest.fixture(autouse=True)
def no_language_left() -> None:
    """A page asked for in French leaves French behind: each test begins with the default language."""
    translation.deactivate()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> Iterator[None]:
    """What pytest-django asks for before it makes the test database."""
    from tests.fixtures.database import schema_in_memory

    with schema_in_memory():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """Put what takes long first, once other plugins have sorted the tests as they like."""
    yield
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    file = nodeid.split("::")[0]
    return next((rank for rank, part in enumerate(EARLY) if part in file), len(EARLY))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file share what it sets up: they stay with one worker."""
    # Not by xdist's marks: those of 3.8 are lost on pytest 9.2, whose items bear no `_nodeid`.
    from xdist.scheduler import LoadScopeScheduling

    class Files(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.split("::")[0]
            # All browser tests share one installation and one browser.
            return "browser" if file.startswith("tests/browser/") else file

    return Files(config, log)
