from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from parcours.contacts.merging.tests.world import World
from parcours.events import journal
from parcours.lib import clock


@pytest.fixture
def world(store: Any, db: Any) -> Iterator[World]:
    """An account on a clock that stands still until it is turned, in an empty store."""
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield World()
    clock.freeze(None)
    collected.close()
