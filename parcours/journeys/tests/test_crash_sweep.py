"""The engine is killed at each of its boundaries: nobody is lost, nothing is done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from parcours.lib.crashpoints import EXIT_CODE

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
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "parcours.journeys.tests.sweep"],
        env=environment | {"PARCOURS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    crew, *lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert crew == {"crew": 0, "found": EXPECTED}
    assert [line["code"] for line in lines[:-1]] == [EXIT_CODE] * (len(lines) - 1)
    assert lines[-1]["code"] == 0
    assert len(lines) > 25, "The engine has more boundaries than that."
    for line in lines:
        assert line["found"] == EXPECTED, f"after a kill at boundary {line['boundary']}"
