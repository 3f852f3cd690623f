"""Every operation of the API is handed junk: the answer is always one of ours, never a failure of the server."""

from __future__ import annotations

import json
import random
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from parcours.config.api import api
from tests.architecture.routes import PAGES
from tests.architecture.test_routes import World, undone, world

pytestmark = pytest.mark.database

TEXTS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "0001",
        "+1",
        "²",
        "٣",
        "9" * 25,
        str(2**63 - 1),
        str(2**63),
        "1e5",
        "null",
        "\0",
    ),
    *(
        "../..",
        "'; DROP TABLE x;--",
        "{{7*7}}",
        "é" * 300,
        "x" * 5_000,
        "🙂",
        "2026-13-45",
        "2026-01-01",
        "0001-01-01",
        "9999-12-31",
        "true",
    ),
)
#: Of these, nothing has the id: what is deleted by chance would be missing afterwards, the key foremost.
NO_IDS = tuple(text for text in TEXTS if text not in ("1", "0001", "+1"))
VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1.5, 1e308, 10**30, "", "x", "²", "9" * 30, "é" * 3_000, "2026-01-01", "\0", "1"),
    *([], [None], [[]], [{}], ["a"], [1, 2], {}, {"a": 1}, {"x": {"y": [1]}}, {"all": []}),
    *({"field": "email", "op": "exists"}, {"event": "x"}, {"id": "1"}, {"email": "a@example.org"}),
)
FILES = (
    b"",
    b"\0",
    b"email\n",
    b"{",
    b"a,b\n1",
    b"\xff\xfe\0",
    b"[]",
    b'{"id": {}}\n',
    b"email;x\na@b.example;1\n",
)
#: The members of bodies that no schema lists.
MEMBERS = {
    "/contacts": "email phone external_id first_name attributes consents lists tags created_at id locale country",
    "/orders": "order_id contact placed_at currency subtotal total products status refunded cancelled_at amount at",
    "/products": "product_id name url image_url price currency category",
    "/deals": "external_id name pipeline stage amount currency close_date owner contacts stages key id",
    "/journeys": "name entry exit settings start steps",
}
ROUNDS = 3
#: What the addresses and the forms of pages may say.
ASKED = (
    "as_of category column cursor email example folder format from ids list machines metric page pipeline search"
    " segment sort stage state status tab tag to u under_way owner attribute consent event property kind columns"
).split()
SAID = (
    "action address attribution_days back by category certain channel close_date confirm consent_email"
    " consent_sms contact consented_on content country criteria currency dates decimal delimiter document"
    " email encoding external_id first_name folder force history id ids image_url into journey key kind"
    " language last_name list mend name new_list night_hour note order_id owner phone placed_at plan"
    " postal_address price product_id proof quote reason reply_to required resubscribe role scopes search"
    " segment sender sender_email source stage stages subject subtotal tag tags text timezone to total"
    " track_clicks type under_way url value"
).split()


def _schema(document: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in given:
        given = document["components"]["schemas"][given["$ref"].rpartition("/")[2]]
    return given


def _body(document: dict[str, Any], path: str, operation: dict[str, Any], chance: random.Random) -> bytes:
    if "import" in path or path.endswith("/events"):
        return chance.choice(FILES)
    if chance.random() < 0.1:
        return json.dumps(chance.choice(VALUES)).encode()
    content = operation.get("requestBody", {}).get("content", {})
    names = [
        name for each in content.values() for name in _schema(document, each["schema"]).get("properties", ())
    ]
    if not names:
        names = " ".join(said for part, said in MEMBERS.items() if f"/api/v1{part}" in path).split()
    return json.dumps({name: chance.choice(VALUES) for name in names if chance.random() < 0.7}).encode()


def _address(
    mine: World, method: str, path: str, operation: dict[str, Any], chance: random.Random
) -> tuple[str, dict[str, str]]:
    asked = {}
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path":
            own = method != "delete" and chance.random() < 0.6
            given = mine.ids.get(name, "x") if own else chance.choice(NO_IDS)
            path = path.replace(f"{{{name}}}", quote(given, safe="") or "x")
        elif parameter["in"] == "query" and name != "wait" and chance.random() < 0.4:
            asked[name] = chance.choice(TEXTS)
    return path, asked


def test_junk_is_refused_and_breaks_nothing(db: None, store: Any) -> None:
    mine = world("ada@example.org")
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {mine.new.api_key}"})
    document = api.get_openapi_schema()
    chance = random.Random(1)
    broken = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for _ in range(ROUNDS):
                address, asked = _address(mine, method, path, operation, chance)
                content = b"" if method == "get" else _body(document, path, operation, chance)
                answer = client.generic(
                    method.upper(),
                    f"{address}?{urlencode(asked)}" if asked else address,
                    content,
                    chance.choice(("application/json", "text/csv"))
                    if content in FILES
                    else "application/json",
                )
                told = answer.headers.get("Content-Type", "")
                refused = answer.status_code >= 400
                if answer.status_code >= 500 or (refused and told != "application/problem+json"):
                    broken.append((answer.status_code, method, address[:80], asked, content[:200]))
    assert not broken


def test_pages_are_broken_by_no_junk(db: None, store: Any) -> None:
    mine = world("ada@example.org")
    client = mine.browser(raise_request_exception=False)
    chance = random.Random(2)
    broken = []
    for page in PAGES:
        method, route = page.split()
        for _ in range(ROUNDS):
            address = mine.address(route)
            if "<str:" in route and chance.random() < 0.3:
                address = "/" + re.sub(
                    r"<str:\w+>", lambda _: quote(chance.choice(NO_IDS), safe="") or "x", route
                )
                address = re.sub(r"<int:\w+>", "1", address)
            asked = {name: chance.choice(TEXTS) for name in ASKED if chance.random() < 0.15}
            given: dict[str, Any] = {
                name: chance.choice((*TEXTS, *map(json.dumps, VALUES)))
                for name in SAID
                if chance.random() < 0.5
            }
            if "import" in route:
                given["file"] = SimpleUploadedFile(
                    chance.choice(("a.csv", "a.ndjson", "\0")), chance.choice(FILES)
                )
            with undone():
                if method == "GET":
                    answer = client.get(address, asked)
                else:
                    answer = client.post(f"{address}?{urlencode(asked)}", given)
            if answer.status_code >= 500:
                broken.append((answer.status_code, page, address[:80], asked, given))
    assert not broken
