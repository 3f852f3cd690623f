"""Named queries: every `.sql` file in a package's `sql/` folder, each query with its name and what it is about.

    -- name: contact_timeline
    -- about: What a contact did, newest first.
    SELECT … WHERE account = {account:UInt32} AND load <= {load:UInt64}

Values are bound by `{name:Type}`, never pasted.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parcours.events.store.client import client, patiently

PACKAGES = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)
_ABOUT = re.compile(r"^-- about: *(.+)$", re.MULTILINE)
_PARAMETER = re.compile(r"\{(\w+): *([^{}]+)\}")


@dataclass(frozen=True)
class Query:
    """A named query: its text, what it is about, the file that holds it, its parameters and their types."""

    name: str
    about: str
    sql: str
    file: Path
    parameters: Mapping[str, str]


@functools.cache
def all_queries() -> Mapping[str, Query]:
    """Every named query, by its name. Raises ValueError on a name used twice or a query without “about”."""
    found: dict[str, Query] = {}
    for file in sorted(PACKAGES.glob("*/sql/*.sql")):
        parts = _NAME.split(file.read_text())
        if parts[0].strip():
            raise ValueError(f"{file}: text before the first “-- name:”.")
        for name, text in zip(parts[1::2], parts[2::2], strict=True):
            about = _ABOUT.search(text)
            if name in found or about is None:
                raise ValueError(f"{file}: the query {name} is there twice, or has no “-- about:”.")
            sql = text[about.end() :].strip().rstrip(";")
            found[name] = Query(name, about[1].strip(), sql, file, dict(_PARAMETER.findall(sql)))
    return found


def run(
    name: str, parameters: Mapping[str, Any], *, settings: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """The rows of a named query, as dicts by column. Tries again while the store is away for a moment.

    Raises KeyError for an unknown name or a parameter that is missing, and clickhouse-connect's errors.
    """
    query = all_queries()[name]
    bound = {parameter: parameters[parameter] for parameter in query.parameters}
    limits = dict(settings) if settings else None
    answer = patiently(lambda: client().query(query.sql, parameters=bound, settings=limits))
    columns = answer.column_names
    return [dict(zip(columns, row, strict=True)) for row in answer.result_rows]
