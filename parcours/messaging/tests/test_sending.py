"""What the sink receives, and what the sends say afterwards."""

from __future__ import annotations

from collections import Counter

import pytest
from django.db import connection

from parcours.events import journal
from parcours.events.entries import Event
from parcours.events.models import JournalRow
from parcours.lib import clock
from parcours.messaging.models import Message, Send
from parcours.messaging.sink import Sink, read_mailbox
from parcours.messaging.tests.conftest import queue_all, run_until_idle

pytestmark = [pytest.mark.django_db, pytest.mark.database]


def told() -> list[Event]:
    """The events of the journal, in order."""
    rows = JournalRow.objects.order_by("id")
    return [entry for row in rows for entry in journal.decode(row.body) if isinstance(entry, Event)]


def test_each_contact_receives_its_own_mail_once(message: Message, people, sink: Sink, sender_to) -> None:
    contacts = people(30)
    queue_all(message, contacts)
    queue_all(message, contacts)  # The same visits again: nothing more.
    run_until_idle(sender_to(sink.port))

    mails = read_mailbox()
    assert Counter(mail.recipient for mail in mails) == Counter(contact.email for contact in contacts)
    for mail in mails:
        name = f"Name{mail.recipient[1:].partition('@')[0]}"
        parsed = mail.message()
        assert parsed["Subject"] == f"Hello {name}"
        part = parsed.get_body(("html",))
        assert part is not None
        body = part.get_content()
        assert f"Hello {name}</p>" in body
        assert body.count("Name") == 1
    assert set(Send.objects.values_list("status", flat=True)) == {"sent"}
    names = Counter(event.name for event in told())
    assert names == {"email.sent": 30, "email.delivered": 30}
    assert {event.send for event in told()} == {
        str(send) for send in Send.objects.values_list("id", flat=True)
    }


def test_the_queue_is_read_by_its_index(message: Message) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("EXPLAIN QUERY PLAN is SQLite's.")
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM messaging_send WHERE status IN ('queued', 'deferred') AND due_at <= 5"
            " AND channel = 'email' ORDER BY due_at, id LIMIT 10"
        )
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "send_queue" in plan


def test_a_send_says_what_of_it_is_not_tracked(message: Message, people, sink: Sink, sender_to) -> None:
    queue_all(message, people(1))
    run_until_idle(sender_to(sink.port))
    message.track_opens = message.track_clicks = False
    message.updated_at = clock.now()
    message.save()
    queue_all(message, people(1))
    run_until_idle(sender_to(sink.port))

    tracked, untracked = (event for event in told() if event.name == "email.sent")
    assert {"tracked_opens", "tracked_clicks"}.isdisjoint(tracked.properties)
    assert (untracked.properties["tracked_opens"], untracked.properties["tracked_clicks"]) == (False, False)
