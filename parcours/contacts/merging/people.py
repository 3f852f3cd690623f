"""Who a contact is now: those merged away are somebody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from django.db import connection
from django.db.models import Q

from parcours.accounts.access import Actor, as_id, find
from parcours.contacts.lines import KEYS
from parcours.contacts.merging.models import Alias, Merge, Pair
from parcours.contacts.models import Contact
from parcours.lib import bulk


class FormerKey(NamedTuple):
    """A key that a merge took out of use: whom it found until now, and whose it was."""

    contact: int
    origin: int
    kind: str
    value: str


def any_merged(account_id: int) -> bool:
    """Whether anybody of the account was merged away: where nobody was, the other questions need not be asked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM merging_merged WHERE account_id = %s LIMIT 1", [account_id])
        return cursor.fetchone() is not None


def ever_merged(account_id: int) -> bool:
    """Whether anybody of the account ever was, be it undone since: an answer of before may be read again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM merging_merge WHERE account_id = %s LIMIT 1", [account_id])
        return cursor.fetchone() is not None


def survivors(account_id: int, contact_ids: Iterable[int]) -> dict[int, int]:
    """Of these contacts those merged away, each with who they are now; the others are left out."""
    ids = list(contact_ids)
    if not ids or not any_merged(account_id):
        return {}
    among, bound = bulk.among("contact_id", ids)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id, into_id FROM merging_merged WHERE account_id = %s AND {among}",
            [account_id, bound],
        )
        return dict(cursor.fetchall())


def now_are(account_id: int, contact_ids: Sequence[int]) -> list[int]:
    """The contacts as they are now, in the order given, each once."""
    found = survivors(account_id, contact_ids)
    return list(dict.fromkeys(found.get(contact_id, contact_id) for contact_id in contact_ids))


def absorbed(contact_ids: Sequence[int]) -> dict[int, int]:
    """Everybody merged into these contacts, directly or not -> the contact."""
    if not contact_ids:
        return {}
    among, bound = bulk.among("into_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT contact_id, into_id FROM merging_merged WHERE {among}", [bound])
        return dict(cursor.fetchall())


def by_former_keys(account_id: int, wanted: Mapping[str, Iterable[str]]) -> dict[tuple[str, str], int]:
    """Whom keys of people merged find now: (kind, key) -> contact. `wanted` holds keys by kind."""
    found: dict[tuple[str, str], int] = {}
    if not any_merged(account_id):
        return found
    with connection.cursor() as cursor:
        for kind in KEYS:
            values = list(wanted.get(kind, ()))
            if not values:
                continue
            among, bound = bulk.among("value", values)
            cursor.execute(
                f"SELECT value, contact_id FROM merging_alias WHERE account_id = %s AND kind = %s AND {among}",
                [account_id, kind, bound],
            )
            found |= {(kind, value): contact for value, contact in cursor.fetchall()}
    return found


def forget_merges(contact_ids: Sequence[int]) -> tuple[list[FormerKey], list[str]]:
    """Empty what is kept of merges of erased people, in the caller's transaction.

    Answers their former keys, and the names that they had. Who was whom stays: the figures count by it.
    """
    ids = list(contact_ids)
    aliases = Alias.objects.filter(contact_id__in=ids)
    keys = [FormerKey(*row) for row in aliases.values_list("contact_id", "origin_id", "kind", "value")]
    names: list[str] = []
    merges = Merge.objects.filter(merged_id__in=ids)
    for kept in merges.filter(undone_at__isnull=True).values_list("kept", flat=True):
        former = kept.get("merged", {}).get("values", {})
        names += [former[name] for name in ("first_name", "last_name") if former.get(name)]
    merges.update(kept={})
    aliases.delete()
    Pair.objects.filter(Q(one_id__in=ids) | Q(other_id__in=ids)).delete()
    return keys, names


def find_contact(contact_id: object, actor: Actor) -> Contact:
    """A contact of the actor's account who was not erased; the id of one merged away finds who they are now.

    Raises NotFound.
    """
    number = as_id(contact_id)
    found = survivors(actor.account_id, [number]) if number else {}
    rows = Contact.objects.filter(erased_at__isnull=True)
    return find(Contact, found.get(number or 0, contact_id), actor=actor, rows=rows)
