"""The signed tokens of a send's public addresses: open pixel, click redirect, unsubscribe page, return path."""

from __future__ import annotations

import base64
import hashlib

from django.conf import settings

from parcours.lib import signing
from parcours.lib.signing import BadToken

__all__ = ["BadToken"]


def open_url(send: int) -> str:
    """The address of the open pixel."""
    return f"{settings.PUBLIC_URL}/o/{signing.sign('o', send)}"


def unsubscribe_url(send: int) -> str:
    """The address of the unsubscribe page."""
    return f"{settings.PUBLIC_URL}/u/{signing.sign('u', send)}"


def click_url(send: int, link: int) -> str:
    """The redirect to an address that the message bears as it is."""
    return f"{settings.PUBLIC_URL}/c/{signing.sign('c', send, link)}"


def _fingerprint(address: str) -> int:
    return int.from_bytes(hashlib.sha256(address.encode("utf-8", "replace")).digest()[:12], "big")


def dynamic_click_url(send: int, link: int, address: str) -> str:
    """The redirect to an address whose end was computed: it travels along, and is signed with the token."""
    from urllib.parse import quote

    token = signing.sign("d", send, link, _fingerprint(address))
    return f"{settings.PUBLIC_URL}/c/{token}?u={quote(address, safe='')}"


def read_click(token: str, address: str | None) -> tuple[int, int]:
    """The send and the link of a click token. Raises BadToken, also when the address is not the signed one."""
    if address is None:
        send, link = signing.unsign("c", token, count=2)
        return send, link
    send, link, fingerprint = signing.unsign("d", token, count=3)
    if fingerprint != _fingerprint(address):
        raise BadToken("This link is not valid.")
    return send, link


def _base32(kind: str, *numbers: int) -> str:
    token = signing.sign(kind, *numbers)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    return base64.b32encode(raw).rstrip(b"=").decode().lower()


def mail_token(send: int) -> str:
    """A send's token for mail addresses and message ids, where letter case may be lost."""
    return _base32("m", send)


def read_mail_token(text: str) -> int:
    """The send of a mail token. Raises BadToken."""
    text = text.upper()
    try:
        raw = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError as error:
        raise BadToken("This address is not valid.") from error
    (send,) = signing.unsign("m", base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), count=1)
    return send
