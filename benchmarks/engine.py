"""The engine: contact-steps a second on SQLite, one worker, a journey of ten steps with two conditions.

Contacts are imported and enrolled by the product's own doors; then a process of its own does rounds of the engine
alone, its clock held at one instant after another, until every run has ended. A contact-step is one passage of one
contact. While it runs, every SQL statement of it is written down with its values (the time that this takes is not
counted). The yardstick is a bare loop over Python's sqlite3 that executes the very same statements, with
the values at hand, on a copy of the database as it was: what the row changes cost by themselves.

The same is done with a tenth of the contacts: pace and memory must not depend on how many there are.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.installation import ROOT, Installation, apart, installation, setup_django
from benchmarks.report import Figure

CONTACTS = 200_000
FEWER = 20_000
TURNS = 3
DAYS = 8
#: MiB that SQLite keeps of a database in a process, however large it is (`cache_size`); a small one does not fill it.
PAGE_CACHE = 64


def document(message: str) -> dict[str, Any]:
    """Ten steps, two of them conditions; a contact passes eight."""
    return {
        "name": "Welcome",
        "entry": {"triggers": [{"type": "manual"}]},
        "start": "hello",
        "steps": [
            {"id": "hello", "type": "send_email", "message": message, "next": "rest"},
            {"id": "rest", "type": "delay", "for": "1d", "next": "where"},
            {
                "id": "where",
                "type": "condition",
                "if": {"field": "country", "op": "eq", "value": "FR"},
                "then": "soon",
                "else": "late",
            },
            {"id": "soon", "type": "delay", "for": "1d", "next": "asked"},
            {"id": "late", "type": "delay", "for": "2d", "next": "asked"},
            {
                "id": "asked",
                "type": "condition",
                "if": {"field": "attributes.points", "op": "gte", "value": 50},
                "then": "offer",
                "else": "news",
            },
            {"id": "offer", "type": "send_email", "message": message, "next": "wait"},
            {"id": "news", "type": "delay", "for": "12h", "next": "wait"},
            {"id": "wait", "type": "delay", "for": "24h", "next": "end"},
            {"id": "end", "type": "end"},
        ],
    }


def people(count: int, path: Path) -> None:
    """A CSV of contacts: every second one in France."""
    with path.open("w") as file:
        file.write("email,first_name,last_name,country,attributes.points,consents.email\n")
        for number in range(count):
            country = "FR" if number % 2 else "BE"
            file.write(
                f"p{number}@example.org,Name{number % 500},Family{number % 700},{country},{number % 100},opted_in\n"
            )


def prepare(count: int) -> dict[str, float]:
    """Import the contacts, make the journey, enrol everyone; answers the pace of the import in lines a second."""
    setup_django()
    from django.conf import settings

    from parcours.accounts.models import Account
    from parcours.config.worker import quieten
    from parcours.contacts.models import Contact
    from parcours.journeys import actions as journeys
    from parcours.lib import clock
    from parcours.messaging.models import Message

    quieten()
    account = Account.objects.get()
    path = settings.DATA_DIR / "people.csv"
    people(count, path)
    started = time.perf_counter()
    _import(account, path)
    seconds = time.perf_counter() - started
    ids = list(Contact.objects.values_list("pk", flat=True))
    if len(ids) != count:
        raise RuntimeError(f"{len(ids)} contacts were imported instead of {count}.")
    message = Message.objects.create(account=account, name="Hello", subject="Hello", html="<p>Hello</p>")
    journey = journeys.create(account, document(str(message.pk)), now=clock.now())
    journey = journeys.activate(journey, now=clock.now())
    for start in range(0, count, 10_000):
        journeys.enrol(journey, ids[start : start + 10_000], now=clock.now())
    return {"lines": count / seconds}


def _import(account: Any, path: Path) -> None:
    from parcours.accounts import jobs
    from parcours.contacts.importing import actions as importing

    with path.open("rb") as file:
        job = importing.start(account, iter(lambda: file.read(65_536), b""), options=importing.Options())
    while jobs.round():
        pass
    job.refresh_from_db()
    if job.status != "finished":
        raise RuntimeError(f"The import ended as {job.status}: {job.result}")


def _own_memory() -> float:
    """MiB of this process's own: the pages of the database that are mapped into it are the system's cache."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split(None, 1)[0]) / 1024


