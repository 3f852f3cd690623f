"""Kept up to date event by event, memberships are those that a computation in full finds."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from parcours.contacts import actions as contacts
from parcours.contacts import definitions
from parcours.contacts.merging import joining, parting
from parcours.events import journal
from parcours.events.entries import Call
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.segments import queries, settling, work
from parcours.segments.models import Segment, Stirred
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
CITIES = ["Paris", "Lyon", "Évreux"]


@pytest.mark.parametrize("seed", [1, 2])
def test_live_and_in_full_agree(firm: Firm, seed: int) -> None:
    chance = random.Random(seed)
    people = firm.people(*({"email": f"c{number}@example.org"} for number in range(8)))
    vip = definitions.create_list(account_id=firm.account.pk, name="VIP", now=clock.now())
    firm.segment({"field": "city", "op": "eq", "value": "paris"}, name="parisians")
    buyers = firm.segment(
        {"event": "order.placed", "sum": {"property": "total", "op": "gte", "value": 30}}, name="big"
    )
    firm.segment({"not": {"segment": buyers.pk, "op": "member"}}, name="small")
    firm.segment({"list": vip.pk, "op": "member"}, name="listed")
    firm.segment(
        {"any": [{"consent": "email", "op": "eq", "value": "opted_in"}, {"event": "page.viewed"}]},
        name="reached",
    )
    firm.segment({"event": "*", "count": {"op": "lt", "value": 2}}, name="quiet")
    computed = {segment.pk: segment.computed_at for segment in Segment.objects.all()}
    for _turn in range(8):
        for _ in range(chance.randrange(1, 6)):
            _something_happens(firm, chance, people, vip.pk)
        firm.catch_up()
        for segment in Segment.objects.all():
            whole = queries.preview(account=firm.account, criteria=segment.criteria)
            members = firm.members(segment)
            assert len(members) == whole.count, segment.name
            newest = [str(contact) for contact in sorted(members, reverse=True)[:10]]
            assert newest == [one["id"] for one in whole.sample], segment.name
    assert {segment.pk: segment.computed_at for segment in Segment.objects.all()} == computed


def _something_happens(firm: Firm, chance: random.Random, people: list[int], vip: int) -> None:
    now = clock.now()
    someone = chance.choice(people)
    place = people.index(someone)
    match chance.randrange(7):
        case 0:
            firm.people({"id": str(someone), "city": chance.choice([*CITIES, None])})
        case 1:
            firm.happens("order.placed", someone, total=chance.choice([5, 12.5, 20]))
        case 2:
            done: dict[str, Any] = {
                "account_id": firm.account.pk,
                "list_id": vip,
                "contact_ids": [someone],
                "source": "test",
                "now": now,
            }
            chance.choice([contacts.add_to_list, contacts.remove_from_list])(**done)
        case 3:
            consent = chance.choice(["opted_in", "pending"])
            firm.people({"id": str(someone), "consents": {"email": consent}})
        case 4:
            people.extend(firm.people({"email": f"{new_id()}@example.org", "city": chance.choice(CITIES)}))
        case 5:
            _call(
                firm,
                "page",
                {"anonymousId": f"a{chance.randrange(4)}", "properties": {"url": "https://x.org/"}},
            )
        case 6 if place < 8:
            _call(
                firm,
                "identify",
                {"anonymousId": f"a{place % 4}", "traits": {"email": f"c{place}@example.org"}},
            )


def _call(firm: Firm, kind: str, body: Any) -> None:
    now = to_ms(clock.now())
    journal.append([Call(kind, body, now, now, new_id())], account_id=firm.account.pk)


def test_whoever_waits_for_a_load_waits_for_the_segments_that_it_moves(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    buyers = firm.segment({"event": "order.placed"})
    nested = firm.segment({"segment": str(buyers.pk), "op": "member"})
    assert settling.is_followed(firm.account.pk)
    firm.happens("order.placed", ann)
    while firm.digest.round():
        pass
    steps = 0
    while not settling.is_followed(firm.account.pk):
        steps += work.round() + firm.digest.round()
        assert steps < 100
    assert steps
    assert firm.members(buyers) == firm.members(nested) == [ann]


def test_while_the_digest_is_behind_contacts_are_looked_at_together(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = firm.people({"email": "a@example.org"}, {"email": "b@example.org"})
    segment = firm.segment({"event": "page.viewed"})
    monkeypatch.setattr(work, "_rests", {})
    firm.happens("page.viewed", first)
    while firm.digest.round():
        pass
    monkeypatch.setattr(work, "_BEHIND", timedelta(milliseconds=-1))
    assert not work.round(), "Just met, and the digest is behind: not looked at yet."
    firm.happens("page.viewed", second)
    while firm.digest.round():
        pass
    assert not work.round()
    assert Stirred.objects.count() == 2
    work._rests[firm.account.pk] = 0.0
    assert work.round(), "It has rested long enough."
    assert not Stirred.objects.exists()
    segment.refresh_from_db()
    assert segment.settling_at is not None
    firm.happens("page.viewed", second)
    while firm.digest.round():
        pass
    monkeypatch.setattr(work, "_BEHIND", timedelta(seconds=1))
    firm.catch_up()
    assert sorted(firm.members(segment)) == sorted([first, second])
    assert not Stirred.objects.exists()


def test_a_merge_that_changes_a_consent_changes_the_figures(firm: Firm) -> None:
    kept, other = firm.people(
        {"email": "a@example.org", "consents": {"email": "opted_in"}},
        {"email": "b@example.org", "consents": {"email": "opted_out"}},
    )
    segment = firm.segment({"event": "page.viewed"})
    firm.happens("page.viewed", kept)
    firm.catch_up()
    segment.refresh_from_db()
    assert (segment.profiles, segment.email_opt_ins) == (1, 1)
    joining.merge(firm.account, into=kept, merged=[other], source="test", now=clock.now())
    firm.catch_up()
    assert firm.members(segment) == [kept]
    segment.refresh_from_db()
    assert (segment.profiles, segment.email_opt_ins) == (1, 0)
    parting.unmerge(firm.account, contact=other, source="test", now=clock.now())
    firm.catch_up()
    assert firm.members(segment) == [kept]
    segment.refresh_from_db()
    assert (segment.profiles, segment.email_opt_ins) == (1, 1)
