"""Killed between any two instructions, a segment's membership, figures, entries and exits come out the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from parcours.lib.crashpoints import EXIT_CODE


def test_a_kill_at_any_boundary_changes_nothing(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "parcours.segments.tests.sweep"],
        env=environment | {"PARCOURS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["code"] for line in lines[:-1]] == [EXIT_CODE] * (len(lines) - 1)
    assert lines[-1]["code"] == 0
    assert len(lines) > 14, "Two segments, computed and followed, have more boundaries than that."
    for line in lines:
        for said in line["between"]:
            # Killed half-way, the former figure and its list stand, and what is not computed says so.
            assert said["profiles"] == said["listed"]
            assert said["profiles"] in (0, 15)
            assert not said["due"] or said["status"] == "computing"
        odd = list(range(1, 30, 2))
        expected = {
            "stirred": 0,
            "flips": 0,
            "parity": _moved(entered=30, left=15, inside=odd),
            "recent": _moved(entered=15, left=15, inside=[]),
        }
        assert line["found"] == expected, f"after a kill at boundary {line['boundary']}"


def _moved(*, entered: int, left: int, inside: list[int]) -> list[object]:
    """What is to be found of a segment that so many entered once each, and left once each too."""
    members = [[1, entered, entered], [0, left, left]]
    told = [["segment.entered", entered, entered], ["segment.left", left, left]]
    return ["up_to_date", inside, members, told]
