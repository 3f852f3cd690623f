"""An import killed at each of its boundaries goes on where its last commit was: no line lost, none taken twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.installation import PASSWORD

ROOT = Path(__file__).resolve().parents[3]
LINES = 12_000
START = """
import io, sys
from parcours.config import startup
startup.setup_django(); startup.migrate()
from parcours.accounts import actions
from parcours.contacts.importing import actions as importing
new = actions.create_account(name="Shop", email="a@example.org", password=sys.argv[1])
body = b"email,attributes.n\\n" + b"".join(b"p%d@example.org,%d\\n" % (n, n) for n in range(int(sys.argv[2])))
importing.start(new.account, [body], options=importing.Options(consents={"email": "opted_in"}), filename="p.csv")
"""


def _run(data_dir: Path, *arguments: str, crash_at: str = "") -> int:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PARCOURS", "DJANGO"))}
    environment |= {"PARCOURS_DATA_DIR": str(data_dir), "PARCOURS_CRASH_AT": crash_at}
    done = subprocess.run([sys.executable, *arguments], env=environment, cwd=ROOT, check=False, timeout=120)
    return done.returncode


def _read(data_dir: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(data_dir / "parcours.sqlite3") as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("boundary", ["import.uncommitted:2", "import.batch:1", "import.complete:1"])
def test_killed_at_a_boundary(tmp_path: Path, boundary: str) -> None:
    assert _run(tmp_path, "-c", START, PASSWORD, str(LINES)) == 0
    assert _run(tmp_path, "-m", "parcours.contacts.tests.sweep", crash_at=boundary) == 137
    assert _run(tmp_path, "-m", "parcours.contacts.tests.sweep") == 0
    ((status, accepted, lines, result),) = _read(
        tmp_path, "SELECT status, accepted, done_lines, result FROM accounts_job"
    )
    assert (status, accepted, lines, json.loads(result)["created"]) == ("finished", LINES, LINES, LINES)
    ((contacts, consents),) = _read(
        tmp_path,
        "SELECT (SELECT count(*) FROM contacts_contact), (SELECT count(*) FROM contacts_consentchange)",
    )
    assert (contacts, consents) == (LINES, LINES)
    ((told,),) = _read(tmp_path, "SELECT sum(count) FROM events_journalrow")
    assert told == 2 * LINES + 3  # created and consent for each, and who was touched, once for each chunk
    assert list((tmp_path / "uploads").iterdir()) == []
