"""What cannot be said of people is refused at its place, soon, and leaves nothing behind."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from parcours.events.models import JournalRow
from parcours.segments import queries
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
EXISTS = {"field": "email", "op": "exists"}


def _nested(depth: int) -> str:
    """Criteria as JSON: no writer of Python goes so deep."""
    return '{"not":' * depth + '{"all":[]}' + "}" * depth


MANY = json.dumps({"all": [EXISTS] * 1_000})
MORE = json.dumps({"any": [{"all": [{"any": []}] * 1_000}] * 100})
WRONG = [
    (MANY, ["/criteria/all/999"]),
    (MORE, ["/criteria/any/0/all/998"]),
    (_nested(500), ["/criteria" + "/not" * 40]),
    ('{"field": "attributes.age", "op": "gt", "value": "old"}', ["/criteria/value"]),
    ('{"all": [{"field": "first_name", "op": "gt", "value": 5}]}', ["/criteria/all/0/op"]),
    ('{"field": "attributes.gone", "op": "eq", "value": 1}', ["/criteria/field"]),
    ('{"event": "x", "sum": {"property": "a", "op": "gt", "value": "5"}}', ["/criteria/sum/value"]),
    ('{"event": "x", "count": {"op": "gte", "value": "two"}}', ["/criteria/count/value"]),
    ('{"field": "email", "op": "contains", "value": 5}', ["/criteria/value"]),
]
IDS = [
    "1,001 nodes",
    "100,001 nodes",
    "500 deep",
    "text for number",
    "text compared",
    "gone",
    "sum",
    "count",
    "part",
]


@pytest.mark.parametrize(("criteria", "expected"), WRONG, ids=IDS)
def test_what_is_wrong_is_told_at_its_place_and_changes_nothing(
    firm: Firm, criteria: str, expected: list[str]
) -> None:
    (ann,) = firm.people({"email": "ann@example.org", "attributes": {"age": 40}})
    stands = firm.segment(EXISTS, name="Stands")
    before = firm.get(f"segments/{stands.pk}")
    body = f'{{"name": "Wrong", "criteria": {criteria}}}'
    for method, path in (
        ("POST", "segments"),
        ("POST", "segments/preview"),
        ("PATCH", f"segments/{stands.pk}"),
        ("PUT", f"segments/{stands.pk}"),
    ):
        started = time.monotonic()
        asked = f'{{"criteria": {criteria}}}' if path.endswith("preview") else body
        answer = firm.http.generic(method, f"/api/v1/{path}", asked, content_type="application/json")
        assert time.monotonic() - started < 2
        assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json"), path
        assert [each["pointer"] for each in answer.json()["errors"]] == expected, path
        assert all(each["detail"] for each in answer.json()["errors"])
    assert Segment.objects.count() == 1
    assert not JournalRow.objects.exists()
    firm.catch_up()
    assert firm.get(f"segments/{stands.pk}") == before
    assert firm.members(stands) == [ann]


@pytest.mark.parametrize(
    "criteria", [_nested(1_000), _nested(100_000), "[" * 100_000], ids=["1,000", "100,000", "open"]
)
def test_a_document_deeper_than_can_be_read_is_refused(firm: Firm, criteria: str) -> None:
    body = f'{{"name": "Deep", "criteria": {criteria}}}'
    answer = firm.http.post("/api/v1/segments", body, content_type="application/json")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "too deep" in answer.json()["detail"]
    assert not Segment.objects.exists()


def test_many_nodes_that_share_nothing_are_computed(firm: Firm) -> None:
    ann, bob = firm.people({"email": "ann@example.org", "city": "town 7"}, {"email": "bob@example.org"})
    firm.happens("signup", bob, label="word 3")
    fields = [{"field": "city", "op": "eq", "value": f"town {number}"} for number in range(200)]
    events = [
        {"event": "signup", "where": [{"property": "label", "op": "eq", "value": f"word {number}"}]}
        for number in range(190)
    ]
    criteria = {"any": [*fields, *events]}
    segment = firm.segment(criteria)
    assert firm.members(segment) == sorted([ann, bob])
    assert queries.preview(account=firm.account, criteria=criteria).count == 2
    firm.people({"email": "ann@example.org", "city": "elsewhere"})
    firm.catch_up()
    assert firm.members(segment) == [bob]


BOMBS = ["(a+)+$", "((((a*)*)*)*)*b", "%_%_%", "[[:alpha:]]{1,99999}", "\\", ".*.*.*.*=", "a" * 2_000]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_what_is_contained_is_text_whatever_it_looks_like(firm: Firm, bomb: str) -> None:
    ann, _bob = firm.people(
        {"email": "ann@example.org", "attributes": {"note": f"so {bomb} there"}},
        {"email": "bob@example.org", "attributes": {"note": "a" * 1_500 + "!"}},
    )
    firm.happens("signup", ann, label=f"<{bomb}>")
    started = time.monotonic()
    said: dict[str, Any] = {"op": "contains", "value": bomb}
    segment = firm.segment({"field": "attributes.note", **said})
    done = firm.segment({"event": "signup", "where": [{"property": "label", **said}]}, name="Did")
    assert (firm.members(segment), firm.members(done)) == ([ann], [ann])
    assert time.monotonic() - started < 5
