"""How the computation of a segment grows with the events: a tenth of a hundred million of them, and all.

The half, with all that is measured beside it, is the benchmark `segments`. Laying the worlds is nearly all of the time.
"""

from __future__ import annotations

from benchmarks import segments
from benchmarks.report import Figure

EVENTS = (10_000_000, 100_000_000)


def run() -> list[Figure]:
    """Measure each size on an installation of its own."""
    return [figure for events in EVENTS for figure in segments.run(events=events, parts=())]
