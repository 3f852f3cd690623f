"""What became of claimed sends, committed in batches with the events that tell of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from parcours.events import journal
from parcours.events.entries import Event
from parcours.lib import bulk, clock
from parcours.lib.crashpoints import point
from parcours.messaging.actions import suppress
from parcours.messaging.models import Send, Suppression
from parcours.messaging.sending.replies import HARD, Reason, classify, enhanced_code
from parcours.messaging.sending.transport import Fate, Outcome

_COLUMNS = (
    *("status", "reason", "answer", "attempts", "due_at", "sent_at", "bounced_at"),
    *("worker", "lease_until"),
)


@dataclass(slots=True)
class Result:
    """The outcome of one claimed send; `at` is the product's instant of the answer, in milliseconds."""

    send: int
    account: int
    message: int
    contact: int
    is_test: bool
    journey: int
    version: int
    enrolment: int
    step: str
    visit: int
    attempts: int
    fence: int
    address: str
    at: int
    outcome: Outcome
    skip: str = ""
    business_unit: int | None = None
    opens_tracked: bool = True
    clicks_tracked: bool = True


def commit(results: Sequence[Result]) -> int:
    """Write outcomes and their events, in one transaction. Answers how many were still this worker's to write."""
    if not results:
        return 0
    events: dict[int, list[Event]] = defaultdict(list)
    rows = []
    with transaction.atomic():
        mine = _still_claimed({result.send: result.fence for result in results})
        written = [result for result in results if result.send in mine]
        for result in written:
            row, told = _settle(result)
            rows.append((*row, result.send))
            if not result.is_test:
                events[result.account].extend(told)
        bulk.update_many("messaging_send", _COLUMNS, rows)
        for account, entries in events.items():
            journal.append(entries, account_id=account)
        point("sending.committing")
    point("sending.committed")
    return len(rows)


def _still_claimed(fences: dict[int, int]) -> set[int]:
    among, bound = bulk.among("id", list(fences))
    lock = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, fence FROM messaging_send WHERE status = 'claimed' AND {among}{lock}", [bound]
        )
        return {send for send, fence in cursor.fetchall() if fences[send] == fence}


def _settle(result: Result) -> tuple[tuple[Any, ...], list[Event]]:
    """The new values of a send's row, and the events that tell of it."""
    outcome, at, attempts = result.outcome, result.at, result.attempts
    answer = f"{outcome.code} {outcome.text}".strip() if outcome.code else outcome.text
    answer = answer.replace("\x00", "")[:2000].encode("utf-8", "replace").decode()
    status, reason, due = Send.Status.SENT, "", at
    sent_at: int | None = at
    bounced_at: int | None = None
    events: list[Event] = []
    if result.skip:
        return (Send.Status.SKIPPED, result.skip, answer, attempts, at, None, None, "", 0), []
    if outcome.fate is Fate.UNTRIED:
        return (Send.Status.QUEUED, "", answer, attempts, at, None, None, "", 0), []
    attempts += 1
    if outcome.fate is Fate.ACCEPTED:
        events = [_sent(result), _event(result, "email.delivered")]
    elif outcome.fate is Fate.UNKNOWN:
        status, reason = Send.Status.UNKNOWN, "connection_lost"
        events = [_sent(result, {"fate": "unknown"})]
    else:
        why = classify(outcome.code, outcome.text, at_recipient=outcome.at_recipient)
        reason = why.reason
        pause = _pause(attempts) if outcome.fate is Fate.DEFERRED else None
        if pause is not None:
            status, sent_at, due = Send.Status.DEFERRED, None, at + pause
        else:
            status, bounced_at = Send.Status.REFUSED, at
            events = _bounce(result, why, answer)
    return (status, reason, answer, attempts, due, sent_at, bounced_at, "", 0), events


def _pause(attempts: int) -> int | None:
    """How long until the next try, in product milliseconds; None when tries have ended.

    The pauses are the machine's time (a server's mood does not follow the product's clock), each send a little
    apart so that a whole audience does not come back at once.
    """
    pauses = settings.EMAIL_RETRY_SECONDS
    if attempts > len(pauses):
        return None
    return int(pauses[attempts - 1] * 1000 * clock.speed())


def _bounce(result: Result, why: Reason, answer: str) -> list[Event]:
    type_ = "soft" if result.outcome.fate is Fate.DEFERRED and why.type == HARD else why.type
    if type_ == HARD and not result.is_test:
        suppress(
            account_id=result.account,
            channel="email",
            address=result.address,
            reason=Suppression.Reason.HARD_BOUNCE,
            contact_id=result.contact,
            send_id=result.send,
            now=clock.now(),
        )
    properties = {
        "type": type_,
        "reason": why.reason,
        "code": result.outcome.code,
        "status": enhanced_code(result.outcome.text),
        "answer": answer[:500],
    }
    return [_sent(result), _event(result, "email.bounced", properties)]


def _sent(result: Result, properties: dict[str, Any] | None = None) -> Event:
    """The send itself, which says what of it is not tracked: what nobody counts is not the same as none."""
    properties = dict(properties or {})
    if not result.opens_tracked:
        properties["tracked_opens"] = False
    if not result.clicks_tracked:
        properties["tracked_clicks"] = False
    return _event(result, "email.sent", properties)


def _event(result: Result, name: str, properties: dict[str, Any] | None = None) -> Event:
    properties = dict(properties or {})
    if result.business_unit is not None:
        properties["business_unit"] = str(result.business_unit)
    return Event(
        name=name,
        occurred_at=result.at,
        received_at=result.at,
        message_id=f"send-{result.send}-{name.partition('.')[2]}",
        contact=result.contact,
        properties=properties,
        journey=result.journey,
        version=result.version,
        step=result.step,
        enrolment=result.enrolment,
        visit=result.visit,
        message=result.message,
        send=str(result.send),
    )
