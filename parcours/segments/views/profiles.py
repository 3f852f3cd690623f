"""A segment's own pages: who is in it, who entered and left, and its size over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, find, page
from parcours.events.watermark import Watermark
from parcours.lib import clock
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Invalid
from parcours.segments import curves, exports, listing, members, queries
from parcours.segments.models import Segment
from parcours.segments.periods import read_as_of, read_period
from parcours.segments.views.index import asked
from parcours.ui.columns import columns

_A_PAGE = 50
_COLUMNS = {
    "name": gettext_lazy("First and last name"),
    "email": gettext_lazy("E-mail"),
    "entered_at": gettext_lazy("Date of entry"),
    "email_opt_in": gettext_lazy("E-mail opt-in"),
    "sms_opt_in": gettext_lazy("SMS opt-in"),
}
_FALLING = ("entered_at", "email_opt_in", "sms_opt_in")
_SPANS = (30, 90, 365)


@require_GET
@page
def profiles(request: PageRequest, segment_id: str) -> HttpResponse:
    """A segment's contacts, the last to enter first unless the reader asks for another order."""
    segment = find(Segment, segment_id, actor=request.actor)
    search, sort = asked(request, "q"), _sort(request)
    words = members.words_of(search)
    after = None
    read, total = members.reading(segment), segment.profiles
    if request.GET.get("cursor"):
        # Pages add up to one list: they keep the watermark of the first, and the number of profiles that it said.
        try:
            load, as_of, total, key, contact = decode_cursor(request.GET["cursor"], int, int, int, str, int)
        except Invalid:
            return redirect("segments:profiles", segment.pk)
        read, after = Watermark(as_of=from_ms(as_of), load=load), (key, contact)
    asked_for: dict[str, Any] = {
        "load": read.load,
        "limit": _A_PAGE + 1,
        "sort": sort,
        "words": words,
        "after": after,
    }
    matching: int | None = None
    if words:
        found, matching = members.search(segment, **asked_for)
    else:
        found = members.members(segment, **asked_for)
    shown = found[:_A_PAGE]
    following = None
    if len(found) > _A_PAGE:
        following = encode_cursor(read.load, to_ms(read.as_of), total, *shown[-1].place)
    context = _frame(segment, read, total) | {
        "members": shown,
        "next": following,
        "search": search,
        "found": matching,
        "columns": columns(_COLUMNS, sort, falling=_FALLING),
        "sort": sort,
        "first": after is None,
    }
    return render(request, "segments/profiles.html", context)


@require_GET
@page
def export(request: PageRequest, segment_id: str) -> HttpResponseBase:
    """The contacts that the page shows (at its `as_of`), all of them, as CSV."""
    segment = find(Segment, segment_id, actor=request.actor)
    read = members.reading(segment, _as_of(request))
    words = members.words_of(asked(request, "q"))
    return exports.members(request, segment, load=read.load, sort=_sort(request), words=words)


@require_GET
@page
def changes(request: PageRequest, segment_id: str) -> HttpResponse:
    """Who entered and left, when; and the segment's size over time."""
    segment = find(Segment, segment_id, actor=request.actor)
    read, total = members.reading(segment), segment.profiles
    fault = ""
    try:
        period = read_period(
            request.actor.account,
            kind=asked(request, "kind"),
            since=asked(request, "from"),
            until=asked(request, "to"),
        )
    except Invalid as refusal:
        fault, period = refusal.errors[0]["detail"], members.Period()
    after = None
    if request.GET.get("cursor"):
        try:
            load, as_of, total, at, in_load, position = decode_cursor(
                request.GET["cursor"], int, int, int, int, int, int
            )
        except Invalid:
            return redirect("segments:changes", segment.pk)
        read, after = Watermark(as_of=from_ms(as_of), load=load), (at, in_load, position)
    found = members.changes(segment, load=read.load, period=period, limit=_A_PAGE + 1, after=after)
    shown = found[:_A_PAGE]
    following = None
    if len(found) > _A_PAGE:
        following = encode_cursor(read.load, to_ms(read.as_of), total, *shown[-1].place)
    entered, left = members.change_counts(segment, load=read.load, period=period)
    context = _frame(segment, read, total) | {
        "changes": shown,
        "next": following,
        "fault": fault,
        "entered": entered,
        "left": left,
        "asked": request.GET,
        "kind": period.kind,
        "first": after is None,
    }
    if after is None:
        days = _days(request)
        now, over = clock.now(), timedelta(days=days)
        by_hour = now - segment.created_at < curves.YOUNG
        points = curves.history([segment], now=now, over=over, by_hour=by_hour)[segment.pk]
        context |= {"chart": curves.chart(points, by_hour=by_hour), "days": days, "spans": _SPANS}
    return render(request, "segments/changes.html", context)


def _frame(segment: Segment, read: Watermark, total: int) -> dict[str, Any]:
    """What every page of a segment shows: its state, its number of profiles, and the way to its other pages."""
    now = clock.now()
    state = listing.Status(segment.state(now))
    return {
        "segment": segment,
        "total": total,
        "as_of": _shown_as_of(segment, read),
        "state": state.label,
        "tone": listing.TONES[state],
        "said": queries.in_words(segment.account, [segment])[segment.pk],
        "why": listing.why(segment, state),
        "paused": state == listing.Status.PAUSED,
        "moving": listing.moving(segment),
        "tabs": [
            (_("Profiles"), reverse("segments:profiles", args=[segment.pk]), total),
            (_("Entries and exits"), reverse("segments:changes", args=[segment.pk])),
        ],
    }


def _as_of(request: PageRequest) -> datetime | None:
    """The instant of the page that the reader comes from; None when it says none that can be read."""
    try:
        return read_as_of(asked(request, "as_of"))
    except Invalid:
        return None


def _shown_as_of(segment: Segment, read: Watermark) -> datetime | None:
    return None if segment.figures_at is None else read.as_of


def _sort(request: PageRequest) -> str:
    sort = asked(request, "sort")
    return sort if sort.removeprefix("-") in members.SORTS else members.BY_ENTRY


def _days(request: PageRequest) -> int:
    chosen = asked(request, "days")
    return int(chosen) if chosen in map(str, _SPANS) else _SPANS[0]
