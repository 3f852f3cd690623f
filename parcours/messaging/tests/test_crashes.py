"""The sending loop dies at every boundary, and again at its first commit after: nobody is lost or written to twice."""

from __future__ import annotations

from pathlib import Path

from parcours.messaging.sink import Sink
from parcours.messaging.tests.crash_sweep import RECIPIENTS
from tests.fixtures.sweep import swept


def test_a_death_at_any_boundary_loses_nobody_and_writes_to_nobody_twice(tmp_path: Path) -> None:
    sink = Sink(directory=tmp_path / "sink").start()
    try:
        trials = swept(
            "parcours.messaging.tests.crash_sweep", tmp_path / "data", sink.url, str(tmp_path / "sink")
        )
    finally:
        sink.stop()
    everyone = {f"p{number}@example.org" for number in range(RECIPIENTS)}
    assert trials[-1]["codes"] == [0]
    assert trials[-1]["statuses"] == {"sent": RECIPIENTS}
    assert trials[-1]["boundary"] > 15
    for trial in trials[:-1]:
        assert trial["codes"][-1] == 0, trial
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
