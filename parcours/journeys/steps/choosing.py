"""Steps that send runs one way or another."""

from __future__ import annotations

from typing import Any

from parcours.journeys.steps.base import Batch, Decision, Field, Go, Kind, Step, WayOut


class Condition(Step):
    """Go one way when the contact meets the criteria, else the other.

    Criteria see every event accepted before the run reached the step.
    """

    type = "condition"
    fields = (Field("if", Kind.CRITERIA, required=True), Field("then", Kind.STEP), Field("else", Kind.STEP))

    def question(self) -> Any:
        return self.values["if"]

    def ways_out(self) -> list[WayOut]:
        return [WayOut("then", self.way("then"), False), WayOut("else", self.way("else"), False)]

    def decide(self, batch: Batch) -> list[Decision]:
        then, otherwise = Go(self.way("then"), "then"), Go(self.way("else"), "else")
        return [then if met else otherwise for met in batch.met]


class End(Step):
    """End the journey here: the run is completed."""

    type = "end"

    def ways_out(self) -> list[WayOut]:
        return []

    def decide(self, batch: Batch) -> list[Decision]:
        return [Go(None)] * len(batch.instants)
