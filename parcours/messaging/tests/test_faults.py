"""Servers that refuse, drop, hang and lie: one recipient's failure touches no other, nobody is written to twice."""

from __future__ import annotations

import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from parcours.contacts import actions as contact_actions
from parcours.contacts.models import Contact
from parcours.events import journal
from parcours.events.entries import Event
from parcours.events.models import JournalRow
from parcours.lib import clock
from parcours.messaging import actions, gates
from parcours.messaging.models import Message, Send, Suppression
from parcours.messaging.sink import Sink, read_mailbox
from parcours.messaging.tests.conftest import queue_all, run_until_idle
from parcours.messaging.tests.fault_server import DROP, GARBAGE, HANG, FaultServer

pytestmark = pytest.mark.django_db

ODD_ONE = "p3@example.org"


def only_at(stage: str, what: str, recipient: str = ODD_ONE) -> Any:
    return lambda at, to: what if at == stage and to == recipient else None


def told() -> Counter[str]:
    rows = JournalRow.objects.order_by("id")
    return Counter(
        entry.name for row in rows for entry in journal.decode(row.body) if isinstance(entry, Event)
    )


def statuses() -> Counter[str]:
    return Counter(Send.objects.values_list("status", flat=True))


def the_odd_one() -> Send:
    return Send.objects.get(contact_id=Contact.objects.get(email=ODD_ONE).pk)


@pytest.mark.parametrize(
    ("stage", "reply", "reason", "kind"),
    [
        ("rcpt", "550 5.1.1 user unknown", "unknown_user", "hard"),
        ("rcpt", "550 no such user here", "unknown_user", "hard"),
        ("rcpt", "554 5.7.1 blocked using spamhaus", "reputation", "block"),
        ("dot", "552 5.2.2 mailbox full", "mailbox_full", "soft"),
        ("dot", "550 5.7.1 message looks like spam", "content", "block"),
        ("data", "554 5.5.0 no", "other", "block"),
    ],
)
def test_a_permanent_refusal_ends_that_send_alone(
    message: Message, people: Any, sender_to: Any, stage: str, reply: str, reason: str, kind: str
) -> None:
    queue_all(message, people(6))
    with FaultServer(only_at(stage, reply)) as server:
        run_until_idle(sender_to(server.port))
        received = Counter(recipient for recipient, _content in server.taken.mails)
    assert statuses() == {"sent": 5, "refused": 1}
    assert received == {f"p{n}@example.org": 1 for n in range(6) if n != 3}
    odd = the_odd_one()
    assert (odd.reason, odd.attempts) == (reason, 1)
    assert odd.bounced_at is not None
    assert told() == {"email.sent": 6, "email.delivered": 5, "email.bounced": 1}
    assert Suppression.objects.count() == (1 if kind == "hard" else 0)


@pytest.mark.parametrize(
    ("stage", "what"), [("rcpt", "451 4.7.1 greylisted"), ("data", DROP), ("rcpt", GARBAGE)]
)
def test_a_temporary_failure_is_tried_again_later_and_counts_once(
    message: Message, people: Any, sender_to: Any, settings: Any, stage: str, what: str
) -> None:
    settings.EMAIL_RETRY_SECONDS = [3600.0]
    queue_all(message, people(6))
    calls: list[str] = []

    def once(at: str, to: str) -> str | None:
        if at == stage and to == ODD_ONE and not calls:
            calls.append(to)
            return what
        return None

    with FaultServer(once) as server:
        sender = sender_to(server.port)
        run_until_idle(sender)
        assert statuses() == {"sent": 5, "deferred": 1}
        assert told() == {"email.sent": 5, "email.delivered": 5}
        odd = the_odd_one()
        assert odd.due_at > clock.now() + timedelta(minutes=59)
        Send.objects.filter(pk=odd.pk).update(due_at=clock.now())
        run_until_idle(sender)
        assert Counter(to for to, _content in server.taken.mails) == {
            f"p{n}@example.org": 1 for n in range(6)
        }
    assert statuses() == {"sent": 6}
    assert told() == {"email.sent": 6, "email.delivered": 6}


def test_when_tries_end_the_refusal_is_soft(
    message: Message, people: Any, sender_to: Any, settings: Any
) -> None:
    settings.EMAIL_RETRY_SECONDS = [0.0, 0.0]
    queue_all(message, people(6))
    with FaultServer(only_at("rcpt", "450 4.1.1 mailbox unknown for now")) as server:
        run_until_idle(sender_to(server.port))
    odd = the_odd_one()
    assert (odd.status, odd.attempts) == ("refused", 3)
    assert told()["email.bounced"] == 1
    assert Suppression.objects.count() == 0


@pytest.mark.parametrize("what", [DROP, HANG, GARBAGE])
def test_a_connection_lost_after_the_final_dot_is_of_unknown_fate_and_never_sent_again(
    message: Message, people: Any, sender_to: Any, what: str
) -> None:
    queue_all(message, people(6))
    with FaultServer(only_at("accepted", what)) as server:
        sender = sender_to(server.port, timeout=0.5)
        run_until_idle(sender)
        Send.objects.update(due_at=clock.now() - timedelta(days=1))
        run_until_idle(sender)
        received = Counter(to for to, _content in server.taken.mails)
    assert received == {f"p{n}@example.org": 1 for n in range(6)}
    assert statuses() == {"sent": 5, "unknown": 1}
    assert told() == {"email.sent": 6, "email.delivered": 5}


