"""The bytes of a message, assembled by hand: one string for each mail, nothing that a library would break anew.

Rules: RFC 5322 and 2045–2047 (lines end in CRLF and have at most 998 bytes, headers are folded before 76
characters), RFC 2369 and 8058 (one-click unsubscribing), RFC 2919 (List-Id), RFC 6532 (UTF-8 headers, only where
the server offers SMTPUTF8), and the providers' Feedback-ID. `List-Unsubscribe` stays on one line of at most 76
characters: its token is short, and what breaks it breaks the button.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from parcours.messaging.addresses import Address
from parcours.messaging.rendering import tokens
from parcours.messaging.rendering.compiled import Rendered

_SPECIALS = re.compile(r'[()<>\[\]:;@\\,."]')
_LONGEST_LINE = 998
_FOLD_AT = 76
_WORD_FRAME = len("=?utf-8?b??=")


class BadHeader(ValueError):
    """A value that no header may bear."""


@dataclass(frozen=True)
class Envelope:
    """What a message is besides its text; made once for all the sends of a message."""

    account: int
    message: int
    sender_name: str
    sender: Address
    reply_to: Address | None
    marketing: bool


@dataclass(frozen=True)
class Mail:
    """One mail ready for a server."""

    sender: str  # the return path, which bears the send's token
    recipient: Address
    content: bytes
    envelope_id: str
    eight_bit: bool  # whether a body has bytes above 127, which 8BITMIME must be offered for
    utf8: bool  # whether a header or an address needs SMTPUTF8


def check_header(value: str) -> str:
    """The value itself. Raises BadHeader when it holds CR, LF or NUL, which would begin another header."""
    if re.search(r"[\r\n\x00]", value):
        raise BadHeader("A header holds no line break.")
    return value


def _encoded_words(value: str, *, after: int) -> list[str]:
    """RFC 2047 words, none cutting a character in two, on lines of at most 76; `after` is what the first follows."""
    words, word, used = [], b"", after
    for character in value:
        encoded = character.encode("utf-8", "replace")
        if len(word) + len(encoded) > (_FOLD_AT - used - _WORD_FRAME) // 4 * 3:
            words.append(word)
            word, used = b"", 1
        word += encoded
    words.append(word)
    return [f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words]


def _plain(name: str, value: str) -> str | None:
    """The header as plain folded text, or None when it must be encoded."""
    if not value.isascii() or "=?" in value or "?=" in value:
        return None
    if len(name) + 2 + len(value) <= _FOLD_AT:
        return f"{name}: {value}"
    lines, line = [], f"{name}:"
    for word in value.split(" "):
        if not word or len(word) > 70:
            return None  # Runs of spaces and very long words do not survive folding.
        if len(line) + 1 + len(word) > _FOLD_AT:
            lines.append(line)
            line = ""
        line += " " + word
    return "\r\n".join([*lines, line])


def text_header(name: str, value: str) -> str:
    """A header of free text, folded and encoded where it must be. Raises BadHeader.

    A text that holds the marks of an encoded word is encoded too: readers would take it for one, and providers
    refuse `?==?` in a subject.
    """
    value = check_header(value)
    plain = _plain(name, value)
    return (
        plain if plain is not None else f"{name}: " + "\r\n ".join(_encoded_words(value, after=len(name) + 2))
    )


def mailbox_header(name: str, display: str, address: Address) -> str:
    """A header of one mailbox, with its display name. Raises BadHeader."""
    display = check_header(display)
    if not display:
        return f"{name}: {address}"
    if not display.isascii() or "=?" in display or len(display) > 60:
        shown = "\r\n ".join(_encoded_words(display, after=len(name) + 2))
    elif _SPECIALS.search(display):
        shown = '"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"'
    else:
        shown = display
    separator = "\r\n " if len(name) + len(shown.rpartition("\n")[2]) + len(str(address)) > 70 else " "
    return f"{name}: {shown}{separator}<{address}>"


def _part(kind: str, text: str, *, eight_bit: bool) -> tuple[bytes, bool]:
    """A body part with its headers, and whether it holds bytes above 127."""
    body = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n").encode("utf-8", "replace")
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    short = max(map(len, body.split(b"\r\n"))) <= _LONGEST_LINE
    ascii_only = body.isascii()
    if short and (ascii_only or eight_bit):
        encoding = "7bit" if ascii_only else "8bit"
    else:
        encoding, ascii_only = "quoted-printable", True
        body = binascii.b2a_qp(body, istext=True)
    head = f"Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    return head.encode() + body, not ascii_only


@lru_cache(maxsize=8)
def _date(second: datetime) -> str:
    return format_datetime(second)


def return_path(send: int, sender: Address) -> str:
    """The envelope's sender: a bounce comes back to it with the token of its send (VERP)."""
    return f"bounces+{tokens.mail_token(send)}@{sender.domain}"


def message_id(send: int, sender: Address) -> str:
    """The Message-ID of a send, at the sending domain: the same however often it is tried."""
    return f"<{tokens.mail_token(send)}@{sender.domain}>"


def compose(
    rendered: Rendered,
    *,
    envelope: Envelope,
    send: int,
    recipient: Address,
    now: datetime,
    eight_bit: bool,
) -> Mail:
    """One contact's mail. `eight_bit`: whether the server takes bytes above 127. Raises BadHeader."""
    token = tokens.mail_token(send)
    sender = envelope.sender
    headers = [
        f"Date: {_date(now.replace(microsecond=0))}",
        mailbox_header("From", envelope.sender_name, sender),
        f"To: {recipient}",
        text_header("Subject", rendered.subject),
        f"Message-ID: <{token}@{sender.domain}>",
    ]
    if envelope.reply_to is not None:
        headers.append(f"Reply-To: {envelope.reply_to}")
    if envelope.marketing:
        address = tokens.unsubscribe_url(send)
        fold = "\r\n" if len(address) > 55 else ""
        headers.append(f"List-Unsubscribe:{fold} <{address}>")
        headers.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
        headers.append(f"List-Id: <a{envelope.account}.{sender.domain}>")
    kind = "marketing" if envelope.marketing else "transactional"
    headers.append(f"Feedback-ID: m{envelope.message}:a{envelope.account}:{kind}:parcours")
    headers.append("MIME-Version: 1.0")
    text, text_high = _part("plain", rendered.text, eight_bit=eight_bit)
    head = "\r\n".join(headers).encode("utf-8") + b"\r\n"
    utf8 = not head.isascii()
    if rendered.html is None:
        content, high = head + text, text_high
    else:
        html, html_high = _part("html", rendered.html, eight_bit=eight_bit)
        boundary = f"=_{token}"
        mark = f"--{boundary}".encode()
        content = b"".join(
            (
                head,
                f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n'.encode(),
                f"Content-Transfer-Encoding: {'8bit' if text_high or html_high else '7bit'}\r\n\r\n".encode(),
                *(mark, b"\r\n", text, b"\r\n", mark, b"\r\n", html, b"\r\n", mark, b"--\r\n"),
            )
        )
        high = text_high or html_high
    return Mail(
        sender=f"bounces+{token}@{sender.domain}",
        recipient=recipient,
        content=content,
        envelope_id=token,
        eight_bit=high,
        utf8=utf8,
    )
