"""Claiming sends, and the checks that are made at that instant and no earlier.

A claim is committed before any socket is used. Consent, suppression, address and the journey's pause are read in
the claim's own transaction: whoever unsubscribed a second ago gets nothing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from parcours.contacts import queries as contact_queries
from parcours.lib import bulk, leases
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.messaging import addresses, contents, gates
from parcours.messaging.addresses import Address, BadAddress
from parcours.messaging.contents import Content
from parcours.messaging.models import Message, Send, Suppression
from parcours.messaging.suppression import address_hash, suppressed

_COLUMNS = (
    "id, account_id, message_id, contact_id, address, is_test, journey_id, version, enrolment_id, step, visit,"
    " context, attempts, fence"
)


@dataclass(slots=True)
class Claim:
    """A send that this worker holds, with all that is needed to write it."""

    send: int
    account: int
    contact: int
    recipient: Address
    is_test: bool
    journey: int
    version: int
    enrolment: int
    step: str
    visit: int
    attempts: int
    fence: int
    content: Content
    context: dict[str, Any]
    lease_until: int


def claim(*, worker: str, limit: int, now: datetime) -> list[Claim]:
    """Hold due sends for this worker, the oldest first; those that may not go are skipped with their reason."""
    if not _any_due(now):
        return []  # Asked first without a transaction: on SQLite a transaction takes the writers' one lock.
    until = leases.until()
    with transaction.atomic():
        rows = _due(limit=limit, now=now)
        if not rows:
            return []
        claims, skipped = _check(rows, until)
        bulk.update_many(
            "messaging_send",
            ("status", "reason", "answer", "sent_at"),
            [(Send.Status.SKIPPED, reason, detail, None, send) for send, reason, detail in skipped],
        )
        bulk.update_many(
            "messaging_send",
            ("status", "address", "worker", "lease_until", "fence"),
            [(Send.Status.CLAIMED, str(c.recipient), worker, until, c.fence, c.send) for c in claims],
        )
        point("sending.claiming")
    point("sending.claimed")
    return claims


def _any_due(now: datetime) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM messaging_send WHERE status IN ('queued', 'deferred') AND due_at <= %s LIMIT 1",
            [to_ms(now)],
        )
        return cursor.fetchone() is not None


def _due(*, limit: int, now: datetime) -> list[tuple[Any, ...]]:
    held = gates.held()
    condition, values = "", []
    if held:
        among, bound = bulk.among("journey_id", sorted(held))
        condition, values = f" AND (journey_id IS NULL OR NOT ({among}))", [bound]
    lock = " FOR UPDATE SKIP LOCKED" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM messaging_send WHERE status IN ('queued', 'deferred') AND due_at <= %s"
            f" AND channel = 'email'{condition} ORDER BY due_at, id LIMIT %s{lock}",
            [to_ms(now), *values, limit],
        )
        return cursor.fetchall()


def _check(rows: list[tuple[Any, ...]], until: int) -> tuple[list[Claim], list[tuple[int, str, str]]]:
    people = {person["contact"]: person for person in contact_queries.snapshot({row[3] for row in rows})}
    shown = {int(person["id"]): person for person in contact_queries.as_json(list(people.values()))}
    loaded = contents.load({row[2] for row in rows})
    hashes = {
        row[0]: address_hash("email", row[4] if row[5] else people.get(row[3], {}).get("email", ""))
        for row in rows
    }
    stopped = suppressed(set(hashes.values()))
    claims: list[Claim] = []
    skipped: list[tuple[int, str, str]] = []
    for row in rows:
        send, account, message, contact, address, is_test = row[:6]
        person = people.get(contact)
        content = loaded.get(message)
        refusal = _refusal(person, content, stopped.get((account, hashes[send])), account, bool(is_test))
        if refusal:
            skipped.append((send, refusal, str(content) if isinstance(content, Exception) else ""))
            continue
        try:
            recipient = addresses.read(address if is_test else (person or {})["email"])
        except BadAddress as error:
            skipped.append((send, "bad_address", str(error)))
            continue
        if not isinstance(content, Content):
            continue
        context = row[11] if isinstance(row[11], dict) else json.loads(row[11] or "{}")
        claims.append(
            Claim(
                send=send,
                account=account,
                contact=contact,
                recipient=recipient,
                is_test=bool(is_test),
                journey=row[6] or 0,
                version=row[7] or 0,
                enrolment=row[8] or 0,
                step=row[9],
                visit=row[10],
                attempts=row[12],
                fence=row[13] + 1,
                content=content,
                context={
                    "contact": shown.get(contact, {}),
                    "event": context.get("event", context),
                    "deal": context.get("deal", {}),
                    "account": content.account,
                },
                lease_until=until,
            )
        )
    return claims, skipped


def _refusal(
    person: dict[str, Any] | None,
    content: Content | Exception | None,
    suppression: tuple[str, int | None] | None,
    account: int,
    is_test: bool,
) -> str:
    """Why a send may not go, as a code; empty when it may."""
    if not isinstance(content, Content):
        return "bad_message"
    if is_test:
        return ""
    if person is None or person["gone"] or person["account"] != account:
        return "contact_gone"
    if not person["email"]:
        return "no_address"
    marketing = content.message.kind == Message.Kind.MARKETING
    if suppression is not None:
        reason, whom = suppression
        # An opt-out stops marketing alone; while the contact who opted out is there, their consent says it, and
        # may have changed since.
        if reason != Suppression.Reason.UNSUBSCRIBED or (marketing and whom != person["contact"]):
            return "suppressed"
    if marketing and person["consent_email"] != "opted_in":
        return "opted_out" if person["consent_email"] == "opted_out" else "not_opted_in"
    return ""


def renew(claims: list[Claim], *, worker: str) -> None:
    """Hold this worker's claims a while longer."""
    until = leases.until()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE messaging_send SET lease_until = %s WHERE status = 'claimed' AND worker = %s",
            [until, worker],
        )
    for one in claims:
        one.lease_until = until
