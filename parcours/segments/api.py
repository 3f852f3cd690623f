"""The API's segments."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict

from parcours.accounts.access import READ, Actor, find, for_account
from parcours.accounts.api_auth import needs
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.lib.paging import Paging, decode_cursor, encode_cursor, newest_first
from parcours.segments import actions, queries
from parcours.segments.models import Segment

router = Router(tags=["segments"])


class NewSegment(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    criteria: Any


class SegmentChange(Schema):
    """What is absent stays as it is."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    criteria: Any = None


class Criteria(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    criteria: Any


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _segment(request: HttpRequest, segment_id: str) -> Segment:
    return find(Segment, segment_id, actor=_actor(request))


@router.get("/segments", summary="Segments, newest first")
def list_segments(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(Segment, _actor(request)), paging, as_json=queries.as_json)


@router.post("/segments", response={201: Any}, summary="Make a segment; it is computed at once")
def create_segment(request: HttpRequest, body: NewSegment) -> Any:
    account = _actor(request).account
    made = actions.create(account=account, name=body.name, criteria=body.criteria, now=clock.now())
    return Status(201, queries.as_json(made))


@router.post(
    "/segments/preview", auth=needs(READ), summary="How many contacts meet criteria, and some of them"
)
def preview(request: HttpRequest, body: Criteria) -> Any:
    found = queries.preview(account=_actor(request).account, criteria=body.criteria)
    return {"as_of": found.as_of, "count": found.count, "sample": found.sample}


@router.get("/segments/{segment_id}", summary="A segment and its figures")
def read_segment(request: HttpRequest, segment_id: str) -> Any:
    return queries.as_json(_segment(request, segment_id))


@router.patch("/segments/{segment_id}", summary="Change a segment's name or criteria")
def change_segment(request: HttpRequest, segment_id: str, body: SegmentChange) -> Any:
    segment = _segment(request, segment_id)
    changed = actions.update(segment=segment, name=body.name, criteria=body.criteria, now=clock.now())
    return queries.as_json(changed)


@router.delete("/segments/{segment_id}", response={204: None}, summary="Delete a segment that nothing uses")
def delete_segment(request: HttpRequest, segment_id: str) -> Any:
    actions.delete(segment=_segment(request, segment_id))
    return Status(204, None)


@router.post("/segments/{segment_id}/refresh", response={202: Any}, summary="Compute a segment now")
def refresh_segment(request: HttpRequest, segment_id: str) -> Any:
    segment = actions.refresh(segment=_segment(request, segment_id), now=clock.now())
    return Status(202, queries.as_json(segment))


@router.post("/segments/{segment_id}/duplicate", response={201: Any}, summary="Copy a segment")
def duplicate_segment(request: HttpRequest, segment_id: str) -> Any:
    copy = actions.duplicate(segment=_segment(request, segment_id), now=clock.now())
    return Status(201, queries.as_json(copy))


@router.post("/segments/{segment_id}/pause", summary="Freeze a segment's membership")
def pause_segment(request: HttpRequest, segment_id: str) -> Any:
    return queries.as_json(actions.pause(segment=_segment(request, segment_id), now=clock.now()))


@router.post("/segments/{segment_id}/activate", summary="End a segment's pause; it is computed at once")
def activate_segment(request: HttpRequest, segment_id: str) -> Any:
    return queries.as_json(actions.activate(segment=_segment(request, segment_id), now=clock.now()))


@router.get("/segments/{segment_id}/members", summary="A segment's contacts, the last to enter first")
def list_members(request: HttpRequest, segment_id: str, paging: Query[Paging]) -> Any:
    segment = _segment(request, segment_id)
    # A cursor keeps the watermark of its first page, so that pages add up to one list.
    at = contact = 0
    if paging.cursor:
        segment.figures_load, at, contact = decode_cursor(paging.cursor, int, int, int)
    found = queries.members(segment, limit=paging.limit + 1, after=(at, contact) if paging.cursor else None)
    page = found[: paging.limit]
    more = len(found) > paging.limit
    after = (segment.figures_load, to_ms(page[-1].entered_at), page[-1].contact) if more else ()
    return {
        "as_of": segment.figures_at,
        "items": [_member_json(member) for member in page],
        "next": encode_cursor(*after) if more else None,
    }


def _member_json(member: queries.Member) -> dict[str, Any]:
    return {
        "contact": None if member.erased else str(member.contact),
        "name": member.name,
        "email": member.email,
        "entered_at": member.entered_at,
        "email_opt_in": member.email_opt_in,
        "sms_opt_in": member.sms_opt_in,
    }
