"""A hundred live segments over the world of `segments_world`, kept up with events by `parcours run`.

How many events a second are digested with the segments kept up with them, and how soon one event moves its contact.
"""

from __future__ import annotations

import statistics
import time

from benchmarks.installation import Installation, apart, setup_django
from benchmarks.report import Figure

MANY = 100
SUSTAINED = 500_000


def is_quiet() -> bool:
    """Whether no segment is computed, waits for what it told, or has contacts to look at."""
    from parcours.segments.models import Segment, Stirred

    under_way = Segment.objects.exclude(status=Segment.Status.UP_TO_DATE)
    told = Segment.objects.filter(settling_at__isnull=False)
    return not (under_way.exists() or told.exists() or Stirred.objects.exists())


def fill(count: int, contacts: int) -> None:
    """Append to the collector's journal what known contacts do, each in a call of its own."""
    setup_django()
    import random

    from benchmarks.segments_world import CATEGORIES
    from parcours.accounts.models import Account
    from parcours.events import journal
    from parcours.lib import clock
    from parcours.tracking.collector import wire

    account, chance, now = Account.objects.get(), random.Random(7), clock.machine_ms()
    sender = wire.Sender(zone="UTC", received=now, agent="", source="")
    shard, rows, parts = journal.shard_of(account.pk), [], []
    for number in range(count):
        name = ("Product Viewed", "Product Viewed", "Order Completed", "cta.viewed", "email.opened")[
            number % 5
        ]
        total = chance.randrange(200)
        body = {
            "type": "track",
            "event": name,
            "userId": f"u{chance.randrange(contacts)}",
            "messageId": f"sustained-{now}-{number}",
            "properties": {
                "category": chance.choice(CATEGORIES),
                "total": total,
                "order_id": f"o{number}",
                "path": f"/p/{chance.randrange(500)}",
            },
        }
        parts.append(wire.encode_call(wire.check_call(body, kind=None, sent_at=None, sender=sender)))
        if len(parts) == 500:
            rows.append((account.pk, shard, len(parts), now, journal.encode_parts(parts)))
            parts = []
    opened = journal.open_collector_journal(writer=True)
    for start in range(0, len(rows), 10):
        opened.append_many(rows[start : start + 10])
    opened.close()


def quiet(seconds: float) -> float:
    """Wait until nothing is left to digest, to compute or to look at again; answers the seconds that it took."""
    setup_django()
    from parcours.accounts.models import Account
    from parcours.events import watermark

    account, started = Account.objects.get(), time.perf_counter()
    while time.perf_counter() - started < seconds:
        if watermark.digested(account.pk) and is_quiet():
            return time.perf_counter() - started
        time.sleep(0.05)
    raise TimeoutError("The segments do not catch up.")


def make_watched() -> None:
    """A hundred segments that one event makes a contact enter."""
    setup_django()
    from parcours.accounts.models import Account
    from parcours.lib import clock
    from parcours.segments import actions

    account = Account.objects.get()
    for number in range(MANY):
        leaf = {
            "event": "quote.asked",
            "where": [{"property": "amount", "op": "gte", "value": number}],
            "window": {"last": f"{30 + number}d"},
        }
        other = {"event": "order.placed", "window": {"last": "10d"}, "count": {"op": "lt", "value": 9}}
        criteria = {"all": [leaf, other]}
        actions.create(account=account, name=f"Quotes over {number}", criteria=criteria, now=clock.now())


def one_event(turns: int, contacts: int) -> list[float]:
    """Seconds from the sending of one event until its contact is in a hundred segments, as any reader sees it."""
    setup_django()
    import json
    import urllib.request
    from base64 import b64encode

    from django.conf import settings

    from parcours.accounts.models import Account
    from parcours.events import watermark
    from parcours.events.store.client import client
    from parcours.segments.models import Segment

    account = Account.objects.get()
    ids = list(Segment.objects.filter(name__startswith="Quotes").values_list("pk", flat=True))
    taken = []
    for turn in range(turns):
        number = contacts // 2 + 17 * turn
        body = {"event": "quote.asked", "userId": f"u{number}", "properties": {"amount": 1000}}
        request = urllib.request.Request(
            f"{settings.PUBLIC_URL}/v1/track",
            json.dumps(body).encode(),
            {
                "Content-Type": "application/json",
                "Authorization": "Basic " + b64encode(f"{account.write_key}:".encode()).decode(),
            },
        )
        started = time.perf_counter()
        urllib.request.urlopen(request, timeout=10).read()
        while True:
            bound = {
                "account": account.pk,
                "contact": number + 1,
                "load": watermark.current(account.pk).load,
                "ids": ids,
            }
            inside = client().query(
                "SELECT uniqExact(segment) FROM memberships WHERE account = {account:UInt32}"
                " AND segment IN {ids:Array(UInt64)} AND contact = {contact:UInt64} AND load <= {load:UInt64}",
                parameters=bound,
            )
            if inside.result_rows[0][0] == len(ids):
                break
            if time.perf_counter() - started > 60:
                raise TimeoutError(f"After a minute the contact is in {inside.result_rows[0][0]} segments.")
            time.sleep(0.02)
        taken.append(time.perf_counter() - started)
    return taken


def figures(site: Installation, contacts: int) -> list[Figure]:
    """With a hundred live segments: events a second, and how soon one event moves its contact."""
    apart("segments_live.fill", site.environment, SUSTAINED, contacts)
    site.start("run", "--port", str(site.port))
    site.wait()
    seconds = apart("segments_live.quiet", site.environment, 600)
    apart("segments_live.make_watched", site.environment)
    apart("segments_live.quiet", site.environment, 600)
    taken = apart("segments_live.one_event", site.environment, 7, contacts)
    pace, worst = SUSTAINED / seconds, max(taken)
    return [
        Figure(
            f"events digested with {MANY} live segments kept up with them, {SUSTAINED:,} of them",
            f"{pace:,.0f} events/s",
            to_reach="≥ 5,000 events/s",
            reached=pace >= 5_000,
        ),
        Figure(
            f"one event to its contact's membership of {MANY} live segments, {2 * MANY} segments kept",
            f"{statistics.median(taken):.2f} s (worst of {len(taken)}: {worst:.2f} s)",
            to_reach="≤ 2 s",
            reached=statistics.median(taken) <= 2,
        ),
    ]
