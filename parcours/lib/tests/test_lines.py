"""What a name may hold."""

from __future__ import annotations

import pytest

from parcours.lib.lines import is_line


@pytest.mark.parametrize(
    "text", ["", "Soldes d’été\u00a0!", "Nu\u202fméro", "👨\u200d👩\u200d👧", "اسم", "e\u0301"]
)
def test_names_as_people_write_them_are_lines(text: str) -> None:
    assert is_line(text)


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r", "\0", "a\tb", "\x85", "a\u2028b", "\u2029", "\x7f", "\ud800"]
)
def test_breaks_and_control_characters_are_none(text: str) -> None:
    assert not is_line(text)
