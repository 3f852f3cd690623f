"""Secrets kept in the database: encrypted under the installation's secret key (Fernet: AES-128-CBC, HMAC-SHA256)."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class Unreadable(ValueError):
    """A sealed secret that this installation's key does not open."""


def _box() -> Fernet:
    key = hashlib.sha256(b"parcours.sealed:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: bytes) -> str:
    """What to keep in place of a secret."""
    return _box().encrypt(secret).decode()


def unseal(sealed: str) -> bytes:
    """The secret. Raises Unreadable when it was sealed under another key, or changed."""
    try:
        return _box().decrypt(sealed.encode())
    except InvalidToken as error:
        raise Unreadable("This secret was kept under another PARCOURS_SECRET_KEY.") from error
