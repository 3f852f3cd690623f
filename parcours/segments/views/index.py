"""The page of segments."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, for_account, page
from parcours.lib import clock
from parcours.segments.models import Segment

_A_PAGE = 50
Status = Segment.Status
TONES = {Status.COMPUTING: "busy", Status.LATE: "late", Status.UP_TO_DATE: "good", Status.PAUSED: "neutral"}


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's segments; the table alone for a page that follows a computation."""
    search = request.GET.get("search", "").replace("\0", "").strip()[:200]
    found = for_account(Segment, request.actor)
    if search:
        found = found.filter(name__icontains=search)
    shown = Paginator(found.order_by("name", "pk"), _A_PAGE).get_page(request.GET.get("page"))
    now = clock.now()
    rows = []
    for segment in shown.object_list:
        state = Status(segment.state(now))
        rows.append(
            {"segment": segment, "state": state.label, "tone": TONES[state], "paused": state == Status.PAUSED}
        )
    moving = any(one.settling_at or one.status == Status.COMPUTING for one in shown.object_list)
    context = {"rows": rows, "page": shown, "search": search, "moving": moving}
    return render(
        request,
        "segments/table.html" if request.headers.get("HX-Request") else "segments/index.html",
        context,
    )
