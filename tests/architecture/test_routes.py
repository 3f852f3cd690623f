"""Every route × method, for: nobody, a key or role without the scope, another account's ids, a forged form."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from parcours.accounts import access, actions
from parcours.accounts.models import Account, ApiKey, Job
from parcours.commerce.models import Deal, Order, Pipeline, Product, Stage
from parcours.config.api import api
from parcours.contacts.merging.models import Pair
from parcours.contacts.models import AttributeDefinition, Contact, Import, List
from parcours.journeys.models import Journey, Version
from parcours.lib import clock
from parcours.messaging.models import Message, Send, SendingDomain, Suppression
from parcours.segments.models import Segment, SegmentFolder
from tests.architecture.routes import API, BODIES, NO_ACCOUNT, PAGES, PUBLIC, SEND, WITHOUT_FORGERY_CHECK

JSON = "application/json"
DOCUMENT = {
    "name": "J",
    "entry": {"triggers": [{"type": "manual"}]},
    "start": "wait",
    "steps": [{"id": "wait", "type": "delay", "for": "1d"}],
}


def operations() -> list[str]:
    schema = api.get_openapi_schema()
    return [f"{method.upper()} {path}" for path, found in schema["paths"].items() for method in found]


def page_patterns() -> dict[str, URLPattern]:
    def walk(patterns: Any, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route, pattern

    ours = walk(get_resolver().url_patterns)
    return {
        route: found for route, found in ours if not route.startswith(("api/", "^api/", "accounts/", "demo/"))
    }


@dataclass
class World:
    """One account with one object of each kind."""

    new: actions.NewAccount
    ids: dict[str, str]

    @property
    def account(self) -> Account:
        return self.new.account

    def address(self, route: str, *, other: World | None = None) -> str:
        """The route's address with this world's ids, the last of them from another world."""
        names = re.findall(r"[<{](?:\w+:)?(\w+)[>}]", route)
        ids = {name: self.ids.get(name, "wait") for name in names}
        if other is not None:
            last = [name for name in names if name in self.ids][-1]
            ids[last] = other.ids[last]
        filled = re.sub(r"[<{](?:\w+:)?(\w+)[>}]", lambda found: ids[found[1]], route)
        return filled if filled.startswith("/") else f"/{filled}"

    def browser(self, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(self.new.user)
        return client


def world(email: str) -> World:
    new = actions.create_account(name=email, email=email, password="correct horse battery")
    account = new.account
    contact = Contact.objects.create(account=account, email=f"contact.{email}")
    message = Message.objects.create(account=account, name="M", subject="S", text="T")
    journey = Journey.objects.create(account=account, name="J", status="active", version=1)
    Version.objects.create(journey=journey, number=1, document=DOCUMENT)
    send = Send.objects.create(account=account, message=message, contact_id=contact.pk, channel="email")
    suppression = Suppression.objects.create(
        account=account, channel="email", address_hash="0" * 64, reason="manual", contact_id=contact.pk
    )
    pipeline = Pipeline.objects.create(account=account, key="p", name="P")
    stage = Stage.objects.create(pipeline=pipeline, key="s", name="S")
    imported = Import.objects.create(account=account, path="none", setup={})
    made: dict[str, Any] = {
        "account_id": account,
        "import_id": imported,
        "key_id": ApiKey.objects.get(account=account),
        "job_id": Job.objects.create(account=account, kind="contacts.import"),
        "contact_id": contact,
        "list_id": List.objects.create(account=account, name="L"),
        "attribute_id": AttributeDefinition.objects.create(account=account, name="a", type="text"),
        "segment_id": Segment.objects.create(account=account, name="S", criteria={"all": []}),
        "folder_id": SegmentFolder.objects.create(account=account, name="F"),
        "journey_id": journey,
        "message_id": message,
        "send_id": send,
        "pair_id": Pair.objects.create(
            account=account,
            one=contact,
            other=Contact.objects.create(account=account, email=f"other.{email}"),
            score=90,
            reasons=["email"],
            found_at=clock.now(),
        ),
        "suppression_id": suppression,
        "order_id": Order.objects.create(
            account=account, order_id="A-1", placed_at=clock.now(), currency="EUR"
        ),
        "product_id": Product.objects.create(account=account, product_id="tea"),
        "pipeline_id": pipeline,
        "stage_id": stage,
        "deal_id": Deal.objects.create(
            account=account, name="D", currency="EUR", pipeline=pipeline, stage=stage
        ),
        "domain_id": SendingDomain.objects.create(account=account, domain="a.example", selector="s"),
    }
    return World(new=new, ids={name: str(found.pk) for name, found in made.items()})


@pytest.fixture
def mine(db: None) -> World:
    return world("ada@example.org")


@pytest.fixture
def theirs(db: None) -> World:
    return world("bob@example.org")


def call(client: Client, operation: str, address: str, **headers: str) -> Any:
    method = operation.split()[0].lower()
    return client.generic(
        method.upper(),
        address,
        data=json.dumps(BODIES.get(operation, {})),
        content_type=JSON,
        headers=headers,
    )


def codes_of(client: Client, address: str) -> set[int]:
    """What reading a page and posting to it answer."""
    return {client.get(address).status_code, client.post(address).status_code}


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def test_the_table_has_every_route() -> None:
    assert set(operations()) == set(API), (
        "say in tests/architecture/routes.py which scope the operation needs"
    )
    assert set(page_patterns()) == set(PAGES) | set(PUBLIC) | NO_ACCOUNT, (
        "say in routes.py whom the page is for"
    )


def test_the_api_opens_to_the_right_keys_only(mine: World) -> None:
    keys: dict[str, str] = {}
    for scope in access.SCOPES:
        others = [other for other in access.SCOPES if other not in (scope, access.ADMIN)]
        keys[scope] = actions.create_key(account=mine.account, name="k", scopes=others)[1]
    wrong = {}
    for operation, scope in API.items():
        client, address = Client(), mine.address(operation.split()[1])
        anonymous = call(client, operation, address)
        without = call(client, operation, address, **bearer(keys[scope]))
        codes = (anonymous.status_code, without.status_code, without.json().get("type"))
        if codes != (401, 403, "forbidden"):
            wrong[operation] = codes
    assert wrong == {}


def test_the_api_knows_nothing_of_another_accounts_ids(mine: World, theirs: World) -> None:
    nobody = World(new=theirs.new, ids=dict.fromkeys(theirs.ids, "999999999"))
    headers = bearer(mine.new.api_key)
    wrong = {}
    for operation in (operation for operation in API if "_id}" in operation):
        route = operation.split()[1]
        foreign = call(Client(), operation, mine.address(route, other=theirs), **headers)
        unknown = call(Client(), operation, mine.address(route, other=nobody), **headers)
        # It reads exactly as one that does not exist.
        if foreign.status_code != 404 or foreign.content != unknown.content:
            wrong[operation] = (foreign.status_code, foreign.content, unknown.content)
    assert wrong == {}


def test_pages_ask_to_sign_in(mine: World) -> None:
    wrong = {}
    for route in PAGES:
        client, address = Client(), mine.address(route)
        answers = [client.get(address), client.post(address)]
        moved = [answer["Location"] for answer in answers if answer.status_code == 302]
        told = all(place.startswith("/accounts/login/") for place in moved)
        codes = {answer.status_code for answer in answers}
        if not (moved and told and codes <= {302, 405}):
            wrong[route] = (codes, moved)
    assert wrong == {}


def test_pages_refuse_a_role_without_the_scope(mine: World, monkeypatch: Any) -> None:
    wrong = {}
    client = mine.browser()
    for route, scope in PAGES.items():
        monkeypatch.setitem(access.ROLE_SCOPES, "owner", frozenset(access.SCOPES) - {scope, access.ADMIN})
        codes = codes_of(client, mine.address(route))
        if 403 not in codes or not codes <= {403, 405}:
            wrong[route] = codes
    assert wrong == {}


def test_pages_know_nothing_of_another_accounts_ids(mine: World, theirs: World) -> None:
    wrong = {}
    client = mine.browser()
    for route in (route for route in PAGES if "_id>" in route):
        codes = codes_of(client, mine.address(route, other=theirs))
        if 404 not in codes or not codes <= {404, 405}:
            wrong[route] = codes
    assert wrong == {}


def test_a_form_without_its_protection_token_is_refused(mine: World) -> None:
    client = mine.browser(enforce_csrf_checks=True)
    codes = {route: client.post(mine.address(route)).status_code for route in [*PAGES, *PUBLIC]}
    taken = {route for route, code in codes.items() if code not in (403, 405)}
    assert taken == WITHOUT_FORGERY_CHECK


def test_no_scope_but_send_writes_to_people() -> None:
    risky = re.compile(r"/(activate|resume|publish|enrol|test|retry)$")
    found = {operation for operation in API if risky.search(operation) and "/segments/" not in operation}
    assert {API[operation] for operation in found} == {SEND}


@pytest.mark.django_db
def test_nobody_signs_up_by_themselves() -> None:
    values = {"email": "eve@example.org", "password1": "correct horse battery"}
    Client().post("/accounts/signup/", values)
    assert not Client().login(email="eve@example.org", password="correct horse battery")
