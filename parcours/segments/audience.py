"""What the package of contacts asks of segments: their names, who is in one, which hold somebody, what they use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.translation import pgettext_lazy

from parcours.contacts.uses import User
from parcours.events import watermark
from parcours.events.store import queries as store
from parcours.lib.instants import from_ms
from parcours.segments.models import Segment

_ABOVE_ALL = 2**63 - 1


def names(account_id: int) -> list[tuple[int, str]]:
    """The account's segments."""
    return list(Segment.objects.filter(account_id=account_id).values_list("pk", "name"))


@dataclass(frozen=True)
class Reading:
    """Who is in a segment at a watermark, as `contacts.audience` asks it; nobody in one that is gone."""

    account_id: int
    segment_id: int
    load: int

    def held(self, contacts: Sequence[int]) -> set[int]:
        """Those of some contacts who are in it."""
        rows = (
            store.run("segment_entries_of", self._scope() | {"contacts": list(contacts)}) if contacts else []
        )
        return {row["contact"] for row in rows}

    def below(self, contact: int | None, limit: int) -> list[int]:
        """Its first `limit` members whose id is lower (None: of all), the highest id first."""
        bound = self._scope() | {"below": contact or _ABOVE_ALL, "limit": limit}
        return [row["contact"] for row in store.run("segment_members_below", bound)]

    def _scope(self) -> dict[str, int]:
        return {"account": self.account_id, "segment": self.segment_id, "load": self.load}


def reader(account_id: int, segment_id: int) -> Reading:
    """Who is in a segment now."""
    known = Segment.objects.filter(account_id=account_id, pk=segment_id).exists()
    return Reading(account_id, segment_id if known else 0, watermark.current(account_id).load)


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
            kind="segment",
            label=pgettext_lazy("kind", "Segment"),
            id=segment.pk,
            name=segment.name,
            url=reverse("segments:edit", args=[segment.pk]),
            documents=(segment.criteria,),
        )
