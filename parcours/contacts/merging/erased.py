"""Keys that people had until their erasure, as keyed hashes.

What was accepted until the erasure and is taken up after it is the erased person's: it makes nobody anew. What is
accepted later is somebody's who has said so, and makes a new contact. A hash goes once all that was accepted until
its erasure is digested, and a while later: a call may have been on its way to the disk. It stays for as long as a
file sent until then is still to be imported.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from parcours.accounts.models import Job
from parcours.contacts import normalise
from parcours.contacts.importing.models import Import
from parcours.contacts.lines import DECIDING_KEYS, whole_id
from parcours.contacts.merging.models import ErasedKey, Forgetting
from parcours.lib import bulk
from parcours.lib.instants import from_ms, to_ms

KEPT = timedelta(hours=1)
_UNDER_WAY = (Job.Status.QUEUED, Job.Status.RUNNING)

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


def keys_of(line: Mapping[str, Any], *, country: str) -> list[Key]:
    """The keys that a line or a call names somebody by, the one that decides first; what can be none is left out."""
    readers: dict[str, Callable[[Any], str]] = {
        "external_id": normalise.external_id,
        "email": normalise.email,
        "phone": lambda value: normalise.phone(value, country=country),
    }
    found = []
    for kind in DECIDING_KEYS:
        value = line.get(kind)
        if value and (kind == "external_id" or isinstance(value, str)):
            try:
                found.append((kind, readers[kind](value)))
            except normalise.Unfit:
                continue
    return found


def any_since(account_id: int, at_ms: int) -> bool:
    """Whether anybody was erased at this instant or later of whom something sent until then may still come."""
    return ErasedKey.objects.filter(account_id=account_id, at__gte=from_ms(at_ms)).exists()


def named_by(account_id: int, lines: Sequence[Mapping[str, Any]], *, country: str, sent_ms: int) -> set[int]:
    """The places of the lines, sent at an instant, that name somebody erased since: by a key, or by their id."""
    keys = [keys_of(line, country=country) for line in lines]
    found = find(account_id, {key for mine in keys for key in mine})
    gone = {key for key, erasures in found.items() if erasures[-1][0] >= sent_ms}
    ids = [whole_id(line.get("id")) for line in lines]
    among, bound = bulk.among("id", list({each for each in ids if each is not None}))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM contacts_contact WHERE account_id = %s AND erased_at >= %s AND {among}",
            [account_id, sent_ms, bound],
        )
        erased = {row[0] for row in cursor.fetchall()}
    return {
        place
        for place, (mine, number) in enumerate(zip(keys, ids, strict=True))
        if number in erased or not gone.isdisjoint(mine)
    }


def forget(now: datetime) -> None:
    """Forget the hashes that nothing under way can bear any more, neither a call nor a line of a file."""
    old = ErasedKey.objects.filter(forgetting__done_at__isnull=False, at__lt=now - KEPT)
    for account_id in list(old.values_list("account_id", flat=True).distinct()):
        mine = old.filter(account_id=account_id)
        oldest = _oldest_file(account_id)
        (mine if oldest is None else mine.filter(at__lt=oldest)).delete()


def _oldest_file(account_id: int) -> datetime | None:
    """When the first was sent of the files that are still to be imported."""
    waiting = Q(job__isnull=True) & ~Q(path="") | Q(job__status__in=_UNDER_WAY)
    sent = [
        Import.objects.filter(waiting, account_id=account_id)
        .order_by("created_at")
        .values_list("created_at"),
        Job.objects.filter(account_id=account_id, status__in=_UNDER_WAY)
        .order_by("pk")
        .values_list("created_at"),
    ]
    return min((row[0] for rows in sent for row in rows[:1]), default=None)
