"""A small told world for merges: contacts, lists, a journey, sends, segments, and everything digested for real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client

from parcours.accounts import actions as accounts
from parcours.contacts import actions, queries, timeline
from parcours.contacts.models import Contact, List
from parcours.events import journal, watermark
from parcours.events.entries import Call, Event, Said
from parcours.journeys import actions as journeys
from parcours.journeys import work as engine
from parcours.journeys.engine import ids, programs
from parcours.journeys.models import Journey
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.messaging.models import Message
from parcours.reports import answers, messages
from parcours.reports import journeys as figures
from parcours.reports.filters import RunFilter
from parcours.segments import actions as segments
from parcours.segments import work as keeper
from parcours.segments.models import Segment
from parcours.tracking.digest.run import Digest

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class World:
    """Made anew for each test; `live` runs digest, engine and segments until all are at rest."""

    def __init__(self, name: str = "Maison") -> None:
        programs.forget()
        ids.forget()
        clock.freeze(START)
        made = accounts.create_account(
            name=name, email=f"{new_id()}@example.org", password="un mot de passe assez long", timezone="UTC"
        )
        self.account = made.account
        self.http = Client(headers={"authorization": f"Bearer {made.api_key}"})
        self.digest = Digest()
        self.message = Message.objects.create(
            account=self.account, name="Bonjour", subject="Bonjour", text="Bonjour"
        )

    def add(self, **fields: Any) -> int:
        """A contact, made or changed."""
        done = actions.upsert_many(self.account, [fields], source="test", now=clock.now())
        assert not done.refused, done.refused
        assert done.contacts[0] is not None
        return done.contacts[0]

    def person(self, contact: int) -> dict[str, Any]:
        """A contact as the API writes it, without when it was changed."""
        (person,) = queries.described([contact])
        return {name: value for name, value in person.items() if name != "updated_at"}

    def mailing_list(self, name: str = "Nouveaux") -> List:
        return List.objects.create(account=self.account, name=name)

    def did(self, contact: int, name: str, **fields: Any) -> None:
        """An event of a contact, now; `message`, `send` and `order` are its links, the rest its properties."""
        now = to_ms(clock.now())
        links = {key: fields.pop(key) for key in ("message", "send", "journey", "order") if key in fields}
        event = Event(name, now, now, new_id(), contact=contact, properties=fields, **links)
        journal.append([event], account_id=self.account.pk)

    def call(self, kind: str, **said: Any) -> None:
        """A tracking call."""
        now = to_ms(clock.now())
        journal.append([Call(kind, Said(**said), now, now, new_id())], account_id=self.account.pk)

    def journey(self, steps: list[dict[str, Any]], **entry: Any) -> Journey:
        """An active journey that lets contacts in by hand."""
        document = {
            "name": "Bienvenue",
            "entry": {"triggers": [{"type": "api"}], **entry},
            "start": steps[0]["id"],
            "steps": steps,
        }
        made = journeys.create(self.account, document, now=clock.now())
        return journeys.activate(made, now=clock.now())

    def enrol(self, journey: Journey, *contacts: int) -> None:
        journeys.enrol(journey, list(contacts), now=clock.now())

    def segment(self, criteria: Any, name: str = "S") -> Segment:
        made = segments.create(account=self.account, name=name, criteria=criteria, now=clock.now())
        self.live()
        return made

    def later(self, **span: float) -> None:
        clock.freeze(clock.now() + timedelta(**span))

    def live(self) -> None:
        """Digest, move and keep segments until nothing is left to do."""
        for _ in range(300):
            if not (self.digest.round() | engine.round() | keeper.round()):
                return
        raise AssertionError("The world never comes to rest.")

    # Readings

    def members(self, segment: Segment) -> list[int]:
        """The members, as many as the figure says."""
        segment.refresh_from_db()
        told = self.http.get(f"/api/v1/segments/{segment.pk}/members?limit=1000").json()["items"]
        assert len(told) == segment.profiles
        return sorted(int(item["contact"]) for item in told)

    def timeline(self, contact: int) -> list[str]:
        """The names of the events of a contact, but those of contacts themselves, sorted."""
        page = timeline.page(Contact.objects.get(pk=contact), limit=1000)
        return sorted(item["name"] for item in page.items if not item["name"].startswith("contact."))

    def figures(self, journey: Journey) -> dict[str, Any]:
        """The journey's figures, each held against its list."""
        mark = watermark.current(self.account.pk)
        told = answers.statistics(journey, mark=mark, chosen=RunFilter())
        for step in told["steps"]:
            rows = figures.step_contacts(
                journey, step["id"], mark=mark, chosen=RunFilter(), after=(0, 0), limit=1000
            )
            assert len({row["contact"] for row in rows}) == len(rows) == step["contacts"], step
            assert sum(row["passages"] for row in rows) == step["passages"]
            there = figures.step_present(
                journey,
                step["id"],
                parked=False,
                mark=mark,
                chosen=RunFilter(),
                after=(0, 0),
                limit=1000,
            )
            assert len(there) == step["waiting"]
        told.pop("as_of")
        return told

    def metrics(self) -> dict[str, Any]:
        """The metrics of the message, each count of people held against its list."""
        mark = watermark.current(self.account.pk)
        scope = messages.Scope(self.account.pk, [self.message.pk])
        told = messages.metrics(scope, mark=mark)
        for metric in ("recipients", "opened", "clicked", "unsubscribed"):
            rows = messages.recipients(scope, metric, mark=mark, after=None, limit=1000)
            assert len({row["contact"] for row in rows}) == len(rows) == told[metric]
        return told
