"""A small told world: an account, its contacts, journeys, and a clock that the test turns."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from parcours.accounts.models import Account
from parcours.contacts.models import Contact, List, ListMember
from parcours.events import journal
from parcours.events.entries import Entry, Event, Parked
from parcours.events.models import JournalRow
from parcours.journeys import actions, inbox, work
from parcours.journeys.engine import ids, programs
from parcours.journeys.engine.runs import ENTRY, EXIT, WAIT, write_event
from parcours.journeys.inbox import NewRow
from parcours.journeys.models import Enrolment, Journey
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.messaging.models import Message
from parcours.tracking.digest.run import Digest

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class World:
    """Made anew for each test; `at` turns the clock, `settle` runs the engine until nothing is due."""

    def __init__(self, *, start: datetime = START, timezone: str = "UTC") -> None:
        programs.forget()
        ids.forget()
        clock.freeze(start)
        self.account = Account.objects.create(name="Maison", write_key=new_id(), timezone=timezone)
        self.list = List.objects.create(account=self.account, name="Nouveaux")
        self.message = Message.objects.create(
            account=self.account, name="Bonjour", subject="Bonjour", text="Bonjour"
        )

    def contacts(self, number: int, **fields: Any) -> list[int]:
        """New contacts, opted in to e-mail."""
        made = Contact.objects.bulk_create(
            Contact(account=self.account, email=f"{new_id()}@example.org", consent_email="opted_in", **fields)
            for _ in range(number)
        )
        return [contact.pk for contact in made]

    def on_list(self, contacts: list[int]) -> None:
        """Put contacts on the list, without telling anybody."""
        ListMember.objects.bulk_create(
            ListMember(list=self.list, contact_id=contact, source="test") for contact in contacts
        )

    def journey(self, steps: list[dict[str, Any]], **parts: Any) -> Journey:
        """An active journey that lets contacts in by hand, unless it is told otherwise."""
        document = {
            "name": "Bienvenue",
            "entry": {"triggers": [{"type": "api"}]},
            "start": steps[0]["id"],
            "steps": steps,
            **parts,
        }
        made = actions.create(self.account, document, now=clock.now())
        return actions.activate(made, now=clock.now())

    def at(self, instant: datetime) -> None:
        """Turn the clock."""
        clock.freeze(instant)

    def later(self, **span: float) -> None:
        """Turn the clock on."""
        clock.freeze(clock.now() + timedelta(**span))

    def settle(self, *, rounds: int = 1000) -> int:
        """Run the engine until nothing is due; answers how many rounds it took."""
        for taken in range(rounds):
            if not work.round():
                return taken
        raise AssertionError("The engine never comes to rest.")

    def enrol(self, journey: Journey, contacts: list[int]) -> None:
        """Let contacts in by hand, now."""
        actions.enrol(journey, contacts, now=clock.now())

    def event(
        self,
        journey: Journey,
        kind: str,
        contact: int,
        name: str,
        *,
        occurred: datetime | None = None,
        key: str = "",
        message_id: str = "",
        **properties: Any,
    ) -> Event:
        """An event as the fan-out hands it to a journey."""
        now = to_ms(clock.now())
        event = Event(
            name=name,
            occurred_at=now if occurred is None else to_ms(occurred),
            received_at=now,
            message_id=message_id or new_id(),
            contact=contact,
            properties=properties,
        )
        at = event.received_at if kind == ENTRY else event.occurred_at
        inbox.put(
            [
                NewRow(
                    self.account.pk, journey.pk, kind, contact, at, event.occurred_at, event.message_id, key,
                    write_event(event),
                )
            ],
            account_id=self.account.pk,
        )  # fmt: skip
        return event

    def entries(self) -> list[Entry]:
        """Everything that the journal was told."""
        return [
            entry
            for row in JournalRow.objects.filter(account_id=self.account.pk).order_by("id")
            for entry in journal.decode(row.body)
        ]

    def told(self, name: str) -> list[Event]:
        """The events of a name that the journal was told."""
        return [entry for entry in self.entries() if isinstance(entry, Event) and entry.name == name]

    def passages(self) -> Counter[str]:
        """Passages by step, as the journal was told of them."""
        return Counter(event.step for event in self.told("journey.step_entered"))

    def parked(self) -> list[Parked]:
        """What the journal was told of runs parked and gone on."""
        return [entry for entry in self.entries() if isinstance(entry, Parked)]


class Living(World):
    """A world whose journal is digested for real."""

    def __init__(self, *, digest: Digest | None = None) -> None:
        super().__init__()
        self.digest = digest or Digest()

    def did(
        self,
        contact: int,
        name: str,
        *,
        ago: timedelta = timedelta(0),
        machine: bool = False,
        **properties: Any,
    ) -> str:
        """An event is accepted now; it occurred a while ago. Answers its message id."""
        now = to_ms(clock.now())
        message_id = new_id()
        event = Event(
            name=name,
            occurred_at=now - int(ago.total_seconds() * 1000),
            received_at=now,
            message_id=message_id,
            contact=contact,
            properties=properties,
            machine=machine,
        )
        journal.append([event], account_id=self.account.pk)
        return message_id

    def live(self) -> None:
        """Digest and move until both are at rest."""
        for _ in range(200):
            if not (self.digest.round() | work.round()):
                return
        raise AssertionError("The world never comes to rest.")


def standing(journey: Journey) -> Counter[tuple[str, str]]:
    """Runs by status and step."""
    return Counter(Enrolment.objects.filter(journey=journey).values_list("status", "step"))


__all__ = ["ENTRY", "EXIT", "START", "WAIT", "Living", "World", "standing"]
