"""What is answered when something goes wrong outside a view's own words: to a program, a problem document; to
a person, a page."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views import defaults

from parcours.config.api import RETRY_AFTER_SECONDS, problem_of, problem_response
from parcours.lib.problems import Problem

API = "/api/"


def api_not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any address under `/api/` that no operation has."""
    return problem_response(Problem(404, "not-found", _("There is nothing at this address.")))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path.startswith(API):
        return problem_response(problem_of(Http404()))
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path.startswith(API):
        return problem_response(problem_of(exception))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """500; or 503 with Retry-After when the database does not answer, for it will again."""
    error = sys.exc_info()[1]
    unavailable = isinstance(error, OperationalError | InterfaceError)
    if request.path.startswith(API):
        return problem_response(problem_of(error if isinstance(error, Exception) else RuntimeError()))
    response = defaults.server_error(request)
    if unavailable:
        response.status_code = 503
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response
