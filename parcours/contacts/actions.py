"""Everything that changes contacts goes through here.

Each function takes many contacts, works with a few queries in the caller's transaction (or one of its own), and tells
the journal in it. `now` is the product's instant of the change; `source` says in a word where it comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from parcours.accounts.models import Account
from parcours.contacts import batch as batches
from parcours.contacts import signals
from parcours.contacts.batch import Batch
from parcours.contacts.lines import CHANNELS, COLUMNS, KEYS, Line, Refused
from parcours.contacts.merging import forgetting
from parcours.contacts.merging.people import absorbed, forget_merges, now_are, survivors
from parcours.contacts.models import ConsentValue, List
from parcours.contacts.rows import Source, insert_consent_changes, insert_members, touch_contacts
from parcours.contacts.telling import Cause, Teller
from parcours.contacts.upserting import Refusal, UpsertResult, upsert_into
from parcours.lib import bulk
from parcours.lib.instants import to_ms

__all__ = [
    "Cause",
    "Refusal",
    "Updated",
    "UpsertResult",
    "add_tags",
    "add_to_list",
    "erase",
    "remove_from_list",
    "remove_tags",
    "seen",
    "set_consent",
    "update_fields",
    "upsert_many",
]


def upsert_many(
    account: Account,
    lines: Sequence[Mapping[str, Any]],
    *,
    source: str,
    now: datetime,
    resubscribe: bool = False,
    proof: Mapping[str, Any] | None = None,
    cells: bool = False,
    sent: datetime | None = None,
) -> UpsertResult:
    """Create or update contacts, a line each, in the shape in which the API writes a contact.

    A line means the contact that its id, external_id, email or phone names; when they name none, it makes one; when
    they name two, or the id names none, it is refused. What a line does not mention stays, null clears; lists and
    tags are added to. A line that says anything unfit is refused as a whole, the others go on. An opt-out stays
    unless `resubscribe`. `cells` says that values come from a CSV file. Lines of a file waited since
    it was `sent`: those of people erased since are refused. Some thousands of lines at a time are best.
    """
    with transaction.atomic():
        batch = Batch(
            account,
            source=Source(source, proof or {}),
            now_ms=to_ms(now),
            resubscribe=resubscribe,
            cells=cells,
            sent_ms=None if sent is None else to_ms(sent),
        )
        return upsert_into(batch, lines)


@dataclass(frozen=True, slots=True)
class Updated:
    """Whom a change of fields changed; and who could not be, with the reason: erased since, an address that another
    contact has, a value that does not fit its attribute."""

    changed: list[int]
    refused: list[tuple[int, str]]


def update_fields(
    account: Account,
    contact_ids: Sequence[int],
    *,
    sets: Mapping[str, Any] | None = None,
    unsets: Iterable[str] = (),
    increments: Mapping[str, int | float | Decimal] | None = None,
    source: str,
    now: datetime,
    cause: Cause | None = None,
) -> Updated:
    """The same change of fields for many contacts, named as criteria name them: `first_name`, `attributes.points`.

    Who was so already is among neither those changed nor those refused.
    """
    values, custom = _split({**(sets or {}), **dict.fromkeys(unsets)})
    steps = {
        name.removeprefix("attributes."): Decimal(str(step)) for name, step in (increments or {}).items()
    }
    refused: list[tuple[int, str]] = []
    with transaction.atomic():
        batch = Batch(account, source=Source(source, cause=cause), now_ms=to_ms(now))
        try:
            pattern = batch.read({**values, "attributes": custom})
        except Refused as error:
            return Updated([], [(contact_id, str(error)) for contact_id in contact_ids])
        lines = [
            Line(id=contact_id, values=pattern.values, attributes=pattern.attributes, increments=steps)
            for contact_id in contact_ids
        ]
        batch.load(lines)
        for line in lines:
            try:
                batch.fold(line)
            except Refused as error:
                refused.append((line.id or 0, str(error)))
        _created, changed = batch.write()
    return Updated(changed, refused)


def _split(sets: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields, and custom attributes without their prefix."""
    fields, custom = {}, {}
    for name, value in sets.items():
        if name.startswith("attributes."):
            custom[name.removeprefix("attributes.")] = value
        else:
            fields[name] = value
    return fields, custom


def _living(account_id: int, contact_ids: Sequence[int]) -> list[int]:
    """Those that are contacts of the account and not erased, in the order given, once each; who was merged away is
    who they are now."""
    contact_ids = now_are(account_id, contact_ids)
    among, bound = bulk.among("id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM contacts_contact WHERE account_id = %s AND erased_at IS NULL AND {among}",
            [account_id, bound],
        )
        living = {row[0] for row in cursor.fetchall()}
    return [contact_id for contact_id in dict.fromkeys(contact_ids) if contact_id in living]


