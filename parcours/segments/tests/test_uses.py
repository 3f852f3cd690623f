"""What depends on a segment keeps it from being deleted; what it depends on may go, and that is said."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.lib import clock
from parcours.segments import actions
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
IN_PARIS = {"field": "city", "op": "eq", "value": "paris"}


def _journey(firm: Firm, document: dict[str, Any]) -> str:
    body = {"name": "Welcome", "start": "end", "steps": [{"id": "end", "type": "end"}]} | document
    answer = firm.http.post("/api/v1/journeys", body, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def test_a_journey_keeps_the_segments_that_it_names(firm: Firm) -> None:
    entering = firm.segment(IN_PARIS, name="Entering")
    filtering = firm.segment(IN_PARIS, name="Filtering")
    free = firm.segment(IN_PARIS, name="Free")
    within = {"all": [{"not": {"segment": str(filtering.pk), "op": "member"}}]}
    trigger = {"type": "segment_entered", "segment": str(entering.pk)}
    journey = _journey(firm, {"entry": {"triggers": [trigger], "filter": within}})
    for segment in (entering, filtering):
        refused = firm.http.delete(f"/api/v1/segments/{segment.pk}")
        assert refused.status_code == 409
        assert refused.json()["uses"] == [{"kind": "journey", "id": journey, "name": "Welcome"}]
        assert "Welcome" in refused.json()["detail"]
    assert firm.http.delete(f"/api/v1/segments/{free.pk}").status_code == 204
    archived = firm.http.post(f"/api/v1/journeys/{journey}/archive")
    assert archived.status_code == 200, archived.content
    assert firm.http.delete(f"/api/v1/segments/{entering.pk}").status_code == 204


def test_a_paused_segment_closes_no_circle(firm: Firm) -> None:
    inner = firm.segment(IN_PARIS, name="Inner")
    outer = firm.segment({"all": [{"segment": str(inner.pk), "op": "member"}]}, name="Outer")
    actions.pause(segment=outer, now=clock.now())
    body = {"criteria": {"not": {"any": [IN_PARIS, {"segment": outer.pk, "op": "member"}]}}}
    path = f"/api/v1/segments/{inner.pk}"
    refused = firm.http.patch(path, body, content_type="application/json")
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["pointer"] == "/criteria/not/any/1/segment"
    assert fault["detail"] == "A segment cannot depend on itself: “Inner” → “Outer” → “Inner”."
    assert firm.get(f"segments/{inner.pk}")["criteria"] == IN_PARIS
    actions.activate(segment=Segment.objects.get(pk=outer.pk), now=clock.now())


def test_criteria_may_name_a_journey_and_its_steps(firm: Firm) -> None:
    trigger = {"type": "event", "event": "signup"}
    journey = _journey(firm, {"entry": {"triggers": [trigger]}})
    made = firm.segment({"journey": journey, "step": "end", "op": "entered"})
    assert made.status == Segment.Status.UP_TO_DATE
    for leaf, pointer in (
        ({"journey": journey, "step": "gone", "op": "entered"}, "/criteria/step"),
        ({"journey": "987654", "op": "entered"}, "/criteria/journey"),
    ):
        body = {"name": "X", "criteria": leaf}
        refused = firm.http.post("/api/v1/segments", body, content_type="application/json")
        assert refused.status_code == 422
        assert [fault["pointer"] for fault in refused.json()["errors"]] == [pointer]


def test_a_paused_segment_is_edited_without_waking(firm: Firm) -> None:
    ann, bob = firm.people(
        {"email": "ann@example.org", "city": "Paris"}, {"email": "bob@example.org", "city": "Lyon"}
    )
    segment = firm.segment(IN_PARIS)
    around = firm.segment({"segment": str(segment.pk), "op": "member"}, name="Around")
    actions.pause(segment=segment, now=clock.now())
    in_lyon = {"field": "city", "op": "eq", "value": "lyon"}
    actions.update(segment=Segment.objects.get(pk=segment.pk), criteria=in_lyon, now=clock.now())
    firm.catch_up()
    assert firm.get(f"segments/{segment.pk}")["status"] == "paused"
    assert firm.members(segment) == firm.members(around) == [ann]
    actions.activate(segment=Segment.objects.get(pk=segment.pk), now=clock.now())
    firm.catch_up()
    assert firm.members(segment) == firm.members(around) == [bob]


def test_an_attribute_that_goes_is_told_and_its_return_mends_all(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org", "attributes": {"plan": "pro"}})
    segment = firm.segment({"all": [{"field": "attributes.plan", "op": "eq", "value": "pro"}]})
    around = firm.segment({"not": {"segment": str(segment.pk), "op": "member"}}, name="Around")
    firm.account.attributes.all().delete()
    for one in (segment, around):
        actions.refresh(segment=Segment.objects.get(pk=one.pk), now=clock.now())
    firm.people({"email": "bob@example.org"})
    firm.catch_up()
    told = firm.get(f"segments/{segment.pk}")
    assert (told["status"], told["late_reason"]) == ("computing", "failure")
    assert told["error"].startswith("/criteria/all/0/field: ")
    assert "plan" in firm.get(f"segments/{around.pk}")["error"]
    assert firm.members(segment) == [ann], "the former membership stands"
    firm.account.attributes.create(name="plan", type="text", created_at=clock.now())
    (eve,) = firm.people({"email": "eve@example.org", "attributes": {"plan": "pro"}})
    for one in (segment, around):
        actions.refresh(segment=Segment.objects.get(pk=one.pk), now=clock.now())
    firm.catch_up()
    assert firm.members(segment) == sorted([ann, eve])
    assert firm.get(f"segments/{segment.pk}")["error"] is None


def test_opt_ins_are_counted_anew_when_a_member_changes_their_mind(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    firm.happens("signup", ann)
    segment = firm.segment({"event": "signup"})
    assert firm.get(f"segments/{segment.pk}")["email_opt_ins"] == 0
    firm.people({"id": str(ann), "consents": {"email": "opted_in"}})
    firm.catch_up()
    assert firm.get(f"segments/{segment.pk}")["email_opt_ins"] == 1
    assert firm.members(segment) == [ann]
