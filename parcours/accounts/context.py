"""What the reader may do, for templates: `{% if may.write %}`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from parcours.accounts.access import Actor
from parcours.accounts.roles import ADMIN, OWN, READ, SEND, WRITE


def may(request: HttpRequest) -> dict[str, Any]:
    """Each capability by its name: true when the reader of this page has it (`roles`)."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "may": {each: actor is not None and actor.allows(each) for each in (READ, WRITE, SEND, ADMIN, OWN)}
    }
