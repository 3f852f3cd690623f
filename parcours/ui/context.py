"""What the page frame needs on every page."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from parcours.ui import navigation


def frame(request: HttpRequest) -> dict[str, Any]:
    """The sidebar's entries, the accounts to choose from, the languages."""
    return {
        "navigation": SimpleLazyObject(lambda: navigation.entries(request.path)),
        "account_choices": SimpleLazyObject(lambda: list(navigation.accounts(request))),
        "current_account": getattr(getattr(request, "actor", None), "account", None),
        "languages": [
            (code, {"fr": "Français", "en": "English"}.get(code, code)) for code, _ in settings.LANGUAGES
        ],
    }
