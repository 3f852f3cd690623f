from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.accounts import jobs
from parcours.contacts import actions, queries
from parcours.lib import clock


def streamed(answer: Any) -> bytes:
    """The whole of a file sent piece by piece."""
    return b"".join(answer.streaming_content)


class Shop:
    """An account, its programs' key, and a client that bears it."""

    def __init__(self, email: str = "ada@example.org") -> None:
        new = accounts.create_account(name="Shop", email=email, password="correct horse battery")
        self.account, self.user = new.account, new.user
        self.client = Client(headers={"Authorization": f"Bearer {new.api_key}"})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API with JSON."""
        if body is None:
            return self.client.generic(method, f"/api/v1/{path}")
        return getattr(self.client, method.lower())(f"/api/v1/{path}", body, content_type="application/json")

    def send(self, body: bytes, query: str = "", content_type: str = "text/csv") -> Any:
        """Post a file to be imported."""
        return self.client.generic("POST", f"/api/v1/contacts/import{query}", body, content_type=content_type)

    def take(self, body: bytes, query: str = "", content_type: str = "text/csv") -> dict[str, Any]:
        """Import a file to its end; the job as the API tells it."""
        answer = self.send(body, query, content_type)
        assert answer.status_code == 202, answer.content
        assert jobs.round()
        return self.client.get(f"/api/v1/jobs/{answer.json()['job']}").json()

    def add(self, *lines: dict[str, Any]) -> list[int]:
        """Contacts made by lines that must all be taken."""
        result = actions.upsert_many(self.account, lines, source="trial", now=clock.now())
        assert not result.refused, result.refused
        return [contact_id for contact_id in result.contacts if contact_id is not None]

    def people(self) -> dict[str, dict[str, Any]]:
        """Everybody, by e-mail address."""
        ids = list(queries.living(self.account.pk).values_list("pk", flat=True))
        return {person["email"]: person for person in queries.described(ids)}


@pytest.fixture
def shop(db: None) -> Shop:
    return Shop()


@pytest.fixture
def other_shop(db: None) -> Shop:
    return Shop("eve@example.org")
