"""Dies at each boundary of the engine, one after the other, and goes on (`tests.fixtures.sweep`).

For each boundary a new account has the same contacts on the same list when its journey is activated, and a child
walks them through. Before, three workers walk one together.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from datetime import timedelta

from parcours.config import startup

startup.setup_django()

from django.db import connections  # noqa: E402

from parcours.accounts.models import Account  # noqa: E402
from parcours.contacts.models import AttributeDefinition, Contact, List, ListMember  # noqa: E402
from parcours.events import journal  # noqa: E402
from parcours.events.entries import Event  # noqa: E402
from parcours.events.models import JournalRow  # noqa: E402
from parcours.journeys import actions, work  # noqa: E402
from parcours.journeys.engine.parts import PARTS  # noqa: E402
from parcours.journeys.models import Enrolment, Inbox, Journey, StepCount, Taken  # noqa: E402
from parcours.journeys.tests.world import START  # noqa: E402
from parcours.lib import clock  # noqa: E402
from parcours.messaging.models import Message, Send  # noqa: E402
from tests.fixtures.sweep import sweep  # noqa: E402

PEOPLE = 9


def begin(number: int) -> Journey:
    """An account with nine contacts, of whom three are French, and a journey that does a little of everything."""
    clock.freeze(START)
    Journey.objects.update(status="archived")
    account = Account.objects.create(name=str(number), write_key=f"wk{number}")
    AttributeDefinition.objects.create(account=account, name="points", type="number")
    entering, reached = (List.objects.create(account=account, name=name) for name in ("in", "out"))
    message = Message.objects.create(account=account, name="M", subject="S", text="T")
    for place in range(PEOPLE):
        country = "FR" if place % 3 == 0 else "DE"
        contact = Contact.objects.create(
            account=account, email=f"{place}@{number}.example.org", country=country
        )
        ListMember.objects.create(list=entering, contact=contact, source="test")
    steps = [
        {"id": "hello", "type": "send_email", "message": message.pk, "next": "count"},
        {"id": "count", "type": "update_contact", "increment": {"attributes.points": 1}, "next": "rest"},
        {"id": "rest", "type": "delay", "for": "1d", "next": "if"},
        {"id": "if", "type": "condition", "if": {"field": "country", "op": "eq", "value": "FR"},
         "then": "join", "else": "again"},
        {"id": "join", "type": "add_to_list", "list": reached.pk, "next": "again"},
        {"id": "again", "type": "send_email", "message": message.pk, "next": "bye"},
        {"id": "bye", "type": "end"},
    ]  # fmt: skip
    entry = {"triggers": [{"type": "list_joined", "list": entering.pk}], "include": "current"}
    document = {"name": "J", "entry": entry, "start": "hello", "steps": steps}
    return actions.activate(actions.create(account, document, now=START), now=START)


def walk() -> None:
    """Move everybody to the end, two days on."""
    for days in range(3):
        clock.freeze(START + timedelta(days=days))
        while work.round():
            pass


def walk_in_company() -> None:
    """The same beside other workers: wait until nothing is due, whoever does it."""
    for days in range(3):
        clock.freeze(START + timedelta(days=days))
        due = Enrolment.objects.filter(status="active", due_at__lte=clock.now())
        while Inbox.objects.exists() or due.exists():
            if not work.round():
                time.sleep(0.005)


def crew(journey: Journey, workers: int) -> int:
    """So many workers walk the journey together; how many of them failed."""
    connections.close_all()
    children = []
    for _ in range(workers):
        pid = os.fork()
        if pid == 0:
            try:
                walk_in_company()
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        children.append(pid)
    return sum(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0 for pid in children)


def report(journey: Journey) -> dict[str, object]:
    """Everything that the journey did, counted."""
    entries = [
        entry
        for row in JournalRow.objects.filter(account_id=journey.account_id)
        for entry in journal.decode(row.body)
    ]
    told = [entry for entry in entries if isinstance(entry, Event)]
    moved = [
        (event.name, event.step, event.contact, event.visit) for event in told if event.name[:8] == "journey."
    ]
    sends = Send.objects.filter(journey_id=journey.pk)
    contacts = Contact.objects.filter(account_id=journey.account_id)
    return {
        "runs": sorted(
            Counter(Enrolment.objects.filter(journey=journey).values_list("status", "step")).items()
        ),
        "counts": sorted(StepCount.objects.filter(journey=journey).values_list("step", "passages")),
        "told": sorted(Counter((name, step) for name, step, _, _ in moved).items()),
        "told_twice": len(moved) - len(set(moved)),
        "changed": sorted(Counter(event.name for event in told if event.name[:8] != "journey.").items()),
        "sends": sorted(Counter(sends.values_list("step", flat=True)).items()),
        "written_to": sends.values("contact_id", "step").distinct().count(),
        "points": sorted(contact.attributes.get("points") for contact in contacts),
        "joined": ListMember.objects.filter(list__account_id=journey.account_id, list__name="out").count(),
        "taken": Taken.objects.filter(journey=journey).count(),
        "left": Inbox.objects.filter(journey=journey).count(),
        "parts": journey.parts.filter(lease_until=0).count() - PARTS,
    }


def main() -> None:
    startup.migrate()
    journey = begin(0)
    print(json.dumps({"crew": crew(journey, 3), "found": report(journey)}), flush=True)
    sweep("engine.*", most=300, begin=begin, do=walk, report=report)


if __name__ == "__main__":
    main()
