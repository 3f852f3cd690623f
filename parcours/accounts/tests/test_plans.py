"""The plan: who sees and changes it, by page, API and command line."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions, plans
from parcours.accounts.models import Account, Deed
from parcours.lib.problems import Problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def new() -> actions.NewAccount:
    return actions.create_account(name="Shop", email="ada@example.org", password="correct horse battery")


def patch(new: actions.NewAccount, **values: Any) -> Any:
    headers = {"Authorization": f"Bearer {new.api_key}"}
    return Client().patch("/api/v1/account", values, content_type="application/json", headers=headers)


def test_the_plan_is_full_unless_set_to_free(new: actions.NewAccount) -> None:
    assert new.account.plan == "full"
    plans.require_full(new.account)
    answer = patch(new, plan="free", name="New name")
    assert (answer.status_code, answer.json()["plan"], answer.json()["name"]) == (200, "free", "New name")
    with pytest.raises(Problem) as refused:
        plans.require_full(Account.objects.get())
    assert (refused.value.status, refused.value.kind) == (403, "plan-required")
    assert set(Deed.objects.values_list("what", "by_key")) == {
        ("plan.changed", True),
        ("settings.changed", True),
    }


@pytest.mark.parametrize(
    "values", [{"plan": "gold"}, {"plan": "free", "timezone": "Mars/Olympus"}, {"plan": 1}]
)
def test_a_bad_change_leaves_nothing_half_written(new: actions.NewAccount, values: dict[str, Any]) -> None:
    assert patch(new, **values).status_code == 422
    assert Account.objects.get().plan == "full"
    assert not Deed.objects.exists()


def test_the_page_changes_it(new: actions.NewAccount) -> None:
    client = Client()
    client.force_login(new.user)
    client.post("/settings/plan", {"plan": "free"})
    assert Account.objects.get().plan == "free"
    page = unescape(client.get("/settings/", headers={"Accept-Language": "fr"}).content.decode())
    assert "Votre formule permet de construire, pas d’activer" in page
    assert "Passer à la formule complète" in page
    client.post("/settings/plan", {"plan": "full"})
    assert Account.objects.get().plan == "full"


def test_where_plans_are_sold_customers_are_sent_there(new: actions.NewAccount, settings: Any) -> None:
    settings.PLAN_URL = "https://shop.example/plans"
    Account.objects.update(plan="free")
    client = Client()
    client.force_login(new.user)
    assert 'href="https://shop.example/plans"' in client.get("/settings/").content.decode()
    client.post("/settings/plan", {"plan": "full"})
    answer = patch(new, plan="full")
    assert (answer.status_code, answer.json()["type"]) == (403, "forbidden")
    assert Account.objects.get().plan == "free"
