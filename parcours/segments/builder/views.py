"""What the builder of criteria asks the server: choices, suggestions, and the criteria in words."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse, JsonResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from parcours.accounts.access import PageRequest, find, page
from parcours.contacts import naming
from parcours.criteria.parse import parse
from parcours.criteria.words import say
from parcours.lib.problems import Fault, Invalid
from parcours.segments.builder import choices, seen
from parcours.segments.models import Segment
from parcours.segments.names import context

_LONGEST = 255


def _text(request: PageRequest, name: str) -> str:
    return request.GET.get(name, "").replace("\0", "").strip()[:_LONGEST]


def _language() -> str:
    return "fr" if (get_language() or "en").startswith("fr") else "en"


@require_GET
@page
def everything(request: PageRequest) -> HttpResponse:
    """All that criteria can be composed of in the account."""
    return JsonResponse(choices.everything(request.actor.account, _language()))


@require_GET
@page
def listed(request: PageRequest, kind: str) -> HttpResponse:
    """Things of a kind by a part of their name (`?search=`); the steps of a journey (`?within=`)."""
    account = request.actor.account
    return JsonResponse(choices.listed(account, kind, _text(request, "search"), _text(request, "within")))


@require_GET
@page
def seen_values(request: PageRequest) -> HttpResponse:
    """Values seen lately (`?event=&property=` or `?field=`, `&search=`), or the properties of an event (`?event=`)."""
    account, event = request.actor.account, _text(request, "event")
    if event and not _text(request, "property"):
        found = [{"name": name, "number": number} for name, number in seen.properties(account.pk, event)]
        return JsonResponse({"properties": found})
    values = choices.suggested(
        account,
        event=event,
        property=_text(request, "property"),
        field=_text(request, "field"),
        text=_text(request, "search"),
    )
    return JsonResponse({"values": values})


@require_POST
@page
def words(request: PageRequest) -> HttpResponse:
    """Criteria in words, what is wrong with them and the names behind their ids.

    The body is `{criteria, segment?, in_run?}`: `segment` is the id of the one whose criteria they are, `in_run`
    allows what has a sense inside a journey only.
    """
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return JsonResponse({"detail": _("The body is not JSON.")}, status=400)
    account, criteria = request.actor.account, body.get("criteria")
    own = find(Segment, body["segment"], actor=request.actor) if body.get("segment") else None
    reading = context(account, segment=(own.pk, own.name) if own else None, in_run=bool(body.get("in_run")))
    faults: list[Fault] = []
    try:
        parse(criteria, context=reading)
    except Invalid as refusal:
        faults = refusal.errors
    known = naming.lookup(account.pk, say.mentioned(criteria))
    said: dict[str, Any] = {
        "language": _language(),
        "names": known,
        "currency": account.currency,
        "zone": account.timezone,
    }
    return JsonResponse(
        {
            "sentence": say.sentence(criteria, **said),
            "phrases": _tree(say.phrases(criteria, **said)),
            "faults": faults,
            "names": {f"{kind}/{id}": name for (kind, id), name in known.items()},
        }
    )


def _tree(phrase: say.Phrase) -> dict[str, Any]:
    return {
        "pointer": phrase.pointer,
        "text": phrase.text,
        "children": [_tree(child) for child in phrase.children],
    }
