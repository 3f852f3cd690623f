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


def show_dates_in(*names: str) -> None:
    """For the rest of this request, dates are shown in the first of these zones that exists."""
    for name in names:
        zone = _zone(name)
        if zone is not None:
            timezone.activate(zone)
            return


def reader(get_response: Answer) -> Answer:
    """Activate the signed-in user's own language and zone; without them the browser's language, and UTC.

    A page of an account calls `show_dates_in` with the account's zone.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        user = getattr(request, "user", None)
        signed_in = user is not None and user.is_authenticated
        language = getattr(user, "language", "") if signed_in else ""
        if language and translation.check_for_language(language):
            translation.activate(language)
            request.LANGUAGE_CODE = translation.get_language() or "en"
        with timezone.override(_zone(getattr(user, "timezone", "") if signed_in else "")):
            response = get_response(request)
        if signed_in and response.get("Content-Type", "").startswith("text/html"):
            # A page bears people's data and figures of one instant: "back" after signing out must not show it again.
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware
