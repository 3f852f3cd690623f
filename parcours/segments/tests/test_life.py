"""The life of segments: computed, kept up to date, paused, edited; entries and exits told once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from parcours.lib import clock
from parcours.segments import work
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
IN_PARIS = {"field": "city", "op": "eq", "value": "paris"}
TWO_ORDERS = {"event": "order.placed", "count": {"op": "gte", "value": 2}}


def test_the_first_computation_enters_those_who_meet_the_criteria(firm: Firm) -> None:
    ann, bob, _eve = firm.people(
        {"email": "ann@example.org", "first_name": "Ann", "city": "Paris", "consents": {"email": "opted_in"}},
        {"email": "bob@example.org", "city": "PARIS"},
        {"email": "eve@example.org", "city": "Lyon"},
    )
    segment = firm.segment(IN_PARIS)
    told = firm.get(f"segments/{segment.pk}")
    assert (told["status"], told["profiles"], told["email_opt_ins"], told["sms_opt_ins"]) == (
        "up_to_date",
        2,
        1,
        0,
    )
    assert None not in (told["computed_at"], told["next_at"], told["duration_ms"])
    assert firm.members(segment) == sorted([ann, bob])
    assert sorted(firm.told(segment)) == [("segment.entered", one, True) for one in sorted([ann, bob])]
    first = firm.get(f"segments/{segment.pk}/members?limit=1")
    second = firm.get(f"segments/{segment.pk}/members?limit=1&cursor={first['next']}")
    assert {first["items"][0]["email"], second["items"][0]["email"]} == {"ann@example.org", "bob@example.org"}
    assert second["next"] is None


def test_events_and_changes_of_contacts_move_them_at_once(firm: Firm) -> None:
    ann, bob = firm.people({"email": "ann@example.org"}, {"email": "bob@example.org"})
    buyers = firm.segment(TWO_ORDERS)
    idle = firm.segment({"event": "order.placed", "count": {"op": "eq", "value": 0}}, name="Idle")
    parisians = firm.segment(IN_PARIS, name="Parisians")
    assert (firm.members(buyers), firm.members(idle), firm.members(parisians)) == ([], sorted([ann, bob]), [])
    computed = {one.pk: one.computed_at for one in Segment.objects.all()}
    firm.happens("order.placed", ann, total=10)
    firm.happens("order.placed", ann, total=20)
    firm.happens("page.viewed", bob)
    (eve,) = firm.people({"email": "eve@example.org", "city": "paris"})
    firm.catch_up()
    assert firm.members(buyers) == [ann]
    assert firm.members(idle) == sorted([bob, eve])
    assert firm.members(parisians) == [eve]
    assert {one.pk: one.computed_at for one in Segment.objects.all()} == computed, "none was computed in full"
    assert firm.told(buyers) == [("segment.entered", ann, False)]
    assert ("segment.left", ann, False) in firm.told(idle)
    firm.people({"email": "eve@example.org", "city": "Lyon"})
    firm.catch_up()
    assert firm.members(parisians) == []


def test_who_stays_keeps_the_date_of_entry(firm: Firm) -> None:
    firm.people({"email": "ann@example.org", "city": "Paris"})
    segment = firm.segment(IN_PARIS)
    entered = firm.get(f"segments/{segment.pk}/members")["items"][0]["entered_at"]
    change = {"criteria": {"field": "city", "op": "exists"}}
    answer = firm.http.patch(f"/api/v1/segments/{segment.pk}", change, content_type="application/json")
    assert answer.json()["status"] == "computing"
    firm.catch_up()
    assert firm.get(f"segments/{segment.pk}")["status"] == "up_to_date"
    assert firm.get(f"segments/{segment.pk}/members")["items"][0]["entered_at"] == entered
    assert len(firm.told(segment)) == 1


def test_a_paused_segment_is_frozen_and_comes_back_exact(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org", "city": "Paris"})
    segment = firm.segment(IN_PARIS)
    inside = firm.segment({"segment": str(segment.pk), "op": "member"}, name="Inside")
    assert firm.http.post(f"/api/v1/segments/{segment.pk}/pause").json()["status"] == "paused"
    (bob,) = firm.people({"email": "bob@example.org", "city": "Paris"})
    firm.catch_up()
    assert firm.members(segment) == [ann]
    assert firm.members(inside) == [ann]
    assert firm.http.post(f"/api/v1/segments/{segment.pk}/refresh").status_code == 409
    assert firm.http.post(f"/api/v1/segments/{segment.pk}/activate").json()["status"] == "computing"
    firm.catch_up()
    assert firm.members(segment) == sorted([ann, bob])
    assert firm.members(inside) == sorted([ann, bob])


def test_the_nightly_computation_sees_time_pass(firm: Firm) -> None:
    start = clock.now()
    clock.freeze(start)
    try:
        (ann,) = firm.people({"email": "ann@example.org"})
        firm.happens("order.placed", ann)
        clock.freeze(start + timedelta(seconds=1))
        recent = firm.segment({"event": "order.placed", "window": {"last": "2d"}})
        assert firm.members(recent) == [ann]
        assert recent.next_at is not None
        clock.freeze(recent.next_at + timedelta(minutes=61))
        assert firm.get(f"segments/{recent.pk}")["status"] == "late"
        clock.freeze(start + timedelta(days=3))
        firm.catch_up()
        clock.freeze(start + timedelta(days=3, seconds=1))
        firm.catch_up()
        assert firm.members(recent) == []
        assert [name for name, _, _ in firm.told(recent)] == ["segment.entered", "segment.left"]
    finally:
        clock.freeze(None)


def test_criteria_that_no_longer_read_are_said_and_change_nothing(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org", "attributes": {"plan": "pro"}})
    segment = firm.segment({"field": "attributes.plan", "op": "eq", "value": "pro"})
    firm.account.attributes.all().delete()
    firm.http.post(f"/api/v1/segments/{segment.pk}/refresh")
    firm.catch_up()
    told = firm.get(f"segments/{segment.pk}")
    assert told["status"] == "computing"
    assert told["error"] == "/criteria/field: There is no field “attributes.plan”."
    assert firm.get(f"segments/{segment.pk}", language="fr")["error"] == (
        "/criteria/field: Il n’y a pas de champ «\u00a0attributes.plan\u00a0»."
    )
    assert firm.members(segment) == [ann]


def test_actions(firm: Firm) -> None:
    segment = firm.segment(IN_PARIS)
    copy = firm.http.post(f"/api/v1/segments/{segment.pk}/duplicate").json()
    assert copy["criteria"] == IN_PARIS
    assert copy["id"] != str(segment.pk)
    user = firm.segment({"not": {"segment": segment.pk, "op": "member"}}, name="Others")
    refused = firm.http.delete(f"/api/v1/segments/{segment.pk}")
    assert refused.status_code == 409
    assert "Others" in refused.json()["detail"]
    assert firm.http.delete(f"/api/v1/segments/{user.pk}").status_code == 204
    assert firm.http.delete(f"/api/v1/segments/{segment.pk}").status_code == 204
    assert [one["id"] for one in firm.get("segments")["items"]] == [copy["id"]]


def test_a_segment_cannot_depend_on_itself(firm: Firm) -> None:
    first = firm.segment(IN_PARIS, name="One")
    second = firm.segment({"any": [{"segment": str(first.pk), "op": "member"}]}, name="Two")
    change = {"criteria": {"all": [{"segment": str(second.pk), "op": "member"}]}}
    refused = firm.http.patch(f"/api/v1/segments/{first.pk}", change, content_type="application/json")
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "/criteria/all/0/segment"
    assert "“One” → “Two” → “One”" in fault["detail"]


def test_preview_counts_and_shows_some(firm: Firm) -> None:
    people = firm.people(*({"email": f"c{number}@example.org", "city": "Paris"} for number in range(12)))
    firm.catch_up()
    answer = firm.http.post(
        "/api/v1/segments/preview", {"criteria": IN_PARIS}, content_type="application/json"
    )
    assert answer.status_code == 200, answer.content
    found = answer.json()
    assert found["count"] == 12
    assert [one["id"] for one in found["sample"]] == [str(one) for one in sorted(people, reverse=True)[:10]]
    refused = firm.http.post(
        "/api/v1/segments/preview", {"criteria": {"field": "nope"}}, content_type="application/json"
    )
    assert {fault["pointer"] for fault in refused.json()["errors"]} == {"/criteria/field"}


def test_an_anonymous_past_counts_once_tied(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    readers = firm.segment({"event": "page.viewed"})
    from parcours.events import journal
    from parcours.events.entries import Call, Said
    from parcours.lib.ids import new_id
    from parcours.lib.instants import to_ms

    def call(kind: str, **body: object) -> Call:
        now = to_ms(clock.now())
        return Call(kind, msgspec.convert(body, Said), now, now, new_id())

    journal.append(
        [call("page", anonymousId="a1", properties={"url": "https://x.org/"})], account_id=firm.account.pk
    )
    firm.catch_up()
    assert firm.members(readers) == []
    tied = call("identify", anonymousId="a1", traits={"email": "ann@example.org"})
    journal.append([tied], account_id=firm.account.pk)
    firm.catch_up()
    assert firm.members(readers) == [ann]


def test_the_first_computation_holds_whatever_was_accepted_before_the_segment_was_made(firm: Firm) -> None:
    """However late it is digested: who comes later moves journeys."""
    (ann,) = firm.people({"email": "ann@example.org"})
    firm.catch_up()
    clock.freeze(clock.now())
    try:
        firm.happens("order.placed", ann)
        clock.freeze(clock.now() + timedelta(milliseconds=5))
        made = firm.post("segments", {"name": "Buyers", "criteria": {"event": "order.placed"}})
        for _ in range(3):  # The digest has not begun: no load holds the order.
            work.round()
        segment = Segment.objects.get(pk=int(made["id"]))
        assert (segment.status, segment.computed_at, segment.late_reason) == ("computing", None, "digest")
        firm.catch_up()
        assert firm.told(segment) == [("segment.entered", ann, True)]
    finally:
        clock.freeze(None)
