"""Files that wait while somebody is erased, and what was written of a person's orders."""

from __future__ import annotations

import json
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.commerce.models import Deal, Order, OrderChange
from parcours.contacts import actions, queries
from parcours.contacts.importing import drafts, keeping
from parcours.contacts.importing.models import Import
from parcours.contacts.merging import erased, forgetting
from parcours.contacts.merging.models import ErasedKey
from parcours.contacts.merging.tests.world import World
from parcours.events import journal
from parcours.events.entries import Event
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.usefixtures("no_uploads"),
]

SAID = "The line is of a person who was erased after it was sent."


def addresses(world: World) -> set[str | None]:
    return set(queries.living(world.account.pk).values_list("email", flat=True))


def send(world: World, path: str, body: str, content_type: str) -> int:
    """A file sent, its job not begun."""
    answer = world.http.post(f"/api/v1/{path}", data=body, content_type=content_type)
    assert answer.status_code == 202, answer.content
    return int(answer.json()["job"])


def ndjson(*lines: dict[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def erase(world: World, contact: int) -> None:
    world.later(seconds=1)
    actions.erase(account_id=world.account.pk, contact_ids=[contact], now=clock.now())
    world.later(seconds=1)


def test_a_file_sent_before_an_erasure_makes_nobody_anew(world: World) -> None:
    zoe = world.add(email="zoe@example.org", phone="+33612345678", external_id="client-4711")
    bob = world.add(email="bob@example.org", external_id="client-1")
    world.live()
    columns = "email,external_id,phone,city,timezone\n"
    csv = send(
        world,
        "contacts/import",
        columns
        + "new@example.org,,,Lyon,\n"
        + "ZOE@example.org,,,Lyon,\n"
        + ",client-4711,,Lyon,Mars/Phobos\n"
        + "other@example.org,,06 12 34 56 78,Lyon,\n"
        + "bob@example.org,client-1,,Lyon,\n"
        + 'wrong@example.org,"zoe\n',
        "text/csv",
    )
    by_id = send(
        world,
        "contacts/import",
        ndjson({"id": str(zoe), "first_name": "Zoé"}, {"email": "third@example.org"}),
        "application/x-ndjson",
    )
    past = {"occurred_at": "2026-03-01T10:00:00Z"}
    events = send(
        world,
        "events?history=true",
        ndjson(
            {"name": "noted", **past, "contact": {"email": "zoe@example.org"}, "properties": {"n": "zoé"}},
            {"name": "noted", **past, "contact": {"id": str(zoe)}},
            {"name": "noted", **past, "contact": {"external_id": "client-1"}},
        ),
        "application/x-ndjson",
    )
    orders = send(
        world,
        "orders/import",
        "order_id,email,total\nA-1,zoe@example.org,10\nA-2,bob@example.org,10\n",
        "text/csv",
    )
    deals = send(
        world,
        "deals/import",
        "name,email\nZoé's kitchen,zoe@example.org\nKitchen,bob@example.org\n",
        "text/csv",
    )
    erase(world, zoe)
    world.later(days=2)
    world.live()
    assert forgetting.run()
    erased.forget(clock.now())
    assert ErasedKey.objects.exists()  # the files are still to be read
    while jobs.round():
        pass
    world.live()

    assert addresses(world) == {"bob@example.org", "new@example.org", "third@example.org"}
    assert world.person(bob)["city"] == "Lyon"
    refused = {pk: Job.objects.get(pk=pk).refused for pk in (csv, by_id, events, orders, deals)}
    assert [each["line"] for each in refused[csv]] == [3, 4, 5, 7]
    assert [each["reason"] for each in refused[csv][:3]] == [SAID] * 3
    assert refused[by_id] == [{"line": 1, "reason": SAID}]
    assert [each["line"] for each in refused[events]] == [1, 2]
    assert refused[events][0]["reason"] == SAID
    assert [each["line"] for each in refused[orders]] == [2]
    assert [each["line"] for each in refused[deals]] == [2]
    assert Order.objects.get().contact_id == Deal.objects.get().ties.get().contact_id == bob
    kept = keeping.refused_lines(Import.objects.get(job_id=csv))
    assert [(each.number, each.raw) for each in kept] == [(3, ""), (4, ""), (5, ""), (7, "")]
    assert "zo" not in str(refused).lower()
    erased.forget(clock.now())
    assert not ErasedKey.objects.exists()

    # Whoever is sent afterwards is somebody new.
    send(world, "contacts/import", "email\nzoe@example.org\n", "text/csv")
    while jobs.round():
        pass
    assert "zoe@example.org" in addresses(world)


def test_a_file_left_in_the_wizard_remembers_who_was_erased(world: World) -> None:
    zoe = world.add(email="zoe@example.org")
    imported = drafts.begin(
        world.account,
        iter([b"email,first_name\nzoe@example.org,Zo\nann@example.org,Ann\n"]),
        content_type="text/csv",
        filename="f.csv",
        user=None,
    )
    erase(world, zoe)
    world.later(days=10)
    world.live()
    assert forgetting.run()
    erased.forget(clock.now())
    job = drafts.run(drafts.open_draft(imported))
    while jobs.round():
        pass
    job.refresh_from_db()
    assert (job.accepted, job.refused) == (1, [{"line": 2, "reason": SAID}])
    assert addresses(world) == {"ann@example.org"}


def test_why_orders_were_given_back_is_forgotten(world: World) -> None:
    zoe, bob = world.add(email="zoe@example.org"), world.add(email="bob@example.org")
    told = {}
    for contact, number in ((zoe, "A-1"), (bob, "A-2")):
        body = {"order_id": number, "contact": {"id": str(contact)}, "subtotal": 50}
        order = world.http.post("/api/v1/orders", body, content_type="application/json").json()["id"]
        told[number] = order
        world.http.post(
            f"/api/v1/orders/{order}/refund",
            {"amount": 5, "reason": f"grieving {number}"},
            content_type="application/json",
        )
    world.live()
    now = to_ms(clock.now())
    late = Event(
        "order.cancelled", now, now, new_id(), contact=zoe, order="A-1", properties={"reason": "a late word"}
    )
    journal.append([late], account_id=world.account.pk)
    erase(world, zoe)
    assert set(OrderChange.objects.values_list("order_id", "reason")) == {
        ("A-1", ""),
        ("A-2", "grieving A-2"),
    }
    world.live()
    assert forgetting.run()
    changes = set(OrderChange.objects.values_list("order_id", "kind", "reason"))
    assert changes == {("A-1", "refund", ""), ("A-1", "cancel", ""), ("A-2", "refund", "grieving A-2")}
    assert Order.objects.get(order_id="A-1").status == "cancelled"
    stored = str(
        client().query("SELECT properties, texts FROM events WHERE startsWith(name, 'order.')").result_rows
    )
    assert "grieving A-2" in stored
    assert "grieving A-1" not in stored
    assert "late word" not in stored
