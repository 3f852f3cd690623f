"""Killed between any two instructions, merges, partings and erasures come out the same."""

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
        [sys.executable, "-m", "parcours.contacts.merging.tests.sweep"],
        env=environment | {"PARCOURS_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [line["code"] for line in lines[:-1]] == [EXIT_CODE] * (len(lines) - 1)
    assert lines[-1]["code"] == 0
    assert len(lines) > 8, "There are more boundaries than that."
    untouched = lines[-1]["found"]
    assert untouched["living"] == [0, 1]
    assert [status for _who, status, _why in untouched["runs"]].count("active") == 1
    assert untouched["figures"]["contacts"] == 3
    assert untouched["store"] == [[7, 0], [0]]
    for line in lines:
        assert line["found"] == untouched, f"after a kill at boundary {line['boundary']}"
