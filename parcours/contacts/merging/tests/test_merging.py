"""Two contacts made one, and two again: profiles, keys, consents, lists, events, journeys, sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from parcours.commerce.models import Order
from parcours.contacts import actions
from parcours.contacts.merging import joining, parting
from parcours.contacts.merging.models import Alias
from parcours.contacts.merging.tests.world import World
from parcours.contacts.models import ConsentChange, Contact
from parcours.events import watermark
from parcours.journeys.models import Enrolment
from parcours.lib import clock
from parcours.lib.problems import Invalid, NotFound, Problem
from parcours.messaging.models import Send, Suppression
from parcours.messaging.subscription import unsubscribe
from parcours.reports import messages, verify
from parcours.tracking.models import VisitorLink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

WAIT = [
    {"id": "wait", "type": "delay", "for": "1d", "next": "end"},
    {"id": "end", "type": "delay", "for": "1d"},
]


def merge(world: World, into: int, *merged: int, **choices: int) -> None:
    joining.merge(
        world.account, into=into, merged=list(merged), choices=choices, source="test", now=clock.now()
    )
    world.live()


def unmerge(world: World, contact: int) -> None:
    parting.unmerge(world.account, contact=contact, source="test", now=clock.now())
    world.live()


def test_the_contact_kept_wins_gaps_are_filled_and_an_opt_out_stands(world: World) -> None:
    vip, news = world.mailing_list("VIP"), world.mailing_list("News")
    one = world.add(
        email="ann@example.org", first_name="Ann", attributes={"points": 3}, tags=["a"], lists=[str(vip.pk)],
        consents={"email": "opted_in"},
    )  # fmt: skip
    world.later(days=1)
    other = world.add(
        external_id="x1", phone="+33612345678", first_name="Anne", city="Lyon", attributes={"points": 9, "size": "M"},
        tags=["a", "b"], lists=[str(vip.pk), str(news.pk)], consents={"email": "opted_out", "sms": "opted_in"},
    )  # fmt: skip
    before = world.person(one), world.person(other)
    merge(world, one, other)
    assert world.person(one) == before[0] | {
        "external_id": "x1",
        "phone": "+33612345678",
        "city": "Lyon",
        "attributes": {"points": 3, "size": "M"},
        "tags": ["a", "b"],
        "lists": [str(vip.pk), str(news.pk)],
        "consents": {"email": "opted_out", "sms": "opted_in", "whatsapp": "pending"},
    }
    assert world.http.get(f"/api/v1/contacts/{other}").json()["id"] == str(one)
    assert ConsentChange.objects.filter(contact=one).count() == 5  # of both, and two of the merge
    unmerge(world, other)
    assert (world.person(one), world.person(other)) == before
    assert not Alias.objects.exists()
    assert ConsentChange.objects.filter(contact=other).count() == 2


def test_a_choice_decides_field_by_field(world: World) -> None:
    one = world.add(email="ann@example.org", first_name="Ann", city="Paris")
    other = world.add(email="anne@example.org", first_name="Anne", city="Lyon")
    before = world.person(one), world.person(other)
    merge(world, one, other, email=other, city=other, first_name=one)
    found = world.person(one)
    assert (found["email"], found["city"], found["first_name"]) == ("anne@example.org", "Lyon", "Ann")
    assert world.add(email="ann@example.org") == world.add(email="anne@example.org") == one
    assert world.person(one)["email"] == "anne@example.org"  # a former address finds, and changes nothing
    unmerge(world, other)
    assert (world.person(one), world.person(other)) == before


def test_former_keys_find_the_contact_in_imports_calls_and_references(world: World) -> None:
    one = world.add(email="ann@example.org", external_id="a")
    other = world.add(email="anne@example.org", external_id="b", phone="+33612345678")
    merge(world, one, other)
    assert world.add(external_id="b", city="Nice") == one
    assert world.add(phone="+33612345678") == one
    world.call("identify", user_id="b", anonymous_id="browser", traits={"city": "Brest"})
    world.call("track", user_id="b", event="tried")
    world.live()
    assert world.person(one)["city"] == "Brest"
    assert "tried" in world.timeline(one)
    assert VisitorLink.objects.get().contact_id == one
    vip = world.mailing_list()
    answer = world.http.post(
        f"/api/v1/lists/{vip.pk}/members",
        {"contacts": [{"email": "anne@example.org"}, {"id": str(other)}, {"external_id": "b"}]},
        content_type="application/json",
    )
    assert answer.json()["added"] == 1
    taken = actions.upsert_many(
        world.account, [{"id": other, "email": "anne@example.org"}], source="test", now=clock.now()
    )
    assert taken.contacts == [one]
    assert world.person(one)["email"] == "anne@example.org"  # named by its id, it takes the address
    assert Contact.objects.filter(erased_at__isnull=True).count() == 1


def test_what_both_did_is_one_person_s_until_they_are_parted(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    buyers = world.segment({"event": "bought", "count": {"op": "gte", "value": 2}})
    world.call("page", anonymous_id="b2", properties={"url": "https://x.org/"})
    world.call("identify", anonymous_id="b2", traits={"email": "anne@example.org"})
    world.did(one, "bought")
    world.did(other, "bought")
    world.live()
    assert world.members(buyers) == []
    merge(world, one, other)
    assert world.members(buyers) == [one]
    assert world.timeline(one) == ["bought", "bought", "page.viewed", "segment.entered"]
    world.call("page", anonymous_id="b2", properties={"url": "https://x.org/again"})
    world.live()
    assert world.timeline(one).count("page.viewed") == 2
    unmerge(world, other)
    assert world.members(buyers) == []
    assert world.timeline(other) == ["bought", "page.viewed"]
    assert world.timeline(one).count("page.viewed") == 1  # what was seen since the merge stays


def test_events_on_their_way_reach_who_they_are_now(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    journey = world.journey(
        [
            {
                "id": "wait",
                "type": "wait_for",
                "event": "bought",
                "timeout": "5d",
                "then": "end",
                "else": "end",
            },
            {"id": "end", "type": "delay", "for": "1d"},
        ]
    )
    world.live()
    world.enrol(journey, other)
    world.live()
    world.did(other, "bought")  # accepted before the merge, digested after it
    joining.merge(world.account, into=one, merged=[other], source="test", now=clock.now())
    world.live()
    run = Enrolment.objects.get()
    assert (run.contact_id, run.entrant_id, run.step) == (one, other, "end")
    assert world.figures(journey)["steps"][1]["waiting"] == 1
    unmerge(world, other)
    run.refresh_from_db()
    assert (run.contact_id, run.entrant_id) == (other, None)


def test_of_two_runs_of_a_once_journey_one_goes_on(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    journey = world.journey(WAIT)
    world.live()
    world.enrol(journey, one, other)
    world.live()
    apart = world.figures(journey)
    assert apart["steps"][0]["contacts"] == 2
    merge(world, one, other)
    together = world.figures(journey)
    assert together["contacts"] == 1
    assert together["entered"] == 2
    assert (together["active"], together["exited"]["merged"]) == (1, 1)
    assert together["steps"][0] | {"contacts": 1, "passages": 2, "waiting": 1} == together["steps"][0]
    world.later(days=3)
    world.live()
    assert world.figures(journey)["completed"] == 1
    world.enrol(journey, one)
    world.live()
    assert world.figures(journey)["entered"] == 2  # once in a life
    unmerge(world, other)
    assert world.figures(journey)["steps"][0]["contacts"] == 2
    world.enrol(journey, other)
    world.live()
    assert world.figures(journey)["entered"] == 2


def test_a_run_goes_on_under_the_other_s_name_and_back(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    journey = world.journey(WAIT)
    world.live()
    world.enrol(journey, other)
    world.live()
    merge(world, one, other)
    assert Enrolment.objects.get().contact_id == one
    world.enrol(journey, one)
    world.later(days=1)
    world.live()
    told = world.figures(journey)
    assert (told["entered"], told["steps"][1]["waiting"]) == (1, 1)
    trace = world.http.get(f"/api/v1/journeys/{journey.pk}/contacts/{one}/trace").json()
    assert [step["step"] for step in trace["runs"][0]["steps"]] == ["wait", "end"]
    unmerge(world, other)
    assert world.figures(journey) == told
    world.enrol(journey, one)
    world.later(days=1)
    world.live()
    told = world.figures(journey)
    assert (told["entered"], told["contacts"], told["completed"]) == (2, 2, 1)


def test_a_mail_that_both_await_goes_once(world: World) -> None:
    one = world.add(email="ann@example.org", consents={"email": "opted_in"})
    other = world.add(email="anne@example.org", consents={"email": "opted_in"})
    third = world.add(email="bea@example.org", consents={"email": "opted_in"})
    journey = world.journey(
        [{"id": "mail", "type": "send_email", "message": world.message.pk, "next": "end"}, WAIT[1]]
    )
    world.live()
    world.enrol(journey, one, other, third)
    world.live()
    merge(world, one, other)
    sends = list(Send.objects.order_by("pk").values_list("contact_id", "status"))
    assert sends == [(one, "queued"), (one, "skipped"), (third, "queued")]
    merge(world, one, third)
    assert list(Send.objects.order_by("pk").values_list("status", flat=True)) == [
        "queued",
        "skipped",
        "skipped",
    ]


def test_who_opts_out_by_an_old_mail_is_opted_out_as_both(world: World) -> None:
    one = world.add(email="ann@example.org", consents={"email": "opted_in"})
    other = world.add(email="anne@example.org", consents={"email": "opted_in"})
    send = Send.objects.create(
        account=world.account, message=world.message, contact_id=other, channel="email", address="anne@example.org",
        status="sent",
    )  # fmt: skip
    merge(world, one, other)
    assert unsubscribe(send, source="one_click", now=clock.now())
    assert world.person(one)["consents"]["email"] == "opted_out"
    assert Suppression.objects.get().contact_id == one
    unmerge(world, other)
    assert world.person(one)["consents"]["email"] == "opted_out"
    assert world.person(other)["consents"]["email"] == "opted_out"


def test_chains_and_several_at_once(world: World) -> None:
    people = [world.add(email=f"c{number}@example.org") for number in range(4)]
    everyone = world.segment({"all": []})
    journey = world.journey(WAIT)
    world.live()
    world.enrol(journey, *people)
    world.live()
    merge(world, people[1], people[0])
    merge(world, people[2], people[1], people[3])
    assert world.members(everyone) == [people[2]]
    assert world.figures(journey)["contacts"] == 1
    for number in range(4):
        assert world.add(email=f"c{number}@example.org") == people[2]
    with pytest.raises(Problem, match="has been merged since") as refused:
        parting.unmerge(world.account, contact=people[0], source="test", now=clock.now())
    assert refused.value.status == 409
    unmerge(world, people[1])
    assert world.members(everyone) == sorted([people[1], people[2]])
    assert world.add(email="c0@example.org") == people[1]
    assert world.figures(journey)["contacts"] == 2
    unmerge(world, people[0])
    unmerge(world, people[3])
    assert world.members(everyone) == people
    assert world.figures(journey)["contacts"] == 4


def test_a_figure_read_again_at_its_instant_is_as_it_was(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    journey = world.journey(WAIT)
    world.live()
    world.enrol(journey, one, other)
    world.live()
    told = world.http.get(f"/api/v1/journeys/{journey.pk}/statistics").json()
    world.later(minutes=1)
    merge(world, one, other)
    again = world.http.get(f"/api/v1/journeys/{journey.pk}/statistics", {"as_of": told["as_of"]}).json()
    assert again == told
    items = world.http.get(
        f"/api/v1/journeys/{journey.pk}/steps/wait/contacts", {"as_of": told["as_of"]}
    ).json()["items"]
    assert len(items) == 2


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"into": "{one}", "merge": ["{one}"]}, "/merge"),
        ({"into": "{one}", "merge": ["{foreign}"]}, "/merge/0"),
        ({"into": "{foreign}", "merge": ["{one}"]}, "/into"),
        ({"into": "{one}", "merge": ["{gone}"]}, "/merge/0"),
        ({"into": "{one}", "merge": ["{two}"], "fields": {"shoe": "{two}"}}, "/fields/shoe"),
        ({"into": "{one}", "merge": ["{two}"], "fields": {"city": "{three}"}}, "/fields/city"),
        ({"merge": ["{two}"]}, "/into"),
    ],
    ids=["oneself", "foreign", "into-foreign", "erased", "field", "stranger", "nobody"],
)
def test_what_cannot_be_merged_is_refused_and_nothing_is_done(
    world: World, body: dict[str, Any], pointer: str
) -> None:
    ids = {name: str(world.add(email=f"{name}@example.org")) for name in ("one", "two", "three", "gone")}
    actions.erase(account_id=world.account.pk, contact_ids=[int(ids["gone"])], now=clock.now())
    ids["foreign"] = str(World("Autre").add(email="foreign@example.org"))

    def filled(value: Any) -> Any:
        if isinstance(value, str):
            return value.format(**ids)
        if isinstance(value, list):
            return [filled(each) for each in value]
        return {key: filled(each) for key, each in value.items()}

    answer = world.http.post("/api/v1/contacts/merge", filled(body), content_type="application/json")
    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert world.person(int(ids["one"]))["email"] == "one@example.org"


def test_the_api_merges_tells_and_undoes(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(external_id="b", city="Lyon")
    answer = world.http.post(
        "/api/v1/contacts/merge",
        {"keep": {"email": "ann@example.org"}, "merge": [{"external_id": "b"}]},
        content_type="application/json",
    )
    assert answer.status_code == 200, answer.content
    assert answer.json()["merged"] == [str(other)]
    assert (answer.json()["id"], answer.json()["city"]) == (str(one), "Lyon")
    merges = world.http.get(f"/api/v1/contacts/{one}/merges").json()["items"]
    assert [(each["merged"], each["undone_at"]) for each in merges] == [(str(other), None)]
    for path in (f"contacts/{other}/unmerge", f"contacts/{one}/unmerge"):
        answer = world.http.post(f"/api/v1/{path}", {}, content_type="application/json")
        assert answer.json()["restored"] == [str(other)], answer.content
        assert [each["id"] for each in answer.json()["contacts"]] == [str(one), str(other)]
        answer = world.http.post(
            f"/api/v1/contacts/{one}/merge", {"merge": [str(other)]}, content_type="application/json"
        )
        assert answer.status_code == 200, answer.content
    answer = world.http.post(
        "/api/v1/contacts/unmerge", {"contact": str(other)}, content_type="application/json"
    )
    assert answer.json()["restored"] == [str(other)]
    answer = world.http.post(
        "/api/v1/contacts/unmerge", {"contact": str(other)}, content_type="application/json"
    )
    assert answer.status_code == 404


def test_one_of_another_account_does_not_exist(world: World) -> None:
    one = world.add(email="ann@example.org")
    foreign = World("Autre").add(email="ann@example.org")
    with pytest.raises(NotFound):
        joining.merge(world.account, into=one, merged=[foreign], source="test", now=clock.now())
    with pytest.raises(NotFound):
        parting.unmerge(world.account, contact=foreign, source="test", now=clock.now())
    with pytest.raises(Invalid):
        joining.merge(world.account, into=one, merged=[one], source="test", now=clock.now())


def test_erasing_who_was_kept_erases_those_merged(world: World) -> None:
    one, other = world.add(email="ann@example.org"), world.add(email="anne@example.org")
    journey = world.journey(WAIT)
    world.live()
    world.enrol(journey, one, other)
    world.live()
    merge(world, one, other)
    told = world.figures(journey)
    actions.erase(account_id=world.account.pk, contact_ids=[other], now=clock.now())
    world.live()
    after = world.figures(journey)
    assert after["contacts"] == told["contacts"] == 1
    assert [step["passages"] for step in after["steps"]] == [step["passages"] for step in told["steps"]]
    assert not Alias.objects.exists()
    with pytest.raises(Problem, match="erased"):
        parting.unmerge(world.account, contact=other, source="test", now=clock.now())
    fresh = world.add(email="anne@example.org")
    assert fresh not in (one, other)


def earned(world: World, *, as_of: datetime | None = None) -> dict[str, Any]:
    """What the message earned, each count held against its list, and whom the orders' lists name."""
    mark = watermark.current(world.account.pk) if as_of is None else watermark.at(world.account.pk, as_of)
    scope = messages.Scope(world.account.pk, [world.message.pk])
    told = messages.figures(scope, mark=mark).metrics
    lists = {
        metric: messages.recipients(scope, metric, mark=mark, after=None, limit=100)
        for metric in ("orders", "revenue", "order_rate", "recipients", "clicked", "total_clicks")
    }
    for metric in ("orders", "recipients", "clicked", "total_clicks"):
        assert len(lists[metric]) == told[metric]
    assert sum(row["amount"] for row in lists["revenue"]) == told["revenue"]
    return {
        **{
            name: told[name]
            for name in ("orders", "revenue", "order_rate", "revenue_per_recipient", "recipients")
        },
        "credited": sorted((row["order_id"], row["contact"], row["send"]) for row in lists["orders"]),
        "deliveries": sorted((row["send"], row["contact"]) for row in lists["order_rate"]),
        "clicks": [row["contact"] for row in lists["total_clicks"]],
        "links": messages.clicks_by_link(scope, mark=mark),
    }


