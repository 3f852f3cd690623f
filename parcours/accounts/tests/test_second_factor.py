"""The second factor: set, asked for, replaced by a recovery code, required by an account; and what ends sessions."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.core.cache import cache
from django.test import Client

from parcours.accounts import actions
from parcours.accounts.models import Account, Member, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SECRET = r"<code[^>]*>([A-Z2-7]{16,})</code>"


@pytest.fixture(autouse=True)
def _no_attempt_before() -> None:
    cache.clear()  # codes tried wrongly are counted there


@pytest.fixture
def new() -> actions.NewAccount:
    return actions.create_account(name="Shop", email="ada@example.org", password=PASSWORD)


def code_of(secret: str) -> str:
    """The code of now (RFC 6238: SHA-1, 30 seconds, 6 digits)."""
    key = base64.b32decode(secret)
    mac = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def sign_in(email: str = "ada@example.org", password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": email, "password": password})


def confirm(client: Client, password: str = PASSWORD) -> None:
    """What touches the second factor asks for the password again."""
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert client.post(asked["Location"], {"password": "not it"}).status_code == 200
    assert client.post(asked["Location"], {"password": password}).status_code == 302


def set_second_factor(client: Client) -> str:
    confirm(client)
    page = unescape(client.get("/accounts/2fa/totp/activate/").content.decode())
    (secret,) = re.findall(SECRET, page)
    wrong = client.post("/accounts/2fa/totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert (done.status_code, done["Location"]) == (302, "/accounts/2fa/recovery-codes/")
    return secret


def is_in(client: Client) -> bool:
    return client.get("/contacts/").status_code == 200


def test_a_second_factor_is_set_and_then_asked_for(new: actions.NewAccount) -> None:
    client, _ = sign_in()
    secret = set_second_factor(client)
    # It is kept sealed.
    assert secret not in str(Authenticator.objects.get(type="totp").data)
    again, answer = sign_in()
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(again)
    assert again.post("/accounts/2fa/authenticate/", {"code": "123"}).status_code == 200
    assert not is_in(again)
    again.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})
    assert is_in(again)


def test_a_recovery_code_opens_once(new: actions.NewAccount) -> None:
    client, _ = sign_in()
    set_second_factor(client)
    page = client.get("/accounts/2fa/recovery-codes/").content.decode()
    codes = re.findall(r"<li><code>(\d{8})</code></li>", page)
    assert len(codes) == 10
    for tries, opens in ((codes[0], True), (codes[0], False), (codes[1], True)):
        other, _ = sign_in()
        other.post("/accounts/2fa/authenticate/", {"code": tries})
        assert is_in(other) is opens
    assert "8 recovery codes are left" in client.get("/settings/security").content.decode()


@pytest.mark.django_db(transaction=True)  # it is told once it is committed
def test_setting_it_ends_the_other_sessions(new: actions.NewAccount) -> None:
    (first, _), (second, _) = sign_in(), sign_in()
    set_second_factor(first)
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_new_password_ends_the_other_sessions(new: actions.NewAccount) -> None:
    (first, _), (second, _) = sign_in(), sign_in()
    values = {"oldpassword": PASSWORD, "password1": "a wholly other one", "password2": "a wholly other one"}
    assert first.post("/accounts/password/change/", values)["Location"] == "/settings/security"
    assert User.objects.get().check_password("a wholly other one")
    assert (is_in(first), is_in(second)) == (True, False)


def test_one_signs_out_everywhere_else(new: actions.NewAccount) -> None:
    (first, _), (second, _) = sign_in(), sign_in()
    first.post("/settings/security/sign-out-elsewhere")
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_forgotten_password_does_not_skip_the_second_factor(new: actions.NewAccount) -> None:
    client, _ = sign_in()
    set_second_factor(client)
    Client().post("/accounts/password/reset/", {"email": "ada@example.org"})
    (path,) = re.findall(r"/accounts/password/reset/key/\S+", str(mail.outbox[-1].body))
    other = Client()
    form = other.get(path, follow=True).redirect_chain[-1][0]
    other.post(form, {"password1": "a wholly other one", "password2": "a wholly other one"})
    assert not is_in(other)
    again, answer = sign_in(password="a wholly other one")
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_in(again)


def test_an_account_asks_its_members_for_a_second_factor(new: actions.NewAccount) -> None:
    bob = User.objects.create_user("bob@example.org", PASSWORD)
    Member.objects.create(account=new.account, user=bob, role="analyst")
    owner, _ = sign_in()
    required = {"required": "yes"}
    # Who has none would shut themselves out.
    owner.post("/settings/members/second-factor", required)
    assert not Account.objects.get().second_factor_required
    set_second_factor(owner)
    owner.post("/settings/members/second-factor", required)
    assert Account.objects.get().second_factor_required
    assert is_in(owner)

    member, _ = sign_in("bob@example.org")
    sent = member.get("/contacts/")
    assert (sent.status_code, sent["Location"]) == (302, "/settings/security")
    fragment = member.get("/contacts/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (403, "/settings/security")
    refused = member.get("/api/v1/contacts")
    assert (refused.status_code, refused.json()["type"]) == (403, "second-factor-required")
    assert member.get("/settings/profile").status_code == 200
    set_second_factor(member)
    assert is_in(member)
    assert member.get("/api/v1/contacts").status_code == 200
    # Programs have keys instead.
    with_key = {"Authorization": f"Bearer {new.api_key}"}
    assert Client().get("/api/v1/contacts", headers=with_key).status_code == 200


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_show_in_both_languages(new: actions.NewAccount, language: str) -> None:
    client, _ = sign_in()
    new.user.language = language
    new.user.save()
    confirm(client)
    title = {"fr": "Activer la double authentification", "en": "Set a second factor"}[language]
    page = unescape(client.get("/accounts/2fa/totp/activate/").content.decode())
    assert title in page
    (secret,) = re.findall(SECRET, page)
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    for path in ("recovery-codes/", "recovery-codes/generate/", "totp/deactivate/"):
        page = client.get(f"/accounts/2fa/{path}").content.decode()
        assert f'<html lang="{language}"' in page
        assert "auth-page" in page  # our frame, not allauth's
