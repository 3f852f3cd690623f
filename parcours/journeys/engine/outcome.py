"""What a batch decided: everything that its commit writes."""

from __future__ import annotations

import functools
from collections import Counter
from typing import Any

from parcours.events.entries import Event, Parked
from parcours.journeys.engine.programs import Program
from parcours.journeys.engine.runs import ACTIVE, COMPLETED, EXITED, FAILED, HOLDOUT, Row, Run
from parcours.journeys.steps.base import Change, Send


@functools.lru_cache(maxsize=10_000)
def _from(step: str, way: str) -> dict[str, Any]:
    return {"from": step, "way": way} if way else {"from": step}


class Outcome:
    """Gathers what becomes of the runs; writes nothing. Instants are in milliseconds."""

    def __init__(self, journey: int, now: int) -> None:
        self.journey = journey
        self.now = now
        self.entries: list[Event | Parked] = []
        self.counts: Counter[tuple[int, str]] = Counter()
        self.runs: dict[int, Run] = {}
        self.sends: list[tuple[Send, Run, int, str, int]] = []  # with the instant, the step and the visit
        self.changes: list[tuple[Change, Run, int, str]] = []  # with the instant and the step
        self.taken: list[tuple[int, str, str, int]] = []  # contact, cause, verdict, instant
        self.rows: list[int] = []

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.runs or self.rows)

    def _event(self, name: str, mark: str, run: Run, at: int, step: str, properties: dict[str, Any]) -> None:
        self.entries.append(
            Event(
                name,
                at,
                self.now,
                f"j{run.id}.{run.visit}.{mark}",
                run.bearer,
                "",
                0,
                properties,
                self.journey,
                run.version,
                step,
                run.id,
                run.visit,
                run.entered_at,
            )
        )

    def enter(self, run: Run, program: Program, *, held_out: bool) -> None:
        """A new run: at its first step, or held out."""
        self.runs[run.id] = run
        if held_out:
            run.status, run.ended_at, run.due_at = HOLDOUT, run.entered_at, None
            self.counts[run.version, "*holdout"] += 1
            self._event("journey.entered", "e", run, run.entered_at, "", {"holdout": True})
            return
        self.counts[run.version, "*entered"] += 1
        self._event("journey.entered", "e", run, run.entered_at, "", {})
        self.go(run, program.document.start, run.entered_at)

    def go(self, run: Run, to: str | None, at: int, way: str = "") -> None:
        """On to a step, at an instant; None completes the run."""
        if to is None:
            self.complete(run, at)
            return
        came = run.step
        run.visit += 1
        run.step = to
        run.step_at = run.due_at = at
        run.waiting = ""
        self.runs[run.id] = run
        self.counts[run.version, to] += 1
        self._event("journey.step_entered", "s", run, at, to, _from(came, way))

    def wait(self, run: Run, until: int | None, *, listens: bool) -> None:
        """Stay at the step until an instant, or for an event."""
        run.due_at = until
        run.waiting = "event" if listens else "timer"
        self.runs[run.id] = run

    def complete(self, run: Run, at: int) -> None:
        """The run has gone its way to the end."""
        self._end(run, COMPLETED, at)
        self.counts[run.version, "*completed"] += 1
        self._event("journey.completed", "c", run, at, run.step, {})

    def leave(self, run: Run, reason: str, at: int) -> None:
        """The run leaves the journey: goal, exit, archived, removed, merged."""
        if run.status == FAILED:
            self.park(run, "", parked=False)
        self._end(run, EXITED, at)
        run.reason = reason
        self.counts[run.version, f"*exited:{reason}"] += 1
        self._event("journey.exited", "x", run, at, run.step, {"reason": reason})

    def park(self, run: Run, error: str, *, parked: bool = True) -> None:
        """The run stops where it stands because of an error, or goes on again."""
        run.status = FAILED if parked else ACTIVE
        run.error = error
        run.due_at = None if parked else run.step_at
        if parked:
            run.waiting = ""
        self.runs[run.id] = run
        self.entries.append(
            Parked(
                self.journey,
                run.version,
                run.step,
                run.id,
                run.bearer,
                run.visit,
                run.entered_at,
                self.now,
                parked,
            )
        )

    def _end(self, run: Run, status: str, at: int) -> None:
        run.status = status
        run.ended_at = at
        run.due_at = None
        run.waiting = ""
        self.runs[run.id] = run

    def take(self, row: Row) -> None:
        """What was to take up has been."""
        if row.id:
            self.rows.append(row.id)
