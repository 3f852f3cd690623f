"""`parcours import` with no server running: it starts what it needs, waits until all is digested, and ends."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.fixtures.data_dirs import DATABASE, environment

CONTACTS = "email,first_name\nada@example.org,Ada\nbob@example.org,Bob\nnot-an-address,Eve\n"
EVENTS = "\n".join(
    json.dumps(
        {"name": name, "occurred_at": "2026-01-05T10:00:00Z", "contact": {"email": email}, "message_id": id}
    )
    for name, email, id in (
        ("order.placed", "ada@example.org", "1"),
        ("order.placed", "carol@example.org", "2"),
        ("order.invented", "ada@example.org", "3"),
    )
)


def parcours(data: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """As anyone runs it: with the password hasher of real installations too."""
    own = environment(data)
    own.pop("PYTEST_VERSION", None)
    return subprocess.run(
        [sys.executable, "-m", "parcours", *arguments],
        env=own,
        capture_output=True,
        text=True,
        check=check,
        timeout=120,
    )


def told(done: subprocess.CompletedProcess[str]) -> Any:
    """The JSON that is alone on stdout."""
    return json.loads(done.stdout)


def test_contacts_then_events_are_imported_without_a_server(tmp_path: Path) -> None:
    parcours(tmp_path, "account", "create", "Shop", "--email", "a@example.org", "--password", "secret")
    with sqlite3.connect(tmp_path / DATABASE) as database:
        assert database.execute("SELECT substr(password, 1, 14) FROM accounts_user").fetchone() == (
            "pbkdf2_sha256$",
        )
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    (tmp_path / "events.ndjson").write_text(EVENTS)

    job = told(parcours(tmp_path, "import", "contacts", str(tmp_path / "contacts.csv"), "--account", "Shop"))
    assert (job["status"], job["accepted"], [each["line"] for each in job["refused"]]) == ("finished", 2, [4])

    job = told(parcours(tmp_path, "import", "events", str(tmp_path / "events.ndjson"), "--history"))
    assert (job["status"], job["accepted"], [each["line"] for each in job["refused"]]) == ("finished", 2, [3])

    wrong = parcours(
        tmp_path, "import", "contacts", str(tmp_path / "contacts.csv"), "--account", "Nobody", check=False
    )
    assert wrong.returncode != 0
    assert wrong.stdout == ""
    assert "Nobody" in wrong.stderr