def _having(table: str, column: str, value: Any, contact_ids: Sequence[int]) -> set[int]:
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT contact_id FROM {table} WHERE {column} = %s AND {among}", [value, bound])
        return {row[0] for row in cursor.fetchall()}


def _delete(table: str, column: str, value: Any, contact_ids: Sequence[int]) -> None:
    among, bound = bulk.among("contact_id", list(contact_ids))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {column} = %s AND {among}", [value, bound])


def add_to_list(
    *,
    account_id: int,
    list_id: int,
    contact_ids: Sequence[int],
    source: str,
    now: datetime,
    cause: Cause | None = None,
) -> list[int]:
    """Put contacts on a list of their account; answers those who were not on it. A list that is gone takes nobody."""
    teller = Teller(source=source, cause=cause, now_ms=to_ms(now))
    with transaction.atomic():
        batches.lock(account_id)
        if not List.objects.filter(id=list_id, account_id=account_id).exists():
            return []
        contact_ids = now_are(account_id, contact_ids)
        there = _having("contacts_listmember", "list_id", list_id, contact_ids)
        joining = [each for each in _living(account_id, contact_ids) if each not in there]
        insert_members([(list_id, contact_id) for contact_id in joining], source=source, now_ms=teller.now_ms)
        teller.joined(joining, list_id)
        teller.touched(joining)
        teller.append(account_id)
    return joining


def remove_from_list(
    *,
    account_id: int,
    list_id: int,
    contact_ids: Sequence[int],
    source: str,
    now: datetime,
    cause: Cause | None = None,
) -> list[int]:
    """Take contacts off a list of their account; answers those who were on it."""
    teller = Teller(source=source, cause=cause, now_ms=to_ms(now))
    with transaction.atomic():
        batches.lock(account_id)
        if not List.objects.filter(id=list_id, account_id=account_id).exists():
            return []
        contact_ids = now_are(account_id, contact_ids)
        there = _having("contacts_listmember", "list_id", list_id, contact_ids)
        leaving = [contact_id for contact_id in contact_ids if contact_id in there]
        _delete("contacts_listmember", "list_id", list_id, leaving)
        for contact_id in leaving:
            teller.left(contact_id, list_id)
        teller.touched(leaving)
        teller.append(account_id)
    return leaving


def add_tags(
    *,
    account: Account,
    contact_ids: Sequence[int],
    tags: Sequence[str],
    source: str,
    now: datetime,
    cause: Cause | None = None,
) -> list[int]:
    """Give contacts tags; answers those who did not have them all."""
    with transaction.atomic():
        batch = Batch(account, source=Source(source, cause=cause), now_ms=to_ms(now))
        names = batch.read({"tags": list(tags)}).tags
        lines = [Line(id=contact_id, tags=names) for contact_id in _living(account.pk, contact_ids)]
        batch.load(lines)
        for line in lines:
            batch.fold(line)
        return batch.write()[1]


def remove_tags(
    *,
    account_id: int,
    contact_ids: Sequence[int],
    tags: Sequence[str],
    source: str,
    now: datetime,
    cause: Cause | None = None,
) -> list[int]:
    """Take tags from contacts; answers those who had one of them."""
    teller = Teller(source=source, cause=cause, now_ms=to_ms(now))
    with transaction.atomic():
        batches.lock(account_id)
        living = _living(account_id, contact_ids)
        having: set[int] = set()
        for tag in tags:
            with_it = _having("contacts_tag", "name", tag, living)
            _delete("contacts_tag", "name", tag, list(with_it))
            having |= with_it
        changed = [contact_id for contact_id in living if contact_id in having]
        touch_contacts(changed, now_ms=teller.now_ms)
        for contact_id in changed:
            teller.updated(contact_id, ["tags"])
        teller.touched(changed)
        teller.append(account_id)
    return changed


