"""Deals: their stages, their contacts, and what happens to both."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parcours.commerce.models import Deal, Stage
from parcours.commerce.tests.conftest import Shop, make_shop
from parcours.events.store.client import client
from parcours.lib import clock

pytestmark = pytest.mark.database


def stored(shop: Shop, deal: str) -> list[tuple[Any, ...]]:
    """The deal's rows in the store: name, contact, stage, message id."""
    found = client().query(
        "SELECT name, contact, texts['stage'][1], message_id FROM events"
        " WHERE account = {account:UInt32} AND deal = {deal:UInt64} ORDER BY occurred_at, contact",
        parameters={"account": shop.account.pk, "deal": int(deal)},
    )
    return [tuple(row) for row in found.result_rows]


def test_a_deal_from_its_making_to_its_winning(shop: Shop) -> None:
    made = shop.call(
        "POST",
        "deals",
        {
            "external_id": "D-1",
            "name": "Cuisine",
            "pipeline": "ventes",
            "stage": "devis",
            "amount": 1200.5,
            "contacts": [{"email": "ada@example.org"}, {"email": "bob@example.org"}],
        },
        status=201,
    )
    assert (made["pipeline"], made["stage"], made["stage_kind"]) == ("ventes", "devis", "open")
    assert [one["email"] for one in made["contacts"]] == ["ada@example.org", "bob@example.org"]
    won = shop.call("PATCH", f"deals/{made['id']}", {"stage": "Gagné"})
    assert (won["stage"], won["stage_kind"]) == ("Gagné", "won")
    assert won["closed_at"] == won["stage_at"]
    shop.catch_up()
    ada, bob = (int(one["id"]) for one in made["contacts"])
    rows = stored(shop, made["id"])
    assert [row[:3] for row in rows] == [
        ("deal.stage_changed", ada, "devis"),
        ("deal.stage_changed", bob, "devis"),
        ("deal.stage_changed", ada, "Gagné"),
        ("deal.stage_changed", bob, "Gagné"),
    ]
    assert len({row[3] for row in rows}) == 2, "one event, told of each contact"
    history = shop.call("GET", f"deals/{made['id']}/timeline")["items"]
    own = [one for one in history if one["deal"]]
    assert [one["properties"]["stage"] for one in own] == ["Gagné", "devis"]
    assert own[0]["properties"]["from"] == own[0]["properties"]["from_stage"] == "devis"
    assert own[0]["properties"]["amount"] == 1200.5
    assert Deal.objects.get().stage == Stage.objects.get(key="Gagné"), "the digest moves nothing back"


def test_an_event_of_a_deal_is_one_of_whoever_is_tied_to_it_then(shop: Shop) -> None:
    made = shop.call(
        "POST", "deals", {"name": "Cuisine", "contacts": [{"email": "ada@example.org"}]}, status=201
    )
    (ada,) = (int(one["id"]) for one in made["contacts"])
    path = f"deals/{made['id']}/contacts"
    (bob,) = shop.people("bob@example.org")
    shop.catch_up()
    shop.call("POST", path, {"contacts": [{"id": str(bob)}]})
    shop.happens("meeting.booked", deal=int(made["id"]))
    shop.call("DELETE", f"{path}/{ada}", status=204)
    shop.call("DELETE", f"{path}/{ada}", status=404)
    shop.happens("call.ended", deal=int(made["id"]))
    shop.happens("page.viewed", ada, url="https://example.org/after")
    shop.happens("page.viewed", bob, url="https://example.org/during")
    shop.catch_up()
    assert [row[:2] for row in stored(shop, made["id"])] == [
        ("deal.stage_changed", ada),
        ("meeting.booked", ada),
        ("meeting.booked", bob),
        ("call.ended", bob),
    ]
    history = shop.call("GET", f"deals/{made['id']}/timeline?limit=2")
    names = [one["name"] for one in history["items"]]
    while history["next"]:
        history = shop.call("GET", f"deals/{made['id']}/timeline?limit=2&cursor={history['next']}")
        names += [one["name"] for one in history["items"]]
    names = [name for name in names if not name.startswith(("contact.", "list."))]
    assert names == ["page.viewed", "call.ended", "meeting.booked", "deal.stage_changed"]
    segment = {"event": "meeting.booked", "where": [{"property": "deal", "op": "eq", "value": made["id"]}]}
    counted = shop.call("POST", "segments/preview", {"criteria": segment})
    assert counted["count"] == 2


