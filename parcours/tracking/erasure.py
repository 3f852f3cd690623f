"""Calls accepted before the erasure of whom they name, and taken up after it.

Such a call makes nobody anew: it is the erased person's. It counts, what it says of them is left out, and the browser
that it came from stays as the erasure left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from parcours.accounts.models import Account
from parcours.contacts import batch as batches
from parcours.contacts import queries
from parcours.contacts.merging import erased
from parcours.contacts.merging.erased import Erasure, Key
from parcours.lib import bulk
from parcours.tracking.identity import Item


def find_erased(account: Account, items: Sequence[Item]) -> None:
    """Give each item that names somebody erased since it was received that person, in the caller's transaction."""
    named = [item for item in items if item.contact_line is not None or item.external_id]
    if not named:
        return
    # No erasure may come between this look and what is written of those who are named.
    batches.lock(account.pk)
    if not erased.any_erased(account.pk):
        return
    keys = [
        erased.keys_of(item.contact_line or {"external_id": item.external_id}, country=account.country)
        for item in named
    ]
    asked = {key for mine in keys for key in mine}
    known = {key: list(erasures) for key, erasures in erased.find(account.pk, asked).items()}
    if not known:
        return
    living = _living(account, asked)
    learnt: list[tuple[int, str, str, int, int]] = []
    for item, mine in zip(named, keys, strict=True):
        erasures = {key: each for key in mine if (each := _erasure(known.get(key, ()), item.received_at))}
        if not erasures:
            continue
        decides = next(key for key in mine if key in erasures or key in living)
        if decides in erasures:
            at, contact, forgetting = erasures[decides]
            item.contact, item.contact_line, item.external_id = contact, None, ""
            item.browser, item.needs_email = "", False
            # What the call says besides would have been theirs as well: another call may name them by it.
            for key in mine:
                if key not in erasures and key not in living:
                    known.setdefault(key, []).append((at, contact, forgetting))
                    learnt.append((contact, *key, at, forgetting))
        elif item.contact_line is not None:
            for kind, _value in erasures:
                del item.contact_line[kind]
    erased.learn(account.pk, learnt)


def _erasure(erasures: Iterable[Erasure], received_at: int) -> Erasure | None:
    """The first erasure after a call was received: whose the key was then."""
    return next((each for each in erasures if each[0] >= received_at), None)


def _living(account: Account, keys: Iterable[Key]) -> set[Key]:
    """Those of the keys by which a contact is found now."""
    asked = list(keys)
    references = [{kind: value} for kind, value in asked]
    found = queries.resolve(account.pk, references, country=account.country)
    return {key for key, contact in zip(asked, found, strict=True) if contact is not None}


def leave_browsers(account_id: int, items: Sequence[Item]) -> None:
    """Take back, from ties to be made, those to people who were erased since."""
    ties = [item for item in items if item.event is None and item.contact and item.browser]
    ids = {item.contact for item in ties if not item.message_id}  # A call's contact was looked up just now.
    if not ids:
        return
    among, bound = bulk.among("id", list(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM contacts_contact WHERE account_id = %s AND erased_at IS NOT NULL AND {among}",
            [account_id, bound],
        )
        gone = {row[0] for row in cursor.fetchall()}
    for item in ties:
        if item.contact in gone:
            item.browser = ""
