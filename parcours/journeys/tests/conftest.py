"""The world of the journeys' tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from parcours.journeys.tests.world import World
from parcours.lib import clock


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """An account on a clock that stands still until it is turned."""
    yield World()
    clock.freeze(None)
