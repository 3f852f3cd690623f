"""The settings pages: what they show, what they change, and whom they refuse."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from parcours.accounts import actions
from parcours.accounts.models import Account, ApiKey, Member
from parcours.lib import clock

pytestmark = pytest.mark.django_db
PAGES = (
    "/settings/",
    "/settings/keys",
    "/settings/units",
    "/settings/tracking",
    "/settings/tracking/last-page",
    "/settings/profile",
)


@pytest.fixture
def new() -> actions.NewAccount:
    return actions.create_account(name="Shop", email="ada@example.org", password="correct horse battery")


@pytest.fixture
def signed_in(new: actions.NewAccount) -> Client:
    client = Client()
    client.force_login(new.user)
    return client


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"] == f"/accounts/login/?next={path}"
    fragment = client.get(path, headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (401, "/accounts/login/")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_page_shows_in_both_languages(signed_in: Client, path: str, language: str) -> None:
    answer = signed_in.get(path, headers={"Accept-Language": language})
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
    if "last-page" not in path:
        assert f'<html lang="{language}"' in text_of(answer)
        assert ("Paramètres" in text_of(answer)) == (language == "fr")


def test_settings_are_saved_and_faults_shown_at_their_field(
    signed_in: Client, new: actions.NewAccount
) -> None:
    values = {
        "name": "Boutique",
        "timezone": "Europe/Paris",
        "currency": "cad",
        "country": "CA",
        "attribution_days": "7",
        "sender_name": "Ada",
        "sender_email": "ada@shop.example",
        "postal_address": "1 rue X\n75001 Paris",
    }
    assert signed_in.post("/settings/", values).status_code == 302
    account = Account.objects.get(pk=new.account.pk)
    assert (account.name, account.timezone, account.currency, account.attribution_days) == (
        "Boutique",
        "Europe/Paris",
        "CAD",
        7,
    )
    answer = signed_in.post("/settings/", {**values, "currency": "E€R", "name": "X"})
    assert answer.status_code == 422
    assert "ISO 4217" in text_of(answer)
    account.refresh_from_db()
    assert account.name == "Boutique", "nothing is half-saved"


def test_a_key_is_shown_once_and_revoked_for_good(
    signed_in: Client, new: actions.NewAccount, client: Client
) -> None:
    answer = signed_in.post("/settings/keys", {"name": "Sync <b>", "scopes": ["read", "write"]})
    found = re.search(r"pc_[\w-]{43}", text_of(answer))
    assert found
    assert "no-store" in answer["Cache-Control"]
    secret = found[0]
    assert secret not in text_of(signed_in.get("/settings/keys"))
    key = ApiKey.objects.get(name="Sync <b>")
    assert key.scopes == ["read", "write"]
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/account", headers=headers).status_code == 200
    assert signed_in.post(f"/settings/keys/{key.pk}/revoke").status_code == 302
    assert client.get("/api/v1/account", headers=headers).status_code == 401
    assert signed_in.post("/settings/keys", {"name": "", "scopes": []}).status_code == 422


def test_the_tracking_page_gives_the_accounts_own_snippet(
    signed_in: Client, new: actions.NewAccount, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://suivi.example"
    shown = text_of(signed_in.get("/settings/tracking", headers={"Accept-Language": "fr"}))
    snippet = f'<script async src="https://suivi.example/t.js" data-key="{new.write_key}"></script>'
    assert snippet in shown
    assert "Code de suivi" in shown
    assert "Aucune page reçue" in shown
    Account.objects.filter(pk=new.account.pk).update(last_page_at=clock.now())
    answer = signed_in.get("/settings/tracking/last-page", headers={"Accept-Language": "fr"})
    assert "Dernière page reçue" in text_of(answer)


def test_a_users_language_and_zone_are_theirs(signed_in: Client) -> None:
    values = {"name": "Ada", "language": "fr", "timezone": "America/Toronto"}
    assert signed_in.post("/settings/profile", values).status_code == 302
    shown = text_of(signed_in.get("/settings/profile", headers={"Accept-Language": "en"}))
    assert '<html lang="fr"' in shown
    assert signed_in.post("/settings/profile", {**values, "language": "xx"}).status_code == 422
    translation.activate("en")


def test_another_accounts_key_is_out_of_reach(signed_in: Client) -> None:
    other = actions.create_account(name="Other", email="bob@example.org", password="correct horse battery")
    key = ApiKey.objects.get(account=other.account)
    assert signed_in.post(f"/settings/keys/{key.pk}/revoke").status_code == 404
    key.refresh_from_db()
    assert key.revoked_at is None


def test_the_switcher_goes_to_the_users_own_accounts_only(signed_in: Client, new: actions.NewAccount) -> None:
    second = actions.create_account(name="Second", email="ada@example.org", password="correct horse battery")
    foreign = actions.create_account(
        name="Foreign", email="bob@example.org", password="correct horse battery"
    )
    assert second.user.pk == new.user.pk
    assert signed_in.get("/api/v1/account").json()["name"] == "Shop"
    assert signed_in.post(f"/settings/switch/{second.account.pk}").status_code == 302
    assert signed_in.get("/api/v1/account").json()["name"] == "Second"
    assert signed_in.post(f"/settings/switch/{foreign.account.pk}").status_code == 404
    assert signed_in.get("/api/v1/account").json()["name"] == "Second"
    Member.objects.filter(account=second.account).delete()
    assert signed_in.get("/api/v1/account").json()["name"] == "Shop", "who was removed is out at once"


def test_a_user_of_no_account_is_told_so(new: actions.NewAccount, signed_in: Client) -> None:
    Member.objects.all().delete()
    assert signed_in.get("/settings/").status_code == 403
    assert signed_in.get("/api/v1/account").status_code == 401


def test_a_new_password_ends_the_other_sessions(signed_in: Client, new: actions.NewAccount) -> None:
    elsewhere = Client()
    elsewhere.force_login(new.user)
    values = {
        "oldpassword": "correct horse battery",
        "password1": "staple of paper",
        "password2": "staple of paper",
    }
    assert signed_in.post("/accounts/password/change/", values).status_code == 302
    assert signed_in.get("/settings/").status_code == 200
    assert elsewhere.get("/settings/").status_code == 302
