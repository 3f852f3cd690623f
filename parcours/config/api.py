"""The REST API, `/api/v1`: the packages' routers, one way to authenticate, one way to say what went wrong."""

from __future__ import annotations

import importlib
import json
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.request import UnreadablePostError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from parcours import __version__
from parcours.accounts.api_auth import Authentication
from parcours.config import faults
from parcours.lib.instants import iso
from parcours.lib.problems import Fault, Invalid, Problem

log = structlog.get_logger(__name__)

#: Each module's `router`, in the order of the documentation.
ROUTERS = (
    "parcours.accounts.api",
    "parcours.accounts.api_units",
    "parcours.contacts.api_attributes",
    "parcours.contacts.api_bulk",
    "parcours.contacts.merging.api",  # before contacts, whose ids its addresses would be
    "parcours.contacts.api",
    "parcours.tracking.api",
    "parcours.tracking.objects",
    "parcours.segments.api",
    "parcours.journeys.api",
    "parcours.messaging.api",
    "parcours.messaging.api_suppressions",
    "parcours.commerce.importing.api",
    "parcours.commerce.orders.api",
    "parcours.commerce.products.api",
    "parcours.commerce.deals.api",
    "parcours.reports.api",
)
RETRY_AFTER_SECONDS = 5


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


class _Renderer(BaseRenderer):
    """JSON, with instants as ISO 8601 in milliseconds."""

    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> Any:
        return json.dumps(data, default=_plain, ensure_ascii=False, allow_nan=False)


class _Parser(Parser):
    """Strict JSON (RFC 8259): no NaN, no lone surrogate, no nesting that overflows; and no NUL in texts,
    which no database keeps."""

    def parse_body(self, request: HttpRequest) -> Any:
        data = msgspec.json.decode(request.body)
        if b"\\u0000" in request.body:
            found = [_nul(pointer) for pointer in _nuls(data, "")]
            if found:
                raise Invalid(_("The request says something that cannot be."), found)
        return data

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        found = [
            _nul(f"/{escape_pointer(key)}")
            for key, values in data.lists()
            if any(isinstance(value, str) and "\0" in value for value in values)
        ]
        if found:
            raise Invalid(_("The request says something that cannot be."), found)
        return super().parse_querydict(data, list_fields, request)


def _nul(pointer: str) -> Fault:
    return {"pointer": pointer, "detail": _("A text cannot hold the character NUL.")}


def _nuls(value: Any, pointer: str) -> list[str]:
    if isinstance(value, str):
        return [pointer] if "\0" in value else []
    if isinstance(value, list):
        return [found for i, item in enumerate(value) for found in _nuls(item, f"{pointer}/{i}")]
    if isinstance(value, dict):
        found = [pointer for key in value if "\0" in key]
        for key, item in value.items():
            found += _nuls(item, f"{pointer}/{escape_pointer(key)}")
        return found
    return []


def escape_pointer(key: object) -> str:
    """A member's name as a JSON Pointer writes it (RFC 6901)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def problem_response(problem: Problem) -> HttpResponse:
    """A problem as an RFC 9457 document."""
    document: dict[str, Any] = {
        "type": problem.kind,
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        document["errors"] = problem.errors
    document |= problem.more
    response = HttpResponse(
        json.dumps(document, ensure_ascii=False),
        status=problem.status,
        content_type="application/problem+json",
    )
    if problem.status == 401:
        response["WWW-Authenticate"] = 'Bearer realm="parcours"'
    if problem.status in (429, 503):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def problem_of(error: Exception) -> Problem:
    """What an exception is to the caller of the API; an unforeseen one is logged and says nothing of the
    inside.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, ValidationError):
        return Invalid(
            _("The request says something that cannot be."), [_fault(each) for each in error.errors]
        )
    if isinstance(error, HttpError):
        cause = error.__cause__
        if isinstance(cause, Problem):
            return cause
        if isinstance(cause, RecursionError):
            return Problem(400, "malformed", _("The body is nested too deep."))
        if error.status_code == 400 and cause is not None:
            return Problem(
                400, "malformed", _("The body is not JSON: %(why)s.") % {"why": str(cause).rstrip(".")}
            )
        return Problem(error.status_code, _KINDS.get(error.status_code, "refused"), str(error))
    if isinstance(error, Http404):
        return Problem(404, "not-found", _("There is nothing at this address."))
    if isinstance(error, RequestDataTooBig):
        return Problem(413, "too-large", _("The body is too large."))
    if isinstance(error, UnreadablePostError):
        return Problem(400, "malformed", _("The body could not be read to its end."))
    if isinstance(error, OperationalError | InterfaceError):
        log.error("database unavailable", error=str(error))
        return Problem(503, "unavailable", _("The database does not answer. Try again in a few seconds."))
    log.error("request failed", exc_info=error)
    return Problem(500, "internal", _("An internal error happened. It has been logged."))


_KINDS = {400: "malformed", 401: "unauthorized", 403: "forbidden", 404: "not-found", 429: "too-many-requests"}


def _fault(error: dict[str, Any]) -> Fault:
    """Ninja's location of a fault (body, parameter, path…) as a JSON Pointer into what was sent."""
    where, *path = error["loc"]
    if where in ("body", "form") or (where in ("query", "path", "header") and len(path) > 1):
        path = path[1:]  # the name of the view's argument
    return {
        "pointer": "".join(f"/{escape_pointer(part)}" for part in path),
        "detail": faults.said(error),
    }


def _handle(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response(problem_of(error))


def build() -> NinjaAPI:
    """The API with every package's router."""
    api = NinjaAPI(
        title="Parcours",
        version=__version__,
        urls_namespace="api",
        auth=Authentication(),
        renderer=_Renderer(),
        parser=_Parser(),
        docs_url=None,
    )
    for kind in (Exception, Http404, HttpError, ValidationError, Problem):
        api.add_exception_handler(kind, _handle)  # type: ignore[arg-type]
    for module in ROUTERS:
        api.add_router("", importlib.import_module(module).router)
    return api


api = build()
