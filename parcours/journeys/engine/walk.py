"""Walks the runs of a batch as far as they can go, in memory.

For each contact, what happens is taken in the order of its instants: at one instant exits, waits and entries, then
timers. The contacts go side by side, in waves, so that each wave decides a step for all who stand at it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from parcours.criteria import nodes
from parcours.criteria.evaluate import At, is_meant
from parcours.criteria.evaluate import Run as CriteriaRun
from parcours.events.entries import Event
from parcours.journeys import times
from parcours.journeys.document import Trigger
from parcours.journeys.engine.knowledge import Knowledge, Question
from parcours.journeys.engine.loading import History, Loaded
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.programs import Program, Programs
from parcours.journeys.engine.runs import ACTIVE, ENTRY, EXIT, WAIT, Lane, Row, Run, order, write_event
from parcours.journeys.steps.base import Batch, Change, Decision, Exit, Go, Send, Step, Wait, Woken
from parcours.journeys.steps.waiting import WaitFor
from parcours.lib.instants import from_ms, iso

Ids = Callable[[int], list[int]]
"""Gives as many new ids of runs as it is asked for."""

Past = Callable[[str, dict[int, tuple[int, int]]], dict[int, list[Event]]]
"""Events of a name in the store, for contacts, each from an instant to another."""

Group = tuple[int, str, Woken]
REMOVED = "removed:"
"""How the cause begins of a row that takes a contact out: it was erased, or taken out by hand."""

MOST_INSTANTS = 64
"""Contacts change in groups of one instant: so many groups a commit, so that it stays short."""


class Walk:
    """One batch of one journey."""

    def __init__(
        self,
        programs: Programs,
        loaded: Loaded,
        knowledge: Knowledge,
        *,
        until: int,
        now: int,
        new_ids: Ids,
        past: Past,
    ) -> None:
        self.programs = programs
        self.knowledge = knowledge
        self.until = until
        self.new_ids = new_ids
        self.past = past
        self.history = loaded.history
        self.taken = loaded.taken
        self.lanes = loaded.lanes
        self.out = Outcome(programs.journey, now)
        self.unfinished = False
        self.changed_at: set[int] = set()

    def run(self) -> Outcome:
        """Walk until all wait, have ended, or need a commit to go on."""
        lanes = self.lanes
        while lanes:
            self.groups: dict[Group, list[tuple[Lane, Run, int]]] = {}
            self.entering: list[tuple[Lane, Row]] = []
            self.leaving: list[tuple[Lane, Row]] = []
            self.ending: list[tuple[Lane, Row]] = []
            lanes = [lane for lane in lanes if self._next(lane)]
            if self.leaving:
                self._let_out()
            if self.ending:
                self._end_waits()
            if self.entering:
                self._let_in()
            for group, members in self.groups.items():
                self._decide(group, members)
        return self.out

    def _next(self, lane: Lane) -> bool:
        """Put the next thing that happens to a contact into this wave; whether there was any."""
        if lane.stopped:
            return False
        due: Run | None = None
        for run in lane.runs:
            if run.status != ACTIVE or run.due_at is None or run.due_at > self.until:
                continue
            if not run.waiting:
                due = run
                break
            if due is None or run.due_at < due.due_at:  # type: ignore[operator]
                due = run
        if lane.rows and (due is None or (due.waiting and lane.rows[-1].at <= due.due_at)):  # type: ignore[operator]
            if self._spent(lane):
                return False
            row = lane.rows.pop()
            self.out.take(row)
            where = {EXIT: self.leaving, WAIT: self.ending, ENTRY: self.entering}[row.kind]
            where.append((lane, row))
            return True
        if due is None or self._spent(lane):
            return False
        woken = Woken.TIMER if due.waiting else Woken.ARRIVED
        self._wake(lane, due, woken, due.due_at)  # type: ignore[arg-type]
        return True

    def _spent(self, lane: Lane) -> bool:
        """Whether a contact has done enough in this batch; the rest is for the next."""
        lane.left -= 1
        self.unfinished = self.unfinished or lane.left < 0
        return lane.left < 0

    def _wake(self, lane: Lane, run: Run, woken: Woken, at: int) -> None:
        self.groups.setdefault((run.version, run.step, woken), []).append((lane, run, at))

    # Steps

    def _decide(self, group: Group, members: list[tuple[Lane, Run, int]]) -> None:
        version, step_id, woken = group
        step = self.programs.versions[version].document.steps[step_id]
        instants = [at for _, _, at in members]
        zones: list[str] = []
        met: list[bool] = []
        if step.calendar:
            zones = self.knowledge.zones([run.contact for _, run, _ in members])
        if woken is Woken.ARRIVED and (question := step.question()) is not None:
            met = self.knowledge.ask(question, [Question(run.contact, at, run) for _, run, at in members])
        decisions = step.decide(Batch(woken, instants, zones, met))
        look_back: list[tuple[Lane, Run, WaitFor]] = []
        for (lane, run, at), decision in zip(members, decisions, strict=True):
            self._do(lane, run, at, step, decision)
            if run.waiting == "event" and isinstance(step, WaitFor) and step.event is not None:
                self._hear_again(lane, run, step)
                if run.step_at == run.entered_at and run.cause_id and woken is Woken.ARRIVED:
                    look_back.append((lane, run, step))
        if look_back:
            self._look_back(look_back)

    def _do(self, lane: Lane, run: Run, at: int, step: Step, decision: Decision) -> None:
        out = self.out
        match decision:
            case Go():
                out.go(run, decision.to, at, decision.way)
            case Wait():
                out.wait(run, decision.until, listens=decision.listens)
            case Send():
                out.sends.append((decision, run, at, run.step, run.visit))
                out.go(run, decision.to, at)
            case Change() if len(self.changed_at) >= MOST_INSTANTS and at not in self.changed_at:
                lane.stopped = self.unfinished = True
            case Change():
                # What follows must see the contact as changed: the commit comes first.
                self.changed_at.add(at)
                out.changes.append((decision, run, at, run.step))
                out.go(run, decision.to, at)
                lane.stopped = self.unfinished = True
            case Exit():
                out.leave(run, decision.reason, at)
            case _:
                raise TypeError(f"Step {step.id} decided {decision!r}.")

    # Waits

    def _hear_again(self, lane: Lane, run: Run, step: WaitFor) -> None:
        """What was taken up before the run came to the wait, at the same instant, ends it as well."""
        for row in lane.heard:
            event = row.read()
            if event is not None and self._ends(run, step, row, event):
                lane.rows.append(row)
                return

    def _look_back(self, waiting: list[tuple[Lane, Run, WaitFor]]) -> None:
        """A first wait looks back to the entering event: what came before it was received is in the store."""
        by_name: dict[str, list[tuple[Lane, Run, WaitFor]]] = {}
        for lane, run, step in waiting:
            by_name.setdefault(step.event or "", []).append((lane, run, step))
        for name, those in by_name.items():
            spans: dict[int, tuple[int, int]] = {}
            for _lane, run, _step in those:
                start, _ = spans.get(run.contact, (run.since, 0))
                spans[run.contact] = (min(start, run.since), self.until)
            found = self.past(name, spans)
            for lane, run, step in those:
                known = {row.cause_id for row in lane.rows}
                for event in found.get(lane.contact, ()):
                    at, text = event.occurred_at, write_event(event)
                    row = Row(0, WAIT, lane.contact, at, at, event.message_id, "", text)
                    if event.message_id in known or not self._ends(run, step, row, event):
                        continue
                    lane.rows.append(row)
                    lane.rows.sort(key=order, reverse=True)
                    break

    def _end_waits(self) -> None:
        asked: dict[tuple[int, str], list[tuple[Lane, Row, Run]]] = {}
        for lane, row in self.ending:
            event = row.read()
            lane.heard.append(row)
            for run in lane.runs:
                if run.status != ACTIVE or run.waiting != "event":
                    continue
                step = self.programs.versions[run.version].waits[run.step]
                if step.question() is not None:
                    if run.step_at <= row.at and (run.due_at is None or row.at <= run.due_at):
                        asked.setdefault((run.version, run.step), []).append((lane, row, run))
                elif event is not None and self._ends(run, step, row, event):
                    run.cause_id = row.cause_id
                    self._wake(lane, run, Woken.EVENT, max(row.at, run.step_at))
        for (version, step_id), those in asked.items():
            node = self.programs.versions[version].waits[step_id].question()
            met = self.knowledge.ask(node, [Question(run.contact, row.at, run) for _, row, run in those])
            for (lane, row, run), yes in zip(those, met, strict=True):
                if yes:
                    self._wake(lane, run, Woken.EVENT, row.at)

    def _ends(self, run: Run, step: WaitFor, row: Row, event: Event) -> bool:
        """Whether an event ends a run's wait."""
        return (
            event.name == step.event
            and run.cause_id != row.cause_id
            and run.since <= row.origin_at
            and (run.due_at is None or row.origin_at <= run.due_at)
            and self._bears(run, event) is True
            and is_meant(step.values.get("where") or (), event, self._where(run, row.origin_at))
        )

    def _bears(self, run: Run, event: Event) -> bool | None:
        """Whether an event bears the key of a run; None when it bears none. Without keys every event does."""
        key = self.programs.versions[run.version].document.key
        if key is None:
            return True
        value = key_of(event, key)
        return None if value is None else value == run.key

    def _where(self, run: Run, at: int) -> At:
        return At(now=at, zone=self.programs.timezone, run=CriteriaRun(run.entered_at, run.id, run.key))

    # Exits

    def _let_out(self) -> None:
        todo: list[tuple[Lane, Row, Event | None, list[Run]]] = []
        for lane, row in self.leaving:
            runs = [run for run in lane.runs if run.status == ACTIVE]
            if row.cause_id.startswith(REMOVED):
                for run in runs:
                    self.out.leave(run, "removed", max(row.at, run.step_at))
            elif runs:
                todo.append((lane, row, row.read(), runs))
        for program in self.programs.versions.values():
            standing = [
                (row, event, run)
                for _, row, event, runs in todo
                for run in runs
                if run.version == program.version
                and run.entered_at <= row.at
                and run.cause_id != row.cause_id
            ]
            for way in program.document.exits:
                if way.criteria is not None:
                    questions = [Question(run.contact, row.at, run) for row, _, run in standing]
                    met = self.knowledge.ask(way.criteria, questions)
                else:
                    met = [self._lets_out(way.trigger, run, row, event) for row, event, run in standing]
                for (row, _, run), yes in zip(standing, met, strict=True):
                    if yes:
                        self.out.leave(run, way.reason, max(row.at, run.step_at))
                standing = [each for each, yes in zip(standing, met, strict=True) if not yes]

    def _lets_out(self, trigger: Trigger | None, run: Run, row: Row, event: Event | None) -> bool:
        return (
            event is not None
            and trigger is not None
            and self._bears(run, event) is not False
            and event.occurred_at >= run.entered_at
            and triggered(trigger, event, self._where(run, row.at))
        )

    # Entries

    def _let_in(self) -> None:
        program = self.programs.current
        document = program.document
        candidates = []
        for lane, row in self.entering:
            if (row.contact, row.cause_id) in self.taken:
                continue
            verdict = self._barred(lane, row, program)
            if verdict:
                self._verdict(row, verdict)
            else:
                candidates.append((lane, row))
        if document.filter is not None and candidates:
            candidates = self._sift(candidates, document.filter, "filter", keep=True)
        for way in document.exits:
            if way.criteria is not None and candidates:
                candidates = self._sift(candidates, way.criteria, "exit_met", keep=False)
        if not candidates:
            return
        holdout = float(document.settings.get("holdout") or 0)
        for (lane, row), run_id in zip(candidates, self.new_ids(len(candidates)), strict=True):
            self._enter(
                lane, row, run_id, program, held_out=drawn(self.programs.journey, lane.contact) < holdout
            )

    def _enter(self, lane: Lane, row: Row, run_id: int, program: Program, *, held_out: bool) -> None:
        cause = row.cause_id if row.event else ""
        run = Run(
            run_id, program.version, lane.contact, row.run_key, ACTIVE, "", 0,
            row.at, min(row.origin_at, row.at), row.at, None, "", cause, context_of(row), new=True,
        )  # fmt: skip
        self.out.enter(run, program, held_out=held_out)
        self._verdict(row, "held_out" if held_out else "entered")
        lane.runs.append(run)
        known = self.history.setdefault(lane.contact, {})
        known[row.run_key] = History(row.at, 0, False)

    def _sift(
        self, those: list[tuple[Lane, Row]], node: Any, verdict: str, *, keep: bool
    ) -> list[tuple[Lane, Row]]:
        met = self.knowledge.ask(node, [Question(lane.contact, row.at, None) for lane, row in those])
        for (_lane, row), yes in zip(those, met, strict=True):
            if yes is not keep:
                self._verdict(row, verdict)
        return [each for each, yes in zip(those, met, strict=True) if yes is keep]

    def _verdict(self, row: Row, verdict: str) -> None:
        self.taken.add((row.contact, row.cause_id))
        self.out.taken.append((row.contact, row.cause_id, verdict, row.at))

    def _barred(self, lane: Lane, row: Row, program: Program) -> str:
        """Why a contact may not enter now; empty when it may."""
        known = self.history.get(lane.contact, {})
        if program.document.mode == "once":
            return "already_entered" if known else ""
        before = known.get(row.run_key)
        live = any(run.status == ACTIVE and run.key == row.run_key for run in lane.runs)
        read = before is not None and before.live
        ended = before is not None and not live and any(run.key == row.run_key for run in lane.runs)
        if live or (read and not ended) or (before is not None and row.at < before.ended_at):
            return "under_way"
        again = program.document.reentry_after
        if before is not None and again is not None:
            zone = self.knowledge.zones([lane.contact])[0]
            if row.at < times.after(before.entered_at, again, zone):
                return "too_soon"
        return ""


