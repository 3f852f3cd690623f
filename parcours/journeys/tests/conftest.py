"""The world of the journeys' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from parcours.journeys.tests.world import Living, World
from parcours.lib import clock
from tests.fixtures.store import StoreProcess


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """An account on a clock that stands still until it is turned."""
    yield World()
    clock.freeze(None)


@pytest.fixture
def living(db: None, store: StoreProcess) -> Iterator[Living]:
    """The same, with its journal digested for real."""
    yield Living()
    clock.freeze(None)
