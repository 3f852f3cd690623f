"""What every process does before its work: Django, the database's schema, the clock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)


def setup_django() -> None:
    """Load Django; harmless when it is loaded already."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcours.config.settings")
    import django

    django.setup()


def follow_address(host: str, port: int) -> None:
    """Before Django is loaded: the public address is where we listen, unless the environment says otherwise."""
    everywhere = host in ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound
    if everywhere and "PARCOURS_PUBLIC_URL" not in os.environ:
        # Asked to listen everywhere without a name of its own: a trial, reached under whatever name.
        os.environ.setdefault("PARCOURS_ALLOWED_HOSTS", "*")
    reached = "127.0.0.1" if everywhere else host
    reached = f"[{reached}]" if ":" in reached else reached
    os.environ.setdefault("PARCOURS_PUBLIC_URL", f"http://{reached}:{port}")


def migrate() -> None:
    """Bring the state database's schema up to date; processes that start together wait for the first one's doing."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    with _alone(settings.DATA_DIR / "migrate.lock"):
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", verbosity=0, interactive=False)
        _migrate_store()


def _migrate_store() -> None:
    """A ClickHouse server's schema; one that is away does not keep the rest from starting."""
    from clickhouse_connect.driver.exceptions import OperationalError

    from parcours.events.store import client

    try:
        client.migrate()
    except OperationalError as error:
        log.warning("the event store does not answer: run `parcours migrate` when it does", error=str(error))


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One process of this machine at a time; and of all machines, where the database is shared."""
    from django.db import connection

    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if connection.vendor != "postgresql":
            yield
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(hashtext('parcours.migrate'))")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext('parcours.migrate'))")


def start_clock() -> None:
    """Set this process's clock by `PARCOURS_CLOCK`, counted from the installation's first start.

    The product's time never goes back, though the machine's did, or the clock's start or speed was changed, or it
    was taken away: it starts at the latest instant seen at least.
    """
    from django.conf import settings

    from parcours.accounts.models import Installation
    from parcours.lib import clock
    from parcours.lib.instants import from_ms

    first = from_ms(clock.machine_ms())
    row, _ = Installation.objects.get_or_create(id=1, defaults={"first_started_at": first})
    reached = row.clock_high_water
    if settings.CLOCK:
        spec = clock.parse_clock(settings.CLOCK)
        elapsed = max(0.0, time.time() - row.first_started_at.timestamp())
        if reached is not None:
            elapsed = max(elapsed, (reached - spec.start) / timedelta(seconds=1) / spec.speed)
        clock.configure(spec, elapsed=elapsed)
    elif reached is not None and reached > clock.now():
        clock.configure(clock.ClockSpec(start=reached, speed=1.0))


def keep_clock() -> None:
    """Write down how far the product's time has come; the work process does it every few seconds.

    Nothing is written for the machine's own clock: what it says needs no remembering.
    """
    from django.db.models import Q

    from parcours.accounts.models import Installation
    from parcours.lib import clock

    if clock.is_machine():
        return
    now = clock.now()
    earlier = Q(clock_high_water=None) | Q(clock_high_water__lt=now)
    Installation.objects.filter(earlier, id=1).update(clock_high_water=now)
