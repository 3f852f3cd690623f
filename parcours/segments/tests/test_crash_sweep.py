"""Killed between any two instructions, a segment's membership, figures, entries and exits come out the same."""

from __future__ import annotations

from pathlib import Path

from parcours import segments
from tests.fixtures.sweep import missed, swept


def test_a_kill_at_any_boundary_changes_nothing(tmp_path: Path) -> None:
    lines = swept("parcours.segments.tests.sweep", tmp_path)
    assert lines[-1]["boundary"] > 28, "Two segments, computed and followed, have more boundaries than that."
    assert missed(lines, Path(segments.__path__[0]).glob("*.py")) == set()
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
