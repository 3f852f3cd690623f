"""Say which texts of each package lack their French, and which French no text uses any more.

`make messages` prints them; a test fails while there are any. The extraction is Babel's, after Django blanked out its
templates (`{% translate %}`, `{% blocktranslate %}`, `_("…")`): the machine needs no gettext. Catalogues are
written by hand; `--write` adds the missing ones, empty, and drops the obsolete.
"""

from __future__ import annotations

import argparse
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import polib
from babel.messages.extract import extract
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}


@dataclass(frozen=True)
class Text:
    """One text to translate, as gettext knows it."""

    msgid: str
    plural: str = ""
    context: str = ""


@dataclass
class Package:
    """What a package says, and what its French catalogue holds."""

    name: str
    used: dict[Text, str] = field(default_factory=dict)
    missing: list[Text] = field(default_factory=list)
    obsolete: list[Text] = field(default_factory=list)


def _texts(source: BinaryIO) -> list[tuple[Text, int]]:
    found = []
    for line, message, _comments, context in extract("python", source, keywords=KEYWORDS):
        singular, plural = message if isinstance(message, tuple) else (message, "")
        found.append((Text(singular, plural, context or ""), line))
    return found


def _template_texts(path: Path) -> list[tuple[Text, int]]:
    # Django blanks out all of a template but its texts, which it leaves as calls of gettext in Python.
    code = templatize(path.read_text(), origin=str(path))
    return _texts(io.BytesIO("\n".join(line.lstrip() for line in code.splitlines()).encode()))


def texts_of(package: Path) -> dict[Text, str]:
    """Every text of a package with the first place that says it."""
    used: dict[Text, str] = {}
    for path in sorted(package.rglob("*")):
        if not path.is_file() or {"tests", "migrations", "static"} & set(path.relative_to(package).parts):
            continue
        if path.suffix == ".py":
            texts = _texts(io.BytesIO(path.read_bytes()))
        elif path.suffix in {".html", ".txt"} and "templates" in path.parts:
            texts = _template_texts(path)
        else:
            continue
        for text, line in texts:
            if text.msgid:
                used.setdefault(text, f"{path.relative_to(ROOT)}:{line}")
    return used


def catalogue_of(package: Path) -> Path:
    """Where a package's French is."""
    return package / "locale" / "fr" / "LC_MESSAGES" / "django.po"


def _translated(entry: polib.POEntry) -> bool:
    if entry.msgid_plural:
        return all(entry.msgstr_plural.get(form) for form in (0, 1))
    return bool(entry.msgstr)


def examine(package: Path) -> Package:
    """Compare what a package says with its French catalogue."""
    used = texts_of(package)
    path = catalogue_of(package)
    entries = polib.pofile(str(path)) if path.exists() else []
    known = {Text(e.msgid, e.msgid_plural, e.msgctxt or ""): e for e in entries if not e.obsolete}
    return Package(
        name=package.name,
        used=used,
        missing=[text for text in used if text not in known or not _translated(known[text])],
        obsolete=[text for text in known if text not in used],
    )


def packages() -> list[Path]:
    """The packages of the product."""
    return sorted(path.parent for path in (ROOT / "parcours").glob("*/__init__.py"))


def write(package: Path) -> None:
    """Add the missing texts, empty, to a package's French catalogue and drop the obsolete ones."""
    state = examine(package)
    path = catalogue_of(package)
    if not state.missing and not state.obsolete:
        return
    catalogue = polib.pofile(str(path), wrapwidth=110) if path.exists() else polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Language": "fr",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=2; plural=(n > 1);",
    }
    for entry in list(catalogue):
        if Text(entry.msgid, entry.msgid_plural, entry.msgctxt or "") not in state.used:
            catalogue.remove(entry)
    present = {Text(e.msgid, e.msgid_plural, e.msgctxt or "") for e in catalogue}
    for text in state.missing:
        if text in present:
            continue
        entry = polib.POEntry(msgid=text.msgid, msgctxt=text.context or None)
        if text.plural:
            entry.msgid_plural = text.plural
            entry.msgstr_plural = {0: "", 1: ""}
        catalogue.append(entry)
    path.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(path))


def main() -> int:
    """Print what is missing or obsolete; 1 when anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", nargs="*", help="only these packages")
    parser.add_argument(
        "--write", action="store_true", help="add the missing texts, empty; drop the obsolete"
    )
    arguments = parser.parse_args()
    wrong = 0
    for package in packages():
        if arguments.packages and package.name not in arguments.packages:
            continue
        if arguments.write:
            write(package)
        state = examine(package)
        for text in state.missing:
            print(f"{package.name}: missing {text.msgid!r} ({state.used[text]})")
        for text in state.obsolete:
            print(f"{package.name}: obsolete {text.msgid!r}")
        wrong += len(state.missing) + len(state.obsolete)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
