"""What happens in the demonstration by itself: its story is set up, then its audience reads its mail."""

from __future__ import annotations

import os
import time
from datetime import date, datetime

import structlog

from parcours.demo.http import Api, wait_until_ready
from parcours.demo.reader import Reader
from parcours.demo.seed import seed
from parcours.demo.state import State

log = structlog.get_logger(__name__)


def live(state: State, *, url: str) -> None:
    """Set up the story if it is not yet, then read mail for ever; a restart goes on where it was."""
    if not wait_until_ready(url):
        raise TimeoutError(f"{url} is not ready.")  # The supervisor starts this part again.
    api = Api(url=url, key=state["api_key"])
    if state.get("story") is None:
        limit = int(os.environ.get("PARCOURS_DEMO_CUSTOMERS", "0"))
        state.keep(story=seed(api, last_day=_last_day(state), limit=limit))
    reader = Reader(after=state.get("read") or 0)
    while True:
        if reader.read():
            state.keep(read=reader.after)
        else:
            time.sleep(0.3)


def _last_day(state: State) -> date:
    """The day on which the purchases end: that of the demonstration's first start."""
    return datetime.fromisoformat(state["clock"].split("*")[0]).date()
