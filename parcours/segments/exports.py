"""A segment's members as a file."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, StreamingHttpResponse

from parcours.accounts import log
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.instants import iso
from parcours.segments.members import every
from parcours.segments.models import Segment

_HEADER = ("contact", "name", "email", "entered_at", "email_opt_in", "sms_opt_in")


def members(
    request: HttpRequest, segment: Segment, *, load: int, sort: str, words: Sequence[str]
) -> StreamingHttpResponse:
    """The members at a watermark that a search finds, as CSV; an erased contact is a line without name."""
    log.note(request.actor, "contacts.exported", segment.name)  # type: ignore[attr-defined]
    rows = (
        (
            "" if one.erased else one.contact,
            one.name or "",
            one.email or "",
            iso(one.entered_at),
            "true" if one.email_opt_in else "false",
            "true" if one.sms_opt_in else "false",
        )
        for one in every(segment, load=load, sort=sort, words=words)
    )
    name = f"segment-{segment.pk}.csv"
    return streamed(request, csv_lines(_HEADER, rows), content_type="text/csv; charset=utf-8", filename=name)
