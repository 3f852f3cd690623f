"""The page of tags: how many contacts bear each; renamed, merged, deleted."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from parcours.accounts.access import WRITE, PageRequest, page
from parcours.accounts.models import Job
from parcours.contacts import tags, uses
from parcours.lib.problems import Problem

_A_PAGE = 50


@require_GET
@page
def index(request: PageRequest) -> HttpResponse:
    """The account's tags by name."""
    account_id = request.actor.account_id
    search = request.GET.get("search", "").replace("\0", "").strip()[:100]
    listed = Paginator(tags.counts(account_id, search=search), _A_PAGE).get_page(request.GET.get("page"))
    used = uses.of_account(account_id)
    rows = [
        {"name": name, "count": count, "uses": used.of("tag", name)} for name, count in listed.object_list
    ]
    context = {
        "rows": rows,
        "listed": listed,
        "search": search,
        "names": tags.offered(account_id),
    }
    return render(request, "contacts/tags.html", context)


@require_POST
@page(scope=WRITE)
def rename(request: PageRequest) -> HttpResponse:
    """Give a tag another name; that of another tag merges the two."""
    by = request.POST.get("by", "")
    return _changed(request, lambda tag: tags.rename(request.actor.account, tag, by, user=request.user.pk))


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest) -> HttpResponse:
    """Take a tag from everybody."""
    return _changed(request, lambda tag: tags.delete(request.actor.account, tag, user=request.user.pk))


def _changed(request: PageRequest, change: Callable[[str], Job]) -> HttpResponse:
    try:
        job = change(request.POST.get("tag", ""))
    except Problem as problem:
        messages.error(request, problem.detail)
        return redirect("tags:index")
    return redirect("contacts:bulk_job", job.pk)
