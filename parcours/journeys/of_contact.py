"""A part of a contact's page: the journeys in which they are or were, and what journeys use of contacts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.exceptions import Error as StoreError
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, find, page
from parcours.contacts.models import Contact
from parcours.contacts.queries import living
from parcours.contacts.uses import User
from parcours.journeys import segment_uses, trace
from parcours.journeys.models import Enrolment, Journey

_SHOWN = 50
_TONES = {"active": "busy", "completed": "good", "exited": "neutral", "failed": "bad", "holdout": "neutral"}


def _word(status: str, reason: str) -> str:
    """What became of a run, in a word."""
    reasons = {
        "goal": _("Goal reached"),
        "exit": _("Left by an exit"),
        "archived": _("Journey archived"),
        "removed": _("Taken out"),
        "merged": _("Merged"),
    }
    words = {
        "active": _("Under way"),
        "completed": pgettext("run", "Completed"),
        "failed": _("In error"),
        "holdout": _("Held out"),
        "exited": reasons.get(reason) or pgettext("run", "Left"),
    }
    return words.get(status, status)


def _titles(journeys: set[int]) -> dict[tuple[int, int, str], str]:
    """(journey, version, step) -> the step's name, else its id."""
    rows = Journey.objects.filter(pk__in=journeys).values_list("pk", "versions__number", "versions__document")
    return {
        (journey, number, step["id"]): step.get("name") or step["id"]
        for journey, number, document in rows
        for step in (document or {}).get("steps", ())
    }


@require_GET
@page
def panel(request: PageRequest, contact_id: str) -> HttpResponse:
    """The runs of a contact, the last to enter first: journey, state, step, and the way to the trace."""
    contact = find(Contact, contact_id, actor=request.actor, rows=living(request.actor.account_id))
    journeys = Journey.objects.filter(account_id=contact.account_id)
    rows = Enrolment.objects.filter(journey__in=journeys, contact_id=contact.pk).select_related("journey")
    runs = list(rows.order_by("-entered_at", "-pk")[: _SHOWN + 1])
    titles = _titles({run.journey_id for run in runs})
    shown = [
        {
            "run": run,
            "word": _word(run.status, run.reason),
            "tone": _TONES.get(run.status, "neutral"),
            "step": titles.get((run.journey_id, run.version, run.step), run.step),
            "standing": run.status in ("active", "failed"),
        }
        for run in runs[:_SHOWN]
    ]
    context = {"runs": shown, "more": len(runs) > _SHOWN, "contact": contact}
    return render(request, "journeys/of_contact.html", context)


@require_GET
@page
def trace_panel(request: PageRequest, journey_id: str, contact_id: str) -> HttpResponse:
    """Each step that a contact took in a journey, when and why; and why they did not get in."""
    journey = find(Journey, journey_id, actor=request.actor)
    contact = find(Contact, contact_id, actor=request.actor, rows=living(request.actor.account_id))
    try:
        told: dict[str, Any] | None = trace.of(journey, contact.pk)
    except (StoreError, OSError):
        told = None
    runs = [_shown(run) for run in reversed(told["runs"])] if told else []
    refused = (
        [{**each, "at": datetime.fromisoformat(each["at"])} for each in told["refused"][:20]] if told else []
    )
    context = {"journey": journey, "contact": contact, "told": told, "runs": runs, "refused": refused}
    whole = request.headers.get("HX-Request") != "true"
    return render(request, "journeys/trace_page.html" if whole else "journeys/trace.html", context)


def _shown(run: dict[str, Any]) -> dict[str, Any]:
    return {
        **run,
        "word": _word(run["status"], run["reason"] or ""),
        "tone": _TONES.get(run["status"], "neutral"),
        "entered_at": datetime.fromisoformat(run["entered_at"]),
        "ended_at": datetime.fromisoformat(run["ended_at"]) if run["ended_at"] else None,
        "steps": [{**step, "at": datetime.fromisoformat(step["at"])} for step in run["steps"]],
    }


def users(account_id: int) -> Iterator[User]:
    """The journeys but the archived ones, and the documents that may name attributes, tags, lists and messages."""
    for journey, documents in segment_uses.in_force(account_id):
        yield User(
            kind="journey",
            label=pgettext_lazy("kind", "Journey"),
            id=journey.pk,
            name=journey.name,
            url=reverse("journeys:edit", args=[journey.pk]),
            documents=tuple(documents),
        )
