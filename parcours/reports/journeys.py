"""The figures of a journey and of its steps, and the lists behind them, all read at one watermark."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.journeys.models import Journey
from parcours.reports.filters import RunFilter

EXIT_REASONS = ("goal", "exit", "archived", "removed", "merged")


@dataclass
class StepFigures:
    """The counters of one step (contract §5)."""

    passages: int = 0
    contacts: int = 0
    waiting: int = 0
    failed: int = 0


@dataclass
class JourneyFigures:
    """The counters of a journey: runs, but for `contacts`; entered = active + completed + exited + failed."""

    entered: int = 0
    contacts: int = 0
    completed: int = 0
    exited: dict[str, int] = field(default_factory=lambda: dict.fromkeys(EXIT_REASONS, 0))
    failed: int = 0
    holdout: int = 0
    goals_after: int = 0
    steps: dict[str, StepFigures] = field(default_factory=dict)
    flows: dict[tuple[str, str], int] = field(
        default_factory=dict
    )  # (from, to) -> passages; from "": the entry

    @property
    def active(self) -> int:
        """Runs under way: the sum of those who wait at each step."""
        return sum(step.waiting for step in self.steps.values())

    @property
    def goals(self) -> int:
        """Runs that ended by meeting the goal."""
        return self.exited["goal"]

    @property
    def exited_total(self) -> int:
        """Runs that left, whatever the reason."""
        return sum(self.exited.values())


def _scope(journey: Journey, mark: Watermark, chosen: RunFilter) -> dict[str, Any]:
    return {"account": journey.account_id, "journey": journey.pk, "load": mark.load, **chosen.parameters()}


def figures(journey: Journey, *, mark: Watermark, chosen: RunFilter = RunFilter()) -> JourneyFigures:  # noqa: B008
    """Every counter of the journey at the watermark, for the runs chosen."""
    scope = _scope(journey, mark, chosen)
    result = JourneyFigures()
    for row in queries.run("journey_totals", scope):
        kind, runs = row["kind"], row["runs"]
        if kind == "entered":
            result.entered += runs
            result.contacts += row["contacts"]
        elif kind == "completed":
            result.completed += runs
        elif kind == "exited":
            result.exited[row["reason"]] = result.exited.get(row["reason"], 0) + runs
        elif kind == "held_out":
            result.holdout += runs
    for row in queries.run("journey_passages", {**scope, "step": ""}):
        result.steps[row["step"]] = StepFigures(passages=row["passages"], contacts=row["contacts"])
    moves = queries.run("journey_moves", scope)
    result.flows = {(row["from_step"], row["step"]): row["runs"] for row in moves if row["kind"] == "step"}
    waiting, parked = _standing(moves)
    for step, number in waiting.items():
        result.steps.setdefault(step, StepFigures()).waiting = number
    for step, number in parked.items():
        result.steps.setdefault(step, StepFigures()).failed = number
        result.failed += number
    return result


def _standing(moves: list[dict[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """Who waits and who is parked at each step, from the sums of arrivals and departures."""
    waiting: Counter[str] = Counter()
    parked: Counter[str] = Counter()
    for row in moves:
        kind, step, runs = row["kind"], row["step"], row["runs"]
        if kind == "step":
            waiting[step] += runs
            if row["from_step"]:
                waiting[row["from_step"]] -= runs
        elif kind in ("completed", "exited"):
            waiting[step] -= runs
        elif kind == "parked":
            waiting[step] -= runs
            parked[step] += runs
        elif kind == "resumed":
            waiting[step] += runs
            parked[step] -= runs
    return waiting, parked


def step_figures(journey: Journey, step: str, *, mark: Watermark, chosen: RunFilter) -> StepFigures:
    """Passages and contacts of one step; for its list, which does not need the rest."""
    rows = queries.run("journey_passages", {**_scope(journey, mark, chosen), "step": step})
    return StepFigures(passages=rows[0]["passages"], contacts=rows[0]["contacts"]) if rows else StepFigures()


def step_contacts(
    journey: Journey, step: str, *, mark: Watermark, chosen: RunFilter, after: tuple[int, int], limit: int
) -> list[dict[str, Any]]:
    """Contacts who passed the step, latest passage first: contact, passages, first_at, last_at (milliseconds)."""
    scope = {**_scope(journey, mark, chosen), "step": step}
    cursor = {"after_at": after[0], "after_contact": after[1], "limit": limit}
    recent = queries.run("step_recent_contacts", {**scope, **cursor})
    order = [row["contact"] for row in recent]
    if not order:
        return []
    details = {
        row["contact"]: row for row in queries.run("step_contact_passages", {**scope, "contacts": order})
    }
    return [details[contact] for contact in order]


def step_present(
    journey: Journey,
    step: str,
    *,
    parked: bool,
    mark: Watermark,
    chosen: RunFilter,
    after: tuple[int, int],
    limit: int,
) -> list[dict[str, Any]]:
    """The runs that stand at the step now (or are parked there), latest arrival first."""
    scope = {**_scope(journey, mark, chosen), "step": step, "parked": int(parked)}
    return queries.run(
        "step_present", {**scope, "after_at": after[0], "after_enrolment": after[1], "limit": limit}
    )


_ENDED = {"entered": "entered", "completed": "completed", "exited": "exited", "holdout": "held_out"}


def runs_in_state(
    journey: Journey,
    state: str,
    *,
    reason: str,
    mark: Watermark,
    chosen: RunFilter,
    after: tuple[int, int],
    limit: int,
) -> list[dict[str, Any]]:
    """The runs behind a figure of the journey, latest first; the state `goals` is `exited` with reason `goal`."""
    if state == "goals":
        state, reason = "exited", "goal"
    scope = {
        **_scope(journey, mark, chosen),
        "after_at": after[0],
        "after_enrolment": after[1],
        "limit": limit,
    }
    if state in _ENDED:
        return queries.run("journey_runs", {**scope, "kind": _ENDED[state], "reason": reason})
    return queries.run("journey_standing", {**scope, "parked": int(state == "failed")})


def recent_moves(
    journey: Journey, *, mark: Watermark, after_load: int, limit: int = 60
) -> list[dict[str, Any]]:
    """The latest passages since a load, oldest first, for the canvas."""
    rows = queries.run(
        "journey_recent_moves",
        {
            "account": journey.account_id,
            "journey": journey.pk,
            "load": mark.load,
            "after_load": after_load,
            "limit": limit,
        },
    )
    return rows[::-1]


def counts_by_journey(account_id: int, *, mark: Watermark) -> dict[int, tuple[int, int]]:
    """For each journey of the account: (runs entered, runs under way)."""
    rows = queries.run("journeys_counts", {"account": account_id, "load": mark.load})
    return {row["journey"]: (row["entered"], row["under_way"]) for row in rows}