def test_lines_of_events_name_deals(shop: Shop) -> None:
    at = clock.now() - timedelta(days=3)
    lines = [
        {
            "name": "deal.stage_changed",
            "deal": {"external_id": "D-9"},
            "occurred_at": at.isoformat(),
            "properties": {"pipeline": "crm", "stage": "won", "from": "new", "amount": 50},
        },
        {
            "name": "deal.stage_changed",
            "deal": {"external_id": "D-9"},
            "occurred_at": (at - timedelta(days=1)).isoformat(),
            "properties": {"pipeline": "crm", "stage": "new"},
        },
        {"name": "meeting.booked", "deal": {"external_id": "D-9"}, "contact": {"email": "ada@example.org"}},
        {"name": "meeting.booked", "deal": {"id": "999"}},
        {"name": "meeting.booked", "deal": {"nom": "x"}},
        {"name": "meeting.booked", "deal": "D-9"},
    ]
    body = "\n".join(json.dumps(line) for line in lines).encode()
    job = shop.send("events?history=true", body, content_type="application/x-ndjson")
    assert (job["accepted"], [one["line"] for one in job["refused"]]) == (3, [4, 5, 6])
    (told,) = shop.call("GET", "deals?external_id=D-9")["items"]
    assert (told["pipeline"], told["stage"], told["amount"], told["stage_kind"]) == ("crm", "won", 50, "won")
    assert told["contacts"] == []
    assert datetime.fromisoformat(told["closed_at"]) == at.astimezone(UTC).replace(
        microsecond=at.microsecond // 1000 * 1000
    )
    rows = stored(shop, told["id"])
    assert [(row[0], row[1] > 0) for row in rows] == [
        ("deal.stage_changed", False),
        ("deal.stage_changed", False),
        ("meeting.booked", True),
    ]


def test_a_stage_of_another_pipeline_is_refused(quiet_shop: Shop) -> None:
    shop = quiet_shop
    sales = shop.call(
        "POST",
        "deals/pipelines",
        {"name": "Ventes", "stages": [{"name": "Devis"}, {"name": "Gagné"}]},
        status=201,
    )
    other = shop.call(
        "POST",
        "deals/pipelines",
        {"name": "SAV", "stages": [{"name": "Ouvert"}, {"name": "Perdu"}]},
        status=201,
    )
    assert [stage["kind"] for stage in sales["stages"] + other["stages"]] == ["open", "won", "open", "lost"]
    deal = shop.call("POST", "deals", {"name": "A", "pipeline": "Ventes"}, status=201)
    assert deal["stage"] == "devis"
    path = f"deals/{deal['id']}"
    for stage in (other["stages"][0]["id"], "Ouvert", "ouvert"):
        assert shop.faults("PATCH", path, {"stage": stage}) == {"/stage"}
    assert shop.faults("PATCH", path, {"pipeline": "Ventes", "stage": "Ouvert"}) == {"/stage"}
    assert shop.faults("PATCH", path, {"pipeline": "999"}) == {"/pipeline"}
    assert shop.call("GET", path)["stage"] == "devis"
    moved = shop.call("PATCH", path, {"pipeline": other["id"], "stage": "perdu", "owner": "léa"})
    assert (moved["pipeline"], moved["stage"], moved["owner"]) == ("sav", "perdu", "léa")


def test_pipelines_are_changed_with_what_stands_in_them(quiet_shop: Shop) -> None:
    shop = quiet_shop
    deal = shop.call("POST", "deals", {"name": "A"}, status=201)
    (sales,) = shop.call("GET", "deals/pipelines")["items"]
    assert [stage["key"] for stage in sales["stages"]][-2:] == ["won", "lost"]
    path = f"deals/pipelines/{sales['id']}"
    without = [stage for stage in sales["stages"] if stage["key"] != deal["stage"]]
    assert shop.faults("PATCH", path, {"stages": without}) == {"/stages"}
    kept = [{**sales["stages"][0], "name": "Début"}, {"name": "Fin", "kind": "won"}]
    changed = shop.call("PATCH", path, {"name": "Mes ventes", "stages": kept})
    assert [(one["key"], one["name"]) for one in changed["stages"]] == [
        (deal["stage"], "Début"),
        ("fin", "Fin"),
    ]
    assert shop.faults("PATCH", path, {"stages": []}) == {"/stages"}
    assert shop.faults("PATCH", path, {"stages": [{"name": "A"}, {"name": "a"}]}) == {"/stages"}
    assert shop.faults(
        "PATCH", path, {"stages": [{"name": "A", "kind": "half"}, {"id": "x", "name": "B"}]}
    ) == {
        "/stages/0/kind",
        "/stages/1/id",
    }
    assert shop.call("DELETE", path, status=422)["detail"]
    shop.call("DELETE", f"deals/{deal['id']}", status=204)
    shop.call("DELETE", path, status=204)


