"""Killed between any two instructions, merges, partings and erasures come out the same."""

from __future__ import annotations

from pathlib import Path

from parcours.contacts import merging
from tests.fixtures.sweep import missed, swept


def test_a_kill_at_any_boundary_changes_nothing(tmp_path: Path) -> None:
    lines = swept("parcours.contacts.merging.tests.sweep", tmp_path)
    assert lines[-1]["boundary"] > 8, "There are more boundaries than that."
    assert missed(lines, Path(merging.__path__[0]).glob("*.py")) == set()
    untouched = lines[-1]["found"]
    assert untouched["living"] == [0, 1]
    assert [status for _who, status, _why in untouched["runs"]].count("active") == 1
    assert untouched["figures"]["contacts"] == 3
    assert untouched["store"] == [[7, 0], [0]]
    for line in lines:
        assert line["found"] == untouched, f"after a kill at boundary {line['boundary']}"
