"""Who may call which operation of the API.

| operation | scope needed |
| --- | --- |
| a safe method (GET, HEAD, OPTIONS) | `read` |
| a computation that changes nothing (previews, report runs), though posted | `read`: `auth=needs(READ)` |
| any other change | `write` |
| what writes to people or lets them in: activate, publish, enrol, tests | `send`: `auth=needs(SEND)` |
| the account's settings and keys | `admin`: `auth=needs(ADMIN)` |

A key's scopes are those listed in it, no more; `admin` opens everything. A signed-in user's own pages may
call the API with their session, under CSRF protection; what their role may do then counts (`roles`).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from ninja.security import HttpBearer

from parcours.accounts.access import (
    READ,
    SAFE,
    WRITE,
    Actor,
    current_actor,
    key_actor,
    lacks_second_factor,
    refusal,
)
from parcours.accounts.models import ApiKey
from parcours.lib import clock
from parcours.lib.ids import digest
from parcours.lib.problems import Problem

_LAST_USED_EVERY = timedelta(minutes=1)


class Forbidden(Problem):
    """403: known, but not allowed this."""

    def __init__(self, detail: str, *, kind: str = "forbidden") -> None:
        super().__init__(403, kind, detail)


class _Protection(CsrfViewMiddleware):
    """Django's CSRF check, answering the reason for a refusal instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _is_protected(request: HttpRequest) -> bool:
    """Whether the request bears its session's protection token."""
    protection = _Protection(_answer)
    protection.process_request(request)
    return protection.process_view(request, _answer, (), {}) is None


class Authentication(HttpBearer):
    """A Bearer API key, or the session of a signed-in user; sets `request.actor`."""

    def __init__(self, scope: str | None = None) -> None:
        self.scope = scope
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        by_key = bool(request.headers.get("Authorization"))
        actor = super().__call__(request) if by_key else self._by_session(request)
        if not actor:
            raise Problem(401, "unauthorized", _("An API key is needed: “Authorization: Bearer KEY”."))
        scope = self.scope or (READ if request.method in SAFE else WRITE)
        if not actor.allows(scope):
            raise Forbidden(refusal(actor, scope))
        if lacks_second_factor(actor):
            raise Forbidden(
                _("This account asks its members for a second factor: set yours to go on."),
                kind="second-factor-required",
            )
        request.actor = actor  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(account=actor.account_id)
        return actor

    def authenticate(self, request: HttpRequest, token: str) -> Actor | None:
        key = (
            ApiKey.objects.filter(hash=digest(token.strip()), revoked_at=None)
            .select_related("account")
            .first()
        )
        if key is None:
            return None
        now = clock.now()
        if key.last_used_at is None or now - key.last_used_at > _LAST_USED_EVERY:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
        return key_actor(key)

    def _by_session(self, request: HttpRequest) -> Actor | None:
        actor = current_actor(request)
        if actor is not None and request.method not in SAFE and not _is_protected(request):
            raise Forbidden(
                _("The page's protection token is missing or wrong: load the page again."), kind="csrf"
            )
        return actor


def needs(scope: str) -> Authentication:
    """For an operation whose scope is not told by its method."""
    return Authentication(scope)
