"""Keys that people had until their erasure, as keyed hashes.

What was accepted until the erasure and is taken up after it is the erased person's: it makes nobody anew. What is
accepted later is somebody's who has said so, and makes a new contact. A hash goes once all that was accepted until
its erasure is digested, and a while later: a call may have been on its way to the disk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from parcours.contacts.merging.models import ErasedKey, Forgetting
from parcours.lib import bulk
from parcours.lib.instants import to_ms

KEPT = timedelta(hours=1)

Key = tuple[str, str]
"""(kind, value): email, phone or external_id, normalised."""


def _hash(secret: bytes, kind: str, value: str) -> str:
    return hmac.new(secret, f"{kind}:{value}".encode("utf-8", "replace"), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    return hashlib.sha256(b"parcours.erased:" + settings.SECRET_KEY.encode()).digest()


def remember(forgetting: Forgetting, keys: Sequence[tuple[int, str, str]]) -> None:
    """Note the keys of an erasure, as (contact, kind, value), in its transaction."""
    at = to_ms(forgetting.at)
    learn(forgetting.account_id, [(contact, kind, value, at, forgetting.pk) for contact, kind, value in keys])


def learn(account_id: int, keys: Sequence[tuple[int, str, str, int, int]]) -> None:
    """Note more keys of erased people, as (contact, kind, value, erased at, forgetting)."""
    secret = _secret()
    bulk.insert_many(
        "merging_erasedkey",
        ("account_id", "hash", "contact_id", "at", "forgetting_id"),
        [
            (account_id, _hash(secret, kind, value), contact, at, forgetting)
            for contact, kind, value, at, forgetting in keys
        ],
    )


def any_erased(account_id: int) -> bool:
    """Whether keys of anybody erased are remembered: where none are, the other question need not be asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM merging_erasedkey WHERE account_id = %s LIMIT 1", [account_id])
        return cursor.fetchone() is not None


Erasure = tuple[int, int, int]
"""(erased at in milliseconds, contact, forgetting)."""


def find(account_id: int, keys: Iterable[Key]) -> Mapping[Key, list[Erasure]]:
    """Of these keys those that somebody had who was erased, the erasures of each in their order."""
    secret = _secret()
    wanted = {_hash(secret, *key): key for key in keys}
    found: dict[Key, list[Erasure]] = {}
    among, bound = bulk.among("hash", list(wanted))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT hash, at, contact_id, forgetting_id FROM merging_erasedkey"
            f" WHERE account_id = %s AND {among} ORDER BY at, id",
            [account_id, bound],
        )
        for value, *erasure in cursor.fetchall():
            at, contact, forgetting = erasure
            found.setdefault(wanted[value], []).append((at, contact, forgetting))
    return found


def forget(now: datetime) -> None:
    """Forget the hashes that nothing under way can bear any more."""
    ErasedKey.objects.filter(forgetting__done_at__isnull=False, at__lt=now - KEPT).delete()
