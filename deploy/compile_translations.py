"""Compile every `.po` to its `.mo`, in Python: the machine needs no gettext."""

from __future__ import annotations

from pathlib import Path

import polib


def compile_all(root: Path) -> None:
    """Write the `.mo` beside each `.po` below the root."""
    for source in sorted(root.glob("parcours/*/locale/*/LC_MESSAGES/*.po")):
        polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))


if __name__ == "__main__":
    compile_all(Path(__file__).resolve().parent.parent)
