"""Runs compiled criteria on the event store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from parcours.criteria.compile import Statement
from parcours.events.store.client import client, patiently


def run(statement: Statement) -> Sequence[Sequence[Any]]:
    """The rows of a statement; tries again while the store is away for a moment. Raises OperationalError."""
    rows: Sequence[Sequence[Any]] = patiently(
        lambda: client().query(statement.sql, parameters=statement.parameters).result_rows
    )
    return rows
