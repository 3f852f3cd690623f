"""Long work done by the work process for an account: imports, exports.

A kind of job is registered with its runner at start-up (`register`). A runner writes how far it is in the
same transaction as what it did (`Running.advance`), and begins from what is written: killed at any point, it
goes on from its last commit when another worker takes the job. A worker that lost its lease finds another
fence and stops (`Lost`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, TypedDict

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections, connection, transaction
from django.db.models import F, Q
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from parcours.accounts.models import Account, Job
from parcours.events import watermark
from parcours.lib import clock, leases
from parcours.lib.problems import Problem

log = structlog.get_logger(__name__)

#: How many refused lines are kept; beyond, they are only counted.
REFUSED_KEPT = 10_000
WAIT_SECONDS = 300.0
_RENEW_SECONDS = max(0.5, leases.LEASE_MS / 3000)
_DEAD_SWEEP = 20


class Refusal(TypedDict):
    """A line that was not taken, and why."""

    line: int
    reason: str


class Lost(Exception):
    """Another worker has taken this job: what is under way must not be committed."""


class Running:
    """A job in the hands of its runner."""

    def __init__(self, job: Job) -> None:
        self.job = job

    @transaction.atomic
    def advance(
        self,
        *,
        accepted: int = 0,
        lines: int = 0,
        bytes_done: int | None = None,
        refused: Sequence[Refusal] = (),
        **fields: Any,
    ) -> None:
        """Write the progress; to be called in the transaction of what was done.

        `accepted` and `lines` are added, `bytes_done` is the new total, `fields` are other columns of the job
        (`result`, `parameters`, `total_bytes`). Renews the lease. Raises Lost when the job is another
        worker's.
        """
        job = self.job
        kept = self._refused() if refused else list(job.refused)
        kept.extend(refused[: max(0, REFUSED_KEPT - len(kept))])
        changes: dict[str, Any] = {
            "accepted": F("accepted") + accepted,
            "done_lines": F("done_lines") + lines,
            "refused_count": F("refused_count") + len(refused),
            "lease_until": leases.until(),
            **fields,
        }
        if len(kept) > len(job.refused):
            changes["refused"] = kept
        if bytes_done is not None:
            changes["done_bytes"] = bytes_done
        if not self._mine().update(**changes):
            raise Lost
        job.refused = kept
        job.accepted += accepted
        job.done_lines += lines
        job.refused_count += len(refused)
        if bytes_done is not None:
            job.done_bytes = bytes_done
        for name, value in fields.items():
            setattr(job, name, value)

    def _refused(self) -> list[Refusal]:
        """What was refused so far: an erasure may have emptied some of it since."""
        rows = self._mine().select_for_update().values_list("refused", flat=True)
        return list(rows.first() or ())

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, fence=self.job.fence, status=Job.Status.RUNNING)

    def renew(self) -> bool:
        """Take the lease for longer; False when the job is another worker's."""
        return bool(self._mine().update(lease_until=leases.until()))

    def finish(self) -> None:
        self._mine().update(status=Job.Status.FINISHED, finished_at=clock.now(), lease_until=0)

    def fail(self, reason: str) -> None:
        self._mine().update(status=Job.Status.FAILED, error=reason, finished_at=clock.now(), lease_until=0)

    def release(self) -> None:
        """Give the job back, to be taken again from its last commit."""
        self._mine().update(status=Job.Status.QUEUED, lease_until=0, worker="")


Runner = Callable[[Running], None]
_runners: dict[str, Runner] = {}
_followers: list[Callable[[int], bool]] = []


def register(kind: str, run: Runner) -> None:
    """Declare what does the jobs of a kind; called once, in the `apps.py` of the package that owns it."""
    _runners[kind] = run


def enqueue(account: Account, kind: str, parameters: dict[str, Any], *, total_bytes: int = 0) -> Job:
    """A new job, in the caller's transaction; the work process takes it once that is committed."""
    if kind not in _runners:
        raise LookupError(f"No runner is registered for jobs of kind {kind!r}.")
    return Job.objects.create(account=account, kind=kind, parameters=parameters, total_bytes=total_bytes)


