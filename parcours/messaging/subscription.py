"""Opting out from a mail."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from parcours.contacts.actions import set_consent
from parcours.contacts.merging.people import now_are
from parcours.contacts.models import Channel
from parcours.contacts.telling import Cause
from parcours.lib import bulk, clock
from parcours.lib.instants import to_ms
from parcours.messaging.actions import suppress
from parcours.messaging.models import Click, Send, Suppression
from parcours.messaging.suppression import address_hash


def unsubscribe(send: Send, *, source: str, now: datetime) -> bool:
    """Opt the contact of a send out of marketing on its channel. Answers whether that changed anything.

    A test's link opts nobody out. Once the person is erased there is nobody to opt out. The address is kept as a
    keyed hash, so that it stays opted out when the person is erased and imported again.
    """
    if send.is_test:
        return False
    cause = Cause(
        journey=send.journey_id or 0,
        version=send.version or 0,
        step=send.step,
        message=send.message_id,
        send=str(send.pk),
        enrolments={send.contact_id: send.enrolment_id} if send.enrolment_id else {},
    )
    with transaction.atomic():
        changed = set_consent(
            account_id=send.account_id,
            contact_ids=[send.contact_id],
            channel=send.channel,
            value="opted_out",
            source=source,
            proof={"send": str(send.pk), "message": str(send.message_id)},
            send_id=send.pk,
            cause=cause,
            now=now,
        )
        if send.address:
            suppress(
                account_id=send.account_id,
                channel=send.channel,
                address=send.address,
                reason=Suppression.Reason.UNSUBSCRIBED,
                contact_id=now_are(send.account_id, [send.contact_id])[0],
                send_id=send.pk,
                now=now,
            )
    return bool(changed)


def forget(*, account_id: int, people: Iterable[tuple[int, str | None, str | None]], **_kwargs: Any) -> None:
    """Empty what sends and suppressions keep of erased people (a listener of `contacts_erased`).

    A suppression stays, as the keyed hash of the address; whoever had none is opted out by one, so that an old file
    imported again does not have them written to.
    """
    people = list(people)
    ids = [contact_id for contact_id, _email, _phone in people]
    hashes = {
        (channel, address_hash(channel, address)): contact_id
        for contact_id, email, phone in people
        for channel, address in ((Channel.EMAIL, email), (Channel.SMS, phone), (Channel.WHATSAPP, phone))
        if address
    }
    suppressions = Suppression.objects.filter(account_id=account_id).exclude(address="")
    suppressions.filter(Q(contact_id__in=ids) | Q(address_hash__in=[key for _channel, key in hashes])).update(
        address=""
    )
    at, opted_out = to_ms(clock.now()), str(Suppression.Reason.UNSUBSCRIBED)
    bulk.insert_many(
        "messaging_suppression",
        ("account_id", "channel", "address_hash", "address", "reason", "contact_id", "at"),
        [
            (account_id, str(channel), key, "", opted_out, contact_id, at)
            for (channel, key), contact_id in hashes.items()
        ],
        on_conflict="(account_id, channel, address_hash) DO NOTHING",
    )
    Send.objects.filter(account_id=account_id, contact_id__in=ids).update(address="", answer="", context={})
    Click.objects.filter(send__contact_id__in=ids, account_id=account_id).update(agent="")
