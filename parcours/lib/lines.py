"""Texts of one line: names, as people write them."""

from __future__ import annotations

import unicodedata

_BREAKING = frozenset(("Cc", "Cs", "Zl", "Zp"))


def is_line(text: str) -> bool:
    """Whether a text has no line break, control character or half character. Blanks of any width (French has one
    before “!”) and what joins the parts of an emoji have their place in it."""
    return text.isprintable() or not any(unicodedata.category(character) in _BREAKING for character in text)
