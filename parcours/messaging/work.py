"""The work of messaging in `parcours work`: sending, telling the clicks that have settled, tying those who clicked."""

from __future__ import annotations

from parcours.lib import clock
from parcours.messaging import arrivals, touches
from parcours.messaging.sending import work


def round() -> bool:
    """One round; answers whether there was any work."""
    settled = touches.settle(now=clock.now())
    tied = arrivals.settle()
    return work.round() or settled or tied
