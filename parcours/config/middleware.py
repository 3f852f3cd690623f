"""What every answer of Django's carries: an id for the logs, security headers, its measure; and in the API, a
problem document whatever refused the request."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from django.utils.translation import gettext as _

from parcours.config import metrics
from parcours.config.api import problem_response
from parcours.lib.ids import new_id
from parcours.lib.problems import Problem

log = structlog.get_logger("parcours.access")

#: Nothing from elsewhere, no script in the page; the previews of messages are frames of ours with a policy of
#: their own.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self'",
        "style-src-attr 'unsafe-inline'",
        "script-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")
_KINDS = {403: "forbidden", 404: "not-found", 405: "method-not-allowed", 413: "too-large"}
_SLOW_SECONDS = 1.0


@sync_and_async_middleware
def frame(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """The outermost middleware."""
    if iscoroutinefunction(get_response):

        async def in_async(request: HttpRequest) -> HttpResponseBase:
            began = _begin(request)
            response = await _awaited(get_response(request))
            return _end(request, response, began)

        return in_async

    def in_sync(request: HttpRequest) -> HttpResponseBase:
        began = _begin(request)
        return _end(request, get_response(request), began)

    return in_sync


async def _awaited(response: Awaitable[HttpResponseBase]) -> HttpResponseBase:
    return await response


def _begin(request: HttpRequest) -> float:
    sent = request.headers.get("X-Request-ID", "")
    request_id = sent if _REQUEST_ID.match(sent) else new_id()
    request.request_id = request_id  # type: ignore[attr-defined]
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=request_id)
    return time.perf_counter()


def _end(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    if request.path.startswith("/api/"):
        response = _told_as_problem(response)
    seconds = time.perf_counter() - began
    response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
    response.setdefault("Content-Security-Policy", POLICY)
    response.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    metrics.observe(method=request.method or "", status=response.status_code, seconds=seconds)
    tell = log.info if response.status_code >= 500 or seconds > _SLOW_SECONDS else log.debug
    tell(
        "answered",
        method=request.method,
        path=request.path,
        status=response.status_code,
        ms=round(seconds * 1000, 1),
    )
    return response


def _told_as_problem(response: HttpResponseBase) -> HttpResponseBase:
    """Refusals that Django made itself (a method, a host, a body) as problem documents."""
    told = response.get("Content-Type", "").startswith("application/problem+json")
    if response.status_code < 400 or told:
        return response
    status = response.status_code
    detail = _("This address does not take this method.") if status == 405 else HTTPStatus(status).phrase
    answer: HttpResponse = problem_response(Problem(status, _KINDS.get(status, "refused"), detail))
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if response.has_header(name):
            answer[name] = response[name]
    return answer
