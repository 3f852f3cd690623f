"""What every process does before its work: Django, the database's schema, the clock."""

from __future__ import annotations

import os
import time
from datetime import timedelta


def setup_django() -> None:
    """Load Django; harmless when it is loaded already."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcours.config.settings")
    import django

    django.setup()


def migrate() -> None:
    """Bring the state database's schema up to date. Only one process of an installation should do it."""
    from django.conf import settings
    from django.core.management import call_command

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    call_command("migrate", verbosity=0, interactive=False)


def start_clock() -> None:
    """Set this process's clock by `PARCOURS_CLOCK`, counted from the installation's first start.

    The machine's time may have gone back since: the product's never does, so it starts at the latest seen.
    """
    from django.conf import settings

    from parcours.accounts.models import Installation
    from parcours.lib import clock
    from parcours.lib.instants import from_ms

    row, _ = Installation.objects.get_or_create(
        id=1, defaults={"first_started_at": from_ms(clock.machine_ms())}
    )
    if not settings.CLOCK:
        return
    spec = clock.parse_clock(settings.CLOCK)
    elapsed = max(0.0, time.time() - row.first_started_at.timestamp())
    if row.clock_high_water is not None:
        reached = (row.clock_high_water - spec.start) / timedelta(seconds=1) / spec.speed
        elapsed = max(elapsed, reached)
    clock.configure(spec, elapsed=elapsed)
