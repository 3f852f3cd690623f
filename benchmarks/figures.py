"""A step's figures and the first page of its list, over ten million passages of a million contacts.

The passages are laid in the store by one statement of its own SQL: what is measured is reading them, through the same
functions as the pages and the API.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import Figure

PASSAGES = 10_000_000
STEPS = 10
CONTACTS = 1_000_000
RUNS = 7

_LAY = """
INSERT INTO runs (account, journey, kind, step, from_step, at, contact, enrolment, visit, version, entered_at, load)
SELECT
    {account}, {journey}, 'step',
    concat('s', toString(intDiv(number, {contacts}))) AS step,
    if(number < {contacts}, '', concat('s', toString(intDiv(number, {contacts}) - 1))),
    entered_at + toIntervalSecond(intDiv(number, {contacts}) * 3600) AS at,
    number % {contacts} + 1, number % {contacts} + 1, intDiv(number, {contacts}) + 1, 1,
    toDateTime64('2026-01-01 00:00:00', 3, 'UTC') + toIntervalSecond(cityHash64(number % {contacts}) % 25920000)
        AS entered_at,
    1
FROM numbers({passages})
"""


def _median_ms(work: Callable[[], Any]) -> float:
    taken = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


def measure() -> dict[str, float]:
    """The medians, in milliseconds; runs in a process of its own, on an empty installation."""
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()
    from parcours.accounts.actions import create_account
    from parcours.events.store.client import ensure_store, writer
    from parcours.events.watermark import Watermark
    from parcours.journeys.models import Journey, Version
    from parcours.lib import clock
    from parcours.reports import answers, journeys
    from parcours.reports.filters import RunFilter

    account = create_account(name="Bench", email="b@example.org", password="bench", any_password=True).account
    journey = Journey.objects.create(account=account, name="Bench", version=1, status="active")
    steps = [{"id": f"s{number}", "type": "delay", "for": "1h"} for number in range(STEPS)]
    Version.objects.create(journey=journey, number=1, document={"start": "s0", "steps": steps})
    everything = RunFilter()
    since, until = 1_772_323_200_000, 1_775_001_600_000  # March 2026
    march = RunFilter(since=since, until=until)
    with ensure_store():
        sizes = {"account": account.pk, "journey": journey.pk, "contacts": CONTACTS, "passages": PASSAGES}
        writer().command(_LAY.format(**sizes), settings={"max_execution_time": 600})
        mark = Watermark(as_of=clock.now(), load=1)

        def page(chosen: RunFilter) -> Any:
            return answers.step_contacts(journey, "s5", mark=mark, chosen=chosen, after=None, limit=100)

        first = page(everything)
        second = answers.step_contacts(
            journey, "s5", mark=mark, chosen=everything, after=_cursor(first["next"]), limit=100
        )
        assert first["contacts"] == CONTACTS
        assert len(first["items"]) == 100
        assert len(second["items"]) == 100
        assert 0 < page(march)["contacts"] < CONTACTS
        return {
            "figures": _median_ms(lambda: journeys.step_figures(journey, "s5", mark=mark, chosen=everything)),
            "page": _median_ms(lambda: page(everything)),
            "filtered": _median_ms(lambda: page(march)),
            "journey": _median_ms(lambda: journeys.figures(journey, mark=mark, chosen=everything)),
        }


def _cursor(text: str) -> Any:
    from parcours.reports.readings import after

    return after(text, int, int)


def run() -> list[Figure]:
    """Measure in a process of its own."""
    folder = tempfile.mkdtemp(prefix="parcours-bench-")
    try:
        environment = {**os.environ, "PARCOURS_DATA_DIR": folder}
        command = [
            sys.executable,
            "-c",
            "import json; from benchmarks import figures; print(json.dumps(figures.measure()))",
        ]
        told = json.loads(
            subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout.splitlines()[
                -1
            ]
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return [
        Figure("a step's figures and the first page of its list, 10 million passages", f"{told['page']:.0f} ms",
               f"its figures alone: {told['figures']:.0f} ms", to_reach="< 100 ms", reached=told["page"] < 100),
        Figure("the same, filtered by date of entry", f"{told['filtered']:.0f} ms", to_reach="< 500 ms",
               reached=told["filtered"] < 500),
        Figure("every figure of the journey's ten steps", f"{told['journey']:.0f} ms"),
    ]  # fmt: skip
