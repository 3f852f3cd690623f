"""Dies at each boundary of the digest, one after the other, and goes on (`tests.fixtures.sweep`).

For each boundary a new account receives the same calls, and a child digests them.
"""

from __future__ import annotations

import msgspec

from parcours.config import startup

startup.setup_django()

from django.db import connection  # noqa: E402

from parcours.accounts.models import Account  # noqa: E402
from parcours.events import journal  # noqa: E402
from parcours.events.entries import Call, Event, Linked, Said  # noqa: E402
from parcours.events.models import JournalRow, Load, SeenMessage  # noqa: E402
from parcours.events.store.client import client, ensure_store  # noqa: E402
from parcours.lib import clock  # noqa: E402
from parcours.lib.instants import to_ms  # noqa: E402
from parcours.tracking import fanout, identity  # noqa: E402
from parcours.tracking.digest.run import Digest  # noqa: E402
from tests.fixtures.sweep import sweep  # noqa: E402


class Listener:
    """Counts what it was told, in the transaction that marks the load done."""

    def prepare(self, batch: fanout.Batch) -> list[tuple[int, int, str, int]]:
        return [(batch.account_id, batch.load_id, event.name, event.contact) for event in batch.events]

    def apply(self, batch: fanout.Batch, prepared: list[tuple[int, int, str, int]]) -> None:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO told VALUES (%s, %s, %s, %s)", prepared)


def receive(number: int) -> Account:
    """What comes in: anonymous pages, an identify, a form, a repeated call, and an event of the engine's."""
    account = Account.objects.create(name=str(number), write_key=f"wk{number}")
    now, message = to_ms(clock.now()), iter(range(1000))

    def call(kind: str, **body: object) -> Call:
        return Call(kind, msgspec.convert(body, Said), now, now, f"m{next(message)}")

    calls = [call("page", anonymousId=f"a{index % 3}") for index in range(9)]
    calls.append(call("identify", anonymousId="a0", userId="ann", traits={"email": "ann@example.org"}))
    calls.append(
        call("track", event="form.submitted", anonymousId="a1", properties={"email": "bob@example.org"})
    )
    calls.append(call("track", event="Tried", userId="ann"))
    calls += [calls[-1]] * 3
    collected = journal.open_collector_journal(writer=True)
    shard = journal.shard_of(account.pk)
    collected.append_many([(account.pk, shard, 1, now, journal.encode([each])) for each in calls])
    collected.close()
    tied = Linked(identity.browser_of(account.pk, "a2"), 10_000_000 + account.pk)
    journal.append([Event("engine.did", now, now, "own", contact=9_000_000), tied], account_id=account.pk)
    return account


def digest() -> None:
    """Digest until nothing is left."""
    worker = Digest()
    while worker.round():
        pass


def report(account: Account) -> dict[str, object]:
    """What the store and the state database hold of the account."""

    def ask(sql: str) -> list[list[object]]:
        return sorted(list(row) for row in client().query(sql, {"account": account.pk}).result_rows)

    with connection.cursor() as cursor:
        cursor.execute("SELECT name, count(*) FROM told WHERE account = %s GROUP BY name", [account.pk])
        told = sorted([name, count] for name, count in cursor.fetchall())
    people = dict(account.contacts.values_list("id", "email"))
    return {
        "events": ask("SELECT name, count() FROM events WHERE account = {account:UInt32} GROUP BY name"),
        "owners": sorted(
            [str(people.get(int(str(contact)), "nobody")), count]
            for contact, count in ask(
                "SELECT contact, count() FROM events WHERE account = {account:UInt32} GROUP BY contact"
            )
        ),
        "links": ask("SELECT count(), uniq(visitor, contact) FROM links WHERE account = {account:UInt32}"),
        "profiles": ask("SELECT uniq(contact), uniq(email) FROM profiles WHERE account = {account:UInt32}"),
        "told": told,
        "seen": SeenMessage.objects.filter(account_id=account.pk).count(),
        "contacts": sorted(map(str, people.values())),
        "left": JournalRow.objects.count()
        + Load.objects.filter(account_id=account.pk).exclude(status="done").count()
        + len(journal.open_collector_journal().read(0, 10)),
    }


def main() -> None:
    startup.migrate()
    fanout._listeners[:] = [Listener()]  # The other packages' own listeners have sweeps of their own.
    with ensure_store():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE told (account integer, load integer, name text, contact integer)")
        sweep("digest.*", most=200, begin=receive, do=digest, report=report)


if __name__ == "__main__":
    main()
