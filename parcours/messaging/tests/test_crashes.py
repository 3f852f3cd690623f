"""The sending loop dies at every boundary, and again at its first commit after: nobody is lost or written to twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from parcours.messaging.sink import Sink
from parcours.messaging.tests.crash_sweep import RECIPIENTS


def test_a_death_at_any_boundary_loses_nobody_and_writes_to_nobody_twice(tmp_path: Path) -> None:
    sink = Sink(directory=tmp_path / "sink").start()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PARCOURS"))},
        "DJANGO_SETTINGS_MODULE": "parcours.config.settings",
        "PARCOURS_DATA_DIR": str(tmp_path / "data"),
        "PARCOURS_SECRET_KEY": "trial",
    }
    (tmp_path / "data").mkdir()
    try:
        run = subprocess.run(
            [sys.executable, "-m", "parcours.messaging.tests.crash_sweep", sink.url, str(tmp_path / "sink")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
    finally:
        sink.stop()
    trials = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 0, run.stderr
    everyone = {f"p{number}@example.org" for number in range(RECIPIENTS)}
    assert trials[-1]["codes"] == [0]
    assert trials[-1]["statuses"] == {"sent": RECIPIENTS}
    assert len(trials) > 15
    for trial in trials[:-1]:
        assert trial["codes"][0] == 137, trial
        assert trial["codes"][-1] == 0, (trial, run.stderr)
        received = trial["received"]
        assert set(received.values()) <= {1}, trial
        unknown = trial["statuses"].get("unknown", 0)
        # One connection: one mail under way at the death.
        assert unknown <= 1, trial
        assert trial["statuses"].get("sent", 0) == RECIPIENTS - unknown, trial
        assert set(trial["sent"]) <= set(received), trial
        assert len(everyone - set(received)) <= unknown, trial
        assert trial["told"]["email.sent"] == RECIPIENTS, trial
        assert trial["told"].get("email.delivered", 0) == RECIPIENTS - unknown, trial
    assert any(trial["statuses"].get("unknown") for trial in trials)
    assert any(not trial["statuses"].get("unknown") for trial in trials[:-1])
