from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.accounts import jobs
from parcours.accounts.models import Account, User
from parcours.contacts import actions as contacts
from parcours.events import journal
from parcours.events.entries import Event
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.tracking.digest.run import Digest


@dataclass
class Shop:
    """An account that sells, its programs' key, and its digest."""

    account: Account
    user: User
    client: Client
    digest: Digest

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """What the API answers, which must be of that status."""
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.client.generic(method, f"/api/v1/{path}", content, content_type="application/json")
        assert answer.status_code == status, (answer.status_code, answer.content)
        return answer.json() if answer.content else None

    def faults(self, method: str, path: str, body: Any) -> set[str]:
        """The pointers of what is wrong in a request."""
        return {fault["pointer"] for fault in self.call(method, path, body, status=422)["errors"]}

    def people(self, *emails: str) -> list[int]:
        """Contacts, made or found."""
        done = contacts.upsert_many(
            self.account, [{"email": email} for email in emails], source="test", now=clock.now()
        )
        return [contact for contact in done.contacts if contact is not None]

    def happens(
        self,
        name: str,
        contact: int = 0,
        *,
        at: datetime | None = None,
        order: str = "",
        visitor: str = "",
        deal: int = 0,
        **properties: Any,
    ) -> str:
        """An event told to the journal; answers its message id."""
        now = to_ms(clock.now())
        event = Event(
            name, to_ms(at) if at else now, now, new_id(), contact,
            visitor=visitor, deal=deal, order=order, properties=properties,
        )  # fmt: skip
        journal.append([event], account_id=self.account.pk)
        return event.message_id

    def catch_up(self) -> None:
        """Do jobs and digest until nothing is left."""
        for _ in range(50):
            if not (self.digest.round() | jobs.round()):
                return
        raise AssertionError("There is always something left to do.")

    def send(self, path: str, lines: bytes, *, content_type: str = "text/csv") -> dict[str, Any]:
        """Import a file to its end; the job as the API tells it."""
        answer = self.client.generic("POST", f"/api/v1/{path}", lines, content_type=content_type)
        assert answer.status_code == 202, answer.content
        self.catch_up()
        return self.call("GET", f"jobs/{answer.json()['job']}")

    def file(self, path: str) -> str:
        """A file of the API, whole."""
        answer: Any = self.client.get(f"/api/v1/{path}")
        return b"".join(answer.streaming_content).decode()

    def browser(self, language: str = "fr") -> Client:
        """The owner, signed in."""
        client = Client(headers={"Accept-Language": language})
        client.force_login(self.user)
        return client


def make_shop(email: str = "a@example.org") -> Shop:
    new = accounts.create_account(
        name="Maison Verte",
        email=email,
        password="un mot de passe assez long",
        timezone="Europe/Paris",
        currency="EUR",
    )
    client = Client(headers={"authorization": f"Bearer {new.api_key}"})
    return Shop(new.account, new.user, client, Digest())


@pytest.fixture
def shop(store: Any, transactional_db: Any) -> Iterator[Shop]:
    """An account in an empty store."""
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield make_shop()
    collected.close()


@pytest.fixture
def quiet_shop(db: Any) -> Shop:
    """An account whose events nobody digests."""
    return make_shop()