def test_orders_are_credited_to_what_the_one_person_clicked(world: World) -> None:
    one, other = world.add(external_id="ann"), world.add(email="anne@example.org", external_id="anne")
    for contact, send in ((one, "s1"), (other, "s2")):
        world.did(contact, "email.sent", message=world.message.pk, send=send)
    world.did(one, "email.clicked", message=world.message.pk, send="s1", original_url="https://x.org/a")
    world.later(hours=1)
    world.did(other, "email.opened", message=world.message.pk, send="s2")
    world.later(hours=1)
    world.did(other, "order.placed", order="o1", total=50)
    world.live()
    apart = {
        "orders": 1, "revenue": 50, "order_rate": 0.5, "revenue_per_recipient": 25, "recipients": 2,
        "credited": [("o1", other, "s2")], "deliveries": [("s2", other)], "clicks": [one],
        "links": [{"url": "https://x.org/a", "total_clicks": 1, "clicked": 1}],
    }  # fmt: skip
    assert earned(world) == apart
    before = clock.now()
    world.later(hours=1)
    merge(world, other, one)  # a click counts before an open
    as_one = apart | {
        "revenue_per_recipient": 50, "recipients": 1,
        "credited": [("o1", other, "s1")], "deliveries": [("s1", other)], "clicks": [other],
    }  # fmt: skip
    assert earned(world) == as_one
    assert earned(world, as_of=before) == apart
    assert Order.objects.get().contact_id == other
    world.later(hours=1)
    world.call("track", user_id="ann", event="Order Completed", properties={"order_id": "o2", "total": 7})
    world.live()
    assert earned(world)["credited"] == [("o1", other, "s1"), ("o2", other, "s1")]
    assert set(Order.objects.values_list("contact_id", flat=True)) == {other}
    assert not [each.differences for each in verify.verify(world.account) if each.differences]
    unmerge(world, one)
    assert earned(world)["credited"] == [("o1", other, "s2"), ("o2", other, "s2")]
    assert not [each.differences for each in verify.verify(world.account) if each.differences]
