"""Imports of contacts that are killed at a boundary, and go on; prints what is found of each as a line of JSON."""

from __future__ import annotations

import json

from parcours.config import startup

startup.setup_django()

from django.db.models import Sum  # noqa: E402

from parcours.accounts import jobs  # noqa: E402
from parcours.accounts.models import Account, Job  # noqa: E402
from parcours.contacts.importing import actions as importing  # noqa: E402
from parcours.contacts.importing import uploads  # noqa: E402
from parcours.contacts.models import ConsentChange  # noqa: E402
from parcours.events.models import JournalRow  # noqa: E402
from parcours.lib.crashpoints import EXIT_CODE  # noqa: E402
from tests.fixtures.sweep import in_a_child  # noqa: E402

LINES = 12_000
BOUNDARIES = ("import.uncommitted:2", "import.batch:1", "import.complete:1")


def begin(name: str) -> Account:
    """An account whose file of contacts waits to be taken up."""
    account = Account.objects.create(name=name, write_key=name)
    lines = b"".join(b"p%d@example.org,%d\n" % (number, number) for number in range(LINES))
    options = importing.Options(consents={"email": "opted_in"})
    importing.start(account, [b"email,attributes.n\n", lines], options=options, filename="p.csv")
    return account


def take_up() -> None:
    """Do what is waiting."""
    while jobs.round():
        pass


def report(account: Account) -> dict[str, object]:
    """What the import says of itself, and what it left behind."""
    job = Job.objects.get(account=account)
    return {
        "job": [job.status, job.accepted, job.done_lines, job.result["created"]],
        "contacts": account.contacts.count(),
        "consents": ConsentChange.objects.filter(contact__account=account).count(),
        "told": JournalRow.objects.filter(account_id=account.pk).aggregate(told=Sum("count"))["told"],
        "uploads": len(list(uploads.folder().iterdir())),
    }


def main() -> None:
    startup.migrate()
    for boundary in BOUNDARIES:
        account = begin(boundary)
        assert in_a_child(take_up, boundary) == EXIT_CODE, boundary
        assert in_a_child(take_up, "") == 0, boundary
        print(json.dumps({"at": boundary, "found": report(account)}), flush=True)


if __name__ == "__main__":
    main()
