"""Every named query of every package is understood by the store on the real schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from parcours.events.store import queries
from parcours.events.store.client import client
from parcours.events.store.schema import statements
from tests.fixtures.store import TABLES, StoreProcess


def value_of(kind: str) -> Any:
    """Some value of a ClickHouse type."""
    inner = re.fullmatch(r"(?:Nullable|LowCardinality)\((.+)\)", kind)
    if inner:
        return value_of(inner[1])
    if kind.startswith("Array("):
        return [value_of(kind[6:-1])]
    if kind.startswith(("UInt", "Int", "Decimal", "Float")):
        return 1
    if kind.startswith("DateTime"):
        return "2026-01-01 00:00:00"
    if kind == "UUID":
        return "00000000-0000-0000-0000-000000000000"
    assert kind in ("String", "Bool", "Identifier"), f"A value of {kind}?"
    return "" if kind == "String" else True


def test_every_named_query_runs_on_the_real_schema(store: StoreProcess) -> None:
    assert queries.all_queries()
    for query in queries.all_queries().values():
        bound = {name: value_of(kind) for name, kind in query.parameters.items()}
        for sql in (query.sql, query.merged_sql or query.sql):
            client().query(sql, parameters=bound)


def test_every_named_query_reads_one_account_at_a_watermark() -> None:
    for query in queries.all_queries().values():
        assert query.parameters.get("account") == "UInt32", query.name
        assert query.parameters.get("load") == "UInt64", query.name


def test_rows_come_by_name_and_a_missing_parameter_is_told(store: StoreProcess, monkeypatch: Any) -> None:
    query = queries.Query("x", "", "SELECT {a:UInt8} AS one, 'b' AS two", Path(), {"a": "UInt8"})
    monkeypatch.setattr(queries, "all_queries", lambda: {"x": query})
    assert queries.run("x", {"a": 1, "unused": 2}) == [{"one": 1, "two": "b"}]
    with pytest.raises(KeyError):
        queries.run("x", {})
    with pytest.raises(KeyError):
        queries.run("y", {})


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1",
        "-- name: a\nSELECT 1",
        "-- name: a\n-- about: x\nSELECT 1\n-- name: a\n-- about: y\nSELECT 2",
        "-- name: a\n-- about: x\nSELECT @part(b)\n-- part: b\n-- about: y\n1",
    ],
)
def test_a_careless_file_is_refused(text: str, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "p" / "sql").mkdir(parents=True)
    (tmp_path / "p" / "sql" / "x.sql").write_text(text)
    monkeypatch.setattr(queries, "PACKAGES", tmp_path)
    with pytest.raises(ValueError):
        queries.all_queries.__wrapped__()


def test_what_queries_say_alike_is_put_in_whole(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "p" / "sql").mkdir(parents=True)
    (tmp_path / "p" / "sql" / "x.sql").write_text(
        "-- part: mine\n-- about: x\naccount = {account:UInt32}\n\n-- part: chosen\n-- about: x\n@part(mine) AND 1\n\n"
        "-- name: a\n-- about: y\nSELECT @person(contact) WHERE @part(chosen) AND 2;\n"
    )
    monkeypatch.setattr(queries, "PACKAGES", tmp_path)
    (query,) = queries.all_queries.__wrapped__().values()
    assert query.sql == "SELECT contact WHERE account = {account:UInt32} AND 1 AND 2"
    assert query.parameters == {"account": "UInt32", "load": "UInt64"}, "those of the merges included"


def test_the_schema_is_applied_once_and_can_be_applied_again(store: StoreProcess) -> None:
    names = [name for name, _ in statements()]
    assert names == sorted(set(names))
    assert client().query("SELECT name FROM migrations ORDER BY name").result_rows == [
        (name,) for name in names
    ]
    # A setting may be set twice, a column filled twice; whatever is made is made only where it is not yet.
    harmless = (" IF NOT EXISTS ", " MODIFY SETTING ", " MATERIALIZE COLUMN ")
    assert all(any(words in text for words in harmless) for _, text in statements())
    windows = client().query(
        "SELECT name FROM system.tables WHERE database = 'parcours' AND engine LIKE '%MergeTree'"
        " AND create_table_query LIKE '%non_replicated_deduplication_window = 10000%' ORDER BY name"
    )
    assert {row[0] for row in windows.result_rows} == set(TABLES)
