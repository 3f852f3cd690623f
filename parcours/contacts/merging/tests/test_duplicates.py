"""Duplicates: who is found and why, who is dismissed, who is merged at once."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.contacts import actions
from parcours.contacts.merging import pairs
from parcours.contacts.merging.models import Merge, Pair
from parcours.contacts.merging.tests.world import World
from parcours.contacts.models import Contact
from parcours.lib import clock

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

BORN = {"birthday": "1990-02-03"}
THERE, HERE = {"cp": "27 000"}, {"zip": "27000"}


def search(world: World) -> dict[tuple[int, int], list[str]]:
    """Look for duplicates to the end; the pairs that wait, with their reasons."""
    world.live()
    pairs.start_search(world.account)
    assert jobs.round()
    return {(pair.one_id, pair.other_id): pair.reasons for pair in pairs.waiting(world.account.pk)}


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        ({"email": "jean.dupont@gmail.com"}, {"email": "jeandupont+promo@googlemail.com"}, ["email"]),
        ({"email": "zoe@shop.fr"}, {"email": "zoe+test@shop.fr"}, ["email"]),
        ({"email": "j.d@shop.fr"}, {"email": "jd@shop.fr"}, []),
        (
            {"email": "a@x.fr", "first_name": "Éloïse", "last_name": "Le Goff", "attributes": BORN},
            {"phone": "+33612345678", "first_name": "eloise", "last_name": "LE-GOFF", "attributes": BORN},
            ["birthday"],
        ),
        (
            {"email": "a@x.fr", "first_name": "Ann", "last_name": "Roy", "city": "Évreux", "attributes": THERE},
            {"email": "b@x.fr", "first_name": "ann", "last_name": "Roy", "city": "evreux", "attributes": HERE},
            ["postcode", "city"],
        ),
        (
            {"email": "ann.roy@x.fr", "first_name": "Ann", "last_name": "Roy"},
            {"email": "ann.roy@y.fr", "first_name": "Ann", "last_name": "Roy"},
            ["local"],
        ),
        (
            {"phone": "+33612345678", "last_name": "Roy"},
            {"phone": "+32612345678", "last_name": "roy"},
            ["phone"],
        ),
        ({"email": "a@x.fr", "first_name": "Ann"}, {"email": "b@x.fr", "first_name": "Ann"}, []),
        (
            {"email": "a@x.fr", "first_name": "Ann", "last_name": "Roy", "city": "Lyon"},
            {"email": "b@x.fr", "first_name": "Ann", "last_name": "Roy", "city": "Nice"},
            [],
        ),
    ],
    ids=["gmail", "plus", "dots", "birthday", "place", "local", "phone", "first-name", "elsewhere"],
)  # fmt: skip
def test_why_two_may_be_one(
    world: World, one: dict[str, Any], other: dict[str, Any], reasons: list[str]
) -> None:
    ids = world.add(**one), world.add(**other)
    world.add(email="somebody.else@example.org", first_name="Bob", last_name="Stone", city="Lyon")
    assert search(world) == ({ids: reasons} if reasons else {})
    if reasons:
        pair = Pair.objects.get()
        assert pair.score == pairs.score_of(reasons)


def test_two_seen_on_one_browser_and_a_name_that_everybody_has(world: World) -> None:
    ann, bea = world.add(email="ann@example.org"), world.add(email="bea@example.org")
    for email in ("ann@example.org", "bea@example.org"):
        world.call("identify", anonymous_id="shared", traits={"email": email})
    for number in range(25):
        world.add(email=f"p{number}@example.org", first_name="Jean", last_name="Martin", city="Paris")
    assert search(world) == {(ann, bea): ["browser"]}


def test_dismissed_stays_dismissed_and_what_is_gone_is_forgotten(world: World) -> None:
    one, other = world.add(email="zoe@shop.fr"), world.add(email="zoe+a@shop.fr")
    third = world.add(email="zoe+b@shop.fr")
    assert set(search(world)) == {(one, other), (one, third)}
    answer = world.http.get("/api/v1/contacts/duplicates?limit=1").json()
    assert answer["next"]
    (item,) = answer["items"]
    rest = world.http.get(f"/api/v1/contacts/duplicates?cursor={answer['next']}").json()["items"]
    assert len(rest) == 1
    assert {each["id"] for each in (item, *rest)} == {str(pair.pk) for pair in Pair.objects.all()}
    assert item["certain"]
    assert item["reasons"] == ["email"]
    assert world.http.post(f"/api/v1/contacts/duplicates/{item['id']}/dismiss").status_code == 204
    left = {(int(a["contacts"][0]["id"]), int(a["contacts"][1]["id"])) for a in rest}
    world.later(minutes=1)
    assert set(search(world)) == left
    (pair,) = left
    actions.erase(account_id=world.account.pk, contact_ids=[pair[1]], now=clock.now())
    world.later(minutes=1)
    assert search(world) == {}
    foreign = World("Autre")
    assert foreign.http.post(f"/api/v1/contacts/duplicates/{item['id']}/dismiss").status_code == 404


def test_all_the_certain_ones_are_merged_the_best_known_kept(world: World) -> None:
    first = world.add(email="zoe@shop.fr")
    known = world.add(email="zoe+a@shop.fr", external_id="z", city="Lyon")
    world.add(email="zoe+b@shop.fr")
    unsure = [
        world.add(email=f"{name}@x.fr", first_name="Ann", last_name="Roy", city="Lyon")
        for name in ("ann", "roy")
    ]
    search(world)
    answer = world.http.post("/api/v1/contacts/duplicates/merge")
    assert answer.status_code == 202
    assert jobs.round()
    job = world.http.get(f"/api/v1/jobs/{answer.json()['job']}").json()
    assert (job["status"], job["result"]["merged"]) == ("finished", 2)
    assert set(Contact.objects.filter(erased_at=None).values_list("pk", flat=True)) == {known, *unsure}
    assert {merge.into_id for merge in Merge.objects.all()} == {known}
    assert world.add(email="zoe@shop.fr") == known
    assert [
        each.pair.one_id for each in pairs.some(world.account.pk, certain=False, after=None, limit=9)
    ] == unsure[:1]
    assert first not in (known, *unsure)


def test_pairs_follow_those_who_are_merged(world: World) -> None:
    people = [world.add(email=f"zoe+{name}@shop.fr") for name in "abc"]
    search(world)
    answer = world.http.post(
        f"/api/v1/contacts/{people[1]}/merge", {"merge": [str(people[0])]}, content_type="application/json"
    )
    assert answer.status_code == 200
    assert list(Pair.objects.values_list("one_id", "other_id")) == [(people[1], people[2])]
