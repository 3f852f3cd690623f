"""The engine is killed at each of its boundaries: nobody is lost, nothing is done twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.fixtures.sweep import swept

EXPECTED = {
    "runs": [[["completed", "bye"], 9]],
    "counts": [
        ["*completed", 9], ["*entered", 9], ["again", 9], ["bye", 9], ["count", 9], ["hello", 9], ["if", 9],
        ["join", 3], ["rest", 9],
    ],
    "told": [
        [["journey.completed", "bye"], 9], [["journey.entered", ""], 9],
        [["journey.step_entered", "again"], 9], [["journey.step_entered", "bye"], 9],
        [["journey.step_entered", "count"], 9], [["journey.step_entered", "hello"], 9],
        [["journey.step_entered", "if"], 9], [["journey.step_entered", "join"], 3],
        [["journey.step_entered", "rest"], 9],
    ],
    "told_twice": 0,
    "changed": [["contact.updated", 9], ["list.joined", 3]],
    "sends": [["again", 9], ["hello", 9]],
    "written_to": 18,
    "points": [1] * 9,
    "joined": 3,
    "taken": 9,
    "left": 0,
    "parts": 0,
}  # fmt: skip


def test_a_kill_at_any_boundary_loses_nobody_and_does_nothing_twice(tmp_path: Path) -> None:
    crew, *lines = swept("parcours.journeys.tests.sweep", tmp_path)
    assert crew["crew"] == 0
    assert _otherwise(crew["found"]) == {}
    assert lines[-1]["boundary"] > 25, "The engine has more boundaries than that."
    for line in lines:
        assert _otherwise(line["found"]) == {}, f"after a kill at boundary {line['boundary']}"


def _otherwise(found: dict[str, Any]) -> dict[str, Any]:
    """What was found otherwise than expected."""
    return {name: found.get(name) for name in EXPECTED | found if found.get(name) != EXPECTED.get(name)}
