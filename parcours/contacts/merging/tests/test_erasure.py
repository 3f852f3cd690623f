"""The right to be forgotten: nothing of a person stays anywhere, and no figure changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts import actions, queries
from parcours.contacts.importing import keeping
from parcours.contacts.importing.models import Import
from parcours.contacts.merging import erased, forgetting, joining
from parcours.contacts.merging.models import ErasedKey, Forgetting, Merge
from parcours.contacts.merging.tests.world import World
from parcours.events import journal
from parcours.events.entries import Linked
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.messaging.models import Send, Suppression
from parcours.messaging.suppression import address_hash
from parcours.reports import verify
from parcours.tracking import identity
from parcours.tracking.models import VisitorLink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

WORDS = ("zoé", "zoe", "lefebvre", "612345678", "client-4711", "secret")


def everything() -> str:
    """All that the store holds, as text."""
    tables = ("events", "profiles", "links", "memberships", "runs")
    return "\n".join(str(client().query(f"SELECT * FROM {table}").result_rows) for table in tables).lower()


def counts(world: World) -> dict[str, Any]:
    """Readings of events by name and by filter, whoever did them."""
    rows = client().query(
        "SELECT name, count(), countIf(has(texts['country'], 'FR')), sum(arraySum(numbers['total'])),"
        " countIf(has(texts['to'], 'opted_out')), groupUniqArray(texts['original_url'])"
        " FROM events WHERE account = {account:UInt32} GROUP BY name ORDER BY name",
        parameters={"account": world.account.pk},
    )
    return {row[0]: row[1:] for row in rows.result_rows}


def test_nothing_is_left_and_every_figure_stands(world: World) -> None:
    zoe = world.add(
        email="zoe.lefebvre@example.org", phone="+33612345678", external_id="client-4711", first_name="Zoé",
        last_name="Lefebvre", city="Lyon", attributes={"note": "secret"}, consents={"email": "opted_in"},
    )  # fmt: skip
    twin = world.add(email="zoe@lefebvre.example", tags=["secret"])
    bob = world.add(email="bob@example.org", first_name="Bob", attributes={"note": "kept"})
    journey = world.journey([{"id": "wait", "type": "delay", "for": "1d"}])
    buyers = world.segment({"event": "order.placed"})
    world.call(
        "page", anonymous_id="browser", properties={"url": "https://x.org/?mail=zoe.lefebvre%40example.org"}
    )
    world.call(
        "identify", user_id="client-4711", anonymous_id="browser", traits={"nickname": "secret"},
    )  # fmt: skip
    world.live()
    world.enrol(journey, zoe, bob)
    for contact in (zoe, bob):
        world.did(
            contact, "order.placed", order_id=f"o{contact}", total=19.9, country="FR", note="secret of zoé"
        )
        world.did(
            contact, "form.submitted", email="zoe.lefebvre@example.org", comment="secret", form_id="f1",
            url="https://x.org/contact?who=Lefebvre", phone=33612345678,
        )  # fmt: skip
        send = f"s{contact}"
        for name, said in (
            ("email.sent", {}),
            ("email.opened", {"agent": "Zoé's reader", "browser": "Firefox"}),
            (
                "email.clicked",
                {"original_url": "https://x.org/a", "url": "https://x.org/a?u=zoe.lefebvre@example.org"},
            ),
            (
                "email.subscription_updated",
                {"from": "opted_in", "to": "opted_out", "source": "zoe.lefebvre@example.org"},
            ),
        ):
            world.did(contact, name, message=world.message.pk, send=send, **said)
    Send.objects.create(
        account=world.account, message=world.message, contact_id=zoe, channel="email", status="sent", is_test=True,
        address="zoe.lefebvre@example.org", answer="250 zoe", context={"event": {"name": "secret"}},
    )  # fmt: skip
    world.live()
    joining.merge(world.account, into=zoe, merged=[twin], source="test", now=clock.now())
    world.live()
    told = world.figures(journey), world.metrics(), counts(world)
    assert world.members(buyers) == [zoe, bob]
    assert all(word in everything() for word in ("zoe", "lefebvre", "612345678", "client-4711", "secret"))

    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    assert not forgetting.run()  # the digest has not passed what was under way
    world.live()
    assert forgetting.run()
    assert not forgetting.run()

    figures, metrics, events = world.figures(journey), world.metrics(), counts(world)
    assert figures["contacts"] == told[0]["contacts"]
    assert figures["entered"] == told[0]["entered"]
    assert [step["passages"] for step in figures["steps"]] == [step["passages"] for step in told[0]["steps"]]
    assert metrics == told[1]
    assert {name: events[name] for name in told[2] if not name.startswith("contact.")} == {
        name: said for name, said in told[2].items() if not name.startswith("contact.")
    }
    assert world.members(buyers) == [bob]
    left = client().query(
        "SELECT toString(texts), toString(numbers), properties, message_id FROM events WHERE contact != {bob:UInt64}",
        parameters={"bob": bob},
    )
    text = str(left.result_rows).lower()
    assert not [word for word in WORDS if word in text], text
    profiles = client().query(
        "SELECT * EXCEPT (account) FROM profiles WHERE contact != {bob:UInt64}",
        parameters={"bob": bob},
    )
    text = str(profiles.result_rows).lower()
    assert not [word for word in WORDS if word in text], text
    assert "kept" in everything()
    form = client().query(
        "SELECT properties FROM events WHERE name = 'form.submitted' AND contact = {zoe:UInt64}",
        parameters={"zoe": zoe},
    )
    assert json.loads(form.result_rows[0][0]) == {"form_id": "f1", "url": "https://x.org/contact"}
    sent = Send.objects.get()
    assert (sent.address, sent.answer, sent.context) == ("", "", {})
    assert Merge.objects.get().kept == {}
    assert Forgetting.objects.get().words == ""
    assert not [each.differences for each in verify.verify(world.account) if each.differences]


def test_an_erased_address_imported_again_gets_no_marketing(world: World) -> None:
    zoe = world.add(email="zoe@example.org", phone="+33612345678", consents={"email": "opted_in"})
    twin = world.add(email="zoe@old.example")
    joining.merge(world.account, into=zoe, merged=[twin], source="test", now=clock.now())
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    kept = {(each.channel, each.address_hash): each.reason for each in Suppression.objects.all()}
    assert kept == {
        ("email", address_hash("email", "zoe@example.org")): "unsubscribed",
        ("email", address_hash("email", "zoe@old.example")): "unsubscribed",
        ("sms", address_hash("sms", "+33612345678")): "unsubscribed",
        ("whatsapp", address_hash("whatsapp", "+33612345678")): "unsubscribed",
    }


def test_what_was_under_way_when_somebody_was_erased_is_forgotten_too(world: World) -> None:
    zoe = world.add(email="zoe@example.org")
    world.live()
    world.did(zoe, "noted", comment="secret", who="zoe@example.org")
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    assert not forgetting.run()
    world.live()
    assert "secret" in everything()
    assert forgetting.run()
    assert "secret" not in everything()
    assert "zoe" not in everything()


def people(world: World) -> dict[int, str | None]:
    """The account's contacts who were not erased, with their addresses."""
    return dict(queries.living(world.account.pk).values_list("pk", "email"))


