"""`parcours verify`: every figure computed in a second way; a table for people, JSON for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import click

from parcours.accounts.models import Account
from parcours.events.store.client import ensure_store
from parcours.reports.verify import Finding, NotDigested, verify


def run(accounts: list[Account], *, seconds: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Verify accounts, saying a line for each journey, message and segment; answers what was found.

    Raises ClickException when what was accepted is not digested after `seconds`.
    """
    compared, differences, unsettled = 0, [], []
    with ensure_store():
        for account in accounts:
            try:
                for finding in verify(account, seconds=seconds):
                    say(_line(account, finding))
                    where = {"account": str(account.pk), "kind": finding.kind, "id": finding.id}
                    compared += finding.compared
                    differences += [where | dataclasses.asdict(each) for each in finding.differences]
                    if finding.unsettled:
                        unsettled.append(where | {"reason": finding.unsettled})
            except NotDigested as problem:
                raise click.ClickException(f"{problem} Is `parcours work` running?") from problem
    return {"compared": compared, "differences": differences, "unsettled": unsettled}


def _line(account: Account, finding: Finding) -> str:
    """One line of the table, and one more for each difference."""
    mark = "DIFFERS" if finding.differences else "moving " if finding.unsettled else "agrees "
    lines = [
        f"{mark}  {account.name[:20]:20}  {finding.kind:8}  {finding.name[:40]:40}"
        f"  {finding.compared:5} figures  {finding.unsettled}".rstrip()
    ]
    for each in finding.differences:
        low, high = each.expected
        expected = f"{low}" if low == high else f"between {low} and {high}"
        lines.append(f"         {each.figure}: {each.shown} shown, {expected} by {each.by}")
    return "\n".join(lines)
