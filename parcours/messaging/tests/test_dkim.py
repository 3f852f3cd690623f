"""Signatures, verified on the sink's bytes by another implementation, with the published record as its DNS."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import dkim as oracle
import pytest
from django.db import connection
from django.test import Client
from dkim.canonicalization import Relaxed
from hypothesis import example, given
from hypothesis import settings as trial_settings
from hypothesis import strategies as st

from parcours.accounts.actions import create_key
from parcours.accounts.models import Account
from parcours.lib import clock, sealing
from parcours.messaging import dkim, domains
from parcours.messaging.models import Message, SendingDomain
from parcours.messaging.sink import Sink, SunkMail, read_mailbox
from parcours.messaging.tests.conftest import queue_all, run_until_idle


def verified(content: bytes, *published: SendingDomain) -> bool:
    """Whether a receiver who asks DNS for the key takes the signature for good."""
    records = {f"{key}.": key.public_record.encode() for key in published}

    def ask(name: Any, timeout: int = 5) -> bytes | None:
        return records.get(name.decode() if isinstance(name, bytes) else name)

    return oracle.verify(content, dnsfunc=ask)


def signed_names(content: bytes) -> list[str]:
    found = re.search(rb"^DKIM-Signature:.*?\bh=([^;]+);", content, re.DOTALL)
    assert found is not None
    return re.sub(rb"\s", b"", found[1]).decode().split(":")


@pytest.fixture
def key(account: Account) -> SendingDomain:
    return domains.create(account, domain="Shop.example.", selector="", now=clock.now())


@pytest.fixture
def sent(message: Message, people: Any, sink: Sink, sender_to: Any) -> Any:
    def send() -> SunkMail:
        queue_all(message, people(1))
        run_until_idle(sender_to(sink.port))
        return read_mailbox()[0]

    return send


def test_a_mail_is_signed_for_its_senders_domain(key: SendingDomain, message: Message, sent: Any) -> None:
    message.html = "<p>Été   à \t Évreux  </p>\n.\n\n<p>" + "mot " * 600 + "</p>\n\n\n"
    message.subject = "Été à Évreux, " * 12
    message.save()
    mail = sent()
    assert mail.content.startswith(
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=shop.example;\r\n"
    )
    assert verified(mail.content, key)
    head = mail.content.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78
    # What no server on the way needs to rewrite.
    assert mail.content.isascii()


def test_everything_that_a_mail_says_of_itself_is_signed(key: SendingDomain, sent: Any) -> None:
    mail = sent()
    names = signed_names(mail.content)
    wanted = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]
    wanted += ["List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "Feedback-ID"]
    assert {name.lower() for name in wanted} <= set(names)
    for name in wanted:
        changed = re.sub(rf"(?m)^({name}): ".encode(), rb"\1: x", mail.content)
        assert changed != mail.content
        assert not verified(changed, key), name
    for name in ("From", "Subject", "Cc", "Reply-To"):
        assert not verified(
            mail.content.replace(b"\r\nTo:", f"\r\n{name}: e@evil.example\r\nTo:".encode()), key
        )
    assert not verified(mail.content.replace(b"Hello Name0", b"Hello Name1"), key)


def test_without_a_key_of_its_own_domain_a_mail_goes_unsigned(
    key: SendingDomain, message: Message, people: Any, sink: Sink, sender_to: Any
) -> None:
    stranger = Account.objects.create(name="Other", write_key="wk2")
    domains.create(stranger, domain="other.example", selector="", now=clock.now())
    message.from_email = "news@other.example"
    message.save()
    queue_all(message, people(1))
    run_until_idle(sender_to(sink.port))
    assert b"DKIM-Signature" not in read_mailbox()[0].content


def test_the_oldest_key_signs_until_it_is_removed(
    key: SendingDomain, message: Message, people: Any, sink: Sink, sender_to: Any
) -> None:
    newer = domains.create(key.account, domain="shop.example", selector="next", now=clock.now())
    sender = sender_to(sink.port)
    people(2)
    first, second = people(2)
    queue_all(message, [first])
    run_until_idle(sender)
    key.delete()
    queue_all(message, [second])
    run_until_idle(sender)
    by = {mail.recipient: mail.content for mail in read_mailbox()}
    assert f" s={key.selector};".encode() in by[str(first.email)]
    assert verified(by[str(second.email)], newer)


def test_a_key_that_cannot_be_read_any_more_stops_no_mail(
    key: SendingDomain, sent: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    SendingDomain.objects.update(private_key="spoilt")
    assert b"DKIM-Signature" not in sent().content


def test_keys_are_sealed_where_they_are_kept(key: SendingDomain, settings: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM messaging_sendingdomain")
        (kept,) = cursor.fetchone()
    opened = sealing.unseal(kept)
    assert dkim.record_of(opened) == key.public_record
    assert "PRIVATE" not in kept
    settings.SECRET_KEY = "another"
    with pytest.raises(sealing.Unreadable):
        sealing.unseal(kept)


def test_a_domain_is_added_by_the_api_which_never_shows_its_key(account: Account) -> None:
    secret = create_key(account=account, name="k", scopes=["admin"])[1]
    client = Client(headers={"authorization": f"Bearer {secret}"})
    path, kind = "/api/v1/sending-domains", "application/json"
    made = client.post(path, json.dumps({"domain": "exämple.org", "selector": "K1"}), content_type=kind)
    assert made.status_code == 201
    shown = made.json()
    assert (shown["domain"], shown["selector"]) == ("xn--exmple-cua.org", "k1")
    assert shown["record"]["name"] == "k1._domainkey.xn--exmple-cua.org"
    assert shown["record"]["value"].startswith("v=DKIM1; k=rsa; p=MII")
    assert client.get(path).json()["items"] == [shown]
    kept = SendingDomain.objects.get()
    assert kept.private_key not in made.content.decode() + str(kept) + repr(kept)
    for body, pointer in (
        ({"domain": "exämple.org", "selector": "k1"}, "/selector"),
        ({"domain": "exämple.org", "selector": "a.b"}, "/selector"),
        ({"domain": "localhost"}, "/domain"),
        ({"domain": "a b.example"}, "/domain"),
        ({"domain": "a.example\r\nBcc: x"}, "/domain"),
    ):
        answer = client.post(path, json.dumps(body), content_type=kind)
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), body
    assert client.delete(f"{path}/{shown['id']}").status_code == 204
    assert client.get(path).json()["items"] == []


wire_text = st.text(alphabet="ab \t\n.é", max_size=200).map(lambda text: text.replace("\n", "\r\n").encode())


@given(body=wire_text, value=wire_text)
@trial_settings(max_examples=200, deadline=None)
@example(body=b"", value=b"")
@example(body=b" \r\n\r\n", value=b" a\r\n\tb ")
def test_what_is_hashed_is_what_another_implementation_hashes(body: bytes, value: bytes) -> None:
    assert dkim.relaxed_body(body) == Relaxed.canonicalize_body(body)
    ((_name, theirs),) = Relaxed.canonicalize_headers([(b"X", value)])
    assert dkim.relaxed_header("x", value) + b"\r\n" == b"x:" + theirs


def test_signing_costs_about_one_operation_of_the_key() -> None:
    signer = dkim.Signer(domain="shop.example", selector="k", private_key=dkim.new_key())
    content = b"From: a@shop.example\r\nSubject: x\r\n\r\n" + b"<p>Hello to you, reader</p>\r\n" * 1_000
    started = time.process_time()
    for _number in range(50):
        signer.sign(content, at=0)
    assert time.process_time() - started < 0.25, "5 ms a mail are far too many"
