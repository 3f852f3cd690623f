"""The pages that list people, over a million contacts with twenty attributes: contacts, and a segment's profiles.

Pages are asked for as a browser asks for them, of Django in this process, beside the store's own process; each once to
warm up, then five times. What the page leaves to a second request (how many a wide filter finds) is told beside.

    parcours bench pages
    python -m benchmarks.pages --contacts 100000    # another size, printed only
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.installation import Installation, apart, installation, setup_django
from benchmarks.report import Figure, table

CONTACTS = 1_000_000
SLOWEST_MS = 200
_RUNS = 5


def lay(contacts: int) -> None:
    """Lay the contacts in both databases, lists, tags, and three segments: everyone, a tenth, and five hundred."""
    setup_django()
    from django.db import connection

    from benchmarks import segments_world
    from benchmarks.segments import _wait_for_store
    from parcours.accounts.models import Account
    from parcours.contacts.models import List
    from parcours.events.store.client import writer
    from parcours.lib import clock
    from parcours.lib.instants import to_ms
    from parcours.segments.models import Segment

    _wait_for_store()
    account, now = Account.objects.get(), clock.now()
    # No events: the mirror, the state and the load that dates them.
    segments_world.lay(account, events=0, contacts=contacts, now=to_ms(now))
    wide = List.objects.create(account=account, name="Wide", created_at=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_contact SET created_at = created_at + id, last_seen_at ="
                       " CASE WHEN id % 3 = 0 THEN updated_at + id % 1000000 END")  # fmt: skip
        cursor.execute("UPDATE contacts_contact SET consent_sms = 'opted_in' WHERE id % 5000 = 7")
        cursor.execute(
            "INSERT INTO contacts_listmember (list_id, contact_id, source, joined_at)"
            " SELECT %s, id, 'bench', 0 FROM contacts_contact WHERE id %% 5 < 2",
            [wide.pk],
        )
        for name, every in (("wide", 3), ("rare", 20_000)):
            cursor.execute(
                "INSERT INTO contacts_tag (account_id, contact_id, name)"
                " SELECT account_id, id, %s FROM contacts_contact WHERE id %% %s = 0",
                [name, every],
            )
        cursor.execute("INSERT INTO contacts_search(contacts_search) VALUES ('rebuild')")
        cursor.execute("UPDATE contacts_indexed SET upto = (SELECT max(id) FROM contacts_contact)")
        cursor.execute("DELETE FROM contacts_unindexed")
    for name, every in (("Everyone", 1), ("A tenth", 10), ("Few", max(1, contacts // 500))):
        made = Segment.objects.create(
            account=account,
            name=name,
            criteria={"all": []},
            status="up_to_date",
            profiles=contacts // every,
            figures_at=now,
            figures_load=1,
            computed_at=now,
            created_at=now,
        )
        writer().command(
            "INSERT INTO memberships (account, segment, contact, member, at, load, position) SELECT"
            f" {account.pk}, {made.pk}, number * {every} + 1, 1,"
            f" fromUnixTimestamp64Milli(toInt64({to_ms(now)}) - cityHash64(number) % 8640000000, 'UTC'), 1, number"
            f" FROM numbers({contacts // every})"
        )
    writer().command("OPTIMIZE TABLE memberships FINAL")
    segments_world.settle()


def measure(store: int) -> dict[str, list[float]]:
    """Of each page, the median of its milliseconds, and of those for which processors worked (`store`: its process)."""
    setup_django()
    from django.test import Client

    from parcours.accounts.models import User
    from parcours.contacts.models import List
    from parcours.segments.models import Segment

    reader = Client(headers={"host": "127.0.0.1"})
    reader.force_login(User.objects.get())
    (wide,) = List.objects.values_list("pk", flat=True)
    segments = dict(Segment.objects.values_list("name", "pk"))
    everyone, tenth, few = (f"/segments/{segments[name]}" for name in ("Everyone", "A tenth", "Few"))
    asked = {
        "contacts: first page": "/contacts/",
        **{
            f"contacts: by {name}": f"/contacts/?sort={sort}"
            for name, sort in (("name", "name"), ("e-mail", "email"), ("last sight", "-last_seen_at"))
        },
        "contacts: a search for one": "/contacts/?search=c77123@example.org&sort=name",
        "contacts: a search for two thousand": "/contacts/?search=first77&sort=name",
        "contacts: a search for everyone": "/contacts/?search=example&sort=name",
        "contacts: who opted in to e-mail, a third": "/contacts/?consent=email:opted_in&sort=name",
        "contacts: who opted in to SMS, few": "/contacts/?consent=sms:opted_in&sort=name",
        "contacts: on a list, two in five": f"/contacts/?list={wide}&sort=name",
        "contacts: with a tag, a third": "/contacts/?tag=wide&sort=name",
        "contacts: with a tag, few": "/contacts/?tag=rare&sort=name",
        "contacts: who have an attribute": "/contacts/?attribute=plan&sort=name",
        "contacts: of a segment of everyone": f"/contacts/?segment={segments['Everyone']}&sort=name",
        "contacts: of a segment of a tenth": f"/contacts/?segment={segments['A tenth']}&sort=name",
        "contacts: of a segment of five hundred": f"/contacts/?segment={segments['Few']}&sort=name",
        "profiles: first page": everyone,
        **{f"profiles: by {name}": f"{everyone}?sort={name}" for name in ("name", "email", "email_opt_in")},
        "profiles: by name, falling": f"{everyone}?sort=-name",
        "profiles: a search for one": f"{everyone}?q=c77123@example",
        "profiles: a search for two thousand, by name": f"{everyone}?q=first77+last&sort=name",
        "profiles: a search for everyone": f"{everyone}?q=example.org",
        "profiles of a tenth: by name": f"{tenth}?sort=name",
        "profiles of five hundred: by name": f"{few}?sort=name",
        "counting whoever has an attribute": "/contacts/count?attribute=plan",
        "counting a search for everyone": "/contacts/count?search=example",
        "counting a segment of everyone": f"/contacts/count?segment={segments['Everyone']}",
    }
    told = {}
    for name, address in asked.items():
        told[name] = _timed(reader, address, store)
        print(name, *(f"{one:.0f}" for one in told[name]), file=sys.stderr, flush=True)
        if name.startswith(("contacts: by", "profiles: by")) or name.endswith("first page"):
            late = address
            for _page in range(3):
                text = reader.get(late).content.decode()
                late = address.partition("?")[0] + text.split('rel="next" href="')[1].split('"')[0]
                late = late.replace("&amp;", "&")
            told[f"{name}, three pages on"] = _timed(reader, late, store)
    return told


def _timed(reader: Any, address: str, store: int) -> list[float]:
    taken, worked = [], []
    for _run in range(_RUNS + 1):
        busy, started = time.process_time() + _busy(store), time.perf_counter()
        answer = reader.get(address)
        taken.append((time.perf_counter() - started) * 1000)
        worked.append((time.process_time() + _busy(store) - busy) * 1000)
        if answer.status_code != 200:
            raise RuntimeError(f"{address}: {answer.status_code}")
    return [statistics.median(taken[1:]), statistics.median(worked[1:])]


def _busy(process: int) -> float:
    """The seconds that processors worked for a process."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def figures(site: Installation, contacts: int) -> list[Figure]:
    """What one size gives: for each kind of page, its slowest and what that is of."""
    store = site.start("store")
    apart("pages.lay", site.environment, contacts)
    told: dict[str, list[float]] = apart("pages.measure", site.environment, store.pid)
    found = []
    for kind, title in (("contacts", "the page of contacts"), ("profiles", "a segment’s profiles")):
        pages = {name: taken[0] for name, taken in told.items() if name.startswith(kind)}
        slowest = max(pages, key=lambda name: pages[name])
        within = sum(taken <= SLOWEST_MS for taken in pages.values())
        found.append(
            Figure(
                f"{title}, {contacts:,} of them, {len(pages)} orders, searches and filters",
                f"{statistics.median(pages.values()):.0f} ms; {within} of {len(pages)} within {SLOWEST_MS} ms",
                f"the slowest: {pages[slowest]:.0f} ms, {told[slowest][1]:.0f} ms of processors"
                f" ({slowest.partition(': ')[2]})",
                to_reach=f"≤ {SLOWEST_MS} ms each",
                reached=within == len(pages),
            )
        )
    return found


def run() -> list[Figure]:
    """Everything, on an installation of its own."""
    with installation() as site:
        return figures(site, CONTACTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=CONTACTS)
    arguments = parser.parse_args()
    with installation() as site:
        print(table(figures(site, arguments.contacts)))


if __name__ == "__main__":
    main()
