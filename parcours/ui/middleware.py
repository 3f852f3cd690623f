"""The reader's language and zone."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation

Answer = Callable[[HttpRequest], HttpResponse]


def _zone(name: str) -> zoneinfo.ZoneInfo | None:
    if not name:
        return None
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def reader(get_response: Answer) -> Answer:
    """Activate the language and zone of who reads: their own, else the browser's language and the account's zone.

    It comes after the middleware that sets `request.user` and `request.account`.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        account = getattr(request, "account", None)
        signed_in = user is not None and user.is_authenticated
        language = getattr(user, "language", "") if signed_in else ""
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or "en"
        own = getattr(user, "timezone", "") if signed_in else ""
        with timezone.override(_zone(own) or _zone(getattr(account, "timezone", ""))):
            response = get_response(request)
        if signed_in and response.get("Content-Type", "").startswith("text/html"):
            # A page bears people's data and figures of one instant: "back" after signing out must not show it again.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
