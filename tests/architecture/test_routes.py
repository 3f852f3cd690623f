"""Every route × method × role × account: what each answers to whom, a forged form and a wrong method included."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.http import Http404
from django.test import Client
from django.urls import URLPattern, get_resolver, resolve

from parcours.accounts import actions, roles
from parcours.accounts.models import Account, ApiKey, BusinessUnit, Invitation, Job, Member, User
from parcours.commerce.models import Deal, Order, Pipeline, Product, Stage
from parcours.config.api import api
from parcours.contacts.merging.models import Pair
from parcours.contacts.models import AttributeDefinition, Contact, Import, List
from parcours.journeys.models import Journey, Version
from parcours.lib import clock
from parcours.messaging.models import Message, Send, SendingDomain, Suppression
from parcours.segments.models import Segment, SegmentFolder
from tests.architecture.routes import (
    API,
    BODIES,
    NO_ACCOUNT,
    NOT_THERE,
    PAGES,
    PUBLIC,
    ROLES,
    SCOPES,
    SEND,
    WITHOUT_FORGERY_CHECK,
)

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
    members: dict[str, User]

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

    def browser(self, role: str = "owner", **options: Any) -> Client:
        client = Client(**options)
        client.force_login(self.members[role])
        return client


def world(email: str) -> World:
    new = actions.create_account(name=email, email=email, password="correct horse battery")
    account = new.account
    members = {"owner": new.user}
    for role in ("admin", "marketer", "analyst"):
        members[role] = User.objects.create_user(f"{role}.{email}")
        Member.objects.create(account=account, user=members[role], role=role)
    colleague = User.objects.create_user(f"colleague.{email}")
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
        "member_id": Member.objects.create(account=account, user=colleague, role="analyst"),
        "invitation_id": Invitation.objects.create(
            account=account, email=f"new.{email}", role="analyst", invited_by=new.user
        ),
        "import_id": imported,
        "key_id": ApiKey.objects.get(account=account),
        "unit_id": BusinessUnit.objects.create(account=account, name="U"),
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
    return World(new=new, ids={name: str(found.pk) for name, found in made.items()}, members=members)


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


@contextmanager
def undone() -> Iterator[None]:
    """What happens inside did not happen: each call finds the world as it was made."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def visit(client: Client, page: str, address: str) -> Any:
    """What a page of the table answers; nothing of it stays, nor a cookie for a session that is not there then."""
    cookies = deepcopy(client.cookies)
    with undone():
        answer = client.generic(page.split()[0], address)
    client.cookies = cookies
    return answer


def expected(answer: Any, route: str, capability: str, may: set[str]) -> bool:
    """Whether an answer is the one that the table foresees for who may do these things."""
    status = answer.status_code
    if capability not in may:
        return status == 403
    if route in NOT_THERE:
        return status == 404
    # A name in the address (a tag, a kind, an attribute) may be unknown.
    unknown = status == 404 and route.split()[1].startswith("/api/") and "_id}" not in route
    return unknown or not (status in (401, 403, 404, 405) or status >= 500)


def test_the_table_has_every_route() -> None:
    assert set(operations()) == set(API), (
        "say in tests/architecture/routes.py which scope the operation needs"
    )
    told = {page.split()[1] for page in PAGES}
    assert set(page_patterns()) == told | set(PUBLIC) | NO_ACCOUNT, (
        "say in tests/architecture/routes.py whom each method of the page is for"
    )


def test_the_roles_are_those_of_the_table() -> None:
    assert {role: set(may) for role, may in roles.CAPABILITIES.items()} == ROLES
    assert {scope: set(roles.of_scopes([scope])) for scope in roles.SCOPES} == SCOPES
    assert set(Member.Role.values) == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_the_pages_that_are_for_it(mine: World, store: Any, role: str) -> None:
    """And no link, button nor form of these pages leads where their reader is refused."""
    wrong, tempting = {}, set()
    client = mine.browser(role)
    for page, capability in PAGES.items():
        answer = visit(client, page, mine.address(page.split()[1]))
        if not expected(answer, page, capability, ROLES[role]):
            wrong[page] = answer.status_code
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            for way, address in ways_out(answer.content.decode()):
                needed = PAGES.get(f"{way} {route_of(address)}")
                if needed is not None and needed not in ROLES[role]:
                    tempting.add((page, f"{way} {route_of(address)}"))
    assert wrong == {}
    assert tempting == set()


