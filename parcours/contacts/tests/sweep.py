"""Dies at each boundary of the work on many contacts (`tests.fixtures.sweep`).

For each boundary a new account has the same people and a file that waits; a child imports it, takes the import back,
gives everybody a tag and takes that back, then changes attributes, a few contacts at a time.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from unittest import mock

from parcours.config import startup

startup.setup_django()

from parcours.accounts import jobs  # noqa: E402
from parcours.accounts.models import Account, Job  # noqa: E402
from parcours.contacts import actions as contacts  # noqa: E402
from parcours.contacts import attribute_changes, bulk  # noqa: E402
from parcours.contacts.audience import Audience  # noqa: E402
from parcours.contacts.importing import actions as importing  # noqa: E402
from parcours.contacts.importing import reading, taking, undoing, uploads  # noqa: E402
from parcours.contacts.importing.models import Import, ImportChange, ImportPart  # noqa: E402
from parcours.contacts.models import BulkStep, ConsentChange  # noqa: E402
from parcours.contacts.queries import described  # noqa: E402
from parcours.events.store.client import client, ensure_store  # noqa: E402
from parcours.lib import clock  # noqa: E402
from parcours.lib.ids import new_id  # noqa: E402
from parcours.tracking.digest.run import Digest  # noqa: E402
from tests.fixtures.sweep import sweep  # noqa: E402

#: import.*, undo.*, bulk.*, attribute.*, by their first two letters.
BOUNDARIES = "[iuba][mnut]*"
KNOWN, NEW = 6, 9
COUNTED = ("created", "updated", "changed", "erased", "restored", "kept")


def begin(number: int) -> Account:
    """An account whose file of contacts waits to be taken up."""
    account = Account.objects.create(name=f"Firm {number}", write_key=new_id())
    known = [
        {"email": f"k{place}@example.org", "attributes": {"points": str(place), "size": "38"}}
        for place in range(KNOWN)
    ]
    contacts.upsert_many(account, known, source="test", now=clock.now())
    people = [f"k{place}@example.org,Ada,7\n" for place in range(KNOWN)]
    people += [f"n{place}@example.org,Bob,8\n" for place in range(NEW)]
    people.sort(key=lambda line: line[1:])
    lines = ["email,first_name,attributes.points\n", *people]
    options = importing.Options(consents={"email": "opted_in"}, tags=["fair"])
    importing.start(account, [line.encode() for line in lines], options=options, filename="p.csv")
    return account


def act() -> None:
    """Everything, one after the other; whoever goes on does what is not done."""
    account = Account.objects.order_by("-pk")[0]
    _digest()
    _work()
    imported = Import.objects.get(account=account)
    if imported.undo_id is None:
        _digest()  # Who has been active since is asked of the store.
        undoing.start(imported)
    _work()
    if not Job.objects.filter(account=account, kind=bulk.KIND).exists():
        bulk.start(account, Audience(), "add_tag", {"tag": "new"})
    _work()
    tagging = Job.objects.get(account=account, kind=bulk.KIND)
    if bulk.can_undo(tagging):
        bulk.undo(tagging)
    _work()
    for definition in account.attributes.filter(name="points"):
        attribute_changes.rename(definition, "score")
    _work()
    for definition in account.attributes.filter(name="score", type="text"):
        attribute_changes.change_type(definition, "number")
    _work()
    for definition in account.attributes.filter(name="size"):
        attribute_changes.delete(definition)
    _work()
    _digest()


def _work() -> None:
    while jobs.round():
        pass


def _digest() -> None:
    digest = Digest()
    while digest.round():
        pass


def few_at_once() -> None:
    """`act`, with batches that hold a few contacts."""
    with (
        mock.patch.object(reading, "chunks", partial(reading.chunks, size=5)),
        mock.patch.object(taking, "_LONGEST_SECONDS", 0),
        mock.patch.object(undoing, "_AT_ONCE", 4),
        mock.patch.object(bulk, "_AT_ONCE", 4),
        mock.patch.object(attribute_changes, "_AT_ONCE", 4),
    ):
        act()


def report(account: Account) -> dict[str, object]:
    """What the jobs say of themselves, what became of whom, and what the store was told."""
    living = account.contacts.filter(erased_at=None).order_by("pk")
    told = client().query(
        "SELECT name, count() FROM events WHERE account = {account:UInt32} GROUP BY name ORDER BY name",
        parameters={"account": account.pk},
    )
    return {
        "jobs": [
            [job.kind, job.status, job.accepted, job.done_lines]
            + [f"{job.result[name]} {name}" for name in COUNTED if name in job.result]
            for job in Job.objects.filter(account=account).order_by("pk")
        ],
        "people": [
            [person["email"], person["first_name"], person["tags"], person["attributes"]]
            for person in described(list(living.values_list("pk", flat=True)))
        ],
        "attributes": sorted(account.attributes.values_list("name", "type")),
        "erased": account.contacts.exclude(erased_at=None).count(),
        "consents": sorted(
            Counter(
                ConsentChange.objects.filter(contact__account=account).values_list("after", "source")
            ).items()
        ),
        "left": [
            ImportPart.objects.filter(imported__account=account).exclude(created=b"").count(),
            ImportChange.objects.filter(imported__account=account).count(),
            len(list(uploads.folder().iterdir())),
        ],
        "steps": BulkStep.objects.filter(job__account=account).count(),
        "told": [list(row) for row in told.result_rows],
    }


def main() -> None:
    startup.migrate()
    with ensure_store():
        sweep(BOUNDARIES, most=80, begin=begin, do=few_at_once, report=report)


if __name__ == "__main__":
    main()
