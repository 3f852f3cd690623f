"""The digest: from the collector's journal into the event store, in events a second.

The journal is filled with calls as browsers send them (pages, events of a shop, visitors of whom one in ten is signed
in), in rows as the collector's group commits make them. A process of its own then does rounds of the digest until
nothing is left, beside a running store.
The first load, in which the process warms up, is not counted. The
yardstick is the insert, by clickhouse-connect, of the very rows that the digest wrote, already lying in memory, ten
thousand at a time, into a table of the same make. Both take turns.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import Any

from benchmarks.installation import apart, installation, setup_django
from benchmarks.report import Figure

EVENTS = 100_000
TURNS = 3
VISITORS = 20_000
ROW = 500
BLOCK = 10_000
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5"
    " Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile"
    " Safari/537.36",
)


def call(number: int, chance: random.Random, now: int) -> bytes:
    """A call as the collector keeps it: two pages out of three, else an event of the shop."""
    from parcours.tracking.collector import wire

    visitor = chance.randrange(VISITORS)
    agent = _AGENTS[visitor % len(_AGENTS)]
    path = f"/books/{chance.randrange(2_000)}"
    query = "?utm_source=newsletter&utm_medium=email&utm_campaign=autumn" if visitor % 7 == 0 else ""
    page = {
        "url": f"https://shop.example{path}{query}",
        "path": path,
        "referrer": "https://search.example/",
        "title": f"Book {path[7:]}",
    }
    body: dict[str, Any] = {
        "anonymousId": f"visitor-{visitor}",
        "messageId": f"bench-{now}-{number}",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now / 1000)) + f".{number % 1000:03d}Z",
        "context": {"userAgent": agent, "page": page, "locale": "fr-FR"},
    }
    if visitor % 10 == 0:
        body["userId"] = f"customer-{visitor}"
    if number % 3:
        body |= {"type": "page", "properties": page}
    else:
        body |= {
            "type": "track",
            "event": "Product Viewed",
            "properties": {"product_id": path[7:], "price": 19.9, "currency": "EUR", "category": "novels"},
        }
    sender = wire.Sender(zone="UTC", received=now, agent=agent, source="browser")
    return wire.encode_call(wire.check_call(body, kind=None, sent_at=None, sender=sender))


def fill(account_id: int, seed: int) -> None:
    """Append a turn's calls to the collector's journal."""
    setup_django()
    from parcours.events import journal
    from parcours.lib import clock

    chance, now = random.Random(seed), clock.machine_ms()
    shard = journal.shard_of(account_id)
    rows = []
    for start in range(0, EVENTS, ROW):
        parts = [call(number, chance, now) for number in range(start, start + ROW)]
        rows.append((account_id, shard, len(parts), now, journal.encode_parts(parts)))
    opened = journal.open_collector_journal(writer=True)
    for start in range(0, len(rows), 10):
        opened.append_many(rows[start : start + 10])
    opened.close()


def digest() -> dict[str, float]:
    """Digest all there is; answers the events a second, and the seconds of this process's processor for each."""
    setup_django()
    from parcours.config.worker import quieten
    from parcours.events.store.client import writer
    from parcours.tracking import work

    writer().ping()
    quieten()
    work.round()
    warmed = _digested()
    started, worked = time.perf_counter(), time.process_time()
    while work.round():
        pass
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    counted = _digested() - warmed
    return {"pace": counted / seconds, "processor": processor / counted}


def _digested() -> int:
    from django.db.models import Sum

    from parcours.events.models import Load

    return int(Load.objects.aggregate(total=Sum("count"))["total"] or 0)


def raw(after_load: int) -> dict[str, float]:
    """Insert the rows of the loads after one again, raw; answers seconds, the rows, and the last load."""
    setup_django()
    from parcours.events.store.client import writer

    client = writer()
    found = client.query(
        "SELECT * FROM events WHERE load > {load:UInt64} ORDER BY load, position",
        parameters={"load": after_load},
    )
    rows, names = found.result_rows, found.column_names
    client.command("CREATE TABLE IF NOT EXISTS raw_events AS events")
    started = time.perf_counter()
    for start in range(0, len(rows), BLOCK):
        client.insert("raw_events", rows[start : start + BLOCK], column_names=names)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "rows": len(rows), "load": rows[-1][names.index("load")]}


def run() -> list[Figure]:
    """Both, in turns, on one installation."""
    ours, theirs, processor = [], [], []
    with installation() as site:
        site.start("store")
        time.sleep(3)
        load = 0
        for turn in range(TURNS):
            apart("digest.fill", site.environment, int(site.account["account"]), turn)
            told = apart("digest.digest", site.environment)
            bare = apart("digest.raw", site.environment, load)
            if bare["rows"] < EVENTS:  # More: the first turn makes the contacts.
                raise RuntimeError(f"{bare['rows']} events are in the store instead of {EVENTS}.")
            load = bare["load"]
            ours.append(told["pace"])
            theirs.append(bare["rows"] / bare["seconds"])
            processor.append(told["processor"] * 1e6)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    pace = statistics.median(ours)
    return [
        Figure(
            "digest into the store",
            f"{pace:,.0f} events/s ({statistics.median(processor):.0f} µs of its processor each)",
            f"raw insert of the same rows by clickhouse-connect: {statistics.median(theirs):,.0f}/s",
            ratio,
            "≥ 0.3, and ≥ 30,000 events/s",
            ratio >= 0.3 and pace >= 30_000,
        )
    ]
