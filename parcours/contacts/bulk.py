"""One action on many contacts, done by a job: by batches, each in one transaction with its progress.

Whom it means is settled when the job begins: those who meet the audience then, up to the newest contact at the time
of asking. A job that is killed goes on below the last contact of its last commit: nobody is passed over, nothing is
done twice. What lists and tags it changed can be undone for thirty days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts.audience import Audience
from parcours.contacts.batch import lock
from parcours.contacts.bulk_actions import ACTIONS, Doing, Outcome
from parcours.contacts.models import BulkStep, Contact
from parcours.lib import bulk as database
from parcours.lib import clock, crashpoints
from parcours.lib.problems import Fault, Invalid, Problem

KIND = "contacts.bulk"
UNDO = "contacts.bulk_undo"
UNDO_DAYS = 30
_AT_ONCE = 2_000


def start(
    account: Account,
    audience: Audience,
    action: str,
    said: Mapping[str, Any],
    *,
    user: int | None = None,
) -> Job:
    """Have an action done to everybody in the audience. Raises Invalid (what is said does not fit), NotFound."""
    audience.check(account)
    if action not in ACTIONS:
        detail = _("An action is one of: %(actions)s.") % {"actions": ", ".join(ACTIONS)}
        raise Invalid(detail, [Fault(pointer="/action", detail=detail)])
    checked = ACTIONS[action].check(account, said)
    newest = Contact.objects.filter(account=account).order_by("-pk").values_list("pk", flat=True).first()
    BulkStep.objects.filter(at__lt=clock.now() - timedelta(days=UNDO_DAYS)).delete()
    return jobs.enqueue(
        account,
        KIND,
        {
            "audience": audience.as_json(),
            "action": action,
            "said": checked,
            "below": (newest or 0) + 1,
            "user": user,
            "language": translation.get_language() or "en",
        },
    )


def run(running: jobs.Running) -> None:
    """Do a job of kind KIND."""
    job = running.job
    said = job.parameters
    with translation.override(said["language"]):
        result: dict[str, Any] = dict(job.result)
        audience = Audience.read(said["audience"])
        chosen = audience.chosen(job.account, below=result.get("last", said["below"]))
        if "total" not in result:
            result |= {"total": len(chosen), "began_ms": clock.machine_ms()}
            running.advance(result=result)
        turns = database.Turns()
        for first in range(0, len(chosen), _AT_ONCE):
            _do(running, list(chosen[first : first + _AT_ONCE]), result)
            crashpoints.point("bulk.batch")
            turns.leave()


def _do(running: jobs.Running, ids: list[int], result: dict[str, Any]) -> None:
    job = running.job
    said = job.parameters
    action = ACTIONS[said["action"]]
    proof = {"job": str(job.pk), **({"user": str(said["user"])} if said["user"] else {})}
    with transaction.atomic():
        lock(job.account_id)
        doing = Doing(account=job.account, said=said["said"], proof=proof, now=clock.now())
        outcome = action.apply(doing, ids)
        if outcome.changed and action.undo is not None:
            number = result["steps"] = result.get("steps", 0) + 1
            BulkStep.objects.create(job=job, number=number, contact_ids=outcome.changed, at=doing.now)
        _tell(running, ids, outcome, result)


def _tell(running: jobs.Running, ids: list[int], outcome: Outcome, result: dict[str, Any]) -> None:
    result["last"] = ids[-1]
    result["changed"] = result.get("changed", 0) + len(outcome.changed)
    result["kept_opted_out"] = result.get("kept_opted_out", 0) + outcome.kept_opted_out
    crashpoints.point("bulk.uncommitted")
    running.advance(
        accepted=len(ids) - len(outcome.refused),
        lines=len(ids),
        refused=[{"line": contact_id, "reason": reason} for contact_id, reason in outcome.refused],
        result=result,
    )


def can_undo(job: Job) -> bool:
    """Whether what a job did to lists or tags can be taken back now."""
    return (
        job.kind == KIND
        and job.status in (Job.Status.FINISHED, Job.Status.FAILED)
        and not job.result.get("undone_by")
        and clock.now() - job.created_at < timedelta(days=UNDO_DAYS)
        and job.bulk_steps.exists()
    )


def undo(job: Job) -> Job:
    """Take back what a job did to lists or tags. Raises Problem (409) when there is nothing that could be."""
    with transaction.atomic():
        job = Job.objects.select_for_update().select_related("account").get(pk=job.pk)
        if not can_undo(job):
            raise Problem(409, "conflict", _("There is nothing to undo here, or it is too late."))
        made = jobs.enqueue(
            job.account,
            UNDO,
            {
                "of": str(job.pk),
                "action": job.parameters["action"],
                "said": job.parameters["said"],
                "language": translation.get_language() or "en",
            },
        )
        job.result = {**job.result, "undone_by": str(made.pk)}
        job.save(update_fields=["result"])
        return made


def run_undo(running: jobs.Running) -> None:
    """Do a job of kind UNDO: the steps of the first job backwards, the latest first."""
    job = running.job
    said = job.parameters
    undoing = ACTIONS[said["action"]].undo
    steps = BulkStep.objects.filter(job_id=int(said["of"]), job__account_id=job.account_id).order_by(
        "-number"
    )
    with translation.override(said["language"]):
        result: dict[str, Any] = dict(job.result)
        result.setdefault("total", sum(len(ids) for ids in steps.values_list("contact_ids", flat=True)))
        result.setdefault("began_ms", clock.machine_ms())
        turns = database.Turns()
        while undoing is not None:
            rest = steps.filter(number__lt=result["step"]) if "step" in result else steps
            step = rest.first()
            if step is None:
                break
            with transaction.atomic():
                lock(job.account_id)
                doing = Doing(account=job.account, said=said["said"], proof={}, now=clock.now())
                outcome = undoing(doing, step.contact_ids)
                result["step"] = step.number
                _tell(running, step.contact_ids, outcome, result)
            crashpoints.point("bulk.undone")
            turns.leave()