def test_a_call_accepted_before_an_erasure_makes_nobody_anew(world: World) -> None:
    zoe = world.add(email="zoe@example.org", external_id="client-4711", phone="+33612345678")
    twin = world.add(email="zoe@old.example")
    bob = world.add(email="bob@example.org", external_id="client-1")
    joining.merge(world.account, into=zoe, merged=[twin], source="test", now=clock.now())
    world.live()
    world.later(seconds=1)
    said = {"nickname": "secret"}
    world.call(
        "identify", user_id="client-4711", anonymous_id="b1", traits={**said, "email": "zoe@new.example"}
    )
    world.call("identify", user_id=None, anonymous_id="b2", traits={**said, "email": "ZOE@old.example"})
    world.call("identify", user_id=None, anonymous_id="b3", traits={**said, "phone": "+33 6 12 34 56 78"})
    world.call("identify", user_id=None, anonymous_id="b4", traits={**said, "email": "zoe@new.example"})
    world.call(
        "identify", user_id="client-1", anonymous_id="b5", traits={"city": "Lyon", "email": "zoe@example.org"}
    )
    world.call("track", user_id="client-4711", event="noted", properties=said)
    world.call("track", user_id=None, event="form.submitted", properties={**said, "email": "zoe@example.org"})
    world.later(milliseconds=1)
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    world.later(seconds=1)
    world.live()

    assert people(world) == {bob: "bob@example.org"}
    assert world.person(bob)["city"] == "Lyon"
    assert VisitorLink.objects.exclude(contact_id=0).values_list("contact_id", flat=True).get() == bob
    events = client().query(
        "SELECT name, toString(visitor), properties FROM events WHERE contact = {zoe:UInt64}"
        " AND name IN ('noted', 'form.submitted') ORDER BY name DESC",
        parameters={"zoe": zoe},
    )
    nobody = "00000000-0000-0000-0000-000000000000"
    assert [row[:2] for row in events.result_rows] == [("noted", nobody), ("form.submitted", nobody)]
    assert forgetting.run()
    assert "secret" not in everything()
    assert "zoe" not in everything()

    # Whoever says so afterwards is somebody new.
    world.call("identify", user_id="client-4711", anonymous_id="b1", traits={"email": "zoe@example.org"})
    world.live()
    again = people(world)
    assert sorted(again.values(), key=str) == ["bob@example.org", "zoe@example.org"]
    assert zoe not in again


