"""Segment's official clients, pointed at a whole installation: what they send is what its people did."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client

from tests.fixtures.installation import Account, Installation, installed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installed(tmp_path_factory.mktemp("segment")) as running:
        yield running


@pytest.fixture(scope="module")
def account(installation: Installation) -> Account:
    return installation.create_account("Maison Verte", email="verte@example.org")


def everything_digested(installation: Installation, account: Account) -> None:
    with installation.api(account) as api:
        answer = api.post("events?wait=true", content=b'{"name": "Waited", "anonymous_id": "barrier"}')
        assert (answer.status_code, answer.json()["accepted"]) == (200, 1), answer.text


def person(
    installation: Installation, account: Account, external_id: str
) -> tuple[dict[str, Any], list[Any]]:
    """A contact, and what they did outside of the system, oldest first."""
    with installation.api(account) as api:
        [contact] = api.get("contacts", params={"external_id": external_id}).json()["items"]
        items = api.get(f"contacts/{contact['id']}/timeline").json()["items"]
    return contact, [item for item in reversed(items) if not item["name"].startswith("contact.")]


def test_the_python_client(installation: Installation, account: Account) -> None:
    errors: list[Any] = []
    client = Client(
        account.write_key,
        host=installation.url,
        gzip=True,
        on_error=lambda error, items: errors.append(error),
        upload_size=3,
    )
    client.page(anonymous_id="python-browser", name="Home", properties={"url": "https://shop.example/home"})
    client.page(anonymous_id="python-browser", properties={"url": "https://shop.example/bags"})
    client.flush()
    everything_digested(installation, account)
    client.identify(
        "python-user", {"email": "Py@Example.org", "first_name": "Pia"}, anonymous_id="python-browser"
    )
    client.track("python-user", "Order Completed", {"order_id": "p-1", "total": 19.99})
    client.page(
        "python-user", properties={"url": "https://shop.example/thanks"}, anonymous_id="python-browser"
    )
    client.screen("python-user", name="Basket")
    client.group("python-user", "g-1", {"size": 3})
    client.alias("python-phone", "python-user")
    client.flush()
    client.join()
    assert errors == []
    everything_digested(installation, account)
    contact, did = person(installation, account, "python-user")
    assert (contact["email"], contact["first_name"]) == ("py@example.org", "Pia")
    assert sorted(item["name"] for item in did) == ["group", "order.placed", *["page.viewed"] * 4]
    urls = {item["properties"].get("url") for item in did if item["name"] == "page.viewed"}
    assert urls == {None, *(f"https://shop.example/{page}" for page in ("home", "bags", "thanks"))}
    [order] = [item for item in did if item["name"] == "order.placed"]
    assert order["properties"]["total"] == 19.99


def test_the_node_client(installation: Installation, account: Account) -> None:
    node = shutil.which("node")
    assert node is not None, "Node.js is needed."
    done = subprocess.run(
        [node, Path(__file__).with_name("segment_client.cjs"), installation.url, account.write_key],
        env={**os.environ, "NODE_PATH": str(ROOT / "frontend" / "node_modules")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    everything_digested(installation, account)
    contact, did = person(installation, account, "node-user")
    assert (contact["email"], contact["first_name"]) == ("node@example.org", "Nora")
    assert contact["attributes"] == {"plan": "pro", "points": 3}
    assert sorted(item["name"] for item in did) == [
        "Tried",
        "group",
        "order.placed",
        "page.viewed",
        "page.viewed",
    ]
    [tried] = [item for item in did if item["name"] == "Tried"]
    assert tried["properties"]["deep"] == {"list": [1, "two"]}