def triggered(trigger: Trigger, event: Event, at: At) -> bool:
    """Whether an event is one that a trigger names."""
    if event.name != trigger.event and not (
        trigger.event == "*" and nodes.event_matches_name("*", event.name)
    ):
        return False
    if trigger.type == "list_joined":
        return str(event.properties.get("list")) == str(trigger.target)
    if trigger.type == "segment_entered":
        return str(event.properties.get("segment")) == str(trigger.target) and not event.properties.get(
            "initial"
        )
    return is_meant(trigger.where or (), event, at)


def key_of(event: Event, path: str) -> str | None:
    """The value of a run's key in an event, as text; None when it has none."""
    link = nodes.LINKS.get(path)
    value: Any = getattr(event, link) if link else None
    if not value:
        value = event.properties
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if value is None or value == "" or isinstance(value, dict | list):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:255]


def drawn(journey: int, contact: int) -> float:
    """A contact's lot in a journey, from 0 to 100, always the same."""
    lot = hashlib.blake2b(f"{journey}:{contact}".encode(), digest_size=8).digest()
    return int.from_bytes(lot, "big") / 2**64 * 100


def context_of(row: Row) -> str:
    """What templates see of the entry, as JSON: the event's name, instant, order and properties."""
    event = row.read()
    if event is None:
        return "{}"
    told = {
        "name": event.name,
        "occurred_at": iso(from_ms(event.occurred_at)),
        "properties": event.properties,
    }
    if event.order:
        told["order"] = event.order
    return json.dumps({"event": told}, ensure_ascii=False, separators=(",", ":"))
