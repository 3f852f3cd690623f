"""A told world: an account, contacts who opted in, a message, the built-in sink."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from parcours.accounts.models import Account
from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.messaging import contents
from parcours.messaging.actions import NewSend, queue
from parcours.messaging.models import Message, Send
from parcours.messaging.sending.transport import Server
from parcours.messaging.sending.work import Sender
from parcours.messaging.sink import Sink


@pytest.fixture(autouse=True)
def _own_data_dir(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    settings.PUBLIC_URL = "https://mail.example.test"
    contents._cache.clear()


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(directory=tmp_path / "sink").start()
    yield sink
    sink.stop()


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create(
        name="Librairie Zoé", write_key="wk", sender_name="Zoé, libraire", sender_email="news@shop.example"
    )


@pytest.fixture
def message(account: Account) -> Message:
    return Message.objects.create(
        account=account,
        name="Welcome",
        subject="Hello {{ contact.first_name }}",
        html=(
            "<style>p{color:red}</style><p>Hello {{ contact.first_name }}</p>"
            '<a href="https://shop.example/a?x=1&amp;y=2">A</a> <a href="https://shop.example/b">B</a>'
            '<a href="{{ unsubscribe_url }}">Unsubscribe</a>'
        ),
    )


MakeContacts = Callable[..., list[Contact]]


@pytest.fixture
def people(account: Account) -> MakeContacts:
    def make(count: int = 1, *, consent: str = "opted_in", **fields: Any) -> list[Contact]:
        start = Contact.objects.count()
        return Contact.objects.bulk_create(
            Contact(
                account=account,
                email=f"p{number}@example.org",
                first_name=f"Name{number}",
                consent_email=consent,
                **fields,
            )
            for number in range(start, start + count)
        )

    return make


def queue_all(message: Message, contacts: list[Contact], **fields: Any) -> list[Send]:
    """A queued send of the message to each contact."""
    queue(
        [
            NewSend(
                account_id=message.account_id,
                message_id=message.pk,
                contact_id=contact.pk,
                journey_id=7,
                version=1,
                enrolment_id=contact.pk,
                step="mail",
                **fields,
            )
            for contact in contacts
        ],
        now=clock.now(),
    )
    return list(Send.objects.order_by("id"))


@pytest.fixture
def sender_to(settings: Any) -> Iterator[Callable[..., Sender]]:
    made: list[Sender] = []

    def make(port: int, *, connections: int = 2, timeout: float = 2.0) -> Sender:
        sender = Sender(Server("127.0.0.1", port, tls=False), connections=connections, timeout=timeout)
        made.append(sender)
        return sender

    yield make
    for sender in made:
        sender.close(seconds=0.2)


def run_until_idle(sender: Sender, *, rounds: int = 50) -> None:
    """Rounds until nothing is claimed or under way."""
    for _ in range(rounds):
        if not sender.round():
            return
    raise AssertionError("The sender never came to rest.")
