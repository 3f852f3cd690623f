"""What the front end's build left: which file stands for each entry, under a name that changes with its content."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TypedDict

from django.conf import settings

DIST = Path(__file__).parent / "static" / "ui" / "dist"
ICONS = Path(__file__).parent / "icons"


class Chunk(TypedDict, total=False):
    """One line of Vite's manifest, as far as we read it."""

    file: str
    css: list[str]
    imports: list[str]


class NotBuilt(RuntimeError):
    """The front end has not been built: `make setup` does it."""


def _read() -> dict[str, Chunk]:
    try:
        return json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError as error:
        raise NotBuilt("The front end has not been built: run `make setup`.") from error


@lru_cache(maxsize=1)
def _kept() -> dict[str, Chunk]:
    return _read()


def chunk(entry: str) -> Chunk:
    """The built files of an entry such as `src/app.ts`. Raises NotBuilt, or KeyError for an unknown entry."""
    return (_read() if settings.DEBUG else _kept())[entry]


def tracker() -> Path:
    """The built browser tracker, which the collector serves as `/t.js`."""
    return DIST / "t.js"


@lru_cache(maxsize=256)
def icon(name: str) -> str:
    """The SVG text of an icon of `ui/icons`. Raises FileNotFoundError for an unknown name."""
    if not name.replace("-", "").isalnum():
        raise FileNotFoundError(name)
    return (ICONS / f"{name}.svg").read_text().strip()
