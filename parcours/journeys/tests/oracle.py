"""What a journey does to one contact, in plain Python, straight from the contract: no batch, no database, one clock.

Instants are minutes. An event of a contact has an instant of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Happened(NamedTuple):
    """An event of a contact."""

    at: int
    name: str
    properties: dict[str, Any]


@dataclass
class OracleRun:
    """A run: the steps that it passed, each with its instant."""

    key: str
    entered_at: int
    cause: Happened
    status: str = "active"
    reason: str = ""
    path: list[tuple[str, int]] = field(default_factory=list)
    due: int | None = None
    since: int = 0
    waits_for: dict[str, Any] | None = None


class Oracle:
    """One contact in one journey."""

    def __init__(self, document: dict[str, Any], country: str, events: list[Happened]) -> None:
        self.document = document
        self.steps = {step["id"]: step for step in document["steps"]}
        self.country = country
        self.events = sorted(events)
        self.runs: list[OracleRun] = []

    def until(self, end: int) -> list[OracleRun]:
        """The runs as they are at an instant."""
        todo = [event for event in self.events if event.at <= end]
        while True:
            timers = [run for run in self.live() if run.due is not None and run.due <= end]
            first = min(timers, key=lambda run: run.due or 0, default=None)
            if todo and (first is None or todo[0].at <= (first.due or 0)):
                self.happens(todo.pop(0))
            elif first is not None:
                self.ring(first)
            else:
                return self.runs

    def live(self) -> list[OracleRun]:
        return [run for run in self.runs if run.status == "active"]

    def happens(self, event: Happened) -> None:
        """Exits, then waits, then entries."""
        bears = event.properties.get("key")
        keyed = "key" in self.document["entry"]
        for run in self.live():
            if not keyed or bears is None or bears == run.key:
                for way in self.document.get("exit", []):
                    if self.matches(way["when"], event) and run.entered_at <= event.at:
                        self.end(run, "exited", way["as"])
                        break
        for run in self.live():
            if run.waits_for is not None and self.ends_wait(run, event):
                run.cause = event
                step = run.waits_for
                self.arrive(run, step["then"], event.at)
        entry = self.document["entry"]
        if not any(self.matches(trigger, event) for trigger in entry["triggers"]):
            return
        key = (bears or "") if keyed else ""
        before = [run for run in self.runs if run.key == key]
        if entry["mode"] == "once" and self.runs:
            return
        if any(run.status == "active" for run in before):
            return
        if (
            before
            and "reentry_after" in entry
            and event.at < before[-1].entered_at + minutes(entry["reentry_after"])
        ):
            return
        if "filter" in entry and entry["filter"]["value"] != self.country:
            return
        run = OracleRun(key, event.at, event)
        self.runs.append(run)
        self.arrive(run, self.document["start"], event.at)

    @staticmethod
    def matches(trigger: dict[str, Any], event: Happened) -> bool:
        return trigger["event"] == event.name and all(
            event.properties.get(where["property"]) == where["value"] for where in trigger.get("where", [])
        )

    def ends_wait(self, run: OracleRun, event: Happened) -> bool:
        assert run.waits_for is not None
        keyed = "key" in self.document["entry"]
        return (
            self.matches(run.waits_for, event)
            and event is not run.cause
            and run.since <= event.at
            and (run.due is None or event.at <= run.due)
            and (not keyed or event.properties.get("key") == run.key)
        )

    def arrive(self, run: OracleRun, to: str | None, at: int) -> None:
        """Pass steps at one instant until one holds the run."""
        while to is not None:
            step = self.steps[to]
            run.path.append((to, at))
            run.due, run.waits_for, run.since = None, None, at
            match step["type"]:
                case "delay":
                    run.due = at + minutes(step["for"])
                    return
                case "wait_for":
                    run.due = at + minutes(step["timeout"]) if "timeout" in step else None
                    run.waits_for = step
                    for event in self.events:
                        if event.at == at and self.ends_wait(run, event):
                            run.cause = event
                            to = step["then"]
                            break
                    else:
                        return
                case "condition":
                    to = step["then"] if self.met(run, step["if"], at) else step["else"]
                case "end":
                    to = None
                case _:
                    to = step.get("next")
        self.end(run, "completed", "")

    def met(self, run: OracleRun, criteria: dict[str, Any], at: int) -> bool:
        if "field" in criteria:
            return bool(criteria["value"] == self.country)
        start = run.entered_at if criteria.get("scope") == "run" else 0
        if "window" in criteria:
            start = max(start, at - minutes(criteria["window"]["last"]))
        number = sum(
            1 for event in self.events if event.name == criteria["event"] and start <= event.at <= at
        )
        return bool(number >= criteria["count"]["value"])

    def ring(self, run: OracleRun) -> None:
        """A timer: a delay is over, or a wait has lasted too long."""
        assert run.due is not None
        step = self.steps[run.path[-1][0]]
        self.arrive(run, step["else"] if run.waits_for is not None else step.get("next"), run.due)

    @staticmethod
    def end(run: OracleRun, status: str, reason: str) -> None:
        run.status, run.reason, run.due, run.waits_for = status, reason, None, None


def minutes(duration: str) -> int:
    """A duration of minutes, hours or days (of 24 hours: the oracle lives in UTC)."""
    return int(duration[:-1]) * {"m": 1, "h": 60, "d": 1440}[duration[-1]]
