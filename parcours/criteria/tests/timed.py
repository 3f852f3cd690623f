"""Criteria that move with time more often than those drawn at random do."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from parcours.criteria.tests import worlds
from parcours.criteria.tests.test_against_oracle import _criteria, _events, conditions

LENGTHS = ["1s", "60m", "1d", "2d", "2w", "90d"]
lasting = st.sampled_from(LENGTHS)
relative = st.fixed_dictionaries(
    {
        "op": st.sampled_from(["before", "after", "within_last", "not_within_last", "within_next"]),
        "value": lasting,
    }
)


def _joined(key: str, names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda name, test: {key: name, **test}, st.sampled_from(names), relative)


_due = st.lists(_joined("property", ["cart.due", "label", "products.sku"]), min_size=1, max_size=1)
_counts = st.fixed_dictionaries({"op": st.sampled_from(["eq", "gte", "lt"]), "value": st.integers(1, 3)})
_windows = st.fixed_dictionaries({"last": lasting})
_named = st.sampled_from([*worlds.EVENTS, "*", "*"])
leaves = st.one_of(
    _joined("field", ["created_at", "last_seen_at", "attributes.birthday", "external_id", "attributes.plan"]),
    st.fixed_dictionaries({"event": _named, "window": _windows}, optional={"count": _counts}),
    st.fixed_dictionaries({"event": _named, "window": _windows}, optional={"count": _counts}),
    st.fixed_dictionaries({"event": _named, "where": _due}, optional={"count": _counts}),
)
nested = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"all": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"any": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"not": inner}),
    ),
    max_leaves=3,
)
documents = st.builds(
    lambda anything, timed: anything + timed,
    st.lists(_criteria(_events(conditions, {})), min_size=2, max_size=2),
    st.lists(nested, min_size=6, max_size=6),
)
"""Some of any kind, and more of those that move."""
