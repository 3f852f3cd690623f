"""Claims that others left: taken up by their attempt log, once, and never by a worker that lost them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from parcours.events import journal
from parcours.events.entries import Event
from parcours.events.models import JournalRow
from parcours.lib import clock, leases
from parcours.lib.instants import to_ms
from parcours.messaging.models import Message, Send
from parcours.messaging.sending import attempts, claims, outcomes
from parcours.messaging.sending.attempts import ACCEPTED, BEGUN, DEFERRED, REFUSED, AttemptLog
from parcours.messaging.sending.outcomes import Result
from parcours.messaging.sending.sweep import sweep
from parcours.messaging.sending.transport import Fate, Outcome
from parcours.messaging.tests.conftest import queue_all

pytestmark = [pytest.mark.django_db, pytest.mark.database]

ELSEWHERE = "another-machine/abcdef01/12/345"


def dead_one_of_here() -> str:
    """A process of this machine that no longer runs."""
    return f"{leases.machine()}/{2**22 + 1}/1"


def claimed_by(worker: str, message: Message, people: Any, count: int) -> list[Send]:
    queue_all(message, people(count))
    assert len(claims.claim(worker=worker, limit=100, now=clock.now())) == count
    return list(Send.objects.order_by("id"))


def statuses() -> list[str]:
    return list(Send.objects.order_by("id").values_list("status", flat=True))


def told() -> Counter[str]:
    rows = JournalRow.objects.order_by("id")
    return Counter(
        entry.name for row in rows for entry in journal.decode(row.body) if isinstance(entry, Event)
    )


def test_a_dead_workers_log_says_what_became_of_each(message: Message, people: Any) -> None:
    worker = dead_one_of_here()
    sends = claimed_by(worker, message, people, 6)
    log = AttemptLog(worker)
    at = to_ms(clock.now())
    for send, kind, code, text in (
        (sends[1], None, 0, ""),
        (sends[2], ACCEPTED, 250, "ok"),
        (sends[3], REFUSED, -550, "5.1.1 unknown"),
        (sends[4], DEFERRED, 451, "later"),
        (sends[5], ACCEPTED, 250, "é" * 600),
    ):
        log.write(BEGUN, send.pk, at=at)
        if kind is not None:
            log.write(kind, send.pk, at=at, code=code, text=text)
    log.close()
    assert sweep(worker=leases.me()) == 6
    assert statuses() == ["queued", "unknown", "sent", "refused", "deferred", "sent"]
    assert told() == {"email.sent": 4, "email.delivered": 2, "email.bounced": 1}
    assert sweep(worker=leases.me()) == 0
    assert attempts.read(worker) is None


def test_without_a_log_every_claim_is_of_unknown_fate(message: Message, people: Any) -> None:
    claimed_by(dead_one_of_here(), message, people, 3)
    sweep(worker=leases.me())
    assert statuses() == ["unknown"] * 3


def test_a_log_of_before_the_machines_last_start_is_not_trusted(message: Message, people: Any) -> None:
    host = leases.machine().rpartition("/")[0]
    worker = f"{host}/00000000/12/345"
    claimed_by(worker, message, people, 2)
    AttemptLog(worker).close()
    Send.objects.update(lease_until=clock.machine_ms() - 1)
    sweep(worker=leases.me())
    assert statuses() == ["unknown"] * 2


def test_another_machines_claims_are_its_own_until_the_lease_ends(message: Message, people: Any) -> None:
    claimed_by(ELSEWHERE, message, people, 2)
    assert sweep(worker=leases.me()) == 0
    assert statuses() == ["claimed"] * 2
    Send.objects.update(lease_until=clock.machine_ms() - 1)
    assert sweep(worker=leases.me()) == 2
    assert statuses() == ["unknown"] * 2


def test_a_worker_of_here_that_still_runs_may_wake_up(message: Message, people: Any) -> None:
    claimed_by(leases.me(), message, people, 2)
    Send.objects.update(lease_until=clock.machine_ms() - 1)
    assert sweep(worker="someone else") == 0
    assert statuses() == ["claimed"] * 2


def test_a_worker_that_lost_its_claim_writes_nothing(message: Message, people: Any) -> None:
    (send,) = claimed_by(ELSEWHERE, message, people, 1)
    late = Result(
        send=send.pk,
        account=send.account_id,
        message=message.pk,
        contact=send.contact_id,
        is_test=False,
        journey=7,
        version=1,
        enrolment=1,
        step="mail",
        visit=0,
        attempts=0,
        fence=send.fence,
        address=send.address,
        at=to_ms(clock.now()),
        outcome=Outcome(Fate.ACCEPTED, 250, "ok"),
    )
    Send.objects.update(lease_until=clock.machine_ms() - 1)
    sweep(worker=leases.me())
    before = told()
    assert outcomes.commit([late]) == 0
    assert statuses() == ["unknown"]
    assert told() == before


def test_renewing_holds_a_claim_longer(message: Message, people: Any) -> None:
    queue_all(message, people(1))
    (claim,) = claims.claim(worker=ELSEWHERE, limit=1, now=clock.now())
    Send.objects.update(lease_until=5)
    claims.renew([claim], worker=ELSEWHERE)
    assert Send.objects.get().lease_until == claim.lease_until > clock.machine_ms()
