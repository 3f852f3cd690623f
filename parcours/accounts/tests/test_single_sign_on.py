"""Single sign-on against a small OpenID provider that runs in the test: whom it lets in, and whom not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.test import Client

from parcours.accounts import actions, members
from parcours.accounts.access import member_actor
from parcours.accounts.models import Invitation, Member, User
from parcours.lib import clock
from tests.fixtures.openid import CLIENT_ID, SECRET, Provider

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    server = Provider()
    server.begin()
    settings.SSO_URL = server.url
    client = {"provider_id": "sso", "name": "Acme", "client_id": CLIENT_ID, "secret": SECRET}
    app = {**client, "settings": {"server_url": server.url}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    yield server
    server.end()


@pytest.fixture
def new() -> actions.NewAccount:
    return actions.create_account(name="Shop", email="ada@example.org", password=PASSWORD)


def come(provider: Provider, email: str, *, sub: str = "1", verified: bool = True) -> tuple[Client, Any]:
    """Sign in by the provider, where one is known by this address."""
    provider.person = {"sub": sub, "email": email, "email_verified": verified, "name": "Ada L."}
    client = Client()
    leave = client.get("/accounts/oidc/sso/login/?process=login")
    assert leave.status_code == 302
    assert leave["Location"].startswith(f"{provider.url}/authorize?")
    back = urlsplit(httpx.get(leave["Location"]).headers["Location"])
    return client, client.get(f"{back.path}?{back.query}")


def is_in(client: Client) -> bool:
    return client.get("/contacts/").status_code == 200


def test_the_button_shows_when_it_is_set(new: actions.NewAccount, provider: Provider) -> None:
    assert "Continue with Acme" in Client().get("/accounts/login/").content.decode()


def test_no_provider_no_button_no_way(new: actions.NewAccount) -> None:
    page = Client().get("/accounts/login/").content.decode()
    assert "/oidc/" not in page
    assert Client().get("/accounts/oidc/sso/login/").status_code == 404


def test_a_member_signs_in_and_keeps_their_password(new: actions.NewAccount, provider: Provider) -> None:
    client, answer = come(provider, "Ada@example.org")
    assert answer.status_code == 302
    assert is_in(client)
    assert User.objects.get().check_password(PASSWORD)
    # Known from then on by who they are there, whatever their address becomes.
    client, _ = come(provider, "ada.l@example.org")
    assert is_in(client)


def test_an_address_that_is_not_verified_opens_nothing(
    new: actions.NewAccount, provider: Provider, settings: Any
) -> None:
    client, answer = come(provider, "ada@example.org", verified=False)
    assert "Nobody of this address was invited" in answer.content.decode()
    assert not is_in(client)
    settings.SSO_TRUST_EMAIL = True
    client, _ = come(provider, "ada@example.org", verified=False)
    assert is_in(client)


def test_a_stranger_does_not_get_in(new: actions.NewAccount, provider: Provider) -> None:
    client, answer = come(provider, "eve@example.org")
    assert "Nobody of this address was invited" in answer.content.decode()
    assert (is_in(client), User.objects.count()) == (False, 1)


def test_an_invited_person_joins_without_a_password(new: actions.NewAccount, provider: Provider) -> None:
    owner = member_actor(Member.objects.get())
    members.invite(owner, email="bob@example.org", role="analyst", now=clock.now())
    client, answer = come(provider, "bob@example.org", sub="2")
    assert answer.status_code == 302
    assert is_in(client)
    bob = Member.objects.get(user__email="bob@example.org")
    assert (bob.role, bob.account_id, bob.user.name) == ("analyst", new.account.pk, "Ada L.")
    assert not bob.user.has_usable_password()
    assert not Invitation.objects.exists()


def test_a_forged_answer_is_refused(new: actions.NewAccount, provider: Provider) -> None:
    client = Client()
    client.get("/accounts/oidc/sso/login/?process=login")
    answer = client.get("/accounts/oidc/sso/login/callback/?code=code0&state=forged")
    assert "The provider did not let you in" in answer.content.decode()
    assert not is_in(client)
