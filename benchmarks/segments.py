"""Segments over a million contacts with twenty attributes and fifty million events of 300 days.

The world is laid by the engine itself (`segments_world`). What is measured goes through the functions that the worker
calls: a segment is made by its action; rounds of the segments' work and of the digest, in one process beside the
store's own, compute it, tell its entries and exits to the journal, store them and settle its figures. The yardsticks
(`segments_rivals`) answer the same question on the same engine, in turns.

    parcours bench segments
    python -m benchmarks.segments --events 10000000 --contacts 1000000    # another size, printed only
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks.installation import Installation, apart, installation
from benchmarks.report import Figure, table

EVENTS = 50_000_000
CONTACTS = 1_000_000
MANY = 100
TURNS = 5
SINGLE = (0, 1, 6, 10, 15)
"""The numbers of the segments computed alone: those that count views of products."""
PAGES = (3, 8, 13)
"""Those that count views of pages: half of all events."""
SUSTAINED = 200_000


def lay(events: int, contacts: int) -> None:
    """Lay the world on an empty installation whose store runs."""
    _django()
    from benchmarks import segments_world
    from parcours.accounts.models import Account
    from parcours.lib import clock
    from parcours.lib.instants import to_ms

    _wait_for_store()
    segments_world.lay(Account.objects.get(), events=events, contacts=contacts, now=to_ms(clock.now()))


def measure(parts: list[str]) -> dict[str, Any]:
    """What is measured in one process, beside the store's, on a world that was laid."""
    _django()
    from benchmarks import segments_rivals
    from parcours.accounts.models import Account

    account = Account.objects.get()
    told: dict[str, Any] = {}

    def note(name: str, found: Any) -> None:
        told[name] = found
        print(name, found, file=sys.stderr, flush=True)

    note("single", [_first(account, number) for number in SINGLE])
    note("pages", [_first(account, number) for number in PAGES])
    note("everyone", _first(account, None))
    note("preview", _preview(account))
    note("members", _members(account))
    if "rivals" in parts:
        note("rivals", segments_rivals.measure(account, dict(zip(SINGLE, told["single"], strict=True))))
    if "many" in parts:
        note("many", _nightly(account))
    return told


def _wait_for_store() -> None:
    from parcours.events.store.client import reachable

    deadline = time.monotonic() + 60
    while not reachable():
        if time.monotonic() > deadline:
            raise TimeoutError("The store does not answer.")
        time.sleep(0.2)


def _rounds() -> None:
    """Do rounds of the digest and of the segments' work until nothing is left but what time brings.

    Two events a second leave a window of the full world: with many segments there is always somebody to look at.
    """
    from parcours.segments import work as segments
    from parcours.segments.models import Segment, Stirred
    from parcours.tracking import work as tracking

    busy = True
    while busy:
        # The digest does not wait for the segments' work: it has a thread of its own.
        busy = False
        while tracking.round():
            busy = True
        busy = segments.round() or busy
        under_way = Segment.objects.exclude(status=Segment.Status.UP_TO_DATE)
        told = Segment.objects.filter(settling_at__isnull=False)
        if not (under_way.exists() or told.exists() or Stirred.objects.exists()):
            break


def _create(account: Any, number: int | None) -> Any:
    from benchmarks import segments_world
    from parcours.lib import clock
    from parcours.segments import actions

    criteria = {"all": []} if number is None else segments_world.criteria(number)
    return actions.create(account=account, name=f"Segment {number}", criteria=criteria, now=clock.now())


def _first(account: Any, number: int | None) -> dict[str, float]:
    """Compute a new segment; answers seconds until it was computed, and until all was stored and settled."""
    from parcours.lib.instants import to_ms

    segment = _create(account, number)
    started = time.perf_counter()
    _rounds()
    seconds = time.perf_counter() - started
    segment.refresh_from_db()
    if segment.status != "up_to_date" or segment.settling_at is not None:
        raise RuntimeError(f"Segment {number} is not computed: {segment.status} {segment.error}")
    return {
        "seconds": seconds,
        "computed": segment.duration_ms / 1000,
        "profiles": segment.profiles,
        "as_of": to_ms(segment.computed_at),
    }


def _median_ms(work: Callable[[], Any], *, runs: int = TURNS) -> float:
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _preview(account: Any) -> float:
    """Milliseconds of the builder's count and sample, the median over criteria that nobody asked before."""
    from benchmarks import segments_world
    from parcours.segments import queries

    taken = []
    for number in (20, 21, 22, 23, 24):
        started = time.perf_counter()
        queries.preview(account=account, criteria=segments_world.criteria(number))
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def _members(account: Any) -> dict[str, float]:
    """Milliseconds of a page of the members of the largest segment."""
    from parcours.segments import members
    from parcours.segments.models import Segment

    segment = Segment.objects.filter(account=account).order_by("-profiles").first()
    assert segment is not None
    load = segment.figures_load
    first = members.members(segment, load=load, limit=100)
    if len(first) != 100:
        raise RuntimeError(f"A page of {segment.profiles} members holds {len(first)}.")
    return {
        "first": _median_ms(lambda: members.members(segment, load=load, limit=100)),
        "second": _median_ms(lambda: members.members(segment, load=load, limit=100, after=first[-1].place)),
        "by_name": _median_ms(lambda: members.members(segment, load=load, limit=100, sort="name"), runs=3),
        "search": _median_ms(
            lambda: members.members(segment, load=load, limit=100, words=["first77", "last123"]), runs=3
        ),
    }


