"""Folders of segments: their page, and the move of a selection into one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from parcours.accounts.access import WRITE, PageRequest, as_id, find, page
from parcours.lib.problems import Invalid
from parcours.segments import folders
from parcours.segments.forms import FolderForm
from parcours.segments.listing import NO_FOLDER
from parcours.segments.models import SegmentFolder
from parcours.segments.views.life import back_to_list


@require_http_methods(["GET", "POST"])
@page(scope=WRITE)
def index(request: PageRequest) -> HttpResponse:
    """The folders, and the form that makes one."""
    form = FolderForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            folder = folders.create(account=request.actor.account, name=form.cleaned_data["name"])
        except Invalid as refusal:
            form.refuse(refusal)
        else:
            messages.success(request, _("The folder “%(name)s” is made.") % {"name": folder.name})
            return redirect("segments:folders")
    found = folders.counted(request.actor.account_id)
    context = {"folders": found, "form": form}
    return render(request, "segments/folders.html", context, status=422 if form.errors else 200)


@require_POST
@page(scope=WRITE)
def rename(request: PageRequest, folder_id: str) -> HttpResponse:
    """Give a folder another name."""
    folder = find(SegmentFolder, folder_id, actor=request.actor)
    try:
        folders.rename(folder=folder, name=request.POST.get("name", ""))
    except Invalid as refusal:
        messages.error(request, " ".join([str(refusal), *(fault["detail"] for fault in refusal.errors)]))
    else:
        messages.success(request, _("The folder “%(name)s” is renamed.") % {"name": folder.name})
    return redirect("segments:folders")


@require_POST
@page(scope=WRITE)
def delete(request: PageRequest, folder_id: str) -> HttpResponse:
    """Delete a folder; its segments stay."""
    folder = find(SegmentFolder, folder_id, actor=request.actor)
    folders.delete(folder=folder)
    messages.success(
        request, _("The folder “%(name)s” is deleted. Its segments stay.") % {"name": folder.name}
    )
    return redirect("segments:folders")


@require_POST
@page(scope=WRITE)
def move(request: PageRequest) -> HttpResponse:
    """Put the segments that are ticked in a folder, or in none."""
    chosen = request.POST.get("folder", "")
    folder = None if chosen == NO_FOLDER else find(SegmentFolder, chosen, actor=request.actor)
    ids = [number for number in map(as_id, request.POST.getlist("segment")) if number is not None]
    moved = folders.move(account=request.actor.account, segment_ids=ids, folder=folder)
    if not moved:
        messages.error(request, _("Tick the segments to move first."))
    elif folder is None:
        said = ngettext(
            "%(count)s segment is in no folder any more.",
            "%(count)s segments are in no folder any more.",
            moved,
        )
        messages.success(request, said % {"count": moved})
    else:
        said = ngettext(
            "%(count)s segment is now in “%(name)s”.", "%(count)s segments are now in “%(name)s”.", moved
        )
        messages.success(request, said % {"count": moved, "name": folder.name})
    return back_to_list(request)
