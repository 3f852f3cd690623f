"""The figures of a journey and of its steps, and the lists behind them, all read at one watermark."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from parcours.events.store import queries
from parcours.events.watermark import Watermark
from parcours.journeys.models import Journey
from parcours.journeys.queries import passed_once
from parcours.reports.filters import RunFilter

_PASSAGES_FOR_A_CONTACT = 2
"""So many passages are read for each contact of a page at first."""

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
    """Every counter of the journey at the watermark, for the runs chosen.

    Contacts are counted apart only where one can pass, or enter, more than once.
    """
    scope = _scope(journey, mark, chosen)
    sums = queries.run("journey_sums", scope)
    result = JourneyFigures()
    for row in sums:
        kind, runs = row["kind"], row["runs"]
        if kind == "entered":
            result.entered += runs
        elif kind == "completed":
            result.completed += runs
        elif kind == "exited":
            result.exited[row["reason"]] = result.exited.get(row["reason"], 0) + runs
        elif kind == "held_out":
            result.holdout += runs
        elif kind == "step":
            flow = (row["from_step"], row["step"])
            result.flows[flow] = result.flows.get(flow, 0) + runs
            step = result.steps.setdefault(row["step"], StepFigures())
            step.passages += runs
            step.contacts += runs
    _count_contacts(journey, result, scope)
    waiting, parked = _standing(sums)
    for id, number in waiting.items():
        result.steps.setdefault(id, StepFigures()).waiting = number
    for id, number in parked.items():
        result.steps.setdefault(id, StepFigures()).failed = number
        result.failed += number
    return result


def _count_contacts(journey: Journey, result: JourneyFigures, scope: dict[str, Any]) -> None:
    sole = passed_once(journey)
    result.contacts = result.entered
    if not sole and result.entered:
        result.contacts = queries.run("journey_entered_contacts", scope)[0]["contacts"]
    again = [step for step in result.steps if step not in sole]
    if again:
        for row in queries.run("step_distinct_contacts", {**scope, "steps": again}):
            result.steps[row["step"]].contacts = row["contacts"]


def _standing(sums: list[dict[str, Any]]) -> tuple[Counter[str], Counter[str]]:
    """Who waits and who is parked at each step, from the sums of arrivals and departures."""
    waiting: Counter[str] = Counter()
    parked: Counter[str] = Counter()
    for row in sums:
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
    scope = {**_scope(journey, mark, chosen), "step": step}
    if step in passed_once(journey):
        passages = queries.run("step_passages", scope)[0]["passages"]
        return StepFigures(passages=passages, contacts=passages)
    for row in queries.run("step_distinct_contacts", {**scope, "steps": [step]}):
        return StepFigures(passages=row["passages"], contacts=row["contacts"])
    return StepFigures()


def step_contacts(
    journey: Journey, step: str, *, mark: Watermark, chosen: RunFilter, after: tuple[int, int], limit: int
) -> list[dict[str, Any]]:
    """Contacts who passed the step, latest passage first: contact, passages, first_at, last_at (milliseconds)."""
    scope = {**_scope(journey, mark, chosen), "step": step}
    cursor = {"after_at": after[0], "after_contact": after[1], "limit": limit}
    if step in passed_once(journey):
        return queries.run("step_sole_contacts", {**scope, **cursor})
    return _latest_passages(scope, after=after, limit=limit)


def _latest_passages(scope: dict[str, Any], *, after: tuple[int, int], limit: int) -> list[dict[str, Any]]:
    """The contacts who can pass a step more than once, each at its latest passage.

    Passages are read from the latest on; those of a contact who has passed later stand on an earlier page.
    """
    found: list[dict[str, Any]] = []
    some = limit * _PASSAGES_FOR_A_CONTACT
    while True:
        cursor = {"after_at": after[0], "after_contact": after[1], "limit": some}
        passages = queries.run("step_recent_passages", {**scope, **cursor})
        latest: dict[int, int] = {}
        for row in passages:
            latest.setdefault(row["contact"], row["at_ms"])
        # Most often the first of them fill the page: what is told of the others would be read in vain.
        contacts = list(latest)
        for start in range(0, len(contacts), limit):
            part = contacts[start : start + limit]
            details = queries.run("step_contact_passages", {**scope, "contacts": part})
            told = {row["contact"]: row for row in details}
            found += [told[contact] for contact in part if told[contact]["last_at"] == latest[contact]]
            if len(found) >= limit:
                return found[:limit]
        if len(passages) < some:
            return found
        after = (passages[-1]["at_ms"], passages[-1]["contact"])
        some *= 4


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
