"""The timeline of a person who is two contacts of one deal."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from parcours.contacts.merging import joining, parting
from parcours.contacts.merging.tests.world import World
from parcours.lib import clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def _page(world: World, contact: int, **asked: Any) -> dict[str, Any]:
    path = f"/api/v1/contacts/{contact}/timeline?{urlencode({'categories': 'deal', **asked})}"
    return world.http.get(path).json()


def test_an_event_of_a_deal_is_told_once(world: World) -> None:
    one, other, apart = (world.add(email=f"{name}@example.org") for name in ("ann", "anne", "bob"))
    deal = {"name": "Roof", "pipeline": "sales", "stage": "new"}
    people = [{"id": str(contact)} for contact in (one, other, apart)]
    made = world.http.post("/api/v1/deals", {**deal, "contacts": people}, "application/json").json()
    for stage in ("offer", "won"):
        world.later(minutes=1)
        world.http.patch(f"/api/v1/deals/{made['id']}", {"stage": stage}, "application/json")
    world.live()
    before = _page(world, one)["items"]
    assert [item["properties"]["stage"] for item in before] == ["won", "offer", "new"]
    joining.merge(world.account, into=one, merged=[other], source="test", now=clock.now())
    world.live()
    told = _page(world, one, limit=1)
    items, more = told["items"], told["next"]
    while more:
        told = _page(world, one, limit=1, cursor=more, as_of=told["as_of"])
        items, more = items + told["items"], told["next"]
    assert items == before == _page(world, apart)["items"]
    parting.unmerge(world.account, contact=other, source="test", now=clock.now())
    world.live()
    assert _page(world, one)["items"] == before == _page(world, other)["items"]
