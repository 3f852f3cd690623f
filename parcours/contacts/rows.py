"""Rows beside the contacts': who is on which list since when, and the history of consents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from parcours.contacts.lines import CHANNELS
from parcours.contacts.models import ConsentValue
from parcours.contacts.telling import Cause
from parcours.lib import bulk

_PENDING = ConsentValue.PENDING.value


@dataclass(slots=True)
class Source:
    """Where changes come from: told in the history of consents and in the events."""

    name: str
    proof: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None


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
