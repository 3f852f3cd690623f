"""The digest is killed between any two of its instructions: each event is in the store once, and told once."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.sweep import swept

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
    lines = swept("parcours.tracking.tests.sweep", tmp_path)
    assert lines[-1]["boundary"] > 25, "The digest of two loads has more boundaries than that."
    for line in lines:
        assert line["found"] == EXPECTED, f"after a kill at boundary {line['boundary']}"