@pytest.mark.parametrize("role", ROLES)
def test_each_role_reaches_the_operations_that_are_for_it(mine: World, store: Any, role: str) -> None:
    wrong = _walk_the_api(mine, mine.browser(role), ROLES[role])
    assert wrong == {}


@pytest.mark.parametrize("scope", SCOPES)
def test_the_api_opens_to_the_right_keys_only(mine: World, store: Any, scope: str) -> None:
    _key, secret = actions.create_key(account=mine.account, name="k", scopes=[scope])
    assert _walk_the_api(mine, Client(), SCOPES[scope], **bearer(secret)) == {}


def _walk_the_api(mine: World, client: Client, may: set[str], **headers: str) -> dict[str, Any]:
    wrong = {}
    for operation, capability in API.items():
        with undone():
            answer = call(client, operation, mine.address(operation.split()[1]), **headers)
        right = expected(answer, operation, capability, may)
        if answer.status_code == 403:
            right = right and answer.json()["type"] == "forbidden"
        if not right:
            wrong[operation] = answer.status_code
    return wrong


def test_the_api_asks_for_a_key(mine: World) -> None:
    wrong = {}
    for operation in API:
        answer = call(Client(), operation, mine.address(operation.split()[1]))
        if (answer.status_code, answer.json()["type"]) != (401, "unauthorized"):
            wrong[operation] = answer.status_code
    assert wrong == {}


def test_the_api_knows_nothing_of_another_accounts_ids(mine: World, theirs: World) -> None:
    nobody = World(new=theirs.new, ids=dict.fromkeys(theirs.ids, "999999999"), members={})
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
    client = Client()
    for page in PAGES:
        answer = visit(client, page, mine.address(page.split()[1]))
        place = answer.get("Location", "")
        if answer.status_code != 302 or not place.startswith("/accounts/login/"):
            wrong[page] = (answer.status_code, place)
    assert wrong == {}


def test_pages_take_no_other_method(mine: World) -> None:
    wrong = {}
    client = mine.browser()
    for route in sorted({page.split()[1] for page in PAGES}):
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            if f"{method} {route}" not in PAGES:
                answer = visit(client, method, mine.address(route))
                if answer.status_code != 405:
                    wrong[f"{method} {route}"] = answer.status_code
    assert wrong == {}


@pytest.mark.parametrize("role", ROLES)
def test_pages_know_nothing_of_another_accounts_ids(mine: World, theirs: World, role: str) -> None:
    wrong = {}
    client = mine.browser(role)
    for page, capability in PAGES.items():
        if "_id>" not in page:
            continue
        answer = visit(client, page, mine.address(page.split()[1], other=theirs))
        if answer.status_code != (404 if capability in ROLES[role] else 403):
            wrong[page] = answer.status_code
    assert wrong == {}


class _WaysOut(HTMLParser):
    """Where a page's links and forms lead: method and address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in told:
            self.found.append(("GET", told["href"]))
        if tag == "form":
            self.found.append((told.get("method", "get").upper(), told.get("action", "")))
        self.found += [(way.upper(), told[f"hx-{way}"]) for way in ("get", "post") if f"hx-{way}" in told]
        if "formaction" in told:
            self.found.append(("POST", told["formaction"]))


def ways_out(html: str) -> list[tuple[str, str]]:
    """Methods and addresses of this site to which a page leads."""
    parser = _WaysOut()
    parser.feed(html)
    return [(way, address.split("?")[0]) for way, address in parser.found if address.startswith("/")]


def route_of(address: str) -> str:
    """The route of an address as the table writes it."""
    try:
        return resolve(address.split("#")[0]).route
    except Http404:
        return ""


def test_a_form_without_its_protection_token_is_refused(mine: World) -> None:
    client = mine.browser(enforce_csrf_checks=True)
    posted = [page.split()[1] for page in PAGES if page.startswith("POST ")]
    codes = {route: client.post(mine.address(route)).status_code for route in [*posted, *PUBLIC]}
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
