"""Undoes a merge: the contact merged away is there again, as they were; what happened since stays where it is.

Fields, consents, lists and tags that the merge gave to the other contact are taken back as far as they are still as
it left them. An opt-out by which they answered a message of their own is kept by both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import batch as batches
from parcours.contacts import signals
from parcours.contacts.lines import CHANNELS, KEYS
from parcours.contacts.merging import fields, following, rows
from parcours.contacts.merging.fields import Delta
from parcours.contacts.merging.models import Merge, Merged
from parcours.contacts.models import ConsentChange, Contact, List
from parcours.contacts.person import Person
from parcours.contacts.rows import insert_consent_changes
from parcours.contacts.telling import Teller
from parcours.events.entries import Entry, Regrouped
from parcours.lib import bulk
from parcours.lib.crashpoints import point
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.problems import NotFound, Problem


@dataclass(frozen=True)
class Parted:
    """Who is there again, and from whom they were parted."""

    contact: int
    into: int


def unmerge(account: Account, *, contact: int, source: str, by: int | None = None, now: datetime) -> Parted:
    """Undo the merge that made a contact another one.

    Raises NotFound when there is no such merge in the account, Problem (409) when the other contact was itself
    merged since (that merge is undone first) or erased.
    """
    now_ms = to_ms(now)
    teller = Teller(source=source, cause=None, now_ms=now_ms)
    with transaction.atomic():
        merge = _undoable(account.pk, contact)
        into = merge.into_id
        signals.contacts_merging.send(sender=None, account_id=account.pk, contact_ids=[contact, into])
        batches.lock(account.pk)
        merge = _undoable(account.pk, contact)
        kept = rows.living(account.pk, [into]).get(into)
        if kept is None:
            raise _in_the_way(into)
        _part(account.pk, merge, kept, teller=teller, now=now)
    return Parted(contact=contact, into=into)


def _undoable(account_id: int, contact: int) -> Merge:
    found = Merge.objects.filter(account_id=account_id, merged_id=contact, undone_at__isnull=True).first()
    if found is None:
        raise NotFound(_("This contact was merged into nobody."))
    return found


def _in_the_way(into: int) -> Problem:
    if Merged.objects.filter(contact_id=into).exists():
        detail = _("This contact was merged into one who has been merged since: undo that merge first.")
    else:
        detail = _("The person was erased: nothing is left to be restored.")
    return Problem(409, "conflict", detail)


def _part(account_id: int, merge: Merge, kept: Person, *, teller: Teller, now: datetime) -> None:
    contact, into, now_ms = merge.merged_id, merge.into_id, teller.now_ms
    said = merge.kept
    back = _person(contact, said["merged"], now_ms=now_ms)
    before = dict(kept.consents)
    settled = _settled_since(into, said["last_consent"])
    delta = Delta(
        said["into"]["values"],
        {channel: each for channel, each in said["into"]["consents"].items() if channel not in settled},
    )
    fields.part(kept, delta)
    _return_keys(account_id, merge, kept, back)
    _opted_out_since(merge, back)
    rows.free_keys([into])
    rows.write([kept, back], now_ms=now_ms)
    _divide(account_id, merge, source=teller.source, now_ms=now_ms)
    point("merging.parted")
    following.go_back(contact, into=into, moved=said["moved"])
    under = _under(contact)
    entries: list[Entry] = []
    signals.contacts_unmerged.send(
        sender=None,
        account_id=account_id,
        contact=contact,
        into=into,
        under=under,
        moved=said["moved"],
        entries=entries,
        now=now,
    )
    _undo_redirect(contact, under)
    Merge.objects.filter(pk=merge.pk).update(undone_at=from_ms(now_ms), kept={})
    changes = [
        (into, channel, before[channel], kept.consents[channel])
        for channel in CHANNELS
        if before[channel] != kept.consents[channel]
    ]
    proof = {"contact": str(contact)}
    insert_consent_changes(account_id, changes, source=batches.Source("unmerge", proof), now_ms=now_ms)
    for _contact, channel, was, now_is in changes:
        teller.consent(into, channel, was, now_is)
    changed = [*said["into"]["values"], *(["tags"] if said["into"]["tags"] else [])]
    teller.updated(into, changed)
    teller.updated(contact, [name for name in fields.FIELDS if back.values[name] is not None])
    teller.entries += entries
    teller.touched([contact, into])
    teller.entries.append(Regrouped([contact, into, *under]))
    teller.append(account_id)
    point("merging.undone")


def _person(contact: int, said: Mapping[str, Any], *, now_ms: int) -> Person:
    """The contact merged away, as it was."""
    person = Person(None, now_ms)
    person.id = contact
    # JSON columns keep no order of keys; a person's columns have one.
    person.values = {name: said["values"][name] for name in person.values}
    person.attributes = dict(said["attributes"])
    person.consents = {channel: said["consents"][channel] for channel in person.consents}
    return person


def _return_keys(account_id: int, merge: Merge, kept: Person, back: Person) -> None:
    """Each gets the keys back that were theirs; one that a third contact has meanwhile stays with it."""
    taken = rows.holders(account_id, back.values)
    for kind in KEYS:
        key = back.values[kind]
        if key is None:
            continue
        if taken.get(kind, kept.id) != kept.id:
            back.values[kind] = None
        elif kept.values[kind] == key:
            kept.values[kind] = (merge.kept["into"]["values"].get(kind) or [None])[0]
    taken = rows.holders(account_id, kept.values)
    for kind, holder in taken.items():
        if holder != kept.id:
            kept.values[kind] = None
    # The aliases that the merge made go; those that the contact had before are its own again.
    rows.delete("merging_alias", [merge.pk], column="merge_id")


def _settled_since(contact: int, last: int) -> set[str]:
    """The channels whose consent was recorded after the merge."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT channel FROM contacts_consentchange WHERE contact_id = %s AND id > %s",
            [contact, last],
        )
        return {row[0] for row in cursor.fetchall()}


