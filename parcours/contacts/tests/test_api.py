"""Contacts, lists and attributes through the API."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.contacts import queries
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop

pytestmark = pytest.mark.django_db


def test_a_contact_reads_as_the_contract_says(shop: Shop) -> None:
    answer = shop.call("POST", "contacts", {"email": " Ada@Example.org", "attributes": {"points": 3}})
    assert answer.status_code == 201
    contact = answer.json()
    assert {
        key: contact[key] for key in ("email", "phone", "attributes", "lists", "tags", "last_seen_at")
    } == {
        "email": "ada@example.org",
        "phone": None,
        "attributes": {"points": 3},
        "lists": [],
        "tags": [],
        "last_seen_at": None,
    }
    assert contact["consents"] == {"email": "pending", "sms": "pending", "whatsapp": "pending"}
    assert isinstance(contact["id"], str)
    assert set(contact) == {
        *("id", "email", "phone", "external_id", "first_name", "last_name", "locale", "timezone", "country"),
        *("city", "attributes", "consents", "lists", "tags", "created_at", "updated_at", "last_seen_at"),
    }
    again = shop.call("POST", "contacts", {"email": "ada@example.org", "first_name": "Ada"})
    assert (again.status_code, again.json()["id"]) == (200, contact["id"])
    assert shop.call("GET", f"contacts/{contact['id']}").json() == again.json()


def test_a_change_leaves_what_it_does_not_mention_and_null_clears(shop: Shop) -> None:
    (contact_id,) = shop.add(
        {"email": "a@example.org", "first_name": "Ada", "city": "Paris", "attributes": {"n": 1, "m": 2}}
    )
    changed = shop.call("PATCH", f"contacts/{contact_id}", {"city": None, "attributes": {"n": None}}).json()
    assert (changed["first_name"], changed["city"], changed["attributes"]) == ("Ada", None, {"m": 2})
    refused = shop.call("PATCH", f"contacts/{contact_id}", {"email": None})
    assert refused.status_code == 422
    assert queries.described([contact_id])[0]["email"] == "a@example.org"


def test_every_fault_is_told_with_its_pointer(shop: Shop) -> None:
    answer = shop.call("POST", "contacts", {"email": "no", "country": "XX", "timezone": "Mars", "role/x": 1})
    assert answer.status_code == 422
    assert {each["pointer"] for each in answer.json()["errors"]} == {
        *("/email", "/country", "/timezone", "/role~1x")
    }
    assert not Contact.objects.exists()


def test_an_opt_out_ends_only_on_purpose(shop: Shop) -> None:
    (contact_id,) = shop.add({"email": "a@example.org", "consents": {"email": "opted_out"}})
    path, back = f"contacts/{contact_id}", {"consents": {"email": "opted_in"}}
    assert shop.call("PATCH", path, back).status_code == 422
    assert shop.call("PATCH", f"{path}?resubscribe=true", back).status_code == 422
    assert queries.described([contact_id])[0]["consents"]["email"] == "opted_out"
    answer = shop.call("PATCH", f"{path}?resubscribe=true&source=phone+call", back)
    assert answer.json()["consents"]["email"] == "opted_in"
    history = shop.call("GET", f"{path}/consents").json()["items"]
    assert [(each["from"], each["to"], each["source"]) for each in history] == [
        ("opted_out", "opted_in", "phone call"),
        ("pending", "opted_out", "trial"),
    ]


def test_contacts_are_found_and_paged(shop: Shop) -> None:
    ids = shop.add(
        *(
            {
                "email": f"p{n}@example.org",
                "first_name": "Élodie" if n % 2 else "Ada",
                "phone": f"06123456{n:02}",
            }
            for n in range(25)
        )
    )
    seen: list[int] = []
    path = "contacts?limit=10"
    cursor: str | None = ""
    while cursor is not None:
        page = shop.call("GET", path + (f"&cursor={cursor}" if cursor else "")).json()
        seen += [int(item["id"]) for item in page["items"]]
        cursor = page["next"]
    assert seen == sorted(ids, reverse=True)
    for query, count in (
        ("email=P3@Example.org", 1),
        ("email=nobody@example.org", 0),
        ("email=nonsense", 0),
        ("phone=06+12+34+56+07", 1),
        ("search=ada+p1", 5),
        ("search=06+12+34+56+07", 1),
        ("search=%25", 0),
    ):
        items = shop.call("GET", f"contacts?{query}").json()["items"]
        assert len(items) == count, (query, items)


def test_erasure_leaves_an_empty_line(shop: Shop) -> None:
    made = shop.call("POST", "lists", {"name": "Letter"}).json()
    (contact_id,) = shop.add(
        {"email": "a@example.org", "attributes": {"n": 1}, "tags": ["x"], "lists": [made["id"]]}
    )
    assert shop.call("DELETE", f"contacts/{contact_id}").status_code == 204
    assert shop.call("GET", f"contacts/{contact_id}").status_code == 404
    assert shop.call("DELETE", f"contacts/{contact_id}").status_code == 404
    (left,) = queries.snapshot([contact_id])
    assert (left["gone"], left["email"], left["attributes"], left["tags"], left["lists"]) == (
        1,
        "",
        {},
        [],
        [],
    )
    (again,) = shop.add({"email": "a@example.org"})
    assert again != contact_id


def test_lists_and_their_members(shop: Shop) -> None:
    ids = shop.add({"email": "a@example.org"}, {"external_id": "u2"}, {"phone": "0612345678"})
    made = shop.call("POST", "lists", {"name": "Letter"}).json()
    path = f"lists/{made['id']}"
    new, both = {"email": "new@example.org", "city": "Paris"}, {"email": "a@example.org", "external_id": "u2"}
    people = [{"email": "A@example.org"}, {"external_id": "u2"}, {"id": "x"}, {"id": "999999"}, new, both, {}]
    answer = shop.call("POST", f"{path}/members", {"contacts": people}).json()
    assert (answer["accepted"], answer["added"]) == (3, 3)
    assert [each["index"] for each in answer["refused"]] == [2, 3, 5, 6]
    assert shop.call("GET", path).json()["members"] == 3
    members = shop.call("GET", f"{path}/members").json()["items"]
    assert shop.people()["new@example.org"]["city"] is None  # A reference says who is meant, nothing else.
    made_now = int(shop.people()["new@example.org"]["id"])
    assert {member["contact"] for member in members} == {str(each) for each in (*ids[:2], made_now)}
    gone = [
        {"id": str(ids[0])},
        {"id": ids[2]},
        {"email": "new@example.org"},
        {"email": "nobody@example.org"},
    ]
    answer = shop.call("DELETE", f"{path}/members", {"contacts": gone}).json()
    assert (answer["removed"], [each["index"] for each in answer["refused"]]) == (2, [3])
    assert shop.call("PATCH", path, {"name": "News"}).json()["name"] == "News"
    assert len(shop.call("GET", f"contacts?list={made['id']}").json()["items"]) == 1
    assert shop.call("DELETE", path).status_code == 204
    assert queries.described([ids[1]])[0]["lists"] == []


def test_attributes_are_declared_with_their_type(shop: Shop) -> None:
    assert shop.call("POST", "attributes", {"name": "birthday", "type": "date"}).status_code == 201
    assert shop.call("POST", "attributes", {"name": "birthday", "type": "date"}).status_code == 201
    assert shop.call("POST", "attributes", {"name": "birthday", "type": "text"}).status_code == 422
    assert shop.call("POST", "attributes", {"name": "a.b", "type": "colour"}).status_code == 422
    contact = {"email": "a@example.org", "attributes": {"birthday": "2001-02-03T10:00:00+02:00"}}
    answer = shop.call("POST", "contacts", contact).json()
    assert answer["attributes"] == {"birthday": "2001-02-03T08:00:00.000Z"}
    assert shop.call("POST", "contacts", {**contact, "attributes": {"birthday": "soon"}}).status_code == 422


def test_another_accounts_ids_read_as_ids_of_nothing(shop: Shop, other_shop: Shop) -> None:
    (theirs,) = other_shop.add({"email": "a@example.org"})
    foreign = other_shop.call("POST", "lists", {"name": "Theirs"}).json()["id"]
    mine = shop.call("POST", "lists", {"name": "Mine"}).json()["id"]
    calls: list[tuple[str, str, Any]] = [
        ("GET", "contacts/{}", None),
        ("PATCH", "contacts/{}", {"city": "Paris"}),
        ("DELETE", "contacts/{}", None),
        ("GET", "contacts/{}/consents", None),
        ("GET", "contacts/{}/timeline", None),
    ]
    calls_on_lists: list[tuple[str, str, Any]] = [
        ("GET", "lists/{}", None),
        ("PATCH", "lists/{}", {"name": "x"}),
        ("DELETE", "lists/{}", None),
        ("GET", "lists/{}/members", None),
        ("POST", "lists/{}/members", {"contacts": []}),
        ("DELETE", "lists/{}/members", {"contacts": []}),
        ("GET", "contacts?list={}", None),
    ]
    for found, id in ((calls, theirs), (calls_on_lists, foreign)):
        for method, path, body in found:
            answer = shop.call(method, path.format(id), body)
            nothing = shop.call(method, path.format(10**9), body)
            assert (answer.status_code, answer.json()) == (404, nothing.json()), path
    answer = shop.call("POST", f"lists/{mine}/members", {"contacts": [{"id": str(theirs)}]}).json()
    assert (answer["accepted"], len(answer["refused"])) == (0, 1)
    assert shop.call("POST", "contacts", {"id": str(theirs), "city": "Paris"}).status_code == 422
    assert shop.call("POST", "contacts", {"email": "b@example.org", "lists": [foreign]}).status_code == 422
    assert queries.described([theirs])[0]["city"] is None


@pytest.mark.parametrize("unit", ["999999", "²", "9" * 30, "", "-1"])
def test_a_business_unit_that_is_none_of_ours_is_refused(shop: Shop, unit: str) -> None:
    answer = shop.call("POST", "lists", {"name": "L", "business_unit": unit})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/business_unit"]
