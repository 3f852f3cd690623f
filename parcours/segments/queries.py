"""Readings of segments: their figures, and previews of criteria. Their members are in `members`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import get_language

from parcours.accounts.models import Account
from parcours.contacts import naming
from parcours.contacts.queries import described
from parcours.criteria import members, store
from parcours.criteria.compile import Scope, Statement
from parcours.criteria.parse import parse
from parcours.criteria.words import say
from parcours.events import watermark
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.segments import errors, figures, names
from parcours.segments.models import Segment, Upkeep

SAMPLE = 10


@dataclass(frozen=True)
class Preview:
    """How many contacts meet criteria at an instant, and some of them as the API writes contacts."""

    as_of: datetime
    count: int
    sample: Sequence[dict[str, Any]]


def night_hour(account: Account) -> int:
    """The hour of the night, in the account's zone, at which its segments are computed in full."""
    return (Upkeep.objects.filter(account=account).first() or Upkeep()).night_hour


def in_words(account: Account, segments: Sequence[Segment]) -> dict[int, str]:
    """What each segment asks of a contact, in a sentence of the reader's language; a few queries for however many."""
    language = "fr" if (get_language() or "en").startswith("fr") else "en"
    mentioned = {one for segment in segments for one in say.mentioned(segment.criteria)}
    known = naming.lookup(account.pk, mentioned)
    return {
        segment.pk: say.sentence(
            segment.criteria, language=language, names=known, currency=account.currency, zone=account.timezone
        )
        for segment in segments
    }


def preview(
    *, account: Account, criteria: Any, pointer: str = "/criteria", as_of: datetime | None = None
) -> Preview:
    """Who meets criteria now, or at the instant of an answer given before. Raises Invalid with all the faults."""
    node = parse(criteria, context=names.context(account), pointer=pointer)
    read = watermark.current(account.pk) if as_of is None else watermark.at(account.pk, as_of)
    meet = members.members(node, Scope(account.pk, read.load, to_ms(read.as_of), account.timezone))
    sql = f"SELECT count(), groupArraySorted({SAMPLE})(-toInt64(contact)) FROM ({meet.sql})"
    ((count, newest),) = store.run(Statement(sql, meet.parameters))
    return Preview(as_of=read.as_of, count=count, sample=described([-contact for contact in newest]))


def as_json_of_many(segments: Sequence[Segment], *, as_of: datetime | None = None) -> list[dict[str, Any]]:
    """Segments of one account as the API writes them, with their figures at the instant of an answer given before.

    What else a segment tells (its state, its last computation) is of now.
    """
    told = [as_json(segment) for segment in segments]
    if as_of is None or not segments:
        return told
    read = watermark.at(segments[0].account_id, as_of)
    known = figures.at(segments, read)
    for segment, one in zip(segments, told, strict=True):
        one.update(known[segment.pk])
        one["as_of"] = None if segment.figures_at is None else read.as_of
    return told


def as_json(segment: Segment) -> dict[str, Any]:
    """A segment as the API writes it."""
    return {
        "id": str(segment.pk),
        "name": segment.name,
        "criteria": segment.criteria,
        "folder": None if segment.folder_id is None else str(segment.folder_id),
        "status": segment.state(clock.now()),
        "profiles": segment.profiles,
        "email_opt_ins": segment.email_opt_ins,
        "sms_opt_ins": segment.sms_opt_ins,
        "as_of": segment.figures_at,
        "computed_at": segment.computed_at,
        "duration_ms": segment.duration_ms,
        "next_at": segment.next_at,
        "progress": segment.progress,
        "late_reason": segment.late_reason or None,
        "error": errors.said(segment) or None,
    }
