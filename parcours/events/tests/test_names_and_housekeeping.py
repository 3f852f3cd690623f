"""Names behind ids are kept, and what is no longer needed is forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest

from parcours.events import housekeeping, names
from parcours.events.entries import Event
from parcours.events.models import Load, ObjectName, SeenMessage
from parcours.events.store import loads
from parcours.events.store.client import client
from parcours.events.tests.test_loads import profile
from parcours.lib import clock
from tests.fixtures.store import StoreProcess

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def event(name: str, **properties: object) -> Event:
    return Event(name, 1, 1, "m", properties=properties)


def test_the_last_name_said_of_an_id_stands() -> None:
    said = names.seen([
        event("form.viewed", form_id="f1", form_name="Contact"),
        event("form.viewed", form_id="f1", form_name="  Contactez-nous\0 "),
        event("form.viewed", form_id="f2"),
        event("ad.interacted", campaign_id=12, campaign_name="Été", form_id=True, form_name="x"),
        event("page.viewed", path="/tarifs", title="Nos tarifs"),
        event("page.viewed", path="/a", content_id="c", title="A"),
        event("page.viewed", path="/b", title={"not": "text"}),
        event("cta.viewed", cta_id="x" * 300, cta_name="too long an id"),
    ])  # fmt: skip
    assert said == {
        ("form", "f1"): "Contactez-nous",
        ("campaign", "12"): "Été",
        ("content", "/tarifs"): "Nos tarifs",
        ("content", "c"): "A",
    }


def test_names_are_kept_by_account_and_replaced() -> None:
    now = clock.now()
    names.record(1, {("form", "f"): "Old", ("cta", "c"): "Same"}, now=now)
    names.put(1, "form", "g", {"name": "By hand", "url": "https://x.example"}, now=now)
    later = now + timedelta(seconds=1)
    names.record(1, {("form", "f"): "New", ("cta", "c"): "Same", ("form", "g"): "Seen"}, now=later)
    names.record(2, {("form", "f"): "Another's"}, now=now)
    ids = [("form", "f"), ("cta", "c"), ("form", "g"), ("form", "unknown")]
    assert names.by_ids(1, ids) == {("form", "f"): "New", ("cta", "c"): "Same", ("form", "g"): "Seen"}
    assert ObjectName.objects.get(account_id=1, kind="cta").updated_at == now
    assert ObjectName.objects.get(account_id=1, object_id="g").url == "https://x.example"


def test_message_ids_are_remembered_seven_days_and_history_for_ever() -> None:
    now = clock.now()
    ages = {
        b"old": timedelta(days=7, seconds=1),
        b"young": timedelta(days=6),
        b"history": timedelta(days=900),
    }
    for key, age in ages.items():
        SeenMessage.objects.create(
            account_id=1, hash=key.ljust(16), received_at=now - age, forever=key == b"history"
        )
    assert housekeeping.forget_messages(now) == 1
    kept = {bytes(row.hash).strip() for row in SeenMessage.objects.all()}
    assert kept == {b"young", b"history"}


def test_earlier_states_are_forgotten_but_not_those_that_an_answer_reads(store: StoreProcess) -> None:
    now = clock.now()
    for number, (age, people) in enumerate([(5, (1, 2)), (4, (1,)), (1, (1,)), (0, (1, 3))], 1):
        done_at = now - timedelta(days=age)
        body = loads.encode_body(events=[], profiles=[profile(each, city=str(number)) for each in people])
        load = Load.objects.create(
            id=number,
            account_id=1,
            status=Load.Status.DONE,
            accepted_upto=done_at,
            done_at=done_at,
            body=body,
        )
        loads.insert(load)

    def at(load: int) -> list[tuple[int, str]]:
        query = "SELECT contact, city FROM profiles_at(account = 1, load = {load:UInt64}) ORDER BY contact"
        return [tuple(row) for row in client().query(query, parameters={"load": load}).result_rows]

    before = {load: at(load) for load in (2, 3, 4)}
    assert before[4] == [(1, "4"), (2, "1"), (3, "4")]
    assert store.count("profiles") == 6
    housekeeping.run(now)
    assert store.count("profiles") == 5
    assert {load: at(load) for load in (2, 3, 4)} == before
    assert list(Load.objects.values_list("id", "body")) == [(3, None), (4, None)]
