"""An import killed at each of its boundaries goes on where its last commit was: no line lost, none taken twice."""

from __future__ import annotations

from pathlib import Path

from parcours.contacts.tests.sweep import BOUNDARIES, LINES
from tests.fixtures.sweep import swept

EXPECTED = {
    "job": ["finished", LINES, LINES, LINES],
    "contacts": LINES,
    "consents": LINES,
    "told": 2 * LINES + 3,  # created and consent for each, and who was touched, once for each chunk
    "uploads": 0,
}


def test_killed_at_a_boundary(tmp_path: Path) -> None:
    trials = swept("parcours.contacts.tests.sweep", tmp_path)
    assert trials == [{"at": boundary, "found": EXPECTED} for boundary in BOUNDARIES]
