"""Names behind ids, by the API: put, read, listed, forgotten; and the last name seen stands."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.events import names
from parcours.lib import clock

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def api(email: str) -> tuple[int, Client]:
    made = accounts.create_account(name="A", email=email, password="un mot de passe assez long")
    return made.account.pk, Client(headers={"authorization": f"Bearer {made.api_key}"})


def put(client: Client, path: str, body: Any) -> Any:
    return client.put(f"/api/v1/objects/{path}", body, content_type="application/json")


def test_an_object_is_named_read_and_forgotten() -> None:
    account, client = api("a@example.org")
    answer = put(client, "form/f1", {"name": " Contact ", "type": "page", "url": "https://x.example/f"})
    assert answer.status_code == 200, answer.content
    assert answer.json() | {"updated_at": ""} == {
        "kind": "form", "id": "f1", "name": "Contact", "type": "page", "url": "https://x.example/f", "updated_at": "",
    }  # fmt: skip
    assert put(client, "form/f1", {"name": "Contactez-nous"}).json()["name"] == "Contactez-nous"
    assert client.get("/api/v1/objects/form/f1").json()["name"] == "Contactez-nous"
    names.record(account, {("form", "f1"): "Vu depuis"}, now=clock.now())
    assert client.get("/api/v1/objects/form/f1").json()["name"] == "Vu depuis"
    assert client.delete("/api/v1/objects/form/f1").status_code == 204
    assert client.get("/api/v1/objects/form/f1").status_code == 404


def test_ids_may_be_paths_and_any_text() -> None:
    account, client = api("a@example.org")
    for id in ("/tarifs/pro", "a b", "é/è", "100%", "?x#y", "x" * 255):
        assert put(client, f"content/{quote(id, safe='')}", {"name": f"N {id[:9]}"}).status_code == 200
        assert names.by_ids(account, [("content", id)]) == {("content", id): f"N {id[:9]}"}
        assert client.get(f"/api/v1/objects/content/{quote(id, safe='')}").json()["id"] == id


def test_objects_are_listed_by_pages_and_searched() -> None:
    _, client = api("a@example.org")
    for number in range(5):
        put(client, f"campaign/c{number}", {"name": f"Campagne {number}"})
    put(client, "form/f", {"name": "Campagne aussi"})
    first = client.get("/api/v1/objects/campaign?limit=3").json()
    assert [item["id"] for item in first["items"]] == ["c4", "c3", "c2"]
    second = client.get(f"/api/v1/objects/campaign?limit=3&cursor={first['next']}").json()
    assert ([item["id"] for item in second["items"]], second["next"]) == (["c1", "c0"], None)
    assert [one["id"] for one in client.get("/api/v1/objects/campaign?search=gne 3").json()["items"]] == [
        "c3"
    ]


def test_accounts_are_apart() -> None:
    _, mine = api("a@example.org")
    account, theirs = api("b@example.org")
    put(theirs, "form/f", {"name": "Le leur"})
    assert mine.get("/api/v1/objects/form/f").status_code == 404
    assert mine.delete("/api/v1/objects/form/f").status_code == 404
    assert mine.get("/api/v1/objects/form").json()["items"] == []
    put(mine, "form/f", {"name": "Le mien"})
    assert names.by_ids(account, [("form", "f")]) == {("form", "f"): "Le leur"}


@pytest.mark.parametrize(
    ("path", "body", "status", "pointers"),
    [
        ("shoe/x", {"name": "X"}, 404, []),
        ("form/x", {"name": ""}, 422, ["/name"]),
        ("form/x", {"name": "  "}, 422, ["/name"]),
        ("form/x", {"name": "x" * 501}, 422, ["/name"]),
        ("form/x", {"name": "x", "url": "u" * 2001, "shoe": 1}, 422, ["/url", "/shoe"]),
        ("form/x", {"name": 5}, 422, ["/name"]),
        ("form/x", {}, 422, ["/name"]),
        (f"form/{'x' * 256}", {"name": "x"}, 422, ["/id"]),
        ("form/a%00b", {"name": "x"}, 422, ["/id"]),
    ],
    ids=range(9),
)
def test_what_cannot_be_is_refused(path: str, body: Any, status: int, pointers: list[str]) -> None:
    account, client = api("a@example.org")
    answer = put(client, path, body)
    assert answer.status_code == status
    assert [fault["pointer"] for fault in answer.json().get("errors", [])] == pointers
    assert names.search(account, "form", "", limit=9) == []