def test_a_server_that_closes_after_a_few_mails_loses_nobody(
    message: Message, people: Any, sender_to: Any
) -> None:
    queue_all(message, people(12))
    count = [0]

    def behave(at: str, to: str) -> str | None:
        if at == "mail":
            count[0] += 1
            if count[0] % 4 == 0:
                return "421 4.7.0 too many mails" if count[0] % 8 else DROP
        return None

    with FaultServer(behave) as server:
        sender = sender_to(server.port, connections=1)
        for _ in range(30):
            sender._closed_until = 0.0
            run_until_idle(sender)
        received = Counter(to for to, _content in server.taken.mails)
    assert received == {f"p{n}@example.org": 1 for n in range(12)}
    assert statuses() == {"sent": 12}


@pytest.mark.parametrize(
    ("stage", "what"), [("banner", "554 go away"), ("banner", DROP), ("mail", "530 5.7.0 sign in first")]
)
def test_a_server_that_takes_nothing_costs_no_attempt(
    message: Message, people: Any, sender_to: Any, stage: str, what: str
) -> None:
    queue_all(message, people(3))
    with FaultServer(lambda at, _to: what if at == stage else None) as server:
        sender = sender_to(server.port)
        for _ in range(4):
            sender.round()
    assert statuses() == {"queued": 3}
    assert set(Send.objects.values_list("attempts", flat=True)) == {0}
    assert told() == {}


def test_a_slow_recipient_does_not_hold_the_others(message: Message, people: Any, sender_to: Any) -> None:
    queue_all(message, people(6))
    with FaultServer(only_at("dot", HANG)) as server:
        sender = sender_to(server.port, connections=2, timeout=30)
        began = time.monotonic()
        while statuses()["sent"] < 5:
            sender.round()
            assert time.monotonic() - began < 10
        assert the_odd_one().status == "claimed"


def test_addresses_outside_ascii_need_a_server_that_takes_them(
    message: Message, people: Any, sender_to: Any, sink: Sink
) -> None:
    (contact,) = people(1)
    Contact.objects.filter(pk=contact.pk).update(email="zoé@exämple.org")
    queue_all(message, [contact])
    with FaultServer(lambda _at, _to: None) as server:
        run_until_idle(sender_to(server.port))
        assert not server.taken.mails
    assert (Send.objects.get().status, Send.objects.get().reason) == ("skipped", "server_cannot")
    Send.objects.update(status="queued")
    run_until_idle(sender_to(sink.port))
    (mail,) = read_mailbox()
    assert mail.recipient == "zoé@xn--exmple-cua.org"
    assert "SMTPUTF8" in mail.options


def test_a_server_without_8bitmime_gets_seven_bits(message: Message, people: Any, sender_to: Any) -> None:
    message.html = "<p>Été à Évreux</p>"
    message.save()
    queue_all(message, people(1))
    with FaultServer(lambda _at, _to: None, extensions=("HELP",)) as server:
        run_until_idle(sender_to(server.port))
        ((_to, content),) = server.taken.mails
    assert content.isascii()
    assert b"quoted-printable" in content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("opt_out", "opted_out"),
        ("pending", "not_opted_in"),
        ("suppress", "suppressed"),
        ("erase", "contact_gone"),
        ("no_address", "no_address"),
        ("bad_address", "bad_address"),
        ("break_message", "bad_message"),
    ],
)
def test_what_is_checked_is_what_is_true_when_the_send_is_claimed(
    message: Message, people: Any, sender_to: Any, sink: Sink, change: str, reason: str
) -> None:
    (contact, other) = people(2)
    queue_all(message, [contact, other] if change != "break_message" else [contact])
    now, account = clock.now(), contact.account_id
    if change == "opt_out":
        contact_actions.set_consent(
            account_id=account,
            contact_ids=[contact.pk],
            channel="email",
            value="opted_out",
            source="test",
            now=now,
        )
    elif change == "pending":
        Contact.objects.filter(pk=contact.pk).update(consent_email="pending")
    elif change == "suppress":
        actions.suppress(
            account_id=account, channel="email", address="P0@example.ORG", reason="complaint", now=now
        )
    elif change == "erase":
        contact_actions.erase(account_id=account, contact_ids=[contact.pk], now=now)
    elif change == "no_address":
        Contact.objects.filter(pk=contact.pk).update(email=None)
    elif change == "bad_address":
        Contact.objects.filter(pk=contact.pk).update(email="x" * 65 + "@example.org")
    else:
        Message.objects.filter(pk=message.pk).update(html="{% if %}")
    run_until_idle(sender_to(sink.port))
    send = Send.objects.get(contact_id=contact.pk)
    assert (send.status, send.reason) == ("skipped", reason)
    assert [mail.recipient for mail in read_mailbox()] == (
        [] if change == "break_message" else ["p1@example.org"]
    )


def test_a_transactional_message_goes_to_all_but_the_suppressed(
    message: Message, people: Any, sender_to: Any, sink: Sink
) -> None:
    message.kind = "transactional"
    message.save()
    contacts = people(2, consent="opted_out") + people(1, consent="pending")
    actions.suppress(
        account_id=message.account_id,
        channel="email",
        address="p1@example.org",
        reason="hard_bounce",
        now=clock.now(),
    )
    queue_all(message, contacts)
    run_until_idle(sender_to(sink.port))
    mails = read_mailbox()
    assert [mail.recipient for mail in mails] == ["p0@example.org", "p2@example.org"]
    assert all(mail.message()["List-Unsubscribe"] is None for mail in mails)


def test_a_held_journeys_sends_wait(message: Message, people: Any, sender_to: Any, sink: Sink) -> None:
    held = {7}

    def gate() -> set[int]:
        return held

    gates.register(gate)
    try:
        queue_all(message, people(2))
        sender = sender_to(sink.port)
        run_until_idle(sender)
        assert statuses() == {"queued": 2}
        held.clear()
        run_until_idle(sender)
        assert statuses() == {"sent": 2}
    finally:
        gates._gates.remove(gate)
