"""The open pixel, the click redirect and the unsubscribe page, as readers, scanners and forgers use them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from parcours.contacts import actions as contact_actions
from parcours.contacts.models import Contact
from parcours.events import journal
from parcours.events.entries import Event
from parcours.events.models import JournalRow
from parcours.lib import clock, signing
from parcours.messaging import contents, touches
from parcours.messaging.models import Click, Message, Send
from parcours.messaging.rendering import tokens
from parcours.messaging.tests.conftest import queue_all

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PERSON = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def contact(people: Any) -> Contact:
    return people(1)[0]


@pytest.fixture
def send(message: Message, contact: Contact) -> Send:
    (send,) = queue_all(message, [contact])
    contents.load([message.pk])
    Send.objects.filter(pk=send.pk).update(
        status="sent", sent_at=clock.now() - timedelta(minutes=5), address=contact.email or ""
    )
    send.refresh_from_db()
    return send


def told(name: str) -> list[Event]:
    rows = JournalRow.objects.order_by("id")
    entries = [entry for row in rows for entry in journal.decode(row.body)]
    return [entry for entry in entries if isinstance(entry, Event) and entry.name == name]


def path(url: str) -> str:
    return url.removeprefix("https://mail.example.test")


def later(seconds: float) -> Any:
    return clock.now() + timedelta(seconds=seconds)


def links_of(message: Message) -> dict[str, int]:
    return dict(message.links.values_list("url", "id"))


def test_the_pixel_tells_an_open_and_marks_apples_proxy(client: Client, send: Send) -> None:
    address = path(tokens.open_url(send.pk))
    answer = client.get(address, headers={"user-agent": PERSON})
    assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (
        200,
        "image/gif",
        "no-store",
    )
    client.get(address, headers={"user-agent": "Mozilla/5.0"})
    first, second = told("email.opened")
    assert (first.machine, first.send, first.contact, first.message) == (
        False,
        str(send.pk),
        send.contact_id,
        send.message_id,
    )
    assert (first.properties["browser"], first.properties["device_type"]) == ("Firefox", "desktop")
    assert (first.journey, first.step, first.enrolment) == (7, "mail", send.enrolment_id)
    assert (second.machine, second.properties["machine_reason"]) == (True, "prefetch")
    send.refresh_from_db()
    assert send.first_opened_at is not None


@pytest.mark.parametrize("kind", ["o", "c", "u"])
def test_a_forged_or_foreign_token_records_nothing(client: Client, send: Send, kind: str) -> None:
    for token in (
        "",
        "x",
        "A" * 300,
        "é",
        signing.sign("z", send.pk),
        signing.sign(kind, send.pk)[:-2] + "AA",
    ):
        answer = client.get(f"/{kind}/{token}")
        assert answer.status_code == 404, token
        assert "Location" not in answer
    assert JournalRow.objects.count() == 0


def test_a_click_leads_to_what_the_account_wrote_and_nowhere_else(
    client: Client, message: Message, send: Send
) -> None:
    link = links_of(message)["https://shop.example/a?x=1&y=2"]
    answer = client.get(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    assert (answer.status_code, answer["Location"]) == (302, "https://shop.example/a?x=1&y=2")
    forged = client.get(path(tokens.click_url(send.pk, link)) + "?u=https://evil.example/")
    assert forged.status_code == 404
    mixed = tokens.dynamic_click_url(send.pk, link, "https://shop.example/p/1").replace("shop", "evil")
    assert client.get(path(mixed)).status_code == 404


def test_a_click_settles_and_is_told_with_its_link(client: Client, message: Message, send: Send) -> None:
    link = links_of(message)["https://shop.example/b"]
    client.get(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    assert touches.settle(now=later(0)) is False
    assert touches.settle(now=later(4)) is True
    assert touches.settle(now=later(4)) is False
    (event,) = told("email.clicked")
    assert event.machine is False
    assert event.properties["original_url"] == event.properties["url"] == "https://shop.example/b"
    assert event.properties["link"] == str(link)
    touches.settle(now=later(3600))
    assert not Click.objects.exists()


def test_all_links_at_once_and_heads_are_a_machines(client: Client, message: Message, send: Send) -> None:
    for link in links_of(message).values():
        client.get(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    touches.settle(now=later(4))
    assert [event.properties.get("machine_reason") for event in told("email.clicked")] == ["burst", "burst"]


def test_a_head_is_a_machines_and_so_is_what_follows_it(client: Client, message: Message, send: Send) -> None:
    link = links_of(message)["https://shop.example/b"]
    client.head(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    client.get(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    touches.settle(now=later(4))
    assert [event.properties["machine_reason"] for event in told("email.clicked")] == ["head", "head"]


def test_a_click_as_soon_as_the_mail_is_taken_is_a_machines(
    client: Client, message: Message, send: Send
) -> None:
    Send.objects.filter(pk=send.pk).update(sent_at=clock.now())
    client.get(path(tokens.click_url(send.pk, links_of(message)["https://shop.example/b"])))
    touches.settle(now=later(4))
    (event,) = told("email.clicked")
    assert event.properties["machine_reason"] == "too_soon"


def test_a_click_waits_until_it_is_known_when_the_mail_was_taken(
    client: Client, message: Message, send: Send
) -> None:
    link = links_of(message)["https://shop.example/b"]
    message.links.exclude(pk=link).delete()
    accepted = send.sent_at
    Send.objects.filter(pk=send.pk).update(sent_at=None, status="claimed")
    client.get(path(tokens.click_url(send.pk, link)), headers={"user-agent": PERSON})
    assert touches.settle(now=later(60)) is False
    Send.objects.filter(pk=send.pk).update(sent_at=accepted, status="sent")
    assert touches.settle(now=later(60)) is True
    (event,) = told("email.clicked")
    assert event.machine is False


def test_looking_at_the_unsubscribe_page_changes_nothing(
    client: Client, send: Send, contact: Contact
) -> None:
    address = path(tokens.unsubscribe_url(send.pk))
    assert client.get(address).status_code == 200
    assert client.head(address).status_code == 200
    contact.refresh_from_db()
    assert contact.consent_email == "opted_in"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
            "multipart/form-data; boundary=b",
        ),
        (b"", "application/x-www-form-urlencoded"),
    ],
)
def test_a_post_unsubscribes_without_cookie_or_token_and_twice(
    send: Send, contact: Contact, body: bytes, kind: str
) -> None:
    client = Client(enforce_csrf_checks=True)
    address = path(tokens.unsubscribe_url(send.pk))
    for _ in range(2):
        assert client.post(address, body, content_type=kind).status_code == 200
    contact.refresh_from_db()
    assert contact.consent_email == "opted_out"
    (event,) = told("email.subscription_updated")
    assert (event.send, event.message, event.properties["to"]) == (str(send.pk), send.message_id, "opted_out")


def test_unsubscribing_after_erasure_is_fine(client: Client, send: Send, contact: Contact) -> None:
    contact_actions.erase(account_id=contact.account_id, contact_ids=[contact.pk], now=clock.now())
    send.refresh_from_db()
    assert send.address == ""
    assert client.post(path(tokens.unsubscribe_url(send.pk))).status_code == 200
    assert told("email.subscription_updated") == []


def test_a_tests_links_count_nowhere(client: Client, message: Message, send: Send, contact: Contact) -> None:
    Send.objects.filter(pk=send.pk).update(is_test=True)
    client.get(path(tokens.open_url(send.pk)), headers={"user-agent": PERSON})
    client.get(path(tokens.click_url(send.pk, links_of(message)["https://shop.example/b"])))
    client.post(path(tokens.unsubscribe_url(send.pk)))
    contact.refresh_from_db()
    assert contact.consent_email == "opted_in"
    assert JournalRow.objects.count() == 0
    assert not Click.objects.exists()
