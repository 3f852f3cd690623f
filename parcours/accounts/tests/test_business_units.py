"""Business units through the API, and what is limited to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions
from parcours.accounts.models import BusinessUnit

pytestmark = pytest.mark.django_db


class Api:
    """An account's API."""

    def __init__(self, client: Client, email: str) -> None:
        self.client = client
        self.new = actions.create_account(name="Shop", email=email, password="correct horse battery")
        self.secret = self.new.api_key

    def __call__(self, method: str, path: str, body: Any = None, *, key: str = "") -> Any:
        content = "" if body is None else json.dumps(body)
        headers = {"Authorization": f"Bearer {key or self.secret}"}
        return self.client.generic(method, f"/api/v1/{path}", content, "application/json", headers=headers)


def test_units_are_made_renamed_and_deleted(client: Client) -> None:
    api = Api(client, "ada@example.org")
    made = api("POST", "business-units", {"name": " Été "})
    assert made.status_code == 201
    unit = made.json()
    assert unit["name"] == "Été"
    path = f"business-units/{unit['id']}"
    for name in ("Été", "", "a\nb", "x" * 201):
        refused = api("POST", "business-units", {"name": name})
        assert refused.status_code == 422
        assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/name"]
    assert api("PATCH", path, {"name": "Hiver"}).json()["name"] == "Hiver"
    assert api("GET", path).json() == api("GET", "business-units").json()["items"][0]
    held = api("POST", "lists", {"name": "L", "business_unit": unit["id"]}).json()
    assert held["business_unit"] == unit["id"]
    assert api("DELETE", path).status_code == 204
    assert api("GET", f"lists/{held['id']}").json()["business_unit"] is None


def test_units_are_the_accounts_own_and_the_administrators_to_change(client: Client) -> None:
    api, other = Api(client, "ada@example.org"), Api(client, "eve@example.org")
    unit = api("POST", "business-units", {"name": "Brand"}).json()["id"]
    for method, body in (("GET", None), ("PATCH", {"name": "Mine"}), ("DELETE", None)):
        assert other(method, f"business-units/{unit}", body).status_code == 404
    assert other("POST", "lists", {"name": "L", "business_unit": unit}).status_code == 422
    assert other("POST", "business-units", {"name": "Brand"}).status_code == 201
    _key, writer = actions.create_key(account=api.new.account, name="w", scopes=["read", "write"])
    assert api("POST", "business-units", {"name": "Other"}, key=writer).status_code == 403
    assert api("GET", "business-units", key=writer).status_code == 200


def test_the_page_makes_renames_and_deletes_units(client: Client) -> None:
    api = Api(client, "ada@example.org")
    browser = Client()
    browser.force_login(api.new.user)
    assert browser.post("/settings/units", {"name": "Été"}).status_code == 302
    refused = browser.post("/settings/units", {"name": "Été"})
    assert (refused.status_code, BusinessUnit.objects.count()) == (422, 1)
    assert "There is a business unit of this name already." in refused.content.decode()
    unit = BusinessUnit.objects.get()
    browser.post(f"/settings/units/{unit.pk}/rename", {"name": "Hiver"})
    assert "Hiver" in browser.get("/settings/units").content.decode()
    assert browser.post(f"/settings/units/{unit.pk}/rename", {"name": "a\nb"}, follow=True).status_code == 200
    assert BusinessUnit.objects.get().name == "Hiver"
    browser.post(f"/settings/units/{unit.pk}/delete")
    assert not BusinessUnit.objects.exists()


def test_pages_limit_lists_and_messages_to_a_unit_where_there_are_any(client: Client) -> None:
    api, other = Api(client, "ada@example.org"), Api(client, "eve@example.org")
    browser = Client()
    browser.force_login(api.new.user)
    assert "business_unit" not in browser.get("/lists/").content.decode()
    unit = api("POST", "business-units", {"name": "Brand"}).json()["id"]
    theirs = other("POST", "business-units", {"name": "Theirs"}).json()["id"]
    assert "Theirs" not in browser.get("/lists/").content.decode()
    browser.post("/lists/", {"name": "L", "business_unit": unit})
    (held,) = api("GET", "lists").json()["items"]
    assert held["business_unit"] == unit
    path = f"/lists/{held['id']}/rename"
    browser.post(path, {"name": "M", "business_unit": theirs})
    assert api("GET", f"lists/{held['id']}").json()["name"] == "L"
    browser.post(path, {"name": "M", "business_unit": ""})
    changed = api("GET", f"lists/{held['id']}").json()
    assert (changed["name"], changed["business_unit"]) == ("M", None)
    message = api(
        "POST",
        "messages",
        {"name": "Hello", "channel": "email", "subject": "S", "text": "T", "html": "<p>T</p>"},
    ).json()["id"]
    form = {
        "name": "Hello",
        "subject": "S",
        "sender": "",
        "kind": "marketing",
        "language": "html",
        "content": "<p>T</p>",
        "text": "T",
        "business_unit": unit,
    }
    assert browser.post(f"/messages/{message}", form).status_code == 302
    assert api("GET", f"messages/{message}").json()["business_unit"] == unit
    assert browser.post(f"/messages/{message}", {**form, "business_unit": theirs}).status_code == 422