def _nightly(account: Any) -> dict[str, float]:
    """Seconds of a hundred segments' first computation, and of the next, as at night."""
    from parcours.lib import clock
    from parcours.segments.models import Segment

    Segment.objects.filter(account=account).delete()
    for number in range(MANY):
        _create(account, number)
    started = time.perf_counter()
    _rounds()
    first = time.perf_counter() - started
    Segment.objects.filter(account=account).update(next_at=clock.now())
    started = time.perf_counter()
    _rounds()
    night = time.perf_counter() - started
    late = Segment.objects.filter(account=account).exclude(status="up_to_date").count()
    if late:
        raise RuntimeError(f"{late} segments are not up to date.")
    sizes = list(Segment.objects.filter(account=account).values_list("profiles", flat=True))
    return {"first": first, "night": night, "members": sum(sizes)}


def fill(count: int, contacts: int) -> None:
    """Append to the collector's journal what known contacts do, each in a call of its own."""
    _django()
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
    _django()
    from parcours.accounts.models import Account
    from parcours.events import watermark
    from parcours.segments.models import Segment, Stirred

    account, started = Account.objects.get(), time.perf_counter()
    while time.perf_counter() - started < seconds:
        under_way = Segment.objects.exclude(status=Segment.Status.UP_TO_DATE)
        if watermark.digested(account.pk) and not (
            Stirred.objects.exists()
            or under_way.exists()
            or Segment.objects.filter(settling_at__isnull=False).exists()
        ):
            return time.perf_counter() - started
        time.sleep(0.05)
    raise TimeoutError("The segments do not catch up.")


def make_watched() -> None:
    """A hundred segments that one event makes a contact enter."""
    _django()
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
    _django()
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


def _django() -> None:
    from parcours.config import startup

    startup.setup_django()


def figures(site: Installation, *, events: int, contacts: int, parts: list[str]) -> list[Figure]:
    """What one size of the world gives."""
    store = site.start("store")
    apart("segments.lay", site.environment, events, contacts)
    told = apart("segments.measure", site.environment, parts)
    size = f"{events / 1e6:g} million events, {contacts / 1e6:g} million contacts"
    found = _computed(told, size)
    if "rivals" in told:
        found += _against(told)
    if "many" in told:
        night = told["many"]
        found.append(
            Figure(
                f"{MANY} such segments at night ({night['members']:,} members)",
                f"{night['night']:.0f} s",
                f"their first computation: {night['first']:.0f} s",
                to_reach="≤ 100 s",
                reached=night["night"] <= 100,
            )
        )
        store.terminate()
        store.wait(30)
        site.processes.remove(store)
        found += _live(site, contacts)
    return found


def _computed(told: dict[str, Any], size: str) -> list[Figure]:
    single = statistics.median(one["seconds"] for one in told["single"])
    asked = statistics.median(one["computed"] for one in told["single"])
    members = statistics.median(one["profiles"] for one in told["single"])
    pages = statistics.median(one["seconds"] for one in told["pages"])
    everyone, page = told["everyone"], told["members"]
    return [
        Figure(
            f"a segment of three criteria computed in full, entries stored and figures settled; {size}",
            f"{single:.2f} s ({members:,.0f} members)",
            f"its computation alone: {asked:.2f} s",
            to_reach="≤ 2 s",
            reached=single <= 2,
        ),
        Figure("the same, counting views of pages (half of all events)", f"{pages:.2f} s"),
        Figure(
            "a segment of everyone, first computation, entries stored and figures settled",
            f"{everyone['seconds']:.1f} s ({everyone['profiles']:,} members)",
            f"its computation alone: {everyone['computed']:.1f} s",
        ),
        Figure(
            "count and sample in the builder",
            f"{told['preview']:.0f} ms",
            to_reach="≤ 1 s",
            reached=told["preview"] <= 1000,
        ),
        Figure(
            f"the first hundred of {everyone['profiles']:,} members, by date of entry",
            f"{page['first']:.0f} ms",
            f"the next: {page['second']:.0f} ms; by name: {page['by_name']:.0f} ms; a search: {page['search']:.0f} ms",
            to_reach="≤ 200 ms",
            reached=page["first"] <= 200,
        ),
    ]


def _against(told: dict[str, Any]) -> list[Figure]:
    found = []
    for name, theirs in told["rivals"].items():
        ratio = statistics.median(
            other / one["seconds"] for one, other in zip(told["single"], theirs["seconds"], strict=True)
        )
        found.append(
            Figure(
                f"the same segments by {name}",
                f"{statistics.median(theirs['seconds']):.2f} s",
                theirs["told"],
                ratio,
                "≥ 1 (theirs ÷ ours)",
                ratio >= 1,
            )
        )
    return found


def _live(site: Installation, contacts: int) -> list[Figure]:
    """With a hundred live segments: events a second, and how soon one event moves its contact."""
    apart("segments.fill", site.environment, SUSTAINED, contacts)
    site.start("run", "--port", str(site.port))
    site.wait()
    seconds = apart("segments.quiet", site.environment, 600)
    apart("segments.make_watched", site.environment)
    apart("segments.quiet", site.environment, 600)
    taken = apart("segments.one_event", site.environment, 7, contacts)
    pace, worst = SUSTAINED / seconds, max(taken)
    return [
        Figure(
            f"events digested with {MANY} live segments kept up with them",
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


def run(
    events: int = EVENTS, contacts: int = CONTACTS, parts: tuple[str, ...] = ("rivals", "many")
) -> list[Figure]:
    """Measure one size on an installation of its own."""
    with installation() as site:
        return figures(site, events=events, contacts=contacts, parts=list(parts))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument("--parts", default="rivals,many", help="of rivals, many; the rest is always measured")
    chosen = parser.parse_args()
    parts = tuple(part for part in chosen.parts.split(",") if part)
    print(table(run(chosen.events, chosen.contacts, parts)))


if __name__ == "__main__":
    main()
