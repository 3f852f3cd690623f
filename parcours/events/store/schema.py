"""The store's schema: numbered `.sql` files of `migrations/`, each applied once, in their order.

Statements end with a semicolon at the end of a line. The table `migrations` remembers what was applied; ClickHouse
has no transactions for DDL, so each statement is remembered as soon as it is done. A statement with a line
`-- only with the setting NAME` is left out where the engine knows no such setting of its tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "migrations"
_END = re.compile(r";[ \t]*$", re.MULTILINE)
_ONLY_WITH = re.compile(r"^-- only with the setting (\w+)$", re.MULTILINE)


def statements() -> list[tuple[str, str]]:
    """Every statement of every file, named `file/number`, in the order in which to apply them."""
    found = []
    for file in sorted(FOLDER.glob("*.sql")):
        texts = [text.strip() for text in _END.split(file.read_text())]
        found += [(f"{file.stem}/{number}", text) for number, text in enumerate(texts, 1) if text]
    return found


def migrate(run: Callable[[str], str]) -> list[str]:
    """Apply what is not applied yet; `run` runs a statement and answers tab-separated text. Answers the names."""
    run(
        "CREATE TABLE IF NOT EXISTS migrations (name String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))"
        " ENGINE = MergeTree ORDER BY name"
    )
    done = set(run("SELECT name FROM migrations").split("\n"))
    applied = []
    for name, statement in statements():
        if name in done:
            continue
        needed = _ONLY_WITH.search(statement)
        if needed is None or needed[1] in run("SELECT name FROM system.merge_tree_settings").split("\n"):
            run(statement)
        run(f"INSERT INTO migrations (name) VALUES ('{name}')")
        applied.append(name)
    return applied
