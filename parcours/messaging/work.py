"""The work of messaging in `parcours work`: sending, and telling the clicks that have settled."""

from __future__ import annotations

from parcours.lib import clock
from parcours.messaging import touches
from parcours.messaging.sending import work


def round() -> bool:
    """One round; answers whether there was any work."""
    settled = touches.settle(now=clock.now())
    return work.round() or settled
