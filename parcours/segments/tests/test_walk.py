"""Whatever happens, and as time passes, members, entries and exits are those that a plain reading of the truth finds.

The number of random walks is that of PARCOURS_EXAMPLES (a few unless it is set); `--hypothesis-show-statistics` tells
how many of them each kind of thing happened on.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from parcours.criteria import compile, few
from parcours.criteria.tests.timed import documents
from parcours.lib import clock
from parcours.segments.tests.conftest import new_firm
from parcours.segments.tests.wider import THEMES, Wider
from parcours.tracking.digest.run import Digest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
themes = st.lists(st.sampled_from(sorted(THEMES)), min_size=2, max_size=2, unique=True)
ways = st.sampled_from([(compile.FEW, few.MOST_PEOPLE), (compile.FEW, 0), (0, few.MOST_PEOPLE), (0, 0)])
"""How many contacts are bound as values, and how many are looked at in Python rather than by a statement."""


@contextlib.contextmanager
def _way(bound: int, people: int) -> Iterator[None]:
    before = compile.FEW, few.MOST_PEOPLE
    compile.FEW, few.MOST_PEOPLE = bound, people
    try:
        yield
    finally:
        compile.FEW, few.MOST_PEOPLE = before


@settings(
    max_examples=int(os.environ.get("PARCOURS_EXAMPLES", "2")),
    deadline=None,
    phases=[Phase.generate],
    derandomize="PARCOURS_EXAMPLES" not in os.environ,
    suppress_health_check=[*HealthCheck],
    database=None,
)
@given(seed=st.integers(0, 2**32), documents=documents, themes=themes, way=ways)
def test_live_full_and_oracle_agree(
    digest: Digest, seed: int, documents: list[dict[str, Any]], themes: list[str], way: tuple[int, int]
) -> None:
    try:
        with _way(*way):
            walk = Wider(new_firm(digest), seed, documents)
            walk.turn([])
            for turn in walk.turns(themes):
                walk.turn(turn)
            walk.turn(["refresh"])
        for seen in sorted(walk.seen):
            event(seen)
        event(f"{'few' if way[1] else 'statement'}, {'values' if way[0] else 'tables'}")
    finally:
        clock.freeze(None)
