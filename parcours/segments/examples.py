"""Criteria to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Example:
    """A segment that many want, under the key of its address."""

    key: str
    title: Promise | str
    criteria: dict[str, Any]


_ORDERED = {"event": "order.placed"}
EXAMPLES = (
    Example("everyone", _("Everyone"), {"all": []}),
    Example(
        "loyal",
        _("Bought at least twice in the last 90 days"),
        {"all": [_ORDERED | {"window": {"last": "90d"}, "count": {"op": "gte", "value": 2}}]},
    ),
    Example(
        "lapsed",
        _("Bought before, not in the last 180 days"),
        {"all": [_ORDERED, _ORDERED | {"window": {"last": "180d"}, "count": {"op": "eq", "value": 0}}]},
    ),
    Example(
        "big",
        _("Spent more than 500 in a year"),
        {
            "all": [
                _ORDERED
                | {"window": {"last": "365d"}, "sum": {"property": "total", "op": "gt", "value": 500}}
            ]
        },
    ),
    Example(
        "silent",
        _("Opted in to e-mail, opened nothing in 30 days"),
        {
            "all": [
                {"consent": "email", "op": "eq", "value": "opted_in"},
                {"event": "email.opened", "window": {"last": "30d"}, "count": {"op": "eq", "value": 0}},
            ]
        },
    ),
)
BY_KEY = {example.key: example for example in EXAMPLES}