def _claim() -> Job | None:
    """The oldest job that waits, or whose worker died or let its lease run out; claimed by one worker
    only.
    """
    waiting = Job.objects.filter(kind__in=_runners, status=Job.Status.QUEUED).order_by("pk")[:1]
    orphans = [
        job
        for job in Job.objects.filter(kind__in=_runners, status=Job.Status.RUNNING).order_by("pk")[
            :_DEAD_SWEEP
        ]
        if job.lease_until < clock.machine_ms() or leases.is_dead(job.worker)
    ]
    for job in [*orphans, *waiting]:
        claimed = Job.objects.filter(
            Q(status=Job.Status.QUEUED) | Q(status=Job.Status.RUNNING), pk=job.pk, fence=job.fence
        ).update(
            status=Job.Status.RUNNING,
            worker=leases.me(),
            lease_until=leases.until(),
            fence=F("fence") + 1,
        )
        if claimed:
            return Job.objects.select_related("account").get(pk=job.pk)
    return None


def round() -> bool:
    """Do one job, whole. Answers whether there was one."""
    job = _claim()
    if job is None:
        return False
    running = Running(job)
    done = threading.Event()
    keeper = threading.Thread(target=_keep_lease, args=(running, done), daemon=True)
    keeper.start()
    try:
        _runners[job.kind](running)
    except Lost:
        log.warning("job lost to another worker", job=job.pk, kind=job.kind)
    except Problem as problem:
        running.fail(problem.detail)
    except (OperationalError, InterfaceError):
        close_old_connections()
        running.release()
        raise
    except Exception:
        log.exception("job failed", job=job.pk, kind=job.kind)
        running.fail(_("An internal error stopped this job; the log tells more."))
    else:
        running.finish()
    finally:
        done.set()
        keeper.join()
    return True


def _keep_lease(running: Running, done: threading.Event) -> None:
    """Renews the lease while one batch takes long."""
    try:
        while not done.wait(_RENEW_SECONDS):
            try:
                running.renew()
            except (OperationalError, InterfaceError):
                close_old_connections()
    finally:
        connection.close()


def register_follower(settled: Callable[[int], bool]) -> None:
    """Say who else has to have taken in what a job brought before it is waited for no more: `settled(account_id)`."""
    if settled not in _followers:
        _followers.append(settled)


def wait(job: Job, *, seconds: float = WAIT_SECONDS) -> Job:
    """Wait until the job has ended and all that it brought is digested and followed (the segments' members), or
    `seconds` (of the machine) have passed.
    """
    deadline = time.monotonic() + seconds
    pause = 0.02
    while job.status not in (Job.Status.FINISHED, Job.Status.FAILED):
        if time.monotonic() > deadline:
            return job
        time.sleep(pause)
        pause = min(0.5, pause * 1.3)
        job.refresh_from_db()
    watermark.wait_digested(job.account_id, max(0.0, deadline - time.monotonic()))
    pause = 0.02
    while not all(settled(job.account_id) for settled in _followers) and time.monotonic() < deadline:
        time.sleep(pause)
        pause = min(0.5, pause * 1.3)
    return job


def empty_refusals(account_id: int, names: Callable[[str], bool], *, said: Promise) -> None:
    """Have the refusals that name somebody say no more than `said`, in the language of whoever began the job."""
    rows = Job.objects.filter(account_id=account_id)
    for pk in list(rows.filter(refused_count__gt=0).values_list("pk", flat=True)):
        with transaction.atomic():
            job = rows.select_for_update().only("refused", "parameters").get(pk=pk)
            # All at once first: hardly any job names one of them.
            if names("\n".join(refusal["reason"] for refusal in job.refused)):
                naming = [refusal for refusal in job.refused if names(refusal["reason"])]
                with translation.override(job.parameters.get("language", settings.LANGUAGE_CODE)):
                    for refusal in naming:
                        refusal["reason"] = str(said)
                job.save(update_fields=["refused"])


def as_json(job: Job) -> dict[str, Any]:
    """A job as the API tells it."""
    return {
        "job": str(job.pk),
        "kind": job.kind,
        "status": job.status,
        "accepted": job.accepted,
        "refused": job.refused,
        "refused_count": job.refused_count,
        "progress": {
            "bytes": job.done_bytes,
            "total_bytes": job.total_bytes,
            "lines": job.done_lines,
        },
        "result": job.result,
        "error": job.error or None,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }
