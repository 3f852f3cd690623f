"""Readings of segments: members, figures and previews, each at one watermark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from parcours.accounts.models import Account
from parcours.contacts.queries import described
from parcours.criteria import compile, store
from parcours.criteria.compile import Scope, Statement
from parcours.criteria.parse import parse
from parcours.events import watermark
from parcours.events.store import queries
from parcours.lib import clock
from parcours.lib.instants import from_ms, to_ms
from parcours.segments import names
from parcours.segments.models import Segment

SAMPLE = 10


@dataclass(frozen=True)
class Member:
    """A contact in a segment; `name` and `email` are None for one erased since."""

    contact: int
    entered_at: datetime
    name: str | None
    email: str | None
    email_opt_in: bool
    sms_opt_in: bool
    erased: bool


@dataclass(frozen=True)
class Preview:
    """How many contacts meet criteria at an instant, and some of them as the API writes contacts."""

    as_of: datetime
    count: int
    sample: Sequence[dict[str, Any]]


def members(segment: Segment, *, limit: int, after: tuple[int, int] | None = None) -> list[Member]:
    """Members at the watermark of the segment's figures, the last to enter first.

    `after` is the (entered_at in ms, contact) of the last one read. All of them are as many as `segment.profiles`.
    """
    bound = {
        "account": segment.account_id,
        "segment": segment.pk,
        "load": segment.figures_load,
        "limit": limit,
    }
    at, contact = after or (0, 0)
    rows = queries.run("segment_members", bound | {"after": at, "after_contact": contact})
    return [
        Member(
            contact=row["contact"],
            entered_at=from_ms(row["entered_at"]),
            name=" ".join(part for part in (row["first_name"], row["last_name"]) if part) or None,
            email=row["email"] or None,
            email_opt_in=row["consent_email"] == "opted_in",
            sms_opt_in=row["consent_sms"] == "opted_in",
            erased=bool(row["gone"]),
        )
        for row in rows
    ]


def member_ids(segment: Segment) -> list[int]:
    """Every contact in a segment, at the present watermark, by id: who is in it when a journey is activated."""
    read = watermark.current(segment.account_id)
    bound = {"account": segment.account_id, "segment": segment.pk, "load": read.load}
    return [row["contact"] for row in queries.run("segment_member_ids", bound)]


def preview(*, account: Account, criteria: Any, pointer: str = "/criteria") -> Preview:
    """Who meets criteria now. Raises Invalid with all the faults."""
    node = parse(criteria, context=names.context(account), pointer=pointer)
    read = watermark.current(account.pk)
    meet = compile.members(node, Scope(account.pk, read.load, to_ms(read.as_of), account.timezone))
    sql = f"SELECT count(), groupArraySorted({SAMPLE})(-toInt64(contact)) FROM ({meet.sql})"
    ((count, newest),) = store.run(Statement(sql, meet.parameters))
    return Preview(as_of=read.as_of, count=count, sample=described([-contact for contact in newest]))


def as_json(segment: Segment) -> dict[str, Any]:
    """A segment as the API writes it."""
    return {
        "id": str(segment.pk),
        "name": segment.name,
        "criteria": segment.criteria,
        "status": segment.state(clock.now()),
        "profiles": segment.profiles,
        "email_opt_ins": segment.email_opt_ins,
        "sms_opt_ins": segment.sms_opt_ins,
        "as_of": segment.figures_at,
        "computed_at": segment.computed_at,
        "duration_ms": segment.duration_ms,
        "next_at": segment.next_at,
        "error": segment.error or None,
    }
