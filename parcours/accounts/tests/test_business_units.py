"""Business units through the API, and what is limited to them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions

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
