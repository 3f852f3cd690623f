"""What becomes of the claims of a worker that died or lost its lease."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from parcours.lib import bulk, clock, leases
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.messaging.models import Message, Send
from parcours.messaging.sending import attempts, outcomes
from parcours.messaging.sending.attempts import ACCEPTED, BEGUN, DEFERRED, REFUSED, Attempt
from parcours.messaging.sending.outcomes import Result
from parcours.messaging.sending.transport import Fate, Outcome

#: A worker of this machine that runs but let its lease go (a stopped process, a machine without breath) may still
#: wake up; its claims are left alone this much longer, in milliseconds.
_LET_SLEEP = 60_000

_COLUMNS = (
    "id, account_id, message_id, contact_id, is_test, journey_id, version, enrolment_id, step, visit, attempts,"
    " fence, address, worker"
)
_FATES = {ACCEPTED: Fate.ACCEPTED, REFUSED: Fate.REFUSED, DEFERRED: Fate.DEFERRED}


def sweep(*, worker: str) -> int:
    """Take up the claims that others left. Answers how many.

    By the dead worker's attempt log: never begun, queued again; answered, as answered; begun without an answer,
    of unknown fate, and so never sent again blindly. Without its log (another machine's, or this machine started
    anew) every claim of its is of unknown fate.
    """
    taken = 0
    for other in _holders():
        if other == worker or not _is_lost(other):
            continue
        # What a log holds is sure only while the machine that wrote it has not started anew.
        log = attempts.read(other) if _is_of_here(other) else None
        while batch := _claims_of(other):
            _settle(batch, log)
            taken += len(batch)
            point("sending.swept")
        attempts.discard(other)
    return taken


def _holders() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT worker FROM messaging_send WHERE status = 'claimed'")
        return [row[0] for row in cursor.fetchall()]


def _is_lost(worker: str) -> bool:
    if leases.is_dead(worker):
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT MAX(lease_until) FROM messaging_send WHERE status = 'claimed' AND worker = %s", [worker]
        )
        row = cursor.fetchone()
    until = row[0] if row and row[0] is not None else 0
    return until + (_LET_SLEEP if _is_of_here(worker) else 0) < clock.machine_ms()


def _is_of_here(worker: str) -> bool:
    """Whether a worker runs, or ran, on this machine since its last start."""
    return worker.startswith(f"{leases.machine()}/")


def _claims_of(worker: str, *, limit: int = 1_000) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM messaging_send WHERE status = 'claimed' AND worker = %s ORDER BY id LIMIT %s",
            [worker, limit],
        )
        return cursor.fetchall()


def _settle(batch: list[tuple[Any, ...]], log: dict[int, Attempt] | None) -> None:
    messages = Message.objects.in_bulk({row[2] for row in batch})
    begun, untouched = [], []
    for row in batch:
        attempt = log.get(row[0]) if log is not None else Attempt(BEGUN, to_ms(clock.now()), 0, "")
        if attempt is None:
            untouched.append(row)
        else:
            begun.append(_result(row, attempt, messages[row[2]]))
    with transaction.atomic():
        bulk.update_many(
            "messaging_send",
            ("status", "worker", "lease_until"),
            [(Send.Status.QUEUED, "", 0, row[0], row[11], "claimed") for row in untouched],
            key=("id", "fence", "status"),
        )
    outcomes.commit(begun)


def _result(row: tuple[Any, ...], attempt: Attempt, message: Message) -> Result:
    fate = _FATES.get(attempt.kind, Fate.UNKNOWN)
    return Result(
        send=row[0],
        account=row[1],
        message=row[2],
        contact=row[3],
        is_test=bool(row[4]),
        journey=row[5] or 0,
        version=row[6] or 0,
        enrolment=row[7] or 0,
        step=row[8],
        visit=row[9],
        attempts=row[10],
        fence=row[11],
        address=row[12],
        at=attempt.at,
        outcome=Outcome(fate, abs(attempt.code), attempt.text, at_recipient=attempt.code < 0),
        business_unit=message.business_unit_id,
        opens_tracked=message.track_opens,
        clicks_tracked=message.track_clicks,
    )