def _opted_out_since(merge: Merge, back: Person) -> None:
    """Who opted out by answering a message of this contact's is opted out as this contact too."""
    since = ConsentChange.objects.filter(
        contact_id=merge.into_id, pk__gt=merge.kept["last_consent"], after="opted_out"
    )
    for channel, proof in since.values_list("channel", "proof"):
        if proof.get("contact") == str(merge.merged_id):
            back.consents[channel] = "opted_out"


def _divide(account_id: int, merge: Merge, *, source: str, now_ms: int) -> None:
    """Lists and tags: the merged contact has its own again; the other loses those that it had from the merge."""
    contact, into, said = merge.merged_id, merge.into_id, merge.kept
    added = said["into"]["lists"]
    among, bound = bulk.among("id", added)
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM contacts_listmember WHERE contact_id = %s AND {among}", [into, bound])
        among, bound = bulk.among("name", said["into"]["tags"])
        cursor.execute(f"DELETE FROM contacts_tag WHERE contact_id = %s AND {among}", [into, bound])
    wanted = {list_id for _row, list_id, *_rest in said["merged"]["lists"]}
    there = set(List.objects.filter(account_id=account_id, pk__in=wanted).values_list("pk", flat=True))
    bulk.insert_many(
        "contacts_listmember",
        ("list_id", "contact_id", "source", "joined_at"),
        [
            (list_id, contact, source_, joined_at)
            for _row, list_id, source_, joined_at in said["merged"]["lists"]
            if list_id in there
        ],
    )
    bulk.insert_many(
        "contacts_tag",
        ("account_id", "contact_id", "name"),
        [(account_id, contact, name) for name in said["merged"]["tags"]],
    )


def _under(contact: int) -> list[int]:
    """Those who had been merged into a contact before it was merged itself."""
    found: list[int] = []
    level: Sequence[int] = [contact]
    while level:
        level = list(
            Merge.objects.filter(into_id__in=level, undone_at__isnull=True).values_list(
                "merged_id", flat=True
            )
        )
        found += level
    return found


def _undo_redirect(contact: int, under: Sequence[int]) -> None:
    rows.delete("merging_merged", [contact], column="contact_id")
    bulk.update_many("merging_merged", ("into_id",), [(contact, each) for each in under], key=("contact_id",))
    # Their keys find them by the contact that they are now.
    among, bound = bulk.among("origin_id", [contact, *under])
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE merging_alias SET contact_id = %s WHERE {among}", [contact, bound])


def history(account_id: int, contact: Contact) -> list[Merge]:
    """The merges into a contact, the latest first, undone ones included."""
    found = Merge.objects.filter(account_id=account_id, into_id=contact.pk).order_by("-pk")
    return list(found)
