"""The ASGI applications: the collector's addresses first, Django for the rest; or the collector alone."""

from __future__ import annotations

import os
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "parcours.config.settings")
django.setup()

from parcours.config.handler import Handler  # noqa: E402 - Django's settings come first.
from parcours.tracking.collector.app import Collector, serves  # noqa: E402

django_application = Handler()
collector = Collector()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Calls go to the collector without passing through any of Django's layers."""
    if scope["type"] == "http" and not serves(scope["path"]):
        await django_application(scope, receive, send)
    else:
        await collector_application(scope, receive, send)


async def collector_application(scope: Any, receive: Any, send: Any) -> None:
    """The collector; what waits for the disk is written before the server ends."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
    else:
        await collector(scope, receive, send)


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        else:
            collector.writer.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
