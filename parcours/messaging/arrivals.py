"""From a click in a message to the visitor: the site's page says which click brought it, and is tied to its reader.

The redirect adds a short signed token to addresses of the account's own sites; the tracker takes it out of the
address bar and sends it with its page view. The tie waits until the click is known to be a person's.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from django.db import transaction

from parcours.contacts import queries as contact_queries
from parcours.contacts.merging.people import survivors
from parcours.events import journal
from parcours.events.entries import Entry, Linked
from parcours.lib import signing
from parcours.lib.instants import to_ms
from parcours.messaging.models import Arrival, Click, Send
from parcours.tracking import sites
from parcours.tracking.fanout import Batch
from parcours.tracking.models import VisitorLink

#: The parameter that the tracker looks for.
PARAMETER = "pc_c"
#: How long after the click its page may be seen.
VALID_MINUTES = 15
_BATCH = 1_000
_KIND = "visit"


def lead(address: str, send: Send, *, click: int, now: datetime) -> str:
    """Where a person's click leads: with its token, when that is a site of the account; else as it was written."""
    if not sites.is_site(send.account_id, address, now=now):
        return address
    token = signing.sign(_KIND, send.pk, click, to_ms(now) // 60_000 + VALID_MINUTES)
    place, mark, fragment = address.partition("#")
    return f"{place}{'&' if '?' in place else '?'}{PARAMETER}={token}{mark}{fragment}"


class ArrivalListener:
    """Keeps the page views that clicks brought, of visitors who are nobody yet."""

    def prepare(self, batch: Batch) -> list[Arrival]:
        found: list[tuple[int, int, str]] = []
        for event in batch.events:
            if not event.arrival or not event.visitor or event.contact:
                continue
            try:
                send, click, until = signing.unsign(_KIND, event.arrival, count=3)
            except signing.BadToken:
                continue
            if event.received_at < (until + 1) * 60_000:
                found.append((send, click, event.visitor))
        if not found:
            return []
        mine = Send.objects.filter(
            account_id=batch.account_id, pk__in={send for send, _, _ in found}, is_test=False
        )
        sends = set(mine.values_list("pk", flat=True))
        visitors = VisitorLink.objects.filter(
            account_id=batch.account_id, visitor__in={visitor for _, _, visitor in found}
        )
        browsers = {each.visitor.hex: each.browser for each in visitors}
        return [
            Arrival(
                account_id=batch.account_id,
                send_id=send,
                click_id=click,
                browser=browsers.get(visitor, visitor),
            )
            for send, click, visitor in found
            if send in sends
        ]

    def apply(self, batch: Batch, prepared: list[Arrival]) -> None:
        if prepared:
            Arrival.objects.bulk_create(prepared)


def settle() -> bool:
    """Tie the visitors whose click is known to be a person's; answers whether there was any to look at.

    A browser that is someone's already stays theirs: mails are forwarded.
    """
    unjudged = Click.objects.filter(told=False).values("pk")
    waiting = Arrival.objects.exclude(click_id__in=unjudged)
    if not waiting.exists():
        return False
    with transaction.atomic():
        seen = list(
            waiting.select_for_update(skip_locked=True, of=("self",))
            .select_related("send")
            .order_by("id")[:_BATCH]
        )
        people = _people({arrival.click_id for arrival in seen if arrival.click_id})
        ties: dict[int, list[Arrival]] = defaultdict(list)
        for arrival in seen:
            if not arrival.click_id or arrival.click_id in people:
                ties[arrival.account_id].append(arrival)
        for account_id, arrivals in ties.items():
            readers = {arrival.send.contact_id for arrival in arrivals}
            merged = survivors(account_id, readers)
            readers |= set(merged.values())
            living = set(
                contact_queries.living(account_id).filter(pk__in=readers).values_list("pk", flat=True)
            )
            entries: list[Entry] = [
                Linked(arrival.browser, reader, if_unknown=True)
                for arrival in arrivals
                if (reader := merged.get(arrival.send.contact_id, arrival.send.contact_id)) in living
            ]
            if entries:
                journal.append(entries, account_id=account_id)
        Arrival.objects.filter(pk__in=[arrival.pk for arrival in seen]).delete()
    return bool(seen)


def _people(click_ids: set[int]) -> set[int]:
    """Those of the clicks that were told as a person's."""
    judged = Click.objects.filter(pk__in=click_ids, told=True, machine=False)
    return set(judged.values_list("pk", flat=True))
