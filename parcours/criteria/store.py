"""Runs compiled criteria on the event store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clickhouse_connect.driver.external import ExternalData

from parcours.criteria.compile import Statement
from parcours.events.store.client import client, patiently

SETTINGS = {
    "optimize_and_compare_chain": "0",
    "enable_materialized_cte": "1",
    "short_circuit_function_evaluation": "disable",
}
"""Looking for chains of comparisons takes half the time of reading a statement of many criteria, and finds none. What
several parts of a statement look into is read once. Sparing the rows for which half a condition decides costs four
times what it spares: nothing here is dear, and nothing fails on a value it was not meant for."""


def run(statement: Statement) -> Sequence[Sequence[Any]]:
    """The rows of a statement; tries again while the store is away for a moment. Raises OperationalError."""
    tables = None
    if statement.tables:
        tables = ExternalData()
        for name, (structure, rows) in statement.tables.items():
            tables.add_file(file_name=name, data=rows.encode(), fmt="TabSeparated", structure=structure)
    found: Sequence[Sequence[Any]] = patiently(
        lambda: (
            client(forms=tables is not None)
            .query(statement.sql, parameters=statement.parameters, settings=SETTINGS, external_data=tables)
            .result_rows
        )
    )
    return found
