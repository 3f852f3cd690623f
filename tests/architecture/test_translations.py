"""French is complete: every text of every package has its translation, and one English text has one French."""

from __future__ import annotations

import re
import runpy
from collections import defaultdict
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[2]
messages = runpy.run_path(str(ROOT / "deploy" / "extract_messages.py"))
PLACES = re.compile(r"%\((\w+)\)[sd]|%[sd]|\{(\w*)\}")


@pytest.mark.parametrize("package", messages["packages"](), ids=lambda path: path.name)
def test_every_text_has_its_french(package: Path) -> None:
    state = messages["examine"](package)
    missing = [f"{text.msgid!r} ({state.used[text]})" for text in state.missing]
    assert not missing, f"without French in {package.name}: " + ", ".join(missing)
    assert not state.obsolete, f"no longer said in {package.name}: {[text.msgid for text in state.obsolete]}"


def _entries() -> list[tuple[str, polib.POEntry]]:
    found = []
    for package in messages["packages"]():
        path = messages["catalogue_of"](package)
        if path.exists():
            found += [(package.name, entry) for entry in polib.pofile(str(path)) if not entry.obsolete]
    return found


def test_one_text_has_one_french_everywhere() -> None:
    """Django merges the catalogues of all packages: two translations of one text would hide each other."""
    said: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for package, entry in _entries():
        french = entry.msgstr or str(entry.msgstr_plural)
        said[entry.msgctxt or "", entry.msgid].setdefault(french, package)
    two = {key[1]: french for key, french in said.items() if len(french) > 1}
    assert not two, two


def test_places_in_a_text_are_kept() -> None:
    for package, entry in _entries():
        originals = {m[0] for m in PLACES.finditer(entry.msgid + entry.msgid_plural)}
        for french in [entry.msgstr, *entry.msgstr_plural.values()]:
            unknown = {m[0] for m in PLACES.finditer(french)} - originals
            assert not unknown, f"{package}: {french!r} has {unknown}, which {entry.msgid!r} has not"


def test_french_typography() -> None:
    """A no-break space before : ; ! ? and inside « », the typographic apostrophe."""
    for package, entry in _entries():
        for french in [entry.msgstr, *entry.msgstr_plural.values()]:
            text = re.sub(r"<[^>]*>|https?://\S*|%\(\w+\)s", "x", french)
            assert "'" not in text, f"{package}: straight apostrophe in {french!r}"
            assert not re.search(r"[ ][:;!?»]|«[ ]", text), f"{package}: breaking space in {french!r}"
