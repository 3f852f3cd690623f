"""One batch of one journey: claim, load, walk, commit. What fails alone is parked alone."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from clickhouse_connect.driver import exceptions as store
from django.db import DatabaseError, IntegrityError, connection, transaction

from parcours.events import watermark
from parcours.journeys.engine import parts, programs
from parcours.journeys.engine.commit import commit
from parcours.journeys.engine.ids import new_ids
from parcours.journeys.engine.knowledge import Knowledge
from parcours.journeys.engine.loading import Loaded, load
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.past import Past
from parcours.journeys.engine.runs import ACTIVE
from parcours.journeys.engine.walk import Walk
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms

log = structlog.get_logger(__name__)

#: What passes by itself: the round is tried again as it is. Anything else is the fault of what was being done.
_PASSING = (parts.StaleClaim, OSError, store.OperationalError, store.InterfaceError)
_LONGEST_ERROR = 2_000


def turn(journey: int, version: int, *, first: int, now: int) -> bool:
    """Do a batch of a journey whose next instant is `first`; whether there was anything that could be done.

    What depends on events is done up to the instant until which every event accepted is known. Instants are in
    milliseconds.
    """
    known = programs.of(journey, version)
    mark, until = None, now
    if known.needs_events:
        mark = watermark.current(known.account)
        until = min(now, to_ms(mark.as_of))
    if first > until:
        return False
    held = parts.claim(journey)
    if held is None:
        return False
    point("engine.claimed")
    batch = _Batch(known, held, mark, until=until, now=now)
    try:
        return batch.do()
    except parts.StaleClaim as stale:
        log.info("a batch was given up", journey=journey, why=str(stale))
        parts.let_go(held)
        return False
    except BaseException:
        if not connection.in_atomic_block:
            parts.let_go(held)
        raise


class _Batch:
    def __init__(
        self,
        known: programs.Programs,
        held: parts.Claim,
        mark: watermark.Watermark | None,
        *,
        until: int,
        now: int,
    ) -> None:
        self.known = known
        self.held = held
        self.mark = mark
        self.until = until
        self.now = now

    def do(self) -> bool:
        loaded = load(self.held, until=self.until)
        if not loaded.lanes:
            parts.let_go(self.held)
            return False
        people = [lane.contact for lane in loaded.lanes]
        if not self._try(loaded, people):
            self._split(people)
        return True

    def _try(self, loaded: Loaded, people: Sequence[int]) -> bool:
        """Walk and commit; whether it went well. What passes by itself is raised."""
        try:
            walk = Walk(
                self.known,
                loaded,
                Knowledge(self.known, self.mark),
                until=self.until,
                now=self.now,
                new_ids=new_ids,
                past=Past(self.known.account, self.mark),
            )
            outcome = walk.run()
            point("engine.decided")
            commit(outcome, self.known, self.held, release=not (loaded.full or walk.unfinished))
        except _PASSING:
            raise
        except DatabaseError as error:
            if not isinstance(error, IntegrityError) and type(error).__name__ in (
                "OperationalError",
                "InterfaceError",
            ):
                raise
            self._error: Exception = error
        except Exception as error:
            self._error = error
        else:
            return True
        log.warning(
            "a batch failed", journey=self.known.journey, contacts=len(people), error=repr(self._error)
        )
        return False

    def _split(self, people: Sequence[int]) -> None:
        """Do a batch that failed in halves, until who fails stands alone."""
        if len(people) == 1:
            self._park(people[0])
            return
        middle = len(people) // 2
        for half in (people[:middle], people[middle:]):
            if not self._try(load(self.held, until=self.until, only=set(half)), half):
                self._split(half)

    def _park(self, contact: int) -> None:
        """Put aside, with its error, what fails: the runs that were due, else the first thing to take up."""
        error = f"{type(self._error).__name__}: {self._error}"[:_LONGEST_ERROR]
        outcome = Outcome(self.known.journey, self.now)
        lanes = load(self.held, until=self.until, only={contact}).lanes
        rows = [lane.rows[-1].id for lane in lanes if lane.rows]
        for lane in lanes:
            for run in lane.runs:
                if run.status == ACTIVE and run.due_at is not None and run.due_at <= self.until:
                    outcome.park(run, error)
        if not outcome.empty:
            commit(outcome, self.known, self.held, release=False)
        elif rows:
            with transaction.atomic(), connection.cursor() as cursor:
                parts.check(self.held, release=False)
                cursor.execute("UPDATE journeys_inbox SET error = %s WHERE id = %s", [error, rows[0]])
