"""Addresses to which nothing more goes: by the API, by a list, by the page; complaints; the erased."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.messaging import actions, suppression
from parcours.messaging.models import Message, Send, Suppression

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def new(db: None) -> Any:
    return accounts.create_account(name="Shop", email="ada@example.org", password="correct horse battery")


@pytest.fixture
def api(new: Any) -> Client:
    return Client(headers={"Authorization": f"Bearer {new.api_key}"})


@pytest.fixture
def reader(new: Any) -> Client:
    client = Client(headers={"Accept-Language": "fr"})
    client.force_login(new.user)
    return client


def suppress(account: Account, address: str, reason: str, **links: Any) -> Suppression:
    return actions.suppress(
        account_id=account.pk, channel="email", address=address, reason=reason, now=clock.now(), **links
    )


def test_the_api_adds_finds_reads_and_removes(new: Any, api: Client) -> None:
    made = api.post(
        "/api/v1/suppressions", {"address": "Gone@Shop.example"}, content_type="application/json"
    ).json()
    assert (made["address"], made["reason"], made["channel"]) == ("gone@shop.example", "manual", "email")
    assert api.get(f"/api/v1/suppressions/{made['id']}").json() == made
    for query in ("address=gone@shop.example", "search=gone", "reason=manual", "channel=email"):
        assert api.get(f"/api/v1/suppressions?{query}").json()["items"] == [made], query
    for query in ("address=other@shop.example", "search=one", "reason=complaint", "channel=sms"):
        assert api.get(f"/api/v1/suppressions?{query}").json()["items"] == [], query
    lines = b"".join(api.get("/api/v1/suppressions.csv").streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert lines[0].startswith("address,channel,reason")
    assert lines[1].startswith("gone@shop.example,email,manual")
    assert api.delete(f"/api/v1/suppressions/{made['id']}").status_code == 204
    assert not Suppression.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"address": "a\r\nb@c.example"}, "/address"),
        ({"address": "not one"}, "/address"),
        ({"address": "a@b.example", "channel": "fax"}, "/channel"),
        ({"address": "12", "channel": "sms"}, "/address"),
    ],
)
def test_what_is_no_address_is_refused(api: Client, body: dict[str, str], pointer: str) -> None:
    answer = api.post("/api/v1/suppressions", json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [pointer]


def test_a_complaint_is_removed_only_on_purpose(new: Any, api: Client, reader: Client) -> None:
    made = suppress(new.account, "angry@example.org", "complaint")
    answer = api.delete(f"/api/v1/suppressions/{made.pk}")
    assert (answer.status_code, answer.json()["type"]) == (409, "complaint")
    reader.post(f"/suppressions/{made.pk}/remove", {"tab": "complaints"})
    assert Suppression.objects.filter(pk=made.pk).exists()
    reader.post(f"/suppressions/{made.pk}/remove", {"tab": "complaints", "force": "on"})
    assert not Suppression.objects.exists()


def test_a_list_of_addresses(new: Any, api: Client) -> None:
    suppress(new.account, "known@example.org", "hard_bounce")
    contacts.upsert_many(new.account, [{"email": "zoe@example.org"}], source="t", now=clock.now())
    file = "Nom;E-mail\nZoé;Zoe@Example.org\nInconnue;known@example.org\n\nsans;rien\nautre@example.org\n"
    answer = api.post("/api/v1/suppressions/import", file.encode(), content_type="text/csv").json()
    assert (answer["added"], answer["known"], answer["refused_count"]) == (2, 1, 1)
    assert answer["refused"][0]["line"] == 5
    kept = {each.address: each for each in Suppression.objects.all()}
    assert set(kept) == {"known@example.org", "zoe@example.org", "autre@example.org"}
    assert kept["known@example.org"].reason == "hard_bounce"
    assert kept["zoe@example.org"].contact_id == Contact.objects.get().pk
    assert kept["zoe@example.org"].address_hash == suppression.address_hash("email", "zoe@example.org")


def test_a_file_that_is_no_text_leaves_nothing(api: Client) -> None:
    answer = api.post("/api/v1/suppressions/import", b"a@b.example\n\xff\xfe\x00", content_type="text/csv")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/file"
    assert not Suppression.objects.exists()


def test_a_list_has_an_end(monkeypatch: Any, api: Client) -> None:
    monkeypatch.setattr(suppression, "MOST_LINES", 3)
    body = b"".join(b"p%d@example.org\n" % number for number in range(4))
    assert api.post("/api/v1/suppressions/import", body, content_type="text/csv").status_code == 422
    assert not Suppression.objects.exists()


def test_the_page_has_its_three_tabs(new: Any, reader: Client) -> None:
    message = Message.objects.create(account=new.account, name="Soldes d’été", subject="s", text="t")
    contacts.upsert_many(new.account, [{"email": "zoe@example.org"}], source="t", now=clock.now())
    zoe = Contact.objects.get().pk
    send = Send.objects.create(account=new.account, message=message, contact_id=zoe, channel="email")
    suppress(new.account, "zoe@example.org", "complaint", contact_id=zoe, send_id=send.pk)
    suppress(new.account, "nobody@example.org", "hard_bounce")
    suppress(new.account, "leo@example.org", "unsubscribed")
    suppress(new.account, "ada@example.org", "manual")
    complaints = reader.get("/suppressions/").content.decode()
    for words in (
        "Plaintes pour abus",
        "Rebonds définitifs",
        "Désabonnements",
        "Soldes d’été",
        "zoe@example.org",
    ):
        assert words in complaints, words
    assert f'href="/contacts/{zoe}"' in complaints
    bounces = reader.get("/suppressions/?tab=bounces").content.decode()
    assert "nobody@example.org" in bounces
    assert "zoe@example.org" not in bounces
    opt_outs = reader.get("/suppressions/?tab=opt-outs").content.decode()
    assert "leo@example.org" in opt_outs
    assert "À la main" in opt_outs
    assert "leo@" not in reader.get("/suppressions/?tab=opt-outs&search=ada").content.decode()


def test_by_hand_and_by_file_from_the_page(new: Any, reader: Client) -> None:
    page = reader.post("/suppressions/add", {"address": "nope", "channel": "email"}, follow=True)
    assert "n’est pas une adresse" in page.content.decode()
    page = reader.post("/suppressions/add", {"address": "06 12 34 56 78", "channel": "sms"}, follow=True)
    assert "+33612345678" in page.content.decode()
    file = io.BytesIO(b"one@example.org\ntwo@example.org\nnothing\n")
    file.name = "list.txt"
    page = reader.post("/suppressions/import", {"file": file, "channel": "email"}, follow=True)
    assert "2 adresses sont ajoutées." in page.content.decode()
    assert "Lignes sans adresse" in page.content.decode()
    found = reader.get("/suppressions/?tab=opt-outs&search=06 12 34 56 78").content.decode()
    assert "+33612345678" in found
    exported = b"".join(reader.get("/suppressions/export?tab=opt-outs").streaming_content).decode()  # type: ignore[attr-defined]
    assert exported.count("\n") == 4


def test_erasure_keeps_the_hash_alone(new: Any, reader: Client) -> None:
    ids = contacts.upsert_many(
        new.account, [{"email": "zoe@example.org"}, {"email": "leo@example.org"}], source="t", now=clock.now()
    ).contacts
    suppress(new.account, "zoe@example.org", "complaint", contact_id=ids[0])
    suppress(new.account, "leo@example.org", "hard_bounce")  # whose, nobody said
    contacts.erase(account_id=new.account.pk, contact_ids=[each for each in ids if each], now=clock.now())
    assert list(Suppression.objects.values_list("address", flat=True)) == ["", ""]
    page = reader.get("/suppressions/?tab=complaints").content.decode()
    assert "Contact effacé" in page
    assert "zoe@" not in page
    found = reader.get("/suppressions/?tab=complaints&search=zoe@example.org").content.decode()
    assert "Contact effacé" in found
    made = suppress(new.account, "other@example.org", "hard_bounce", contact_id=ids[0])
    assert made.address == ""


def test_another_accounts_are_unknown(new: Any, api: Client, reader: Client) -> None:
    other = accounts.create_account(name="O", email="eve@example.org", password="correct horse battery")
    theirs = suppress(other.account, "zoe@example.org", "manual")
    assert api.get(f"/api/v1/suppressions/{theirs.pk}").status_code == 404
    assert api.delete(f"/api/v1/suppressions/{theirs.pk}?force=true").status_code == 404
    assert reader.post(f"/suppressions/{theirs.pk}/remove").status_code == 404
    assert api.get("/api/v1/suppressions?address=zoe@example.org").json()["items"] == []
