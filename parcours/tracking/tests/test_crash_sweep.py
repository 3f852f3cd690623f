"""The digest is killed between any two of its instructions: each event is in the store once, and told once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from parcours.lib.crashpoints import EXIT_CODE

EXPECTED = {
    "events": [
        ["Tried", 1],
        ["contact.created", 2],
        ["engine.did", 1],
        ["form.submitted", 1],
        ["page.viewed", 9],
    ],
    "links": [[3, 3]],
    "profiles": [[2, 2]],
    "told": [
        ["Tried", 1],
        ["contact.created", 2],
        ["engine.did", 1],
        ["form.submitted", 1],
        ["page.viewed", 9],
    ],
    "owners": [["ann@example.org", 2], ["bob@example.org", 2], ["nobody", 1], ["nobody", 9]],
    "seen": 12,
    "contacts": ["ann@example.org", "bob@example.org"],
    "left": 0,
}


def test_a_kill_at_any_boundary_changes_nothing(tmp_path: Path) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "parcours.tracking.tests.sweep"],
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
    assert len(lines) > 25, "The digest of two loads has more boundaries than that."
    for line in lines:
        assert line["found"] == EXPECTED, f"after a kill at boundary {line['boundary']}"
