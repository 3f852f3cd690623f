"""The right to be forgotten: nothing of a person stays anywhere, and no figure changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parcours.contacts import actions
from parcours.contacts.merging import forgetting, joining
from parcours.contacts.merging.models import Forgetting, Merge
from parcours.contacts.merging.tests.world import World
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.messaging.models import Send, Suppression
from parcours.messaging.suppression import address_hash
from parcours.reports import verify

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
