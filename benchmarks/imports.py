"""The import of contacts from CSV, in lines a second: by the job alone, and until segments can see them.

A file of a million people with twenty attributes, as a shop exports them: addresses, external ids, names, countries, a
consent for each. The job takes it in a process of its own; then the digest brings it into a running event store. A
tenth of the file, imported before into another account, tells whether memory grows with the file.

The yardstick is a bare loop: Python's csv reader over the file, and `executemany` of the very rows that the import
wrote into a table of the same make with the same indexes, as many in a transaction, in a database of its own.
"""

from __future__ import annotations

import csv
import itertools
import json
import random
import resource
import sqlite3
import time
from pathlib import Path

from benchmarks.installation import apart, installation, setup_django
from benchmarks.report import Figure

LINES = 1_000_000
FEW = 100_000
ATTRIBUTES = 20
AT_ONCE = 5_000
_FIRST = ("Zoé", "Léo", "Ada", "Noël", "Inès", "Jean", "Marie", "Paul", "Chloé", "Hugo")
_LAST = ("Martin", "Lefèvre", "Dubois", "Byron", "Moreau", "Laurent", "Simon", "Michel", "Garcia", "Roux")
_CITIES = ("Paris", "Lyon", "Évreux", "Brest", "Lille", "Nantes", "Nice", "Metz")
HEADER = [
    "email",
    "external_id",
    "first_name",
    "last_name",
    "city",
    "country",
    "consents.email",
    *(f"attributes.a{n}" for n in range(ATTRIBUTES)),
]


def write(path: str, lines: int, seed: int) -> None:
    """A file of people, in the order in which shops know them: none."""
    chance = random.Random(seed)
    numbers = list(range(lines))
    chance.shuffle(numbers)
    with Path(path).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in numbers:
            first, last = chance.choice(_FIRST), chance.choice(_LAST)
            writer.writerow(
                [
                    f"{first[:1].lower().replace('é', 'e')}.{number:x}@shop{number % 97}.example.org",
                    f"C{number:08d}",
                    first,
                    last,
                    chance.choice(_CITIES),
                    "FR",
                    "opted_in" if number % 3 else "opted_out",
                    *(_cell(n, number, chance) for n in range(ATTRIBUTES)),
                ]
            )


def _cell(column: int, number: int, chance: random.Random) -> str:
    """Of the attributes a quarter are plans and colours, a quarter small numbers, a quarter amounts, a quarter days."""
    kind = column % 4
    if kind == 0:
        return ("gold", "silver", "bronze", "")[chance.randrange(4)]
    if kind == 1:
        return str(chance.randrange(100))
    if kind == 2:
        return f"{chance.randrange(100_000) / 100:.2f}"
    return f"20{20 + number % 6}-{1 + chance.randrange(12):02d}-{1 + chance.randrange(28):02d}"


def take(account_id: int, path: str) -> dict[str, float]:
    """Import a file in this process; seconds, the processor's too, and the megabytes that it came to hold."""
    setup_django()
    from parcours.accounts import jobs
    from parcours.accounts.models import Account
    from parcours.config.worker import quieten
    from parcours.contacts import definitions
    from parcours.contacts.importing import actions as importing
    from parcours.lib import clock

    account = Account.objects.get(pk=account_id)
    for n in range(ATTRIBUTES):
        kind = ("text", "number", "number", "date")[n % 4]
        definitions.declare_attribute(account_id=account_id, name=f"a{n}", type=kind, now=clock.now())
    with Path(path).open("rb") as file:
        chunks = iter(lambda: file.read(1 << 20), b"")
        job = importing.start(account, chunks, options=importing.Options(), filename="people.csv")
    quieten()
    started, worked = time.perf_counter(), time.process_time()
    jobs.round()
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    job.refresh_from_db()
    if job.refused_count or job.status != "finished":
        raise RuntimeError(
            f"The import ended {job.status}, with {job.refused_count} lines refused: {job.error}"
        )
    return {
        "lines": job.accepted,
        "seconds": seconds,
        "processor": processor,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def digest() -> float:
    """Bring into the event store all that waits for it; the seconds."""
    setup_django()
    from parcours.config.worker import quieten
    from parcours.events.store.client import writer
    from parcours.tracking import work

    writer().ping()
    quieten()
    started = time.perf_counter()
    while work.round():
        pass
    return time.perf_counter() - started


def bare(path: str, account_id: int, installed: str, database: str) -> float:
    """The rows that the import wrote, written again by a bare loop that reads the file beside; the seconds."""
    source = sqlite3.connect(installed)
    schema = source.execute(
        "SELECT sql FROM sqlite_master WHERE tbl_name = 'contacts_contact' AND sql IS NOT NULL"
        " AND type IN ('table', 'index') ORDER BY type DESC"
    ).fetchall()
    rows = source.execute("SELECT * FROM contacts_contact WHERE account_id = ? ORDER BY id", [account_id])
    target = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-64000", "mmap_size=268435456"):
        target.execute(f"PRAGMA {pragma}")
    for (statement,) in schema:
        target.execute(statement)
    insert = f"INSERT INTO contacts_contact VALUES ({', '.join('?' * len(rows.description))})"
    seconds = 0.0
    with Path(path).open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        while some := rows.fetchmany(AT_ONCE):
            started = time.perf_counter()
            list(itertools.islice(reader, AT_ONCE))
            target.execute("BEGIN IMMEDIATE")
            target.executemany(insert, some)
            target.execute("COMMIT")
            seconds += time.perf_counter() - started
    return seconds


def run() -> list[Figure]:
    """A tenth of the file, then all of it, then the bare loop."""
    with installation() as site:
        site.start("store")
        time.sleep(3)
        few, many = str(site.data_dir / "few.csv"), str(site.data_dir / "many.csv")
        write(few, FEW, 1)
        write(many, LINES, 2)
        other = site.run(
            "account", "create", "Few", "--email", "few@example.org", "--password", "bench-1234-x"
        )
        first = apart("imports.take", site.environment, int(json.loads(other)["account"]), few)
        apart("imports.digest", site.environment)
        told = apart("imports.take", site.environment, int(site.account["account"]), many)
        digested = apart("imports.digest", site.environment)
        state, copy = str(site.data_dir / "parcours.sqlite3"), str(site.data_dir / "bare.sqlite3")
        theirs = apart("imports.bare", site.environment, many, int(site.account["account"]), state, copy)
    pace = told["lines"] / told["seconds"]
    grown = told["megabytes"] - first["megabytes"]
    whole = told["lines"] / (told["seconds"] + digested)
    return [
        Figure(
            f"import of {LINES // 1_000_000} million contacts from CSV, {ATTRIBUTES} attributes each",
            f"{pace:,.0f} lines/s ({told['processor'] / told['lines'] * 1e6:.0f} µs of its processor each)",
            f"csv reader and executemany of the same rows: {told['lines'] / theirs:,.0f}/s",
            pace * theirs / told["lines"],
            "≥ 20,000 lines/s",
            pace >= 20_000,
        ),
        Figure(
            "the same until segments see them, one after the other",
            f"{whole:,.0f} lines/s (the digest alone: {told['lines'] / digested:,.0f}/s)",
        ),
        Figure(
            "memory of the import, at its highest",
            f"{told['megabytes']:.0f} MB for {LINES:,} lines",
            f"{first['megabytes']:.0f} MB for {FEW:,} lines",
            told["megabytes"] / first["megabytes"],
            "flat: ≤ 40 MB more",
            grown <= 40,
        ),
    ]
