"""What may be done with messages, sends and suppressions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from parcours.contacts.merging.people import now_are
from parcours.contacts.models import Channel
from parcours.contacts.queries import living
from parcours.lib import bulk
from parcours.lib.instants import to_ms
from parcours.messaging.models import Message, Send, Suppression
from parcours.messaging.suppression import address_hash, spelt

_COLUMNS = (
    *(
        "account_id",
        "message_id",
        "contact_id",
        "channel",
        "address",
        "status",
        "reason",
        "answer",
        "is_test",
    ),
    *("journey_id", "version", "enrolment_id", "step", "visit", "context", "attempts", "due_at", "queued_at"),
    *("worker", "lease_until", "fence"),
)


class NewSend(NamedTuple):
    """A message to send to a contact; `context` is what its template sees besides the contact (`event`)."""

    account_id: int
    message_id: int
    contact_id: int
    journey_id: int | None = None
    version: int | None = None
    enrolment_id: int | None = None
    step: str = ""
    visit: int = 0
    context: Mapping[str, Any] = {}
    channel: str = Channel.EMAIL


def queue(sends: Iterable[NewSend], *, now: datetime) -> None:
    """Queue sends, in the caller's transaction, in one statement for however many.

    A send of a visit of a step that has one already is left out (J2: one visit makes at most one delivery).
    Consent, suppression and address are checked when the send is claimed, not here.
    """
    at = to_ms(now)
    rows = [
        (
            *(
                send.account_id,
                send.message_id,
                send.contact_id,
                send.channel,
                "",
                Send.Status.QUEUED,
                "",
                "",
                False,
            ),
            *(send.journey_id, send.version, send.enrolment_id, send.step, send.visit),
            *(json.dumps(send.context) if send.context else "{}", 0, at, at, "", 0, 0),
        )
        for send in sends
    ]
    with transaction.atomic(savepoint=False):
        bulk.insert_many("messaging_send", _COLUMNS, rows, on_conflict="DO NOTHING")


def queue_test(message: Message, *, address: str, contact_id: int, now: datetime) -> Send:
    """Queue a test of a message to an address, as the given contact would read it (0: nobody's data).

    Tests count in no figure and need no consent.
    """
    return Send.objects.create(
        account_id=message.account_id,
        message=message,
        contact_id=contact_id,
        channel=message.channel,
        address=address,
        is_test=True,
        due_at=now,
        queued_at=now,
    )


def suppress(
    *,
    account_id: int,
    channel: str,
    address: str,
    reason: str,
    now: datetime,
    contact_id: int | None = None,
    send_id: int | None = None,
) -> Suppression:
    """Send nothing more to an address. The first reason stands, but that one had opted out, which stops less.

    Of a person erased meanwhile, no more than the keyed hash of the address is kept.
    """
    if contact_id is not None:
        contact_id = now_are(account_id, [contact_id])[0]
    gone = contact_id is not None and not living(account_id).filter(pk=contact_id).exists()
    values = {
        "reason": reason,
        "contact_id": contact_id,
        "send_id": send_id,
        "at": now,
        "address": "" if gone else spelt(channel, address),
    }
    suppression, made = Suppression.objects.get_or_create(
        account_id=account_id, channel=channel, address_hash=address_hash(channel, address), defaults=values
    )
    if not made and suppression.reason == Suppression.Reason.UNSUBSCRIBED != reason:
        Suppression.objects.filter(pk=suppression.pk).update(**values)
        suppression.refresh_from_db()
    return suppression


def drop_queued(*, journey_id: int) -> int:
    """Skip what an archived journey had still to send, with that reason; answers how many."""
    waiting = Send.objects.filter(
        journey_id=journey_id, status__in=(Send.Status.QUEUED, Send.Status.DEFERRED)
    )
    return waiting.update(status=Send.Status.SKIPPED, reason="journey_archived")


def drop_doubles(runs: Mapping[int, int], *, live: Collection[int]) -> int:
    """Skip what runs of people merged had still to send, where the run that stands for them sends it too.

    `runs` are the runs that give way -> those that stand; of these, `live` may still come to the step. Answers how
    many were skipped.
    """
    waiting = Send.objects.filter(
        enrolment_id__in=list(runs), status__in=(Send.Status.QUEUED, Send.Status.DEFERRED)
    )
    standing = Send.objects.filter(enrolment_id__in=set(runs.values())).exclude(status=Send.Status.SKIPPED)
    sent = set(standing.values_list("enrolment_id", "step"))
    doubled = [
        pk
        for pk, run, step in waiting.values_list("pk", "enrolment_id", "step")
        if run is not None and (runs[run] in live or (runs[run], step) in sent)
    ]
    return Send.objects.filter(pk__in=doubled).update(status=Send.Status.SKIPPED, reason="merged")
