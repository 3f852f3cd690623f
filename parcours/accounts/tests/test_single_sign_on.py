"""Single sign-on against a small OpenID provider that runs in the test: whom it lets in, and whom not."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client

from parcours.accounts import actions, members
from parcours.accounts.access import member_actor
from parcours.accounts.models import Invitation, Member, User
from parcours.lib import clock

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
CLIENT_ID, SECRET = "parcours", "a secret of the client"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider(ThreadingHTTPServer):
    """An OpenID provider where `person` is signed in (OpenID Connect Core 1.0, code flow with PKCE)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.person: dict[str, Any] = {}
        self.asked: dict[str, dict[str, str]] = {}
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_told: Any) -> None:
        """Nothing on stderr."""

    def _answer(self, told: Any, status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        url, address = self.server.url, urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        match address.path:
            case "/.well-known/openid-configuration":
                told = {
                    "issuer": url,
                    "authorization_endpoint": f"{url}/authorize",
                    "token_endpoint": f"{url}/token",
                    "userinfo_endpoint": f"{url}/userinfo",
                    "jwks_uri": f"{url}/keys",
                    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                }
                self._answer(told)
            case "/authorize":
                code = f"code{len(self.server.asked)}"
                self.server.asked[code] = asked
                back = urlencode({"code": code, "state": asked["state"]})
                self.send_response(302)
                self.send_header("Location", f"{asked['redirect_uri']}?{back}")
                self.end_headers()
            case "/userinfo":
                right = self.headers["Authorization"] == "Bearer token"
                self._answer(self.server.person if right else {}, 200 if right else 401)
            case _:
                self._answer({}, 404)

    def do_POST(self) -> None:
        sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        asked = self.server.asked.pop(sent["code"][0])
        basic = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        proof = hashlib.sha256(sent["code_verifier"][0].encode()).digest()
        right = (
            basic == f"{CLIENT_ID}:{SECRET}"
            and base64.urlsafe_b64encode(proof).rstrip(b"=").decode() == asked["code_challenge"]
        )
        if not right:
            self._answer({"error": "invalid_grant"}, 400)
            return
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60, **self.server.person}
        signed = jwt.encode(claims, KEY, algorithm="RS256", headers={"kid": "1"})
        self._answer({"access_token": "token", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.SSO_URL = server.url
    client = {"provider_id": "sso", "name": "Acme", "client_id": CLIENT_ID, "secret": SECRET}
    app = {**client, "settings": {"server_url": server.url}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    yield server
    server.shutdown()
    server.server_close()


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
