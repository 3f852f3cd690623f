"""Steps at which a run stays for a time."""

from __future__ import annotations

from typing import Any

from parcours.journeys import times
from parcours.journeys.steps.base import Batch, Decision, Field, Go, Kind, Step, Wait, WayOut, Woken
from parcours.lib.durations import parse_duration


class Delay(Step):
    """Wait for a time.

    "24h" is elapsed time; "1d" is the same hour the next day where the contact lives, whatever the clocks do in
    between.
    """

    type = "delay"
    fields = (Field("for", Kind.DURATION, required=True),)
    calendar = True

    def ways_out(self) -> list[WayOut]:
        return [WayOut("next", self.next, int(self.values["for"][:-1]) > 0)]

    def decide(self, batch: Batch) -> list[Decision]:
        if batch.woken is not Woken.ARRIVED:
            return [Go(self.next)] * len(batch.instants)
        return [Wait(until) for until in _ends(self.values["for"], batch)]


class WaitFor(Step):
    """Wait for an event, or until criteria are met; after the time-out the run goes another way.

    An event counts when it occurs from the entry into the step to the time-out, both in, however late it
    arrives. A day of the time-out is 24 hours, whatever the clocks do. Without a time-out the run waits for ever.
    """

    type = "wait_for"
    fields = (
        Field("event", Kind.EVENT),
        Field("where", Kind.WHERE),
        Field("criteria", Kind.CRITERIA),
        Field("timeout", Kind.DURATION),
        Field("then", Kind.STEP),
        Field("else", Kind.STEP),
    )

    @property
    def event(self) -> str | None:
        """The event's name, when it is one that the step waits for."""
        return self.values.get("event")

    def question(self) -> Any:
        return self.values.get("criteria")

    def ways_out(self) -> list[WayOut]:
        timeout = self.values.get("timeout")
        ways = [WayOut("then", self.way("then"), self.event is not None)]
        if timeout is not None:
            ways.append(WayOut("else", self.way("else"), int(timeout[:-1]) > 0))
        return ways

    def decide(self, batch: Batch) -> list[Decision]:
        if batch.woken is Woken.EVENT:
            return [Go(self.way("then"), "then")] * len(batch.instants)
        if batch.woken is Woken.TIMER:
            return [Go(self.way("else"), "else")] * len(batch.instants)
        timeout = self.values.get("timeout")
        length = int(parse_duration(timeout).total_seconds()) * 1000 if timeout else None
        ends = [None if length is None else instant + length for instant in batch.instants]
        decisions: list[Decision] = [Wait(until, listens=True) for until in ends]
        if batch.met:
            go = Go(self.way("then"), "then")
            decisions = [go if met else wait for met, wait in zip(batch.met, decisions, strict=True)]
        return decisions


def _ends(duration: str, batch: Batch) -> list[int]:
    """When a delay begun at each instant ends; runs of one instant and zone are reckoned once."""
    known: dict[tuple[int, str], int] = {}
    ends = []
    for key in zip(batch.instants, batch.zones, strict=True):
        end = known.get(key)
        if end is None:
            end = known[key] = times.after(key[0], duration, key[1])
        ends.append(end)
    return ends
