"""Dies at each boundary of the keeping of segments, one after the other, and goes on (`tests.fixtures.sweep`).

For each boundary a new account has the same people, segments and events, then hours pass, then a segment is edited;
a child keeps the segments.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from parcours.config import startup

startup.setup_django()

from django.db import transaction  # noqa: E402

from parcours.accounts.models import Account  # noqa: E402
from parcours.contacts import actions as contacts  # noqa: E402
from parcours.events import journal  # noqa: E402
from parcours.events.entries import Event  # noqa: E402
from parcours.events.store.client import client, ensure_store  # noqa: E402
from parcours.lib import clock  # noqa: E402
from parcours.lib.ids import new_id  # noqa: E402
from parcours.lib.instants import to_ms  # noqa: E402
from parcours.segments import actions, members, work  # noqa: E402
from parcours.segments.models import Flips, Segment, Stirred  # noqa: E402
from parcours.tracking.digest.run import Digest  # noqa: E402
from tests.fixtures.sweep import sweep  # noqa: E402

MORNING = datetime(2026, 11, 22, 6, tzinfo=UTC)
LATER = timedelta(hours=5, minutes=30)
PEOPLE = 30
CRITERIA = {
    "parity": {"field": "city", "op": "eq", "value": "even"},
    "recent": {"event": "order.placed", "window": {"last": "3h"}},
}


def keep() -> None:
    """Digest and keep segments until nothing is left; then orders come in, and all of it again; then hours pass."""
    account = Account.objects.order_by("-pk")[0]
    if account.postal_address != "later":
        clock.freeze(MORNING)
        _until_quiet()
        _order(account)
        _until_quiet()
        Account.objects.filter(pk=account.pk).update(postal_address="later")
    # Whoever goes on after a kill does so at the hour at which the other was.
    clock.freeze(MORNING + LATER)
    _until_quiet()
    _edit(account)
    _until_quiet()


def _edit(account: Account) -> None:
    """Once, whoever dies: all who were in a segment leave it, and the others enter."""
    segment = Segment.objects.get(account=account, name="parity")
    criteria = {"field": "city", "op": "eq", "value": "odd"}
    if segment.criteria != criteria:
        actions.update(segment=segment, criteria=criteria, now=clock.now())


def _order(account: Account) -> None:
    now = to_ms(clock.now())
    people = list(account.contacts.order_by("pk").values_list("pk", flat=True))
    orders = [
        Event("order.placed", now, now, f"order-{contact}-{place}", contact=contact)
        for contact in people[: PEOPLE // 2]
        for place in range(1 + contact % 2)
    ]
    with transaction.atomic():  # The orders come once, whoever dies.
        if Account.objects.filter(pk=account.pk, postal_address="").update(postal_address="ordered"):
            journal.append(orders, account_id=account.pk)


def _until_quiet() -> None:
    digest = Digest()
    while digest.round() | work.round():
        pass


def prepare(number: int) -> Account:
    """An account with people and segments, nothing of it digested."""
    clock.freeze(MORNING)
    account = Account.objects.create(name=f"Firm {number}", write_key=new_id())
    lines = [
        {"email": f"c{place}@example.org", "city": "even" if place % 2 == 0 else "odd"}
        for place in range(PEOPLE)
    ]
    contacts.upsert_many(account, lines, source="test", now=clock.now())
    for name, criteria in CRITERIA.items():
        actions.create(account=account, name=name, criteria=criteria, now=clock.now())
    return account


def state(account: Account) -> list[dict[str, object]]:
    """What pages say of each segment after a kill: its status, whether it is due, its figure and its list."""
    found = []
    for segment in Segment.objects.filter(account=account).order_by("name"):
        listed = members.members(segment, load=segment.figures_load, limit=1000)
        found.append(
            {
                "status": segment.status,
                "due": segment.next_at is not None and segment.next_at <= MORNING + LATER,
                "profiles": segment.profiles,
                "listed": len(listed),
            }
        )
    return found


def report(account: Account) -> dict[str, object]:
    """Figures, members, and the entries and exits in the store."""
    first = account.contacts.order_by("pk").values_list("pk", flat=True)[0]
    found: dict[str, object] = {
        "stirred": Stirred.objects.filter(account_id=account.pk).count(),
        "flips": Flips.objects.filter(account_id=account.pk).count(),
    }
    for segment in Segment.objects.filter(account=account):
        ids = sorted(
            member.contact - first
            for member in members.members(segment, load=segment.figures_load, limit=1000)
        )
        assert len(ids) == segment.profiles
        rows = client().query(
            "SELECT member, count(), uniqExact(contact) FROM memberships WHERE account = {account:UInt32}"
            " AND segment = {segment:UInt64} GROUP BY member ORDER BY member DESC",
            parameters={"account": account.pk, "segment": segment.pk},
        )
        told = client().query(
            "SELECT name, count(), uniqExact(contact) FROM events WHERE account = {account:UInt32}"
            " AND name IN ('segment.entered', 'segment.left') AND has(texts['segment'], {segment:String})"
            " GROUP BY name ORDER BY name",
            parameters={"account": account.pk, "segment": str(segment.pk)},
        )
        found[segment.name] = [segment.status, ids, list(rows.result_rows), list(told.result_rows)]
    return found


def main() -> None:
    startup.migrate()
    with ensure_store():
        sweep("segments.*", most=80, begin=prepare, do=keep, report=report, between=state)


if __name__ == "__main__":
    main()
