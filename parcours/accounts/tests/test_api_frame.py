"""The API's frame: who may call, how faults are told, how lists are paged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from parcours.accounts import actions
from parcours.accounts.models import Account, ApiKey, Job

pytestmark = pytest.mark.django_db

JSON = "application/json"


def new_account(email: str = "ada@example.org") -> actions.NewAccount:
    return actions.create_account(name="Ada's shop", email=email, password="correct horse battery")


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def key_with(account: Account, *scopes: str) -> str:
    return actions.create_key(account=account, name="k", scopes=scopes)[1]


def test_without_a_key_the_answer_is_a_401_problem(client: Client) -> None:
    for headers in ({"Accept": "*/*"}, bearer("pc_unknown"), {"Authorization": "Basic abc"}, bearer("")):
        answer = client.get("/api/v1/account", headers=headers)
        assert answer.status_code == 401
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["type"] == "unauthorized"


def test_only_the_sha256_of_a_key_is_kept_and_a_revoked_key_is_refused(client: Client) -> None:
    new = new_account()
    key = ApiKey.objects.get(account=new.account)
    assert new.api_key not in json.dumps([key.prefix, key.hash, key.name])
    assert client.get("/api/v1/account", headers=bearer(new.api_key)).status_code == 200
    key.refresh_from_db()
    assert key.last_used_at is not None
    actions.revoke_key(key)
    assert client.get("/api/v1/account", headers=bearer(new.api_key)).status_code == 401


def test_scopes_open_what_they_say_and_nothing_more(client: Client) -> None:
    account = new_account().account
    assert client.get("/api/v1/jobs", headers=bearer(key_with(account, "read"))).status_code == 200
    assert client.get("/api/v1/jobs", headers=bearer(key_with(account, "write"))).status_code == 403
    for scope in ("read", "write", "send"):
        answer = client.patch(
            "/api/v1/account",
            {"name": "New"},
            content_type=JSON,
            headers=bearer(key_with(account, scope)),
        )
        assert answer.status_code == 403
        assert answer.json()["type"] == "forbidden"


def test_settings_are_changed_and_every_fault_is_told_at_its_place(client: Client) -> None:
    new = new_account()

    def patch(body: Any) -> Any:
        return client.patch("/api/v1/account", body, content_type=JSON, headers=bearer(new.api_key))

    assert patch({"name": "Shop", "timezone": "Europe/Paris", "currency": "cad"}).status_code == 200
    told = client.get("/api/v1/account", headers=bearer(new.api_key)).json()
    assert (told["name"], told["timezone"], told["currency"]) == ("Shop", "Europe/Paris", "CAD")
    assert told["created_at"].endswith("Z")
    answer = patch({"timezone": "Mars/Base", "currency": "euro", "attribution_days": 0})
    assert answer.status_code == 422
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {
        "/timezone",
        "/currency",
        "/attribution_days",
    }
    answer = patch({"write_key": "pw_mine", "id": "7"})
    assert answer.status_code == 422
    assert {fault["pointer"] for fault in answer.json()["errors"]} == {"/write_key", "/id"}
    assert patch({"sender_name": "Ada\r\nBcc: eve@example.org"}).status_code == 422
    assert Account.objects.get(pk=new.account.pk).sender_name == "Ada's shop"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": ', 400),
        (b'{"name": NaN}', 400),
        (b'{"name": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe", 400),
        (b'{"name": "a\\u0000b"}', 422),
        (b"[]", 422),
        (b"null", 422),
        (b'{"name": {"a": 1}}', 422),
        (b'{"name": "' + b"x" * (3 * 1024 * 1024) + b'"}', 413),
    ],
)
def test_a_bad_body_is_refused_with_a_problem(client: Client, body: bytes, status: int) -> None:
    new = new_account()
    answer = client.patch("/api/v1/account", body, content_type=JSON, headers=bearer(new.api_key))
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_an_address_or_method_that_does_not_exist_is_a_problem_too(client: Client) -> None:
    new = new_account()
    for path in ("/api/v1/nothing", "/api/v1/jobs/1/nothing", "/api/v2/account"):
        answer = client.get(path, headers=bearer(new.api_key))
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
    answer = client.put("/api/v1/account", headers=bearer(new.api_key))
    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"
    assert "GET" in answer["Allow"]


def test_an_id_of_another_account_reads_as_one_that_does_not_exist(client: Client) -> None:
    mine, other = new_account(), new_account("bob@example.org")
    job = Job.objects.create(account=other.account, kind="x")
    answers = [
        client.get(f"/api/v1/jobs/{id}", headers=bearer(mine.api_key))
        for id in (job.pk, 999_999, "abc", "-1", "1e3", "٣", "9" * 30, 2**63)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert client.get(f"/api/v1/jobs/{job.pk}", headers=bearer(other.api_key)).status_code == 200


def test_a_list_is_read_whole_by_its_cursor_while_it_grows(client: Client) -> None:
    new = new_account()
    ids = [Job.objects.create(account=new.account, kind="x").pk for _ in range(7)]
    seen: list[str] = []
    url = "/api/v1/jobs?limit=3"
    while True:
        page = client.get(url, headers=bearer(new.api_key)).json()
        seen += [item["job"] for item in page["items"]]
        Job.objects.create(account=new.account, kind="x")
        if page["next"] is None:
            break
        url = f"/api/v1/jobs?limit=3&cursor={page['next']}"
    assert seen == [str(id) for id in reversed(ids)]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "cursor=!!", "cursor=WyJhIl0", "cursor=W10"]
)
def test_a_bad_limit_or_cursor_is_refused(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/jobs?{query}", headers=bearer(new_account().api_key))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == f"/{query.split('=')[0]}"


def test_a_session_may_call_the_api_with_its_protection_token_only() -> None:
    new = new_account()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(new.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert browser.get("/api/v1/account").json()["id"] == str(new.account.pk)
    answer = browser.patch("/api/v1/account", {"name": "X"}, content_type=JSON)
    assert answer.status_code == 403
    assert answer.json()["type"] == "csrf"
    token = "a" * 32
    browser.cookies["csrftoken"] = token
    answer = browser.patch(
        "/api/v1/account", {"name": "X"}, content_type=JSON, headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 200


def test_a_database_that_goes_away_is_a_503_to_be_tried_again(client: Client, monkeypatch: Any) -> None:
    new = new_account()

    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("django.db.backends.utils.CursorWrapper.execute", gone)
    answer = client.get("/api/v1/account", headers=bearer(new.api_key))
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert "server closed" not in answer.content.decode()


def test_the_openapi_document_tells_of_the_keys(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["paths"]["/api/v1/account"]["get"]["security"]
    assert document["components"]["securitySchemes"]


def test_what_a_schema_refuses_is_said_in_the_readers_language(client: Client) -> None:
    new = new_account()

    def asked(method: str, path: str, body: Any = None) -> dict[str, str]:
        headers = {**bearer(new.api_key), "Accept-Language": "fr"}
        answer = client.generic(
            method, f"/api/v1/{path}", json.dumps(body) if body is not None else "", JSON, headers=headers
        )
        assert answer.status_code == 422
        return {fault["pointer"]: fault["detail"] for fault in answer.json()["errors"]}

    assert asked("POST", "lists", {"nom": "x"}) == {
        "/name": "C’est obligatoire.",
        "/nom": "Il n’y a pas de tel champ.",
    }
    assert asked("POST", "lists", {"name": 3}) == {"/name": "Il faut un texte."}
    assert asked("POST", "lists", {"name": "x" * 201}) == {"/name": "Le texte dépasse 200 caractères."}
    assert asked("GET", "contacts?limit=0") == {"/limit": "Il faut 1 au moins."}
    assert asked("GET", "contacts?limit=1001") == {"/limit": "Il faut 1000 au plus."}
    assert asked("GET", "contacts?limit=many") == {"/limit": "Il faut un nombre entier."}
    assert asked("GET", "journeys?status=lost") == {
        "/status": "Il faut l’un de draft, active, paused, archived."
    }


@pytest.mark.parametrize("query", ["contacts?search=%00", "orders?limit=5&search=a%00b", "tags?search=%00"])
def test_no_text_of_an_address_holds_nul(client: Client, query: str) -> None:
    answer = client.get(f"/api/v1/{query}", headers=bearer(new_account().api_key))
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/search"]
