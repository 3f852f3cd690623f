"""The page of segments, and the parts of it that are asked again while something is computed."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from parcours.accounts.access import PageRequest, as_id, for_account, page
from parcours.lib import clock
from parcours.segments import folders, listing, queries
from parcours.segments.models import Segment
from parcours.ui.columns import columns

_A_PAGE = 50
_COLUMNS = {
    "name": _("Name"),
    "state": _("State"),
    "profiles": _("Profiles"),
    "email_opt_ins": _("E-mail opt-ins"),
    "sms_opt_ins": _("SMS opt-ins"),
    "computed_at": _("Computed"),
}
_FIGURES = ("profiles", "email_opt_ins", "sms_opt_ins")


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's segments."""
    search, folder = asked(request, "search"), asked(request, "folder")
    sort = asked(request, "sort") or "name"
    now = clock.now()
    every = for_account(Segment, request.actor)
    ids = listing.ordered(listing.found(every, search=search, folder=folder), sort, now=now)
    shown = Paginator(ids, _A_PAGE).get_page(request.GET.get("page"))
    by_id = every.select_related("folder").in_bulk(list(shown.object_list))
    segments = [by_id[pk] for pk in shown.object_list if pk in by_id]
    listed = listing.shown(segments, now=now, said=queries.in_words(request.actor.account, segments))
    known = folders.counted(request.actor.account_id)
    total = every.count()
    context = {
        "rows": listed,
        "page": shown,
        "search": search,
        "folder": folder,
        "folders": known,
        "in_no_folder": total - sum(one.count for one in known),  # type: ignore[attr-defined]
        "total": total,
        "columns": columns(_COLUMNS, sort, figures=_FIGURES, falling=(*_FIGURES, "computed_at")),
        "sort": sort,
        "watched": listed,
        "moving": any(row.moving for row in listed),
        "night_hour": queries.night_hour(request.actor.account),
    }
    return render(request, "segments/index.html", context)


@require_GET
@page
def pulse(request: PageRequest) -> HttpResponse:
    """A fragment: of the rows that a page shows, as it knows them (`?row=ID.MARK&…`), those that are other now.

    It asks again by itself: soon while something is computed, else now and then.
    """
    known = dict(one.partition(".")[::2] for one in request.GET.getlist("row")[:_A_PAGE])
    ids = [number for number in map(as_id, known) if number is not None]
    segments = list(for_account(Segment, request.actor).filter(pk__in=ids).order_by("pk"))
    watched = listing.shown(segments, now=clock.now())
    context = {
        "rows": [row for row in watched if row.mark != known.get(str(row.segment.pk))],
        "watched": watched,
        "moving": any(row.moving for row in watched),
    }
    return render(request, "segments/pulse.html", context)


def asked(request: HttpRequest, name: str) -> str:
    """A parameter of the address, as a text that can be searched for."""
    return request.GET.get(name, "").replace("\0", "").strip()[:200]
