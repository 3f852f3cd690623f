from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.events import journal
from parcours.events.entries import Call, Event, Said
from parcours.events.store import queries as store_queries
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.segments import work
from parcours.segments.models import Segment
from parcours.tracking.digest.run import Digest


@dataclass
class Firm:
    """An account whose events are digested and whose segments are kept, when `catch_up` is called."""

    account: Account
    http: Client
    digest: Digest

    def people(self, *lines: dict[str, Any]) -> list[int]:
        """Contacts, created or changed."""
        done = contacts.upsert_many(self.account, lines, source="test", now=clock.now())
        assert not done.refused, done.refused
        return [contact for contact in done.contacts if contact is not None]

    def happens(self, name: str, contact: int, *, at: datetime | None = None, **properties: Any) -> None:
        """An event of a contact."""
        now = to_ms(clock.now())
        event = Event(name, to_ms(at) if at else now, now, new_id(), contact=contact, properties=properties)
        journal.append([event], account_id=self.account.pk)

    def calls(self, kind: str, **body: Any) -> None:
        """A call of the tracking API."""
        now = to_ms(clock.now())
        said = msgspec.convert(body, Said)
        journal.append([Call(kind, said, now, now, new_id())], account_id=self.account.pk)

    def catch_up(self) -> None:
        """Digest and keep segments until nothing is left to do."""
        for _ in range(100):
            if not (self.digest.round() | work.round()):
                return
        raise AssertionError("There is always something left to do.")

    def segment(self, criteria: Any, name: str = "Clients") -> Segment:
        """A segment made by the API, computed."""
        answer = self.http.post(
            "/api/v1/segments", {"name": name, "criteria": criteria}, content_type="application/json"
        )
        assert answer.status_code == 201, answer.content
        self.catch_up()
        return Segment.objects.get(pk=int(answer.json()["id"]))

    def get(self, path: str, *, language: str = "en") -> Any:
        answer = self.http.get(f"/api/v1/{path}", headers={"accept-language": language})
        assert answer.status_code == 200, answer.content
        return answer.json()

    def post(self, path: str, body: Any) -> Any:
        """What the API answers to a document."""
        answer = self.http.post(f"/api/v1/{path}", body, content_type="application/json")
        assert answer.status_code < 300, answer.content
        return answer.json()

    def members(self, segment: Segment) -> list[int]:
        """The ids of the members, by the API; as many as the figure says."""
        told = self.get(f"segments/{segment.pk}")
        items = self.get(f"segments/{segment.pk}/members?limit=1000")["items"]
        assert told["profiles"] == len(items)
        assert told["email_opt_ins"] == sum(item["email_opt_in"] for item in items)
        return sorted(int(item["contact"]) for item in items)

    def told(self, segment: Segment) -> list[tuple[str, int, bool]]:
        """The segment's entries and exits, as events of the store."""
        rows = store_queries.client().query(
            "SELECT name, contact, has(texts['initial'], 'true') FROM events WHERE account = {account:UInt32}"
            " AND name IN ('segment.entered', 'segment.left') AND has(texts['segment'], {segment:String})"
            " ORDER BY load, position",
            parameters={"account": self.account.pk, "segment": str(segment.pk)},
        )
        return [(row[0], row[1], bool(row[2])) for row in rows.result_rows]


def new_firm(digest: Digest) -> Firm:
    """An account with an API key; one digest serves all the accounts of a test."""
    made = accounts.create_account(
        name="Maison Verte",
        email=f"{new_id()}@example.org",
        password="un mot de passe assez long",
        timezone="Europe/Paris",
        currency="EUR",
    )
    client = Client(headers={"authorization": f"Bearer {made.api_key}"})
    return Firm(made.account, client, digest)


@pytest.fixture
def digest(store: Any, db: Any) -> Iterator[Digest]:
    """A digest on an empty store, with nothing waiting in the collector's journal."""
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield Digest()
    collected.close()


@pytest.fixture
def firm(digest: Digest) -> Firm:
    """An account in an empty store."""
    return new_firm(digest)