def test_the_hashes_of_erased_keys_go_once_nothing_under_way_can_bear_them(world: World) -> None:
    zoe = world.add(email="zoe@example.org", external_id="client-4711")
    world.live()
    world.later(seconds=1)
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    hashes = list(ErasedKey.objects.values_list("hash", flat=True))
    assert len(hashes) == 2
    assert not [each for each in hashes if "zoe" in each or "4711" in each]
    world.later(days=2)
    erased.forget(clock.now())
    assert ErasedKey.objects.count() == 2  # the digest stood still meanwhile
    world.live()
    assert forgetting.run()
    erased.forget(clock.now())
    assert not ErasedKey.objects.exists()


def test_a_click_taken_up_after_the_erasure_ties_no_browser(world: World) -> None:
    zoe = world.add(email="zoe@example.org")
    world.live()
    browser = identity.browser_of(world.account.pk, "her browser")
    journal.append([Linked(browser, zoe, if_unknown=True)], account_id=world.account.pk)
    world.later(seconds=1)
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    world.live()
    assert not VisitorLink.objects.exists()


def test_refusals_kept_say_nothing_of_an_erased_person(world: World) -> None:
    zoe = world.add(email="zoe@example.org", phone="+33612345678", external_id="client-4711")
    world.add(email="marie-zoe@example.org", external_id="client-2")
    job = world.http.post(
        "/api/v1/contacts/import",
        data=(
            "email,external_id,phone,timezone\n"
            "zoe@example.org,client-2,,\n"  # two contacts
            "other@example.org,,06 12 34 56 78,Mars/Phobos\n"
            "marie-zoe@example.org,,,Mars/Phobos\n"
            "fine@example.org,,,Mars/zoe@example.org\n"
        ),
        content_type="text/csv",
    ).json()["job"]
    while jobs.round():
        pass
    refused = Job.objects.get(pk=job).refused
    assert [each["line"] for each in refused] == [2, 3, 4, 5]
    assert "zoe@example.org" in refused[3]["reason"]
    actions.erase(account_id=world.account.pk, contact_ids=[zoe], now=clock.now())
    world.live()
    assert forgetting.run()
    left = Job.objects.get(pk=job).refused
    assert [each["line"] for each in left] == [2, 3, 4, 5]
    assert left[:3] == refused[:3]
    assert left[3]["reason"] == "The line was of a person erased since."
    kept = list(keeping.refused_lines(Import.objects.get()))
    said = [(each.number, each.raw) for each in kept]
    assert said == [(2, ""), (3, ""), (4, "marie-zoe@example.org,,,Mars/Phobos\n"), (5, "")]
    assert {kept[0].reason, kept[3].reason} == {"The line was of a person erased since."}
