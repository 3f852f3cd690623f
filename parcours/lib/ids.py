"""Identifiers and secrets that nobody can guess."""

from __future__ import annotations

import hashlib
import secrets
import time


def new_id() -> str:
    """A random id that sorts by its time of making (the layout of UUID version 7, RFC 9562), 32 hex digits."""
    stamp = time.time_ns() // 1_000_000
    random = secrets.randbits(74)
    value = (
        (stamp & (2**48 - 1)) << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62 | (random & (2**62 - 1))
    )
    return f"{value:032x}"


def new_secret(prefix: str) -> str:
    """A secret of 32 random bytes behind a prefix that says what it opens."""
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def digest(text: str) -> str:
    """The SHA-256 of a secret, in hex: all that is kept of an API key."""
    return hashlib.sha256(text.encode()).hexdigest()
