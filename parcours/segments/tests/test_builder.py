"""What the builder of criteria asks the server: choices by account, suggestions, words, and refusals at their place."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from parcours.accounts.models import BusinessUnit, Member
from parcours.commerce.models import Pipeline, Product, Stage
from parcours.contacts.models import AttributeDefinition, List
from parcours.events import names as objects
from parcours.journeys.models import Journey, Version
from parcours.lib import clock
from parcours.messaging.models import Message
from parcours.segments.builder import choices
from parcours.segments.tests.conftest import Firm, new_firm
from parcours.tracking.digest.run import Digest
from tests.fixtures.store import StoreProcess

pytestmark = [pytest.mark.django_db, pytest.mark.database]
JSON = "application/json"


def signed_in(firm: Firm, language: str = "fr") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(Member.objects.get(account=firm.account).user)
    return client


def said(reader: Client, criteria: Any, **more: Any) -> Any:
    answer = reader.post("/criteria/words", {"criteria": criteria, **more}, content_type=JSON)
    assert answer.status_code == 200, answer.content
    return answer.json()


def journey(firm: Firm, name: str) -> Journey:
    steps = [{"id": "pause", "type": "delay", "for": "1d", "name": "Repos"}, {"id": "fin", "type": "end"}]
    made = Journey.objects.create(account=firm.account, name=name, version=1)
    Version.objects.create(journey=made, number=1, document={"steps": steps})
    return made


def test_everything_that_can_be_chosen(firm: Firm) -> None:
    AttributeDefinition.objects.create(account=firm.account, name="plan", type="text")
    AttributeDefinition.objects.create(account=firm.account, name="age", type="number")
    List.objects.create(account=firm.account, name="Newsletter")
    journey(firm, "Bienvenue")
    (contact,) = firm.people({"email": "ann@example.org", "tags": ["VIP", "été"]})
    firm.happens("inscription", contact)
    firm.happens("order.placed", contact, total=3)
    firm.catch_up()
    found = signed_in(firm).get("/criteria/choices").json()
    assert {"name": "attributes.age", "label": "age", "type": "number", "kind": ""} in found["attributes"]
    assert {"name": "created_at", "label": "Création", "type": "date", "kind": ""} in found["fields"]
    assert found["custom"] == ["inscription"]
    assert [item["name"] for item in found["list"]["items"]] == ["Newsletter"]
    assert [item["name"] for item in found["tag"]["items"]] == ["été", "VIP"]
    assert found["journey"]["items"][0]["name"] == "Bienvenue"
    events = {event["name"]: event for family in found["families"] for event in family["events"]}
    assert events["order.placed"]["label"] == "Commandes passées"
    assert events["order.placed"]["meaning"] == "Le contact a passé une commande."
    total = {"name": "total", "label": "Total", "type": "number", "kind": ""}
    assert total in events["order.placed"]["properties"]
    form = next(one for one in events["form.viewed"]["properties"] if one["name"] == "form_id")
    assert (form["label"], form["kind"]) == ("ID du formulaire", "form")
    assert "original_url" in {one["name"] for one in events["email.clicked"]["properties"]}
    assert "original_url" not in {one["name"] for one in events["email.opened"]["properties"]}
    english = signed_in(firm, "en").get("/criteria/choices").json()
    assert english["families"][0]["label"] == "Shop"


def test_accounts_are_apart(firm: Firm, digest: Digest) -> None:
    other = new_firm(digest)
    List.objects.create(account=other.account, name="Leurs contacts")
    theirs = journey(other, "Leur scénario")
    (contact,) = other.people({"email": "x@example.org", "tags": ["secret"], "attributes": {"plan": "or"}})
    other.happens("caché", contact, mot="secret")
    other.catch_up()
    objects.put(other.account.pk, "form", "f", {"name": "Leur formulaire"}, now=clock.now())
    reader = signed_in(firm)
    found = reader.get("/criteria/choices").json()
    assert found["custom"] == []
    assert all(not found[kind]["items"] for kind in ("list", "tag", "segment", "journey"))
    assert reader.get(f"/criteria/choices/step?within={theirs.pk}").json()["items"] == []
    assert reader.get("/criteria/values?event=caché").json() == {"properties": []}
    assert reader.get("/criteria/values?event=caché&property=mot").json() == {"values": []}
    assert reader.get("/criteria/values?field=attributes.plan").json() == {"values": []}
    form = {"event": "form.viewed", "where": [{"property": "form_id", "op": "eq", "value": "f"}]}
    assert "« f »" in said(reader, form)["sentence"].replace("\u00a0", " ")
    mine = said(reader, {"journey": str(theirs.pk), "op": "entered"})
    unknown = said(reader, {"journey": "999999", "op": "entered"})
    assert [fault["pointer"] for fault in mine["faults"]] == ["/journey"]
    assert mine["faults"][0]["detail"].replace(str(theirs.pk), "999999") == unknown["faults"][0]["detail"]
    assert mine["names"] == {}


def test_hundreds_are_searched_on_the_server(firm: Firm) -> None:
    List.objects.bulk_create([List(account=firm.account, name=f"Liste {n:03}") for n in range(300)])
    List.objects.create(account=firm.account, name="Évènements passés")
    firm.people({"email": "ann@example.org", "tags": [f"t{n:02}" for n in range(90)]})
    found = choices.everything(firm.account, "fr")
    assert len(found["list"]["items"]) == choices.MOST_LISTED
    assert found["list"]["more"]
    assert found["tag"]["more"]
    reader = signed_in(firm)
    answer = reader.get("/criteria/choices/list?search=evenements").json()
    assert [item["name"] for item in answer["items"]] == ["Évènements passés"]
    assert not answer["more"]
    assert [item["id"] for item in reader.get("/criteria/choices/tag?search=t8").json()["items"]] == [
        f"t8{n}" for n in range(10)
    ]
    assert reader.get("/criteria/choices/nothing").status_code == 404
    made = journey(firm, "Relance")
    steps = reader.get(f"/criteria/choices/step?within={made.pk}&search=rep").json()["items"]
    assert steps == [{"id": "pause", "name": "Repos"}]


def test_values_seen_lately_are_suggested_with_their_names(firm: Firm) -> None:
    (contact,) = firm.people(
        {"email": "ann@example.org", "attributes": {"plan": "Or", "tailles": ["S", "M"]}}
    )
    for number in range(3):
        firm.happens("form.viewed", contact, form_id="f1", form_name="Contactez-nous", essai=number)
    firm.happens("form.viewed", contact, form_id="f2", page={"zone": "haut"})
    firm.catch_up()
    objects.put(firm.account.pk, "form", "f9", {"name": "Contact pro"}, now=clock.now())
    reader = signed_in(firm)
    values = reader.get("/criteria/values?event=form.viewed&property=form_id").json()["values"]
    assert values[:2] == [{"value": "f1", "name": "Contactez-nous"}, {"value": "f2", "name": ""}]
    assert {"value": "f9", "name": "Contact pro"} in values
    assert reader.get("/criteria/values?event=form.viewed&property=form_id&search=F2").json()["values"] == [
        {"value": "f2", "name": ""}
    ]
    seen_on_it = reader.get("/criteria/values?event=form.viewed").json()["properties"]
    assert {"name": "essai", "number": True} in seen_on_it
    assert {"name": "page.zone", "number": False} in seen_on_it
    plans = reader.get("/criteria/values?field=attributes.plan").json()["values"]
    assert plans == [{"value": "Or", "name": ""}]
    firm.people({"email": "bob@example.org", "city": "Évreux"}, {"email": "eve@example.org", "city": "Évry"})
    firm.catch_up()
    towns = reader.get("/criteria/values?field=city&search=évre").json()["values"]
    assert towns == [{"value": "Évreux", "name": ""}]
    assert reader.get("/criteria/values?field=email").json()["values"] == []
    assert reader.get("/criteria/values?event=x%00y&property=%00").status_code == 200


def test_countries_and_languages_are_called_by_their_names(firm: Firm) -> None:
    people = [{"email": f"{n}@example.org", "country": "FR", "locale": "fr-FR"} for n in range(2)]
    (contact, _other) = firm.people(*people)
    firm.happens("page.viewed", contact, country="DE")
    firm.catch_up()
    reader, path = signed_in(firm), "/criteria/values?field=country&search="
    assert reader.get(path).json()["values"] == [{"value": "FR", "name": "France"}]
    assert reader.get(f"{path}allem").json()["values"] == [{"value": "DE", "name": "Allemagne"}]
    assert reader.get(f"{path}union%20europ").json()["values"] == []
    viewed = "/criteria/values?event=page.viewed&property=country"
    assert reader.get(viewed).json()["values"] == [{"value": "DE", "name": "Allemagne"}]
    spoken = reader.get("/criteria/values?field=locale").json()["values"]
    assert spoken == [{"value": "fr-FR", "name": "Français (France)"}]
    from_there = [{"property": "country", "op": "ne", "value": "us"}]
    criteria = {
        "all": [
            {"field": "country", "op": "in", "value": ["FR", "Narnia"]},
            {"field": "country", "op": "starts_with", "value": "fr"},
            {"event": "page.viewed", "where": from_there},
        ]
    }
    answer = said(reader, criteria)
    assert answer["sentence"].replace("\u00a0", " ") == (
        "a pour pays « France » ou « Narnia », a un pays commençant par « fr »"
        " et a vu une page dont le pays n’est pas « États-Unis »"
    )
    assert answer["names"]["country/us"] == "États-Unis"
    assert "“United States”" in said(signed_in(firm, "en"), criteria)["sentence"]


def test_criteria_are_said_with_the_names_behind_their_ids(firm: Firm) -> None:
    made = journey(firm, "Bienvenue")
    newsletter = List.objects.create(account=firm.account, name="Newsletter")
    message = Message.objects.create(account=firm.account, name="Promo", subject="S", text="T")
    unit = BusinessUnit.objects.create(account=firm.account, name="Maison")
    fond = firm.segment({"all": []}, name="Fond")
    opened = [
        {"property": "email_id", "op": "eq", "value": str(message.pk)},
        {"property": "business_unit", "op": "eq", "value": str(unit.pk)},
    ]
    criteria = {
        "all": [
            {"list": str(newsletter.pk), "op": "member"},
            {"journey": str(made.pk), "step": "pause", "op": "active"},
            {"event": "email.opened", "where": opened},
            {"segment": str(fond.pk), "op": "not_member"},
        ]
    }
    answer = said(signed_in(firm), criteria)
    assert answer["faults"] == []
    assert answer["sentence"].replace("\u00a0", " ") == (
        "est dans la liste « Newsletter », est à l’étape « Repos » du scénario « Bienvenue »,"
        " a ouvert un e-mail dont le message est « Promo » et dont l’unité commerciale est « Maison »"
        " et n’est pas dans le segment « Fond »"
    )
    assert answer["names"][f"step/{made.pk}/pause"] == "Repos"
    assert [child["pointer"] for child in answer["phrases"]["children"]] == [f"/all/{n}" for n in range(4)]
    english = said(signed_in(firm, "en"), {"segment": str(fond.pk), "op": "member"})
    assert english["sentence"] == "is in the segment “Fond”"


def test_stages_and_products_are_called_by_their_names(firm: Firm) -> None:
    pipeline = Pipeline.objects.create(account=firm.account, key="ventes", name="Ventes")
    Stage.objects.create(pipeline=pipeline, key="devis", name="Devis envoyé")
    Product.objects.create(account=firm.account, product_id="p1", name="Lampe")
    moved = [
        {"property": "pipeline", "op": "eq", "value": "ventes"},
        {"property": "stage", "op": "eq", "value": "devis"},
    ]
    criteria = {
        "all": [
            {"event": "deal.stage_changed", "where": moved},
            {
                "event": "product.viewed",
                "where": [{"property": "product_id", "op": "in", "value": ["p1", "p2"]}],
            },
        ]
    }
    assert said(signed_in(firm, "en"), criteria)["sentence"] == (
        "has had a deal change stage whose pipeline is “Ventes” and whose stage is “Devis envoyé”"
        " and has viewed a product whose product is “Lampe” or “p2”"
    )
    stages = signed_in(firm).get("/criteria/values?event=deal.stage_changed&property=stage&search=dev").json()
    assert stages["values"] == [{"value": "devis", "name": "Devis envoyé"}]


def test_a_segment_that_would_hold_itself_is_told_at_its_place(firm: Firm) -> None:
    inner = firm.segment({"all": []}, name="Dedans")
    outer = firm.segment({"segment": str(inner.pk), "op": "member"}, name="Dehors")
    reader = signed_in(firm)
    criteria = {"any": [{"all": []}, {"segment": str(outer.pk), "op": "member"}]}
    assert said(reader, criteria)["faults"] == []
    (fault,) = said(reader, criteria, segment=str(inner.pk))["faults"]
    assert fault["pointer"] == "/any/1/segment"
    assert "« Dedans » → « Dehors » → « Dedans »" in fault["detail"].replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("criteria", "pointer", "detail"),
    [
        ({"all": [{"field": "email", "op": "exists"}] * 1_100}, "/all/999", "1000"),
        ({"field": "attributes.age", "op": "gt", "value": "douze"}, "/value", "nombre"),
        ({"event": "order.placed", "sum": {"property": "total", "op": "gt", "value": "x"}}, "/sum/value", "nombre"),
        ({"any": [{"list": "999999", "op": "member"}]}, "/any/0/list", "999999"),
        ({"not": {"segment": "999999", "op": "member"}}, "/not/segment", "999999"),
        ({"field": "attributes.disparu", "op": "exists"}, "/field", "disparu"),
        ({"event": "order.invented"}, "/event", "order.invented"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_at_its_place(firm: Firm, criteria: Any, pointer: str, detail: str) -> None:
    AttributeDefinition.objects.create(account=firm.account, name="age", type="number")
    (fault,) = said(signed_in(firm), criteria)["faults"]
    assert fault["pointer"] == pointer
    assert detail in fault["detail"]
    for path in ("segments", "segments/preview"):
        body = {"criteria": criteria, **({"name": "X"} if path == "segments" else {})}
        refused = firm.http.post(f"/api/v1/{path}", body, content_type=JSON)
        assert refused.status_code == 422
        assert [one["pointer"] for one in refused.json()["errors"]] == [f"/criteria{pointer}"]


BOMBS = ["(a+)+$" * 20, "((((((((((a*)*)*)*)*)*)*)*)*)*", "%%%%%_____\\", "[[:alpha:]]{1,99999}", "\\E\\Q.*"]


def test_a_text_is_a_text_and_no_pattern(firm: Firm) -> None:
    lines = [{"email": f"{n}@example.org", "city": bomb} for n, bomb in enumerate(BOMBS)]
    firm.people(*lines, {"email": "long@example.org", "city": "a" * 190 + "!"})
    firm.catch_up()
    for bomb in BOMBS:
        for op in ("contains", "starts_with", "ends_with", "eq"):
            began = time.monotonic()
            body = {"criteria": {"field": "city", "op": op, "value": bomb}}
            answer = firm.http.post("/api/v1/segments/preview", body, content_type=JSON).json()
            assert answer["count"] == 1, (op, bomb)
            assert time.monotonic() - began < 5


def test_criteria_are_composed_while_the_store_is_away(firm: Firm, store: StoreProcess) -> None:
    List.objects.create(account=firm.account, name="Newsletter")
    store.kill()
    try:
        page = signed_in(firm).get("/segments/new?example=loyal")
        assert page.status_code == 200
        assert 'data-island="builder"' in page.content.decode()
        found = choices.everything(firm.account, "fr")
        assert (found["custom"], len(found["list"]["items"])) == ([], 1)
    finally:
        store.ensure_running()


def test_bodies_that_say_nothing_are_refused(firm: Firm) -> None:
    reader = signed_in(firm)
    for body in ("", "[]", "{", '{"criteria":' + "[" * 100_000):
        assert reader.post("/criteria/words", body, content_type=JSON).status_code == 400
    assert said(reader, None)["faults"][0]["pointer"] == ""
    assert (
        reader.post("/criteria/words", {"criteria": {}, "segment": "999"}, content_type=JSON).status_code
        == 404
    )
    run = {"event": "email.clicked", "scope": "run"}
    assert said(reader, run)["faults"][0]["pointer"] == "/scope"
    assert said(reader, run, in_run=True)["faults"] == []
