"""Rows of contacts that change, and those beside them: who is on which list since when, the history of consents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from parcours.contacts.lines import CHANNELS, COLUMNS
from parcours.contacts.models import ConsentValue
from parcours.contacts.person import Person
from parcours.contacts.telling import Cause
from parcours.lib import bulk

CONSENTS = tuple(f"consent_{channel}" for channel in CHANNELS)
WRITTEN = (*COLUMNS, "sort_name", "attributes", *CONSENTS, "updated_at")
"""What is written of a contact."""
_ATTRIBUTES = WRITTEN.index("attributes")
_PENDING = ConsentValue.PENDING.value


@dataclass(slots=True)
class Source:
    """Where changes come from: told in the history of consents and in the events."""

    name: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None


def update_contacts(changed: Iterable[tuple[Person, Sequence[Any], Sequence[str]]], *, now_ms: int) -> None:
    """Write contacts that were there: each with what is written of it, and the names of what changed in it
    (`Person.changes`).

    Where a column is written as it was, its indexes cost as much as where it is another: those of whom attributes or
    tags alone changed, as by an action on everybody, have nothing else written.
    """
    whole, fitted, others = [], [], []
    for person, row, names in changed:
        if person.consents_changed() or not all(name.startswith("attributes.") for name in names):
            whole.append((*row, person.id))
        elif names:
            fitted.append((row[_ATTRIBUTES], now_ms, person.id))
        else:
            others.append(person.id)
    bulk.update_many("contacts_contact", WRITTEN, whole)
    bulk.update_many("contacts_contact", ("attributes", "updated_at"), fitted)
    touch_contacts(others, now_ms=now_ms)


def touch_contacts(contact_ids: Sequence[int], *, now_ms: int) -> None:
    """Say when contacts changed, of whom nothing changed but what is beside them."""
    if not contact_ids:
        return
    these, ids = bulk.among("id", contact_ids)
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE contacts_contact SET updated_at = %s WHERE {these}", [now_ms, ids])


def insert_members(pairs: Sequence[tuple[int, int]], *, source: str, now_ms: int) -> None:
    """Put contacts on lists that they are not on: pairs of list and contact."""
    bulk.insert_many(
        "contacts_listmember",
        ("list_id", "contact_id", "source", "joined_at"),
        [(list_id, contact_id, source[:50], now_ms) for list_id, contact_id in pairs],
    )


def insert_consent_changes(
    account_id: int,
    changes: Sequence[tuple[int, str, str, str]],
    *,
    source: Source,
    now_ms: int,
    send_id: int | None = None,
) -> None:
    """Keep the history of consents: contact, channel, before, after."""
    proof = json.dumps(dict(source.proof), ensure_ascii=False)
    insert = bulk.insert_by_blocks if len(changes) > 1_000 else bulk.insert_many
    insert(
        "contacts_consentchange",
        ("account_id", "contact_id", "channel", "before", "after", "source", "proof", "send_id", "at"),
        [
            (account_id, contact_id, channel, before, after, source.name[:200], proof, send_id, now_ms)
            for contact_id, channel, before, after in changes
        ],
    )


def insert_first_consents(
    account_id: int, contact_ids: Sequence[int], channel: str, *, source: Source, now_ms: int
) -> None:
    """Keep the history of the consents that contacts just made came with, of those that are not pending."""
    among, bound = bulk.among("id", contact_ids)
    column = f"consent_{CHANNELS[CHANNELS.index(channel)]}"
    proof = json.dumps(dict(source.proof), ensure_ascii=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contacts_consentchange"
            " (account_id, contact_id, channel, before, after, source, proof, send_id, at)"
            f" SELECT %s, id, %s, %s, {column}, %s, %s, NULL, %s FROM contacts_contact"
            f" WHERE {among} AND {column} <> %s ORDER BY id",
            [account_id, channel, _PENDING, source.name[:200], proof, now_ms, bound, _PENDING],
        )