def test_a_bad_deal_says_all_that_is_wrong_and_leaves_nothing(quiet_shop: Shop) -> None:
    shop = quiet_shop
    other = make_shop("b@example.org")
    theirs = other.call(
        "POST", "deals", {"name": "B", "contacts": [{"email": "eve@example.org"}]}, status=201
    )
    assert shop.faults("POST", "deals", {}) == {"/name"}
    assert shop.faults("POST", "deals", {"name": "", "amount": -5, "currency": "?", "x": 1}) == {
        *("/name", "/amount", "/currency", "/x")
    }
    assert shop.faults("POST", "deals", {"name": "A", "id": theirs["id"]}) == {"/id"}
    assert shop.faults("POST", "deals", {"name": "A", "close_date": "soon"}) == {"/close_date"}
    contact = theirs["contacts"][0]["id"]
    assert shop.faults("POST", "deals", {"name": "A", "contacts": [{"id": contact}]}) == {"/contacts/0/id"}
    assert shop.faults("POST", "deals", {"name": "A", "pipeline": theirs["pipeline"], "stage": "1"}) == {
        "/stage"
    }
    assert not Deal.objects.filter(account=shop.account).exists()
    for method, path in (("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/timeline")):
        assert shop.call(method, f"deals/{theirs['id']}{path}", {} if method == "PATCH" else None, status=404)


def test_deals_are_searched(quiet_shop: Shop) -> None:
    shop = quiet_shop
    shop.call("POST", "deals", {"name": "Cuisine", "contacts": [{"email": "ada@example.org"}]}, status=201)
    shop.call("POST", "deals", {"name": "Salon", "stage": "won", "owner": "léa"}, status=201)

    def names(query: str) -> list[str]:
        return [deal["name"] for deal in shop.call("GET", f"deals?{query}")["items"]]

    assert names("") == ["Salon", "Cuisine"]
    assert names("search=cui+ADA@example.org") == names("search=cuisine+ad") == ["Cuisine"]
    assert names("search=salon+ada") == []
    assert names("search=ada") == names("state=open") == names("stage=new") == ["Cuisine"]
    assert names("state=won") == names("owner=léa") == names("pipeline=sales&stage=won") == ["Salon"]
    assert shop.call("GET", "deals?pipeline=none", status=422)["errors"][0]["pointer"] == "/pipeline"
    text = shop.file("deals/export")
    assert "ada@example.org" in text
    assert text.count("\n") == 3


def test_a_deal_named_after_an_erased_person_names_them_no_more(quiet_shop: Shop) -> None:
    shop = quiet_shop
    ada = shop.call(
        "POST",
        "contacts",
        {"email": "ada@example.org", "first_name": "Ada", "last_name": "de la Tour"},
        status=201,
    )
    names = ["Cuisine de ADA de la Tour", "Ada", "ada@example.org : salle de bain", "Adage", "Ada (Bob)"]
    tied = [{"id": ada["id"]}]
    deals = [
        shop.call("POST", "deals", {"name": name, "contacts": tied if place < 4 else []}, status=201)["id"]
        for place, name in enumerate(names)
    ]
    shop.call("PATCH", f"deals/{deals[2]}", {"contacts": []})
    shop.call("DELETE", f"contacts/{ada['id']}", status=204)
    assert [shop.call("GET", f"deals/{deal}")["name"] for deal in deals] == [
        "Cuisine de … …",
        f"#{deals[1]}",
        "… : salle de bain",
        "Adage",
        "Ada (Bob)",
    ]
