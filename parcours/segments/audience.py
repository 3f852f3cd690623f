"""What the package of contacts asks of segments: their names, who is in one, which hold somebody, what they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.translation import pgettext_lazy

from parcours.contacts.naming import Named
from parcours.contacts.uses import User
from parcours.events import watermark
from parcours.events.store import queries as store
from parcours.lib.instants import from_ms
from parcours.segments import queries
from parcours.segments.models import Segment


def names(account_id: int) -> list[tuple[int, str]]:
    """The account's segments."""
    return list(Segment.objects.filter(account_id=account_id).values_list("pk", "name"))


def members(account_id: int, segment_id: int) -> Sequence[int]:
    """Who is in a segment now, as the event store knows it; nobody for one that is gone."""
    segment = Segment.objects.filter(account_id=account_id, pk=segment_id).first()
    return [] if segment is None else queries.member_ids(segment)


def of_contact(account_id: int, contact_id: int) -> list[tuple[Segment, datetime]]:
    """The segments in which a contact is, with the instant of entry, the last one entered first."""
    segments = {segment.pk: segment for segment in Segment.objects.filter(account_id=account_id)}
    if not segments:
        return []
    rows = store.run(
        "segments_of_contact",
        {
            "account": account_id,
            "segments": list(segments),
            "contact": contact_id,
            "load": watermark.current(account_id).load,
        },
    )
    found = [(segments[row["segment"]], from_ms(int(row["entered_at"]))) for row in rows]
    return sorted(found, key=lambda each: (each[1], each[0].pk), reverse=True)


def users(account_id: int) -> Iterator[User]:
    """The segments, and the criteria in which they may name attributes, tags and lists."""
    rows = Segment.objects.filter(account_id=account_id).order_by("name", "pk")
    for segment in rows.only("name", "criteria").iterator():
        yield User(
            kind=pgettext_lazy("kind", "Segment"),
            name=segment.name,
            url=reverse("segments:edit", args=[segment.pk]),
            documents=(segment.criteria,),
        )


def named(account_id: int, ids: list[int]) -> dict[int, Named]:
    """The names and pages of segments."""
    rows = Segment.objects.filter(account_id=account_id, pk__in=ids).values_list("pk", "name")
    return {pk: Named(name, reverse("segments:profiles", args=[pk])) for pk, name in rows}
