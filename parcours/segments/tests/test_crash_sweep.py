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
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["code"] for line in lines[:-1]] == [EXIT_CODE] * (len(lines) - 1)
    assert lines[-1]["code"] == 0
    assert len(lines) > 10, "Two segments, computed and followed, have more boundaries than that."
    for line in lines:
        expected = {
            "stirred": 0,
            "flips": 0,
            "even": _moved(list(range(0, 30, 2))),
            "recent": _moved(list(range(15)), left=True),
        }
        assert line["found"] == expected, f"after a kill at boundary {line['boundary']}"


def _moved(entered: list[int], *, left: bool = False) -> list[object]:
    """What is to be found of a segment that these entered once each, and left once each too."""
    count = len(entered)
    members = [[1, count, count], [0, count, count]] if left else [[1, count, count]]
    told = [["segment.entered", count, count], ["segment.left", count, count]]
    return ["up_to_date", [] if left else entered, members, told if left else told[:1]]
