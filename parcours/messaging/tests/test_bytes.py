"""Every rule on the bytes of a mail that needs no provider, asserted on what the sink received."""

from __future__ import annotations

import email
import email.policy
import re
from email.header import decode_header, make_header
from email.headerregistry import Address as HeaderAddress
from email.utils import parseaddr
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import settings as trial_settings
from hypothesis import strategies as st

from parcours.contacts.models import Contact
from parcours.lib import clock
from parcours.messaging import addresses, mime
from parcours.messaging.models import Message, Send
from parcours.messaging.rendering import tokens
from parcours.messaging.rendering.compiled import Rendered
from parcours.messaging.sink import Sink, SunkMail, read_mailbox
from parcours.messaging.tests.conftest import queue_all, run_until_idle

ENVELOPE = mime.Envelope(
    account=1,
    message=2,
    sender_name="Zoé, libraire",
    sender=addresses.read("news@exämple.org"),
    reply_to=None,
    marketing=True,
)


@pytest.fixture
def mail(db: None, message: Message, people: Any, sink: Sink, sender_to: Any) -> SunkMail:
    queue_all(message, people(1))
    run_until_idle(sender_to(sink.port))
    return read_mailbox()[0]


def header_lines(content: bytes) -> list[bytes]:
    return content.partition(b"\r\n\r\n")[0].split(b"\r\n")


def test_lines_end_in_crlf_and_are_short(mail: SunkMail) -> None:
    assert b"\n" not in mail.content.replace(b"\r\n", b"")
    assert b"\r" not in mail.content.replace(b"\r\n", b"")
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert max(map(len, header_lines(mail.content))) <= 78


def test_one_click_unsubscribing_stands_on_one_short_line(mail: SunkMail) -> None:
    lines = header_lines(mail.content)
    (line,) = [line for line in lines if line.startswith(b"List-Unsubscribe:")]
    send = Send.objects.get()
    assert line == f"List-Unsubscribe: <{tokens.unsubscribe_url(send.pk)}>".encode()
    assert len(line) <= 76
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


def test_a_long_public_address_is_folded_once_after_the_name(settings: Any) -> None:
    settings.PUBLIC_URL = "https://a-rather-long-host-name.mail.example.org"
    made = compose(subject="x")
    found = re.search(rb"List-Unsubscribe:\r\n <https://[^>]+>\r\n", made.content)
    assert found is not None
    assert len(found[0].split(b"\r\n")[1]) <= 76


def test_the_usual_headers_are_there_once(mail: SunkMail) -> None:
    parsed = mail.message()
    send = Send.objects.get()
    for name in ("Date", "From", "To", "Subject", "Message-ID", "MIME-Version", "List-Id", "Feedback-ID"):
        assert len(parsed.get_all(name, [])) == 1, name
    assert parsed["Message-ID"] == f"<{tokens.mail_token(send.pk)}@shop.example>"
    assert parsed["From"].addresses[0] == HeaderAddress("Zoé, libraire", addr_spec="news@shop.example")
    assert parsed["List-Id"].startswith("<a")
    assert not parsed.defects


def test_the_envelope_bears_the_sends_token(mail: SunkMail) -> None:
    send = Send.objects.get()
    local, _at, domain = mail.sender.partition("@")
    assert domain == "shop.example"
    assert tokens.read_mail_token(local.removeprefix("bounces+")) == send.pk
    with pytest.raises(tokens.BadToken):
        tokens.read_mail_token(local.removeprefix("bounces+")[:-1] + "q")
    assert len(local) <= 64


def test_text_comes_before_html_and_says_the_same(mail: SunkMail) -> None:
    parsed = mail.message()
    assert parsed.get_content_type() == "multipart/alternative"
    text, html = parsed.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert "Hello Name0" in text.get_content()
    assert re.search(r"A \(https://mail\.example\.test/c/[\w-]+\)", text.get_content())
    assert '<p style="color: red;">Hello Name0</p>' in html.get_content()
    assert tokens.open_url(Send.objects.get().pk) in html.get_content()


def test_what_is_not_tracked_is_left_alone(
    db: None, message: Message, people: Any, sink: Sink, sender_to: Any
) -> None:
    message.track_opens = message.track_clicks = False
    message.save()
    queue_all(message, people(1))
    run_until_idle(sender_to(sink.port))
    content = read_mailbox()[0].content
    assert b"/o/" not in content
    assert b"/c/" not in content
    assert b'href=3D"https://shop.example/b"' in content or b'href="https://shop.example/b"' in content


def test_nobodys_data_is_in_anothers_mail(
    db: None, message: Message, people: Any, sink: Sink, sender_to: Any
) -> None:
    contacts = people(40)
    for contact in contacts:
        Contact.objects.filter(pk=contact.pk).update(
            last_name=f"canary{contact.pk}z", attributes={"secret": f"attr{contact.pk}z"}
        )
    message.subject = "{{ contact.last_name }}"
    message.html = (
        "{% assign kept = contact.attributes.secret %}<p>{{ contact.last_name }}{{ kept }}{% cycle 'a', 'b' %}"
        "{% increment count %}</p>"
    )
    message.save()
    queue_all(message, contacts, context={"event": {"who": "x"}})
    run_until_idle(sender_to(sink.port, connections=4))
    mails = read_mailbox()
    assert len(mails) == 40
    for one in mails:
        contact = Contact.objects.get(email=one.recipient)
        everything = one.content.decode()
        assert set(re.findall(r"(?:canary|attr)\d+z", everything)) == {
            f"canary{contact.pk}z",
            f"attr{contact.pk}z",
        }
        assert "a0</p>" in everything


