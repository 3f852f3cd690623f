"""For those who operate the installation: `/healthz` (this process answers), `/readyz` (what it needs
answers), `/metrics`."""

from __future__ import annotations

import hmac
import ipaddress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from parcours import __version__
from parcours.config import metrics
from parcours.events.store.client import reachable

LATE_SECONDS = 60.0


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers at all; it looks at nothing else."""
    return JsonResponse({"status": "ok", "version": __version__})


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the database and the event store answer, else 503; and how late the digest is."""
    database = _database()
    checks: dict[str, Any] = {"database": database, "store": _store()}
    ready = all(check["ok"] for check in checks.values())
    if database["ok"]:
        lag = metrics.digest_lag_seconds()
        checks["digest"] = {"ok": lag <= LATE_SECONDS, "lag_seconds": round(lag, 3)}
    response = JsonResponse({"status": "ready" if ready else "not ready", "checks": checks})
    if not ready:
        response.status_code = 503
        response["Retry-After"] = "5"
    return response


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return {"ok": False, "error": type(error).__name__}
    return {"ok": True}


def _store() -> dict[str, Any]:
    return {"ok": reachable()}


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """The metrics: to whom bears PARCOURS_METRICS_TOKEN, or, when none is set, to this machine alone."""
    if not _may_scrape(request):
        return HttpResponse(status=403)
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        expected = f"Bearer {settings.METRICS_TOKEN}".encode()
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected)
    if "X-Forwarded-For" in request.headers:
        return False  # Through a proxy, everyone would seem to come from this machine.
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
