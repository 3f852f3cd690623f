"""Short signed tokens for public links.

A token is a kind, some whole numbers and a truncated HMAC-SHA256 (RFC 2104; 96 bits), in URL-safe base 64. Short,
so that header lines stay under 76 characters; opaque, because nothing in it is personal.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac

from django.conf import settings


class BadToken(ValueError):
    """A token that was not made here, or not for this use."""


@functools.lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"parcours.links:" + secret.encode()).digest()


def _mac(kind: str, body: bytes) -> bytes:
    return hmac.digest(_key(settings.SECRET_KEY), kind.encode() + b"\0" + body, "sha256")[:12]


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def sign(kind: str, *numbers: int) -> str:
    """A token for numbers (each 0 or more) that only `unsign` with the same kind accepts."""
    body = b"".join(_varint(number) for number in numbers)
    return base64.urlsafe_b64encode(_mac(kind, body) + body).rstrip(b"=").decode()


def unsign(kind: str, token: str, *, count: int) -> tuple[int, ...]:
    """The `count` numbers of a token. Raises BadToken when it is forged, cut, or of another kind."""
    if len(token) > 200 or not token.isascii():
        raise BadToken("This link is not valid.")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise BadToken("This link is not valid.") from error
    mac, body = raw[:12], raw[12:]
    if not hmac.compare_digest(mac, _mac(kind, body)):
        raise BadToken("This link is not valid.")
    numbers, value, shift = [], 0, 0
    for byte in body:
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            numbers.append(value)
            value = shift = 0
    if len(numbers) != count:
        raise BadToken("This link is not valid.")
    return tuple(numbers)