def test_a_contacts_data_is_data(db: None, message: Message, people: Any, sink: Sink, sender_to: Any) -> None:
    (contact,) = people(1)
    evil = "{{ 7 | times: 7 }}<script>alert(1)</script>\r\nBcc: victim@example.org\x07\u202e=2+3"
    Contact.objects.filter(pk=contact.pk).update(first_name=evil[:200])
    queue_all(message, [contact])
    run_until_idle(sender_to(sink.port))
    (mail,) = read_mailbox()
    parsed = mail.message()
    assert parsed["Bcc"] is None
    assert "\x07" not in mail.content.decode()
    part = parsed.get_body(("html",))
    assert part is not None
    assert "<script>" not in part.get_content()
    assert "{{ 7 | times: 7 }}" in part.get_content()
    assert "49" not in parsed["Subject"]


def compose(*, subject: str = "s", html: str | None = "<p>x</p>", text: str = "x") -> mime.Mail:
    return mime.compose(
        Rendered(subject, html, text),
        envelope=ENVELOPE,
        send=123_456_789,
        recipient=addresses.read("someone@example.org"),
        now=clock.now(),
        eight_bit=True,
    )


printable = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=400).map(str.strip)


@given(subject=printable)
@trial_settings(max_examples=150, deadline=None)
@example(subject="a ?==? b")
@example(subject="=?utf-8?q?=0D=0ABcc:_x?=")
@example(subject="é" * 200)
@example(subject="x" * 300)
@example(subject="many    blanks  " + "word " * 40 + "end")
def test_any_subject_arrives_as_it_was_and_adds_no_header(subject: str) -> None:
    content = compose(subject=subject).content
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert parsed["Subject"] == subject
    assert b"?==?" not in content.partition(b"\r\n\r\n")[0]
    assert content.partition(b"\r\n\r\n")[0].isascii()
    assert all(len(line) <= 78 for line in header_lines(content))
    assert len(parsed.get_all("Subject", [])) == 1
    assert len(parsed.items()) == 12


@given(name=printable)
@trial_settings(max_examples=100, deadline=None)
def test_any_display_name_arrives_as_it_was(name: str) -> None:
    line = mime.mailbox_header("From", name, ENVELOPE.sender)
    assert all(len(one) <= 78 for one in line.split("\r\n"))
    # The old parser: the new one puts blanks between the encoded words of a name.
    value = email.message_from_string(line + "\r\n\r\n")["From"]
    shown, address = parseaddr(value)
    assert address == "news@xn--exmple-cua.org"
    decoded = str(make_header(decode_header(shown.replace("\r\n", ""))))
    assert " ".join(decoded.split()) == " ".join(name.split())


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=3000), eight_bit=st.booleans())
@trial_settings(max_examples=100, deadline=None)
@example(text=".\r\n..\n.x\n" + "é" * 2000, eight_bit=True)
@example(text="x" * 3000, eight_bit=True)
def test_any_body_is_fit_for_the_wire(text: str, eight_bit: bool) -> None:
    body, high = mime._part("plain", text, eight_bit=eight_bit)
    assert max(map(len, body.split(b"\r\n"))) <= 998
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert high == (not body.isascii())
    assert eight_bit or body.isascii()
    parsed = email.message_from_bytes(body, policy=email.policy.default)
    expected = text.replace("\r\n", "\n").replace("\r", "\n")
    payload = parsed.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n").rstrip("\n") == expected.rstrip("\n")


@given(value=st.text(max_size=60))
@trial_settings(max_examples=150, deadline=None)
@example(value="a@b.example\r\nBcc: c@d.example")
@example(value="a@b.example\n")
@example(value='"a b"@example.org')
@example(value="a@[127.0.0.1]")
def test_no_address_breaks_a_header(value: str) -> None:
    for read in (addresses.read, addresses.read_sender):
        try:
            found = read(value)
        except addresses.BadAddress:
            continue
        assert not re.search(r"[\r\n\x00]", str(found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a b@c.example",
        "a@b@c.example",
        "a@[1.2.3.4]",
        "<a@b.example>",
        "a,b@c.example",
    ]
    + [
        "x" * 65 + "@example.org",
        "a@" + "b" * 64 + ".example",
        "a..b@c.example",
        ".a@c.example",
        "a@b.example\x00",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(addresses.BadAddress):
        addresses.read(text)


@pytest.mark.parametrize("value", ["a\rb", "a\nb", "a\x00b", "a\r\nBcc: x"])
def test_a_header_with_a_line_break_is_refused_at_the_door(value: str) -> None:
    with pytest.raises(mime.BadHeader):
        mime.text_header("Subject", value)
    with pytest.raises(mime.BadHeader):
        mime.mailbox_header("From", value, ENVELOPE.sender)
