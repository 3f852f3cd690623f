"""What `/metrics` tells a Prometheus: this process's requests, and the installation's queues read from the
database.

The queues are read at each scrape, so they are right whichever process is asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from parcours.accounts.models import Job
from parcours.events.models import JournalRow, Load
from parcours.journeys.models import Enrolment, Inbox
from parcours.lib import clock
from parcours.messaging.models import Send

registry = CollectorRegistry()

_requests = Counter(
    "parcours_http_requests",
    "Answers of this process's pages and API.",
    ["method", "status"],
    registry=registry,
)
_seconds = Histogram(
    "parcours_http_request_seconds",
    "How long they took.",
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=registry,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def observe(*, method: str, status: int, seconds: float) -> None:
    """Count one answer. Unknown methods are one label, so that no client can make labels without end."""
    _requests.labels(method if method in _METHODS else "other", str(status)).inc()
    _seconds.observe(seconds)


def digest_lag_seconds() -> float:
    """How long the oldest entry of the journal has been waiting for the digest, in product seconds."""
    oldest = JournalRow.objects.order_by("pk").values_list("created_at", flat=True).first()
    load = (
        Load.objects.exclude(status=Load.Status.DONE)
        .order_by("shard", "pk")
        .values_list("created_at", flat=True)
        .first()
    )
    waiting = [instant for instant in (oldest, load) if instant is not None]
    if not waiting:
        return 0.0
    return max(0.0, (clock.now() - min(waiting)).total_seconds())


class _Queues(Collector):
    """Gauges of the installation, computed when asked."""

    def collect(self) -> Iterator[Metric]:
        yield _gauge(
            "parcours_digest_lag_seconds", "Age of the oldest undigested entry.", digest_lag_seconds()
        )
        yield _gauge("parcours_journal_rows", "Batches waiting in the journal.", JournalRow.objects.count())
        open_loads = Load.objects.exclude(status=Load.Status.DONE).count()
        yield _gauge("parcours_loads_open", "Loads on their way to the event store.", open_loads)
        jobs = GaugeMetricFamily("parcours_jobs", "Jobs not finished.", labels=["status"])
        for job_status in (Job.Status.QUEUED, Job.Status.RUNNING):
            jobs.add_metric([job_status.value], Job.objects.filter(status=job_status).count())
        yield jobs
        sends = GaugeMetricFamily("parcours_sends", "Messages on their way.", labels=["status"])
        for status in (Send.Status.QUEUED, Send.Status.DEFERRED, Send.Status.CLAIMED):
            sends.add_metric([status.value], Send.objects.filter(status=status).count())
        yield sends
        due = Enrolment.objects.filter(status=Enrolment.Status.ACTIVE, due_at__lte=clock.now()).count()
        yield _gauge("parcours_enrolments_due", "Runs whose next step is due.", due)
        yield _gauge("parcours_inbox_rows", "Causes that the engine has to take up.", Inbox.objects.count())
        yield _gauge("parcours_clock_speed", "Product seconds in one machine second.", clock.speed())


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(name, told, value=value)


registry.register(_Queues())


def exposition() -> bytes:
    """Everything, in Prometheus's text format."""
    return generate_latest(registry)
