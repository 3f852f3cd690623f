"""A segment's own pages: who is in it."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, find, page
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid
from parcours.segments import queries
from parcours.segments.models import Segment
from parcours.segments.views.index import TONES, Status

_A_PAGE = 50


@require_GET
@page
def profiles(request: PageRequest, segment_id: str) -> HttpResponse:
    """A segment's contacts, the last to enter first."""
    segment = find(Segment, segment_id, actor=request.actor)
    after = None
    if request.GET.get("cursor"):
        try:
            segment.figures_load, at, contact = decode_cursor(request.GET["cursor"], int, int, int)
            after = (at, contact)
        except Invalid:
            return redirect("segments:profiles", segment.pk)
    found = queries.members(segment, limit=_A_PAGE + 1, after=after)
    shown = found[:_A_PAGE]
    following = None
    if len(found) > _A_PAGE:
        following = encode_cursor(segment.figures_load, to_ms(shown[-1].entered_at), shown[-1].contact)
    state = Status(segment.state(clock.now()))
    context = {
        "segment": segment,
        "members": shown,
        "next": following,
        "state": state.label,
        "tone": TONES[state],
    }
    return render(request, "segments/profiles.html", context)
