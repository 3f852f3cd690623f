"""Addresses to which nothing more goes, known by a keyed hash alone, so that erasing a person keeps the promise."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from parcours.lib import bulk


def address_hash(channel: str, address: str) -> str:
    """The keyed hash of an address, the same however its case is written."""
    key = hashlib.sha256(b"parcours.suppression:" + settings.SECRET_KEY.encode()).digest()
    text = f"{channel}:{address.strip().lower()}".encode("utf-8", "replace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def suppressed(hashes: Iterable[str]) -> dict[tuple[int, str], tuple[str, int | None]]:
    """(account, hash) -> (reason, contact who was suppressed), of those hashes that are suppressed; one query."""
    among, bound = bulk.among("address_hash", list(hashes))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account_id, address_hash, reason, contact_id FROM messaging_suppression WHERE {among}",
            [bound],
        )
        return {(account, value): (reason, contact) for account, value, reason, contact in cursor.fetchall()}