def set_consent(
    *,
    account_id: int,
    contact_ids: Sequence[int],
    channel: str,
    value: str,
    source: str,
    now: datetime,
    proof: Mapping[str, Any] | None = None,
    send_id: int | None = None,
    cause: Cause | None = None,
) -> list[int]:
    """Record a consent; answers the contacts whose consent was another one.

    This is an act of the person or on their behalf, so it also ends an opt-out. `send_id` is the send that they
    answered: an opt-out that bears one counts as an unsubscription from that message (give its message in `cause`).
    Raises ValueError for a channel or a value that does not exist.
    """
    if channel not in CHANNELS or value not in ConsentValue.values:
        raise ValueError(f"There is no consent {channel}={value}.")
    cause = cause or Cause()
    if send_id is not None and not cause.send:
        cause = Cause(cause.journey, cause.version, cause.step, cause.message, str(send_id), cause.enrolments)
    teller = Teller(source=source, cause=cause, now_ms=to_ms(now))
    column = f"consent_{channel}"
    with transaction.atomic():
        batches.lock(account_id)
        merged = survivors(account_id, contact_ids)
        if merged and len(contact_ids) == 1:
            # Who opted out is who they are now; the proof says as whom, for the day when the merge is undone.
            proof = {**(proof or {}), "contact": str(contact_ids[0])}
        if merged:
            runs = {merged.get(contact, contact): run for contact, run in cause.enrolments.items()}
            teller.cause = replace(cause, enrolments=runs)
            contact_ids = [merged.get(contact, contact) for contact in contact_ids]
        among, bound = bulk.among("id", list(contact_ids))
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT id, {column} FROM contacts_contact"
                # The plus keeps SQLite from reading all the consents of the account in their index.
                f" WHERE +account_id = %s AND erased_at IS NULL AND {column} <> %s AND {among}",
                [account_id, value, bound],
            )
            before = dict(cursor.fetchall())
        changed = [contact_id for contact_id in dict.fromkeys(contact_ids) if contact_id in before]
        bulk.update_many(
            "contacts_contact",
            (column, "updated_at"),
            [(value, teller.now_ms, contact_id) for contact_id in changed],
        )
        insert_consent_changes(
            account_id,
            [(contact_id, channel, before[contact_id], value) for contact_id in changed],
            source=Source(source, proof or {}),
            now_ms=teller.now_ms,
            send_id=send_id,
        )
        for contact_id in changed:
            teller.consent(contact_id, channel, before[contact_id], value)
        teller.touched(changed)
        teller.append(account_id)
    return changed


def seen(*, account_id: int, instants: Mapping[int, int]) -> None:
    """Note when contacts were last seen (milliseconds since 1970); an earlier instant than the known one is dropped.

    Tells the journal nothing: the caller has the contacts' mirror written with the events that showed them.
    """
    with transaction.atomic():
        batches.lock(account_id)
        merged = survivors(account_id, instants)
        instants = {merged.get(contact, contact): at for contact, at in instants.items()}
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE contacts_contact SET last_seen_at = %s WHERE id = %s AND account_id = %s"
                " AND erased_at IS NULL AND (last_seen_at IS NULL OR last_seen_at < %s)",
                [(at, contact_id, account_id, at) for contact_id, at in instants.items()],
            )


def erase(*, account_id: int, contact_ids: Sequence[int], now: datetime) -> list[int]:
    """Forget people: nothing of them stays but an empty line, so that no figure falls. Answers those erased now.

    Whoever was merged into them is erased with them. The event store follows as soon as it holds all that they did
    (`merging.forgetting`).
    """
    teller = Teller(source="erasure", cause=None, now_ms=to_ms(now))
    with transaction.atomic():
        batches.lock(account_id)
        gone = _living(account_id, contact_ids)
        if not gone:
            return []
        former = absorbed(gone)
        among, bound = bulk.among("id", gone)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, email, phone, external_id, first_name, last_name FROM contacts_contact"
                f" WHERE {among}",
                [bound],
            )
            found = cursor.fetchall()
            nothing = ", ".join(f"{column} = NULL" for column in COLUMNS if column != "created_at")
            cursor.execute(
                f"UPDATE contacts_contact SET {nothing}, sort_name = NULL, attributes = %s, consent_email = %s,"
                f" consent_sms = %s, consent_whatsapp = %s, updated_at = %s, erased_at = %s WHERE {among}",
                ["{}", *["pending"] * 3, teller.now_ms, teller.now_ms, bound],
            )
            mine, contacts = bulk.among("contact_id", gone)
            for table in ("contacts_consentchange", "contacts_listmember", "contacts_tag"):
                cursor.execute(f"DELETE FROM {table} WHERE {mine}", [contacts])
        aliases, names = forget_merges([*gone, *former])
        people = [(row[0], row[1], row[2]) for row in found]
        people += [
            (
                each.origin,
                each.value if each.kind == "email" else None,
                each.value if each.kind == "phone" else None,
            )
            for each in aliases
            if each.kind != "external_id"
        ]
        keys = [
            (row[0], kind, value)
            for row in found
            for kind, value in zip(KEYS, row[1:4], strict=True)
            if value
        ]
        keys += [(each.contact, each.kind, each.value) for each in aliases]
        words = {*names, *(name for row in found for name in row[4:] if name), *(key[2] for key in keys)}
        signals.contacts_erased.send(sender=None, account_id=account_id, people=people, words=words)
        teller.touched(gone)
        teller.append(account_id)
        forgetting.remember(account_id=account_id, contacts=[*gone, *former], keys=keys, words=words, now=now)
    return gone
