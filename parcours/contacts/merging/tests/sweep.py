"""Dies at each boundary of merging, parting, looking for duplicates and forgetting (`tests.fixtures.sweep`).

For each boundary a new account has the same people, under way in a journey; a child does everything below.
"""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

from parcours.config import startup

startup.setup_django()

from parcours.accounts import jobs  # noqa: E402
from parcours.accounts.models import Account, Job  # noqa: E402
from parcours.contacts import actions as contacts  # noqa: E402
from parcours.contacts.merging import forgetting, pairs, parting  # noqa: E402
from parcours.contacts.merging.models import Merge, Pair  # noqa: E402
from parcours.contacts.queries import described  # noqa: E402
from parcours.events import watermark  # noqa: E402
from parcours.events.store.client import client, ensure_store  # noqa: E402
from parcours.journeys import actions as journeys  # noqa: E402
from parcours.journeys import work as engine  # noqa: E402
from parcours.journeys.engine import programs  # noqa: E402
from parcours.journeys.models import Enrolment, Journey  # noqa: E402
from parcours.lib import clock  # noqa: E402
from parcours.lib.ids import new_id  # noqa: E402
from parcours.lib.problems import NotFound  # noqa: E402
from parcours.reports import answers  # noqa: E402
from parcours.reports.filters import RunFilter  # noqa: E402
from parcours.segments import actions as segments  # noqa: E402
from parcours.segments import work as keeper  # noqa: E402
from parcours.segments.models import Segment  # noqa: E402
from parcours.tracking.digest.run import Digest  # noqa: E402
from tests.fixtures.sweep import sweep  # noqa: E402

#: merging.*, duplicates.*, forgetting.*, by their first two letters.
BOUNDARIES = "[mdf][euo]*"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
LINES = (
    {"email": "zoe@shop.fr", "city": "Lyon"},
    {"email": "zoe+a@shop.fr", "external_id": "z"},
    {"email": "zoe+b@shop.fr"},
    {"email": "bob@shop.fr"},
    {"email": "bob+a@shop.fr", "first_name": "Bob"},
)


def prepare(number: int) -> Account:
    """An account whose people are under way in a journey."""
    programs.forget()
    clock.freeze(START)
    account = Account.objects.create(name=f"Firm {number}", write_key=new_id())
    contacts.upsert_many(account, LINES, source="test", now=clock.now())
    segments.create(account=account, name="everyone", criteria={"all": []}, now=clock.now())
    steps = [{"id": "wait", "type": "delay", "for": "1d"}]
    document = {"name": "J", "entry": {"triggers": [{"type": "api"}]}, "start": "wait", "steps": steps}
    journey = journeys.create(account, document, now=clock.now())
    journeys.activate(journey, now=clock.now())
    return account


def quiet() -> None:
    """Until nothing is left to do."""
    digest = Digest()
    while digest.round() | engine.round() | keeper.round() | jobs.round():
        pass


def act() -> None:
    """Look for duplicates, merge them, part two again, erase one; whoever goes on does what is not done."""
    account = Account.objects.order_by("-pk")[0]
    people = list(account.contacts.order_by("pk").values_list("pk", flat=True))
    quiet()
    journey = Journey.objects.get(account=account)
    if not Enrolment.objects.filter(journey=journey).exists():
        journeys.enrol(journey, people, now=clock.now())
        quiet()
    if not Job.objects.filter(account=account, kind=pairs.SEARCH).exists():
        pairs.start_search(account)
    quiet()
    if not Job.objects.filter(account=account, kind=pairs.MERGE).exists():
        pairs.start_merging(account, by=None)
    quiet()
    with contextlib.suppress(NotFound):  # It may have been done before the kill.
        parting.unmerge(account, contact=people[0], source="test", now=clock.now())
    quiet()
    contacts.erase(account_id=account.pk, contact_ids=[people[4]], now=clock.now())
    quiet()
    forgetting.run()


def report(account: Account) -> dict[str, object]:
    """Who is who, where the runs stand, the figures, and what the store holds; ids are places."""
    clock.freeze(START)
    people = list(account.contacts.order_by("pk").values_list("pk", flat=True))
    place = {contact: number for number, contact in enumerate(people)}
    journey = Journey.objects.get(account=account)
    told = answers.statistics(journey, mark=watermark.current(account.pk), chosen=RunFilter())
    told.pop("as_of")
    runs = Enrolment.objects.filter(journey=journey).order_by("pk")
    living = account.contacts.filter(erased_at=None).order_by("pk").values_list("pk", flat=True)
    texts = client().query(
        "SELECT count(), countIf(position(toString(texts), 'shop.fr') > 0 OR position(properties, 'shop.fr') > 0)"
        " FROM events WHERE account = {account:UInt32} AND contact = {erased:UInt64}",
        parameters={"account": account.pk, "erased": people[4]},
    )
    mirrored = client().query(
        "SELECT countIf(email != '') FROM profiles WHERE account = {account:UInt32} AND contact = {erased:UInt64}",
        parameters={"account": account.pk, "erased": people[4]},
    )
    return {
        "living": [place[contact] for contact in living],
        "emails": [person["email"] for person in described(list(living))],
        "merges": [
            (place[merge.into_id], place[merge.merged_id], merge.undone_at is not None)
            for merge in Merge.objects.filter(account=account).order_by("merged_id")
        ],
        "runs": [(place[run.contact_id], run.status, run.reason) for run in runs],
        "figures": told,
        "profiles": Segment.objects.get(account=account).profiles,
        "pairs": Pair.objects.filter(account=account, dismissed_at=None).count(),
        "store": [list(row) for row in (*texts.result_rows, *mirrored.result_rows)],
    }


def main() -> None:
    startup.migrate()
    with ensure_store():
        sweep(BOUNDARIES, most=60, begin=prepare, do=act, report=report)


if __name__ == "__main__":
    main()
