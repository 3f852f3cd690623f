"""A step's figures and the first page of its list, over ten million passages of a million contacts.

The passages are laid in the store by one statement of its own SQL: what is measured is reading them, through the same
functions as the pages and the API. Two journeys of ten million each: one that a contact enters once (passages are
contacts), and one that may be entered again (contacts have to be counted apart).
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.installation import apart, own_environment
from benchmarks.report import Figure

PASSAGES = 10_000_000
STEPS = 10
CONTACTS = 1_000_000
RUNS = 9

_LAY = """
INSERT INTO runs (account, journey, kind, step, from_step, at, contact, enrolment, visit, version, entered_at, load)
SELECT
    {account}, {journey}, 'step',
    concat('s', toString(intDiv(number, {contacts}))) AS step,
    if(number < {contacts}, '', concat('s', toString(intDiv(number, {contacts}) - 1))),
    entered_at + toIntervalSecond(intDiv(number, {contacts}) * 3600) AS at,
    intDiv(number % {contacts}, {times}) + 1, number % {contacts} + 1, intDiv(number, {contacts}) + 1, 1,
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


def _journey(account: Any, mode: str) -> Any:
    from parcours.journeys.models import Journey, Version

    journey = Journey.objects.create(account=account, name=f"Bench {mode}", version=1, status="active")
    steps = [
        {"id": f"s{number}", "type": "delay", "for": "1h", "next": f"s{number + 1}"}
        for number in range(STEPS)
    ]
    steps[-1].pop("next")
    document = {
        "name": journey.name,
        "entry": {"triggers": [{"type": "manual"}], "mode": mode},
        "start": "s0",
        "steps": steps,
    }
    Version.objects.create(journey=journey, number=1, document=document)
    return journey


def _lay(journey: Any, *, times: int) -> None:
    from parcours.events.store.client import writer

    sizes = {"account": journey.account_id, "journey": journey.pk, "contacts": CONTACTS, "passages": PASSAGES}
    writer().command(_LAY.format(**sizes, times=times), settings={"max_execution_time": 600})


def _settle() -> None:
    """Wait until the store no longer merges what was laid."""
    from parcours.events.store.client import writer

    deadline = time.monotonic() + 120
    while (
        time.monotonic() < deadline and writer().query("SELECT count() FROM system.merges").result_rows[0][0]
    ):
        time.sleep(1)


def measure() -> dict[str, dict[str, float]]:
    """The medians of both journeys, in milliseconds; runs in a process of its own, on an empty installation."""
    from parcours.config import startup

    startup.setup_django()
    startup.migrate()
    from parcours.accounts.actions import create_account
    from parcours.events.store.client import ensure_store

    account = create_account(name="Bench", email="b@example.org", password="bench", any_password=True).account
    with ensure_store():
        once, multiple = _journey(account, "once"), _journey(account, "multiple")
        _lay(once, times=1)
        _lay(multiple, times=2)
        _settle()
        return {"once": read(once, CONTACTS), "multiple": read(multiple, CONTACTS // 2)}


def read(journey: Any, contacts: int) -> dict[str, float]:
    """The medians of one journey, in milliseconds; its answers are looked at first."""
    from parcours.events.watermark import Watermark
    from parcours.lib import clock
    from parcours.reports import answers, journeys, readings
    from parcours.reports.filters import RunFilter

    mark = Watermark(as_of=clock.now(), load=1)
    everything = RunFilter()
    march = RunFilter(since=1_772_323_200_000, until=1_775_001_600_000)

    def page(chosen: RunFilter, after: Any = None) -> Any:
        return answers.step_contacts(journey, "s5", mark=mark, chosen=chosen, after=after, limit=100)

    first = page(everything)
    cursor = readings.after(first["next"], int, int)
    second = page(everything, cursor)
    assert first["contacts"] == contacts
    assert first["passages"] == CONTACTS
    assert len(first["items"]) == len(second["items"]) == 100
    assert 0 < page(march)["contacts"] < contacts
    return {
        "figures": _median_ms(lambda: journeys.step_figures(journey, "s5", mark=mark, chosen=everything)),
        "page": _median_ms(lambda: page(everything)),
        "second": _median_ms(lambda: page(everything, cursor)),
        "filtered": _median_ms(lambda: page(march)),
        "journey": _median_ms(lambda: journeys.figures(journey, mark=mark, chosen=everything)),
    }


def run() -> list[Figure]:
    """Measure in a process of its own."""
    folder = tempfile.mkdtemp(prefix="parcours-bench-")
    try:
        told = apart("figures.measure", own_environment(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    found: list[Figure] = []
    for mode, ms in told.items():
        found += [
            Figure(
                f"a step's figures and the first page of its list, 10 million passages, mode {mode}",
                f"{ms['page']:.0f} ms",
                f"its figures alone: {ms['figures']:.0f} ms; the second page: {ms['second']:.0f} ms",
                to_reach="< 100 ms",
                reached=ms["page"] < 100,
            ),
            Figure(
                f"the same, filtered by date of entry, mode {mode}",
                f"{ms['filtered']:.0f} ms",
                to_reach="< 500 ms",
                reached=ms["filtered"] < 500,
            ),
            Figure(f"every figure of the journey's ten steps, mode {mode}", f"{ms['journey']:.0f} ms"),
        ]
    return found
