"""Many segments asked in one query answer as each of them alone; figures moved on are those counted anew."""

from __future__ import annotations

import random
from typing import Any

import pytest

from parcours.contacts import actions as contacts
from parcours.criteria import compile, few, members
from parcours.events import watermark
from parcours.lib import clock
from parcours.segments import compute, figures
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
CITIES = ["Paris", "Lyon", "Évreux"]


def _criteria(number: int) -> dict[str, Any]:
    """Some say the same as others, some name another segment's criteria, some are about nobody."""
    city: dict[str, Any] = {"field": "city", "op": "eq", "value": CITIES[number % 3].lower()}
    views: dict[str, Any] = {
        "event": "page.viewed",
        "where": [{"property": "path", "op": "eq", "value": f"/{number % 4}"}],
        "count": {"op": ("gte", "lt", "eq")[number % 3], "value": number % 2},
    }
    total: dict[str, Any] = {
        "event": "order.placed",
        "avg": {"property": "total", "op": "gte", "value": 10 * (number % 5)},
    }
    return (
        city,
        {"all": [city, views]},
        {"any": [total, {"not": views}]},
        {"all": [views, {"event": "*", "count": {"op": "lte", "value": 2}}]},
    )[number % 4]


@pytest.mark.parametrize(
    ("bound", "tests"),
    [(0, 0), (compile.FEW, 0), (compile.FEW, few.MOST_TESTS), (0, few.MOST_TESTS)],
    ids=["table", "values", "few", "few by table"],
)
def test_many_segments_answer_as_each_alone(
    firm: Firm, bound: int, tests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compile, "FEW", bound)
    monkeypatch.setattr(few, "MOST_TESTS", tests)
    chance = random.Random(3)
    people = firm.people(
        *({"email": f"c{one}@example.org", "city": chance.choice(CITIES)} for one in range(20))
    )
    segments = [firm.segment(_criteria(number), name=f"Segment {number}") for number in range(8)]
    for _ in range(60):
        one = chance.choice(people)
        if chance.random() < 0.5:
            firm.happens("page.viewed", one, path=f"/{chance.randrange(4)}")
        else:
            firm.happens("order.placed", one, total=chance.randrange(60))
    while firm.digest.round():
        pass
    read = watermark.current(firm.account.pk)
    asked = [
        (segment, compute.parsed(segment))
        for segment in Segment.objects.select_related("account").order_by("pk")
    ]
    assert len(asked) == len(segments)
    # A contact who comes in the second of the numbers for 64 criteria each.
    monkeypatch.setattr(members, "WORD", 5)
    whole = {segment.pk: compute.moves(segment, node, read) for segment, node in asked}
    for some in (None, people[:7]):
        alone = {segment.pk: compute.moves(segment, node, read, contacts=some) for segment, node in asked}
        assert compute.moves_of_many(asked, read, contacts=some) == alone
        assert compute.moves_of_many(asked, read, contacts=some, at_once=3) == alone
        for segment, _node in asked:
            for name in ("entered", "left"):
                among = [one for one in getattr(whole[segment.pk], name) if some is None or one in some]
                assert list(getattr(alone[segment.pk], name)) == among
        assert sum(len(moves.entered) + len(moves.left) for moves in alone.values()) > 5


def test_figures_moved_on_are_those_counted_anew(firm: Firm) -> None:
    chance = random.Random(5)
    consents = ["opted_in", "opted_out"]
    people = firm.people(*({"email": f"c{one}@example.org", "city": "Lyon"} for one in range(12)))
    firm.segment({"field": "city", "op": "eq", "value": "paris"}, name="Parisians")
    firm.segment({"event": "page.viewed", "count": {"op": "lt", "value": 2}}, name="quiet")
    firm.segment({"consent": "email", "op": "eq", "value": "opted_in"}, name="reached")
    for _turn in range(6):
        for one in chance.sample(people, 4):
            line = {"email": f"c{people.index(one)}@example.org", "city": chance.choice(CITIES)}
            said = {"email": chance.choice(consents), "sms": chance.choice(consents)}
            contacts.upsert_many(
                firm.account, [line | {"consents": said, "resubscribe": True}], source="test", now=clock.now()
            )
            firm.happens("page.viewed", chance.choice(people))
        before = list(Segment.objects.filter(account=firm.account))
        while firm.digest.round():
            pass
        read = watermark.current(firm.account.pk)
        moved_on = figures.of_many(before, read)
        for segment in before:
            segment.status = Segment.Status.COMPUTING
        assert moved_on == figures.of_many(before, read)
        firm.catch_up()
