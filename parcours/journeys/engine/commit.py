"""Writes what a batch decided, in one transaction: all of it or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction

from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.events import journal
from parcours.journeys.engine import parts
from parcours.journeys.engine.outcome import Outcome
from parcours.journeys.engine.programs import Programs
from parcours.journeys.engine.runs import Run
from parcours.journeys.steps.base import Change
from parcours.lib import bulk
from parcours.lib.crashpoints import point
from parcours.lib.instants import from_ms
from parcours.messaging import actions as messaging

_NEW = (
    "account_id",
    "journey_id",
    "once",
    *("id", "version", "contact_id", "run_key", "status", "reason", "step", "visit"),
    *("entered_at", "origin_at", "step_at", "due_at", "waiting", "cause_id", "context", "error", "ended_at"),
)
_MOVED = (
    *("status", "reason", "step", "visit", "step_at", "due_at"),
    *("waiting", "cause_id", "error", "ended_at"),
)
_COUNTED = (
    "(journey_id, version, step) DO UPDATE SET passages = journeys_stepcount.passages + excluded.passages"
)


def commit(outcome: Outcome, programs: Programs, held: parts.Claim, *, release: bool) -> None:
    """Write it. Raises StaleClaim when the parts are no longer ours; nothing is written then."""
    with transaction.atomic():
        parts.check(held, release=release)
        point("engine.checked")
        write_runs(outcome, programs)
        point("engine.moved")
        _take(outcome)
        journal.append(outcome.entries, account_id=programs.account)
        point("engine.told")
        _queue(outcome, programs)
        point("engine.queued")
        _change(outcome, programs)
        point("engine.written")
    point("engine.committed")


def write_runs(outcome: Outcome, programs: Programs) -> None:
    """The runs as they are now, and what was counted of them, in the caller's transaction."""
    account, journey = programs.account, programs.journey
    new, moved = [], []
    for run in outcome.runs.values():
        if run.new:
            once = True if programs.versions[run.version].document.mode == "once" else None
            new.append(
                (
                    account, journey, once,
                    run.id, run.version, run.contact, run.key, run.status, run.reason, run.step, run.visit,
                    run.entered_at, run.origin_at, run.step_at, run.due_at, run.waiting, run.cause_id, run.context,
                    run.error, run.ended_at,
                )
            )  # fmt: skip
        else:
            moved.append(
                (
                    run.status, run.reason, run.step, run.visit, run.step_at, run.due_at,
                    run.waiting, run.cause_id, run.error, run.ended_at,
                    run.id,
                )
            )  # fmt: skip
    # A contact whose run has just ended may have entered again: what ended makes room first.
    bulk.update_many("journeys_enrolment", _MOVED, moved)
    bulk.insert_many("journeys_enrolment", _NEW, new)
    bulk.insert_many(
        "journeys_stepcount",
        ("journey_id", "version", "step", "passages"),
        [(journey, version, step, count) for (version, step), count in outcome.counts.items()],
        on_conflict=_COUNTED,
    )


def _take(outcome: Outcome) -> None:
    bulk.insert_many(
        "journeys_taken",
        ("journey_id", "contact_id", "cause_id", "verdict", "at"),
        [(outcome.journey, *each) for each in outcome.taken],
        on_conflict="(journey_id, contact_id, cause_id) DO NOTHING",
    )
    if outcome.rows:
        among, rows = bulk.among("id", outcome.rows)
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM journeys_inbox WHERE {among}", [rows])


def _queue(outcome: Outcome, programs: Programs) -> None:
    if not outcome.sends:
        return
    account, journey = programs.account, programs.journey
    context: dict[str, dict[str, Any]] = {"{}": {}}
    sends = []
    for send, run, _at, step, visit in outcome.sends:
        if run.context not in context:
            context[run.context] = json.loads(run.context)
        links = (journey, run.version, run.id, step, visit, context[run.context])
        sends.append(messaging.NewSend(account, send.message, run.contact, *links))
    messaging.queue(sends, now=from_ms(outcome.now))


def _change(outcome: Outcome, programs: Programs) -> None:
    """The contacts' changes, those of one step and instant together; they bear the instant of the step."""
    if not outcome.changes:
        return
    account = Account.objects.get(pk=programs.account)
    groups: dict[tuple[int, str, int], tuple[Change, list[Run]]] = {}
    for change, run, at, step in outcome.changes:
        groups.setdefault((run.version, step, at), (change, []))[1].append(run)
    for (version, step, at), (change, runs) in groups.items():
        cause = contacts.Cause(
            journey=programs.journey,
            version=version,
            step=step,
            enrolments={run.contact: run.id for run in runs},
        )
        _apply(account, change, [run.contact for run in runs], at, cause)


def _apply(account: Account, change: Change, people: Sequence[int], at: int, cause: contacts.Cause) -> None:
    now, given = from_ms(at), change.with_
    if change.what == "update_contact":
        contacts.update_fields(
            account,
            people,
            sets=given.get("set"),
            unsets=given.get("unset") or (),
            increments=given.get("increment"),
            source="journey",
            now=now,
            cause=cause,
        )
        return
    act = {"add_to_list": contacts.add_to_list, "remove_from_list": contacts.remove_from_list}[change.what]
    act(
        account_id=account.pk,
        list_id=int(given["list"]),
        contact_ids=people,
        source="journey",
        now=now,
        cause=cause,
    )
