"""Named queries: every `.sql` file in a package's `sql/` folder, each query with its name and what it is about.

    -- name: contact_timeline
    -- about: What a contact did, newest first.
    SELECT … WHERE account = {account:UInt32} AND load <= {load:UInt64}

Values are bound by `{name:Type}`, never pasted. `@person(contact)` is who a contact is at the watermark: contacts who
were merged are looked up in `links`; where nobody ever was, it is the column itself, and costs nothing. What several
queries of a file say alike stands once, above them, and is put in at `@part(chosen_runs)`:

    -- part: chosen_runs
    -- about: Runs of a journey that a reader chose.
    account = {account:UInt32} AND journey = {journey:UInt64} AND …
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parcours.events.store.client import client, patiently

PACKAGES = Path(__file__).resolve().parents[2]
_HEAD = re.compile(r"^-- (name|part): *(\w+) *$", re.MULTILINE)
_ABOUT = re.compile(r"^-- about: *(.+)$", re.MULTILINE)
_PERSON = re.compile(r"@person\((\w+(?:\.\w+)?)\)")
_MERGES = (
    "(SELECT merged, argMax(links.contact, load) AS whom FROM links WHERE account = {account:UInt32}"
    " AND load <= {load:UInt64} AND visitor = toUUID('00000000-0000-0000-0000-000000000000') AND merged != 0"
    " GROUP BY merged HAVING whom != 0 ORDER BY merged)"
)
#: The lists begin with 0 for 0: `transform` refuses empty ones.
_LOOKED_UP = (
    rf"transform(\1, (SELECT arrayConcat([toUInt64(0)], groupArray(merged)) FROM {_MERGES}),"
    rf" (SELECT arrayConcat([toUInt64(0)], groupArray(whom)) FROM {_MERGES}), \1)"
)
_PART = re.compile(r"@part\((\w+)\)")
_PARAMETER = re.compile(r"\{(\w+): *([^{}]+)\}")


@dataclass(frozen=True)
class Query:
    """A named query: its text, what it is about, the file that holds it, its parameters and their types.

    `merged_sql` is its text for accounts where contacts were merged, when that is another one.
    """

    name: str
    about: str
    sql: str
    file: Path
    parameters: Mapping[str, str]
    merged_sql: str = ""


def _nobody_was(_account_id: int) -> bool:
    return False


_ever_merged: Callable[[int], bool] = _nobody_was


def ask_merged(ever_merged: Callable[[int], bool]) -> None:
    """Have `run` ask this whether contacts of an account were ever merged; said once, by the package that merges."""
    global _ever_merged  # noqa: PLW0603 - the package above that knows
    _ever_merged = ever_merged


@functools.cache
def all_queries() -> Mapping[str, Query]:
    """Every named query, by its name. Raises ValueError on a name used twice, one without “about”, an unknown part."""
    found: dict[str, Query] = {}
    for file in sorted(PACKAGES.glob("*/sql/*.sql")):
        pieces = _HEAD.split(file.read_text())
        if pieces[0].strip():
            raise ValueError(f"{file}: text before the first “-- name:”.")
        parts: dict[str, str] = {}
        for kind, name, text in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
            about = _ABOUT.search(text)
            if name in found or name in parts or about is None:
                raise ValueError(f"{file}: {name} is there twice, or has no “-- about:”.")
            unknown = set(_PART.findall(text)) - parts.keys()
            if unknown:
                raise ValueError(f"{file}: {name} names a part that does not stand above it: {unknown}.")
            written = _PART.sub(lambda put: parts[put[1]], text[about.end() :].strip().rstrip(";"))  # noqa: B023
            if kind == "part":
                parts[name] = written
                continue
            sql, merged = _PERSON.sub(r"\1", written), _PERSON.sub(_LOOKED_UP, written)
            kinds = dict(_PARAMETER.findall(merged))
            found[name] = Query(name, about[1].strip(), sql, file, kinds, "" if merged == sql else merged)
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
    sql = query.merged_sql if query.merged_sql and _ever_merged(int(bound["account"])) else query.sql
    answer = patiently(lambda: client().query(sql, parameters=bound, settings=limits))
    columns = answer.column_names
    return [dict(zip(columns, row, strict=True)) for row in answer.result_rows]
