"""A page of a segment's members is the same in whichever way it is found: among few, among many, or by sorting all."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.contacts import actions
from parcours.contacts.folding import folded
from parcours.contacts.merging import forgetting
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.segments import audience, members
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = pytest.mark.django_db(transaction=True)
HERE = {"field": "city", "op": "eq", "value": "ici"}
NAMES = ("Zoé Noël", "zoe noel", "Ada", "", "Élise", "Жанна", "bob", "Éva O'Neil", "Ünal", "")


@pytest.fixture
def segment(firm: Firm) -> Segment:
    """Twenty people, each touched more than once; some left, some came back, some were never in it."""
    segment = firm.segment(HERE)
    people = [
        {
            "external_id": f"x{number}",
            "email": f"{'gfedcba'[number % 7]}{number}@example.org" if number % 4 else None,
            "first_name": NAMES[number % 10].partition(" ")[0] or None,
            "last_name": NAMES[number % 10].partition(" ")[2] or None,
            "city": "ici" if number % 5 else "ailleurs",
            "consents": {"email": "opted_in"} if number % 2 else {},
        }
        for number in range(20)
    ]
    firm.people(*people)
    firm.catch_up()
    firm.people(*({"external_id": f"x{number}", "city": "ailleurs"} for number in (1, 2, 3)))
    firm.catch_up()
    firm.people(
        {"external_id": "x1", "city": "ici", "first_name": "Aline"},
        {"external_id": "x4", "last_name": "Zut"},
        {"external_id": "x6", "email": "aaa@example.org"},
    )
    firm.catch_up()
    segment.refresh_from_db()
    assert segment.profiles == 14
    return segment


WAYS = {
    "among few": {},
    "of everybody": {"_FEW": 0, "_SMALL": 0},
    "within it": {"_FEW": 0},
    "among few rows": {"_FEW": 0, "_PEOPLE_AT_ONCE": 3},
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_reads_the_same_pages(firm: Firm, segment: Segment, monkeypatch: Any, way: str) -> None:
    for name, value in WAYS[way].items():
        monkeypatch.setattr(members, name, value)
    load = segment.figures_load
    for sort in members.SORTS:
        for sign in ("", "-"):
            for words in ([], ["zoe"], ["example", "o"], ["nobody"]):
                asked: dict[str, Any] = {"load": load, "sort": f"{sign}{sort}", "words": words}
                whole = members._sorted(segment, load, 1_000, sort=f"{sign}{sort}", words=words, after=None)
                pages: list[members.Member] = []
                while True:
                    after = pages[-1].place if pages else None
                    page = members.members(segment, limit=5, after=after, **asked)
                    pages += page
                    if len(page) < 5:
                        break
                assert pages == whole, (sign, sort, words)
                found, count = members.search(segment, limit=5, **asked)
                assert (found, count) == (whole[:5], len(whole)), (sign, sort, words)


def test_the_same_at_an_earlier_instant(firm: Firm, segment: Segment) -> None:
    read = members.reading(segment)
    before = members.members(segment, load=read.load, limit=50, sort="name")
    firm.people({"external_id": "x6", "first_name": "Autre"}, {"external_id": "x7", "city": "ailleurs"})
    firm.catch_up()
    assert members.members(segment, load=read.load, limit=50, sort="name") == before
    segment.refresh_from_db()
    after = members.members(segment, load=segment.figures_load, limit=50, sort="name")
    assert len(after) == len(before) - 1
    assert "Autre" in {(one.name or "").split(" ")[0] for one in after}


def test_what_contacts_ask_of_a_segment(firm: Firm, segment: Segment) -> None:
    everybody = {one.contact for one in members.members(segment, load=segment.figures_load, limit=50)}
    read = audience.reader(firm.account.pk, segment.pk)
    assert read.held(sorted(everybody)[:3]) == set(sorted(everybody)[:3])
    assert read.held([10**9]) == set()
    assert read.below(None, 100) == sorted(everybody, reverse=True)
    walked, below = [], None
    while found := read.below(below, 4):
        walked += found
        below = found[-1]
    assert walked == sorted(everybody, reverse=True)
    assert audience.reader(firm.account.pk + 1, segment.pk).below(None, 9) == []
    items = firm.get(f"contacts?segment={segment.pk}&sort=name&limit=1000")["items"]
    assert {int(item["id"]) for item in items} == everybody
    names = [folded(" ".join(filter(None, (item["first_name"], item["last_name"])))) for item in items]
    told = [name for name in names if name]
    assert told == sorted(told)


def test_what_is_folded_is_forgotten_with_its_name(firm: Firm, segment: Segment) -> None:
    def kept() -> list[tuple[str, str]]:
        sql = "SELECT DISTINCT name_folded, keys_folded FROM profiles WHERE account = {account:UInt32}"
        return client().query(sql, parameters={"account": firm.account.pk}).result_rows  # type: ignore[return-value]

    assert ("eva o'neil", "d17@example.org  x17") in [tuple(row) for row in kept()]
    (eva,) = {one.contact for one in members.members(segment, load=segment.figures_load, limit=50)
              if one.email == "d17@example.org"}  # fmt: skip
    actions.erase(account_id=firm.account.pk, contact_ids=[eva], now=clock.now())
    firm.catch_up()
    assert forgetting.run()
    assert not [row for row in kept() if "x17" in row[1]]
