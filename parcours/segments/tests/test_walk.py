"""Whatever happens, and as time passes, members, entries and exits are those that a plain reading of the truth finds.

The number of random walks is that of PARCOURS_EXAMPLES (a few unless it is set).
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from parcours.criteria.tests.timed import documents
from parcours.lib import clock
from parcours.segments.tests.conftest import new_firm
from parcours.segments.tests.walk import Walk
from parcours.tracking.digest.run import Digest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
ACTS = [
    "time_passes", "time_passes", "time_passes", "event", "event", "event", "event", "page", "identify", "newcomer",
    "change", "list_change", "consent", "refresh", "pause_and_resume", "merge", "merge",
    "unmerge", "erase",
]  # fmt: skip
acts = st.lists(st.lists(st.sampled_from(ACTS), min_size=1, max_size=3), min_size=6, max_size=8)


@settings(
    max_examples=int(os.environ.get("PARCOURS_EXAMPLES", "2")),
    deadline=None,
    phases=[Phase.generate],
    derandomize="PARCOURS_EXAMPLES" not in os.environ,
    suppress_health_check=[*HealthCheck],
    database=None,
)
@given(seed=st.integers(0, 2**32), documents=documents, turns=acts)
def test_live_full_and_oracle_agree(
    digest: Digest, seed: int, documents: list[dict[str, Any]], turns: list[list[str]]
) -> None:
    try:
        walk = Walk(new_firm(digest), seed, documents)
        walk.settle()
        walk.check()
        for turn in turns:
            for act in turn:
                getattr(walk, act)()
            walk.settle()
            walk.check()
        walk.refresh()
        walk.settle()
        walk.check()
    finally:
        clock.freeze(None)
