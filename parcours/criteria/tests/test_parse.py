"""What is refused, with which pointer; and what hostile documents cost."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.utils.translation import override

from parcours.criteria import nodes
from parcours.criteria.context import Context, SegmentFound
from parcours.criteria.parse import MOST_NODES, parse
from parcours.events import catalogue
from parcours.lib.problems import Invalid

TYPES = {"age": "number", "vip": "boolean", "birthday": "date", "plan": "text", "colors": "list"}


class Names:
    """An account with some attributes, the list 1, the journey 3 and some segments."""

    def __init__(self, segments: dict[int, Any] | None = None) -> None:
        self.segments = segments or {}

    def attribute_type(self, name: str) -> str | None:
        return TYPES.get(name)

    def has_list(self, list_id: int) -> bool:
        return list_id == 1

    def segment(self, segment_id: int) -> SegmentFound | None:
        if segment_id not in self.segments:
            return None
        return SegmentFound(segment_id, f"S{segment_id}", self.segments[segment_id], frozen=False)

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        return frozenset({"welcome"}) if journey_id == 3 else None


def context(
    *, in_run: bool = False, segments: dict[int, Any] | None = None, own: int | None = None
) -> Context:
    return Context(
        resolver=Names(segments),
        timezone="Europe/Paris",
        in_run=in_run,
        segment=None if own is None else (own, f"S{own}"),
        event_refusal=catalogue.refusal,
    )


def pointers(document: Any, **options: Any) -> list[str]:
    with pytest.raises(Invalid) as refusal:
        parse(document, context=context(**options))
    assert all(fault["detail"] for fault in refusal.value.errors)
    return [fault["pointer"] for fault in refusal.value.errors]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ([], [""]),
        ("x", [""]),
        ({}, [""]),
        ({"all": [], "any": []}, [""]),
        ({"all": {}}, ["/all"]),
        ({"all": [1, {"all": []}, None]}, ["/all/0", "/all/2"]),
        ({"not": {"all": [], "x/y~z": 1}}, ["/not/x~1y~0z"]),
        ({"field": "shoe", "op": "eq", "value": "x"}, ["/field"]),
        ({"field": "attributes.shoe", "op": "eq", "value": "x"}, ["/field"]),
        ({"field": "deal.stage", "op": "eq", "value": "x"}, ["/field"]),
        ({"field": "email", "op": "like", "value": "x"}, ["/op"]),
        ({"field": "email", "value": "x"}, ["/op"]),
        ({"field": "email", "op": "eq"}, ["/value"]),
        ({"field": "email", "op": "eq", "value": None}, ["/value"]),
        ({"field": "email", "op": "eq", "value": {"x": 1}}, ["/value"]),
        ({"field": "email", "op": "eq", "value": 5}, ["/value"]),
        ({"field": "email", "op": "gt", "value": 5}, ["/op"]),
        ({"field": "email", "op": "contains", "value": 5}, ["/value"]),
        ({"field": "email", "op": "eq", "value": "\ud800"}, ["/value"]),
        ({"field": "email", "op": "exists", "value": "x"}, ["/value"]),
        ({"field": "email", "op": "in", "value": "x"}, ["/value"]),
        ({"field": "email", "op": "in", "value": ["a", 5, None]}, ["/value/1", "/value/2"]),
        ({"field": "attributes.age", "op": "gt", "value": "abc"}, ["/value"]),
        ({"field": "attributes.age", "op": "eq", "value": "abc"}, ["/value"]),
        ({"field": "attributes.age", "op": "gt", "value": 10**30}, ["/value"]),
        ({"field": "attributes.age", "op": "gt", "value": 0.12345678901}, ["/value"]),
        ({"field": "attributes.age", "op": "gt", "value": float("inf")}, ["/value"]),
        ({"field": "attributes.age", "op": "contains", "value": "1"}, ["/op"]),
        ({"field": "attributes.age", "op": "between", "value": [3, 1]}, ["/value"]),
        ({"field": "attributes.age", "op": "between", "value": [1]}, ["/value"]),
        ({"field": "attributes.vip", "op": "eq", "value": "maybe"}, ["/value"]),
        ({"field": "attributes.vip", "op": "gt", "value": 1}, ["/op"]),
        ({"field": "created_at", "op": "gt", "value": 5}, ["/value"]),
        ({"field": "created_at", "op": "contains", "value": "2026"}, ["/op"]),
        ({"field": "created_at", "op": "after", "value": "2026-02-30"}, ["/value"]),
        ({"field": "created_at", "op": "within_last", "value": "3 days"}, ["/value"]),
        ({"field": "attributes.plan", "op": "between", "value": [1, "2026-01-01"]}, ["/value/0"]),
        ({"consent": "fax", "op": "is", "value": "yes"}, ["/consent", "/value", "/op"]),
        ({"tag": "", "op": "has"}, ["/tag"]),
        ({"list": "1", "op": "in"}, ["/op"]),
        ({"list": 2, "op": "member"}, ["/list"]),
        ({"list": "x", "op": "member"}, ["/list"]),
        ({"list": True, "op": "member"}, ["/list"]),
        ({"list": "01", "op": "member"}, ["/list"]),
        ({"segment": 7, "op": "member"}, ["/segment"]),
        ({"journey": 4, "op": "entered"}, ["/journey"]),
        ({"journey": 3, "step": "gone", "op": "entered"}, ["/step"]),
        ({"event": "email.invented"}, ["/event"]),
        ({"event": "order.placed", "scope": "run"}, ["/scope"]),
        ({"event": "order.placed", "sum": {"property": "total", "op": "gt", "value": "5"}}, ["/sum/value"]),
        (
            {
                "event": "order.placed",
                "sum": {"property": "total", "op": "gt", "value": 5},
                "avg": {"property": "total", "op": "gt", "value": 5},
            },
            ["/avg"],
        ),
        ({"event": "order.placed", "count": {"op": "gte", "value": 1.5}}, ["/count/value"]),
        ({"event": "order.placed", "count": {"op": "gte", "value": -1}}, ["/count/value"]),
        ({"event": "order.placed", "count": 3}, ["/count"]),
        ({"event": "order.placed", "window": {}}, ["/window"]),
        ({"event": "order.placed", "window": {"last": "5x", "to": "2026"}}, ["/window/to", "/window/last"]),
        ({"event": "order.placed", "window": {"from": "2026-13-01"}}, ["/window/from"]),
        (
            {"event": "order.placed", "where": [{"op": "eq", "value": 1}, 5]},
            ["/where/0/property", "/where/1"],
        ),
        (
            {"event": "order.placed", "where": [{"property": "a", "op": "eq", "value": {"run": "key"}}]},
            ["/where/0/value"],
        ),
    ],
)
def test_every_fault_has_its_place(document: Any, expected: list[str]) -> None:
    assert pointers(document) == expected


def test_all_faults_at_once() -> None:
    wrong_tag = {"all": [{"tag": 5, "op": "has"}]}
    document = {"any": [{"field": "shoe"}, {"not": {"list": 2, "op": "x"}}, wrong_tag]}
    assert pointers(document) == ["/any/0/field", "/any/1/not/op", "/any/1/not/list", "/any/2/all/0/tag"]


def test_segments_are_read_as_they_are_now() -> None:
    inner = {"field": "country", "op": "eq", "value": "FR"}
    node = parse({"segment": "7", "op": "not_member"}, context=context(segments={7: inner}))
    assert isinstance(node, nodes.InSegment)
    assert node.negated
    assert node.criteria == parse(inner, context=context())
    broken = {7: {"any": [{"field": "shoe", "op": "exists"}]}}
    assert pointers({"all": [{"segment": 7, "op": "member"}]}, segments=broken) == ["/all/0/segment"]


def test_cycles_of_segments_are_refused_by_name() -> None:
    segments = {1: {"segment": 2, "op": "member"}, 2: {"any": [{"segment": 3, "op": "member"}]}}
    segments[3] = {"not": {"segment": 1, "op": "member"}}
    with pytest.raises(Invalid) as refusal:
        parse(segments[1], context=context(segments=segments, own=1))
    (fault,) = refusal.value.errors
    assert fault["pointer"] == "/segment"
    assert fault["detail"] == "A segment cannot depend on itself: “S1” → “S2” → “S3” → “S1”."
    with override("fr"), pytest.raises(Invalid) as refusal:
        parse({"all": [{"segment": 1, "op": "member"}]}, context=context(segments=segments, own=3))
    (fault,) = refusal.value.errors
    assert fault["pointer"] == "/all/0/segment"
    assert fault["detail"].endswith(
        "«\u00a0S3\u00a0» → «\u00a0S1\u00a0» → «\u00a0S2\u00a0» → «\u00a0S3\u00a0»."
    )


@pytest.mark.parametrize(
    "document",
    [
        {"all": [{"field": "email", "op": "exists"}] * 10_000},
        {"any": [{"event": "x", "where": [{"property": "a", "op": "exists"}] * 10_000}] * 10},
        {"event": "x", "where": [{"property": "a", "op": "exists"}] * 1_001},
    ],
)
def test_many_nodes_are_refused_soon(document: Any) -> None:
    started = time.monotonic()
    with pytest.raises(Invalid) as refusal:
        parse(document, context=context())
    assert len(refusal.value.errors) == 1
    assert str(MOST_NODES) in refusal.value.errors[0]["detail"]
    assert time.monotonic() - started < 1


def test_a_region_is_asked_for_without_its_country() -> None:
    def texts(value: Any, op: str = "eq", property: str = "region") -> tuple[str, ...]:
        where = [{"property": property, "op": op, "value": value}]
        node = parse({"event": "page.viewed", "where": where}, context=context())
        assert isinstance(node, nodes.Did)
        return node.where[0].test.texts

    assert texts("US-TN") == texts("TN") == ("tn",)
    assert texts(["fr-75c", "X-Y", "QC"], "not_in") == ("75c", "x-y", "qc")
    assert texts("us-", "starts_with") == ("us-",)
    assert texts("US-TN", property="code") == ("us-tn",)


def test_depth_is_refused() -> None:
    document: Any = {"all": []}
    for _ in range(5_000):
        document = {"not": document}
    (pointer,) = pointers(document)
    assert pointer.count("/not") == 40


def test_segments_that_double_at_each_level_are_refused_soon() -> None:
    segments: dict[int, Any] = {0: {"all": []}}
    for number in range(1, 30):
        segments[number] = {"any": [{"segment": number - 1, "op": "member"}] * 2}
    started = time.monotonic()
    assert pointers({"segment": 29, "op": "member"}, segments=segments) == ["/segment"]
    assert time.monotonic() - started < 1


def test_dates_alone_are_days_of_the_account() -> None:
    node = parse({"event": "x", "window": {"from": "2026-03-29", "to": "2026-03-29"}}, context=context())
    assert isinstance(node, nodes.Did)
    assert node.window is not None
    assert node.window.start is not None
    assert node.window.end is not None
    # The day on which clocks go forward in Paris has 23 hours.
    assert node.window.end - node.window.start == 23 * 3_600_000


def test_a_date_is_a_whole_day_where_equality_is_asked() -> None:
    def asked(op: str, value: Any) -> nodes.Node:
        return parse({"field": "created_at", "op": op, "value": value}, context=context())

    day = asked("eq", "2026-03-29")
    assert isinstance(day, nodes.Field)
    first, last = day.test.moments
    assert first.at is not None
    assert last.at is not None
    assert (day.test.op, last.at - first.at) == ("between", 23 * 3_600_000 - 1)
    instant = asked("ne", "2026-03-29T00:00")
    assert isinstance(instant, nodes.Field)
    assert (instant.test.op, instant.test.moments, instant.test.negated) == ("in", (first,), True)
    several = asked("not_in", ["2026-03-29", "2026-03-30", "2026-03-30T10:00", "2026-03-30T11:00"])
    assert isinstance(several, nodes.Not)
    assert isinstance(several.child, nodes.AnyOf)
    tests = [one.test for one in several.child.children if isinstance(one, nodes.Field)]
    assert [(test.op, len(test.moments), test.negated) for test in tests] == [
        ("between", 2, False),
        ("between", 2, False),
        ("in", 2, False),
    ]
    many = {"field": "created_at", "op": "in", "value": ["2026-03-29"] * 2_000}
    assert pointers(many) == [""]