class _Recorder:
    """Writes down what is executed, in the order of execution; its own time is counted apart."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")
        self.seconds = 0.0

    def __call__(self, execute: Any, sql: str, values: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        pickle.dump((context["connection"].in_atomic_block, many, sql, values), self.file, protocol=5)
        self.seconds += time.perf_counter() - started
        return execute(sql, values, many, context)


def walk(record: bool) -> dict[str, float]:
    """Walk everyone to the end; answers the passages, the seconds, and the peak of memory in MiB."""
    setup_django()
    from contextlib import nullcontext

    from django.conf import settings
    from django.db import connection

    from parcours.config.worker import quieten
    from parcours.journeys import work
    from parcours.journeys.models import Enrolment, StepCount
    from parcours.lib import clock

    quieten()
    recorder = _Recorder(settings.DATA_DIR / "statements") if record else None
    start, memory = clock.now(), 0.0
    started, worked = time.perf_counter(), time.process_time()
    with connection.execute_wrapper(recorder) if recorder else nullcontext():
        for half in range(2 * DAYS):
            clock.freeze(start + timedelta(hours=12 * half, seconds=1))
            while work.round():
                memory = max(memory, _own_memory())
    seconds, processor = time.perf_counter() - started, time.process_time() - worked
    if Enrolment.objects.exclude(status="completed").exists():
        raise RuntimeError("Not every run has ended.")
    passages = sum(StepCount.objects.exclude(step__startswith="*").values_list("passages", flat=True))
    return {
        "passages": passages,
        "seconds": seconds - (recorder.seconds if recorder else 0.0),
        "processor": processor,
        "memory": memory,
    }


def replay() -> dict[str, float]:
    """The bare loop: the same statements on the same database, by sqlite3 alone; answers the seconds."""
    setup_django()
    from django.conf import settings
    from django.db import connection as ours

    connection = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
    for pragma in ("journal_mode", "synchronous", "cache_size", "mmap_size", "temp_store", "foreign_keys"):
        with ours.cursor() as cursor:
            cursor.execute(f"PRAGMA {pragma}")
            found = cursor.fetchone()
        if found and pragma != "journal_mode":
            connection.execute(f"PRAGMA {pragma} = {found[0]}")
    ours.close()
    seconds = 0.0
    with (settings.DATA_DIR / "statements").open("rb") as file:
        while True:
            try:
                within, many, sql, values = pickle.load(file)
            except EOFError:
                break
            sql = sql.replace("%s", "?").replace("%%", "%")
            started = time.perf_counter()
            if connection.in_transaction and (not within or sql.startswith("BEGIN")):
                connection.execute("COMMIT")
            if many:
                connection.executemany(sql, values)
            else:
                connection.execute(sql, values or ()).fetchall()
            seconds += time.perf_counter() - started
    if connection.in_transaction:
        connection.execute("COMMIT")
    return {"seconds": seconds}


def digest(until: str) -> None:
    """Digest until a file appears: what runs beside the engine in an installation."""
    setup_django()
    from parcours.config.worker import quieten
    from parcours.tracking import work

    quieten()
    while not Path(until).exists():
        if not work.round():
            time.sleep(0.1)


def _keep(site: Installation) -> Path:
    """A copy of the database as it is now, to start each turn from."""
    kept = site.data_dir / "kept"
    kept.mkdir()
    for path in _database(site):
        shutil.copy(path, kept)
    return kept


def _database(site: Installation) -> list[Path]:
    return [path for path in site.data_dir.iterdir() if path.name.startswith("parcours.sqlite3")]


def _again(site: Installation, kept: Path) -> None:
    for path in _database(site):
        path.unlink()
    for path in kept.iterdir():
        shutil.copy(path, site.data_dir)


def measure(count: int, turns: int) -> dict[str, Any]:
    """Engine and bare loop in turns, from the same database."""
    found: dict[str, Any] = {"engine": [], "bare": [], "memory": [], "processor": []}
    with installation() as site:
        found |= apart("engine.prepare", site.environment, count)
        kept = _keep(site)
        for _ in range(turns):
            _again(site, kept)
            told = apart("engine.walk", site.environment, True)
            _again(site, kept)
            bare = apart("engine.replay", site.environment)
            found["engine"].append(told["passages"] / told["seconds"])
            found["bare"].append(told["passages"] / bare["seconds"])
            found["memory"].append(told["memory"])
            found["processor"].append(told["processor"] / told["passages"] * 1e6)
        if count == FEWER:
            found["beside"] = _beside(site, kept)
    return found


def _beside(site: Installation, kept: Path) -> float:
    """The pace with the digest and the store at work on the same machine."""
    _again(site, kept)
    done = site.data_dir / "done"
    site.start("store")
    time.sleep(3)
    command = [sys.executable, "-c", f"from benchmarks import engine; engine.digest({json.dumps(str(done))})"]
    beside = subprocess.Popen(command, env=site.environment, cwd=ROOT)
    time.sleep(2)
    try:
        told = apart("engine.walk", site.environment, False)
    finally:
        done.touch()
        beside.wait(60)
    return float(told["passages"] / told["seconds"])


def run() -> list[Figure]:
    """With a tenth of the contacts in turns, then with all of them."""
    few = measure(FEWER, TURNS)
    many = measure(int(os.environ.get("PARCOURS_BENCH_CONTACTS", CONTACTS)), 1)
    ratio = many["engine"][0] / many["bare"][0]
    pace, before = many["engine"][0], statistics.median(few["engine"])
    ratio_before = statistics.median(a / b for a, b in zip(few["engine"], few["bare"], strict=True))
    flat = pace / before
    return [
        Figure(
            f"engine, contact-steps on SQLite, one worker, {CONTACTS:,} contacts",
            f"{pace:,.0f}/s ({many['processor'][0]:.0f} µs of its processor each)",
            f"the same SQL by a bare loop: {many['bare'][0]:,.0f}/s",
            ratio,
            "≥ 0.15, and ≥ 30,000/s",
            ratio >= 0.15 and pace >= 30_000,
        ),
        Figure(
            f"the same with {FEWER:,} contacts",
            f"{before:,.0f}/s ({statistics.median(few['processor']):.0f} µs of its processor each)",
            f"{statistics.median(few['bare']):,.0f}/s",
            ratio_before,
            "≥ 0.15, and ≥ 30,000/s",
            ratio_before >= 0.15 and before >= 30_000,
        ),
        Figure(
            "the engine's pace and its own memory at its peak, with ten times the contacts",
            f"{flat:.2f} of the pace; {many['memory'][0]:,.0f} MiB",
            f"{statistics.median(few['memory']):,.0f} MiB",
            many["memory"][0] / statistics.median(few["memory"]),
            "pace flat; memory too, but for SQLite's cache of 64 MiB, which fills",
            flat > 0.75 and many["memory"][0] < statistics.median(few["memory"]) + PAGE_CACHE,
        ),
        Figure(
            "the same with the digest and the store at work beside it, 2 cores", f"{few['beside']:,.0f}/s"
        ),
        Figure("import of contacts, CSV", f"{many['lines']:,.0f} lines/s"),
    ]
