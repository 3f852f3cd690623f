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

from benchmarks import segments_live
from benchmarks.installation import Installation, apart, installation, setup_django
from benchmarks.report import Figure, table

EVENTS = 50_000_000
CONTACTS = 1_000_000
PARTS = ("screens", "rivals", "many")
TURNS = 5
SINGLE = (0, 1, 6, 10, 15)
"""The numbers of the segments computed alone: those that count views of products."""
PAGES = (3, 8, 13)
"""Those that count views of pages: half of all events."""


def lay(events: int, contacts: int) -> None:
    """Lay the world on an empty installation whose store runs."""
    setup_django()
    from benchmarks import segments_world
    from parcours.accounts.models import Account
    from parcours.lib import clock
    from parcours.lib.instants import to_ms

    _wait_for_store()
    segments_world.lay(Account.objects.get(), events=events, contacts=contacts, now=to_ms(clock.now()))


def measure(parts: list[str]) -> dict[str, Any]:
    """What is measured in one process, beside the store's, on a world that was laid."""
    setup_django()
    from benchmarks import segments_rivals
    from parcours.accounts.models import Account

    account = Account.objects.get()
    told: dict[str, Any] = {}

    def note(name: str, found: Any) -> None:
        told[name] = found
        print(name, found, file=sys.stderr, flush=True)

    note("single", [_first(account, number) for number in SINGLE])
    note("pages", [_first(account, number) for number in PAGES])
    if "screens" in parts:
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
    from parcours.tracking import work as tracking

    busy = True
    while busy:
        # The digest does not wait for the segments' work: it has a thread of its own.
        busy = False
        while tracking.round():
            busy = True
        busy = segments.round() or busy
        if segments_live.is_quiet():
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
        raise RuntimeError(
            f"Segment {number} is not computed: {segment.status} {segment.error} {segment.error_detail}"
        )
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
    for number in range(segments_live.MANY):
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


def figures(site: Installation, *, events: int, contacts: int, parts: list[str]) -> list[Figure]:
    """What one size of the world gives."""
    store = site.start("store")
    apart("segments.lay", site.environment, events, contacts)
    told = apart("segments.measure", site.environment, parts)
    size = f"{events / 1e6:g} million events, {contacts / 1e6:g} million contacts"
    found = _computed(told, size)
    if "members" in told:
        found += _screens(told)
    if "rivals" in told:
        found += _against(told)
    if "many" in told:
        night = told["many"]
        found.append(
            Figure(
                f"{segments_live.MANY} such segments at night ({night['members']:,} members)",
                f"{night['night']:.0f} s",
                f"their first computation: {night['first']:.0f} s",
                to_reach="≤ 100 s",
                reached=night["night"] <= 100,
            )
        )
        store.terminate()
        store.wait(30)
        site.processes.remove(store)
        found += segments_live.figures(site, contacts)
    return found


def _computed(told: dict[str, Any], size: str) -> list[Figure]:
    single = statistics.median(one["seconds"] for one in told["single"])
    asked = statistics.median(one["computed"] for one in told["single"])
    members = statistics.median(one["profiles"] for one in told["single"])
    pages = statistics.median(one["seconds"] for one in told["pages"])
    return [
        Figure(
            f"a segment of three criteria computed in full, entries stored and figures settled; {size}",
            f"{single:.2f} s ({members:,.0f} members)",
            f"its computation alone: {asked:.2f} s",
            to_reach="≤ 2 s",
            reached=single <= 2,
        ),
        Figure("the same, counting views of pages (half of all events)", f"{pages:.2f} s"),
    ]


def _screens(told: dict[str, Any]) -> list[Figure]:
    everyone, page = told["everyone"], told["members"]
    return [
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


def run(events: int = EVENTS, contacts: int = CONTACTS, parts: tuple[str, ...] = PARTS) -> list[Figure]:
    """Measure one size on an installation of its own."""
    with installation() as site:
        return figures(site, events=events, contacts=contacts, parts=list(parts))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    parser.add_argument(
        "--parts", default=",".join(PARTS), help="some of these; computations are always measured"
    )
    chosen = parser.parse_args()
    parts = tuple(part for part in chosen.parts.split(",") if part)
    print(table(run(chosen.events, chosen.contacts, parts)))


if __name__ == "__main__":
    main()
