"""What happens in the demonstration by itself: its story is set up, then its audience reads its mail."""

from __future__ import annotations

import os
import time
from datetime import date, datetime

import structlog

from parcours.demo.http import Api
from parcours.demo.reader import Reader
from parcours.demo.seed import seed
from parcours.demo.state import State

log = structlog.get_logger(__name__)


def live(state: State, *, url: str) -> None:
    """Set up the story if it is not yet, then read mail for ever; a restart goes on where it was."""
    api = Api(url=url, key=state["api_key"])
    _wait_for_web(api)
    if state.get("story") is None:
        limit = int(os.environ.get("PARCOURS_DEMO_CUSTOMERS", "0"))
        state.keep(story=seed(api, last_day=_last_day(state), limit=limit))
    reader = Reader()
    while True:
        if not reader.read():
            time.sleep(0.3)


def _last_day(state: State) -> date:
    """The day on which the purchases end: that of the demonstration's first start."""
    return datetime.fromisoformat(state["clock"].split("*")[0]).date()


def _wait_for_web(api: Api) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            api.call("GET", "account")
            return
        except Exception:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)
