"""The API's segments."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts.access import ADMIN, READ, Actor, find, for_account
from parcours.accounts.api_auth import needs
from parcours.criteria import unheard
from parcours.events.watermark import Watermark
from parcours.lib import clock
from parcours.lib.instants import from_ms, to_ms
from parcours.lib.paging import Paging, decode_cursor, encode_cursor, newest_first
from parcours.lib.problems import Fault, Invalid, NotFound
from parcours.segments import actions, curves, exports, folders, listing, members, queries
from parcours.segments.models import Segment, SegmentFolder
from parcours.segments.periods import read_as_of, read_period

router = Router(tags=["segments"])
_AS_OF = "The `as_of` of a recent answer, to read the same instant."


class NewSegment(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    criteria: Any
    folder: str | None = None


class SegmentChange(Schema):
    """What is absent stays as it is; a folder of null takes the segment out of its folder."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    criteria: Any = None
    folder: str | None = None


class Criteria(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    criteria: Any


class FolderName(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str


class Settings(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    night_hour: int


class SegmentList(Paging):
    search: str = Field("", max_length=200, description="Words of the name.")
    folder: str = Field("", max_length=20, description="A folder's id; `none` for those in no folder.")
    as_of: str = Field("", max_length=40, description=_AS_OF)


class MemberFilter(Schema):
    q: str = Field("", max_length=200, description="Words of the name, address, number or external id.")
    sort: Literal[
        "entered_at",
        "-entered_at",
        "name",
        "-name",
        "email",
        "-email",
        "email_opt_in",
        "-email_opt_in",
        "sms_opt_in",
        "-sms_opt_in",
    ] = "-entered_at"
    as_of: str = Field("", max_length=40, description=_AS_OF)


class MemberReading(MemberFilter, Paging):
    pass


class ChangeReading(Paging):
    kind: Literal["", "entered", "left"] = ""
    since: str = Field("", alias="from", max_length=40)
    until: str = Field("", alias="to", max_length=40)
    as_of: str = Field("", max_length=40, description=_AS_OF)


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _segment(request: HttpRequest, segment_id: str) -> Segment:
    return find(Segment, segment_id, actor=_actor(request))


def _folder(request: HttpRequest, folder_id: str | None) -> SegmentFolder | None:
    """The folder that a body names. Raises Invalid for an id that names none."""
    if folder_id is None:
        return None
    try:
        return find(SegmentFolder, folder_id, actor=_actor(request))
    except NotFound as unknown:
        fault = Fault(pointer="/folder", detail=_("There is no such folder."))
        raise Invalid(_("This segment cannot be saved."), [fault]) from unknown


@router.get("/segments", summary="Segments, newest first")
def list_segments(request: HttpRequest, asked: Query[SegmentList]) -> Any:
    rows = listing.found(for_account(Segment, _actor(request)), search=asked.search, folder=asked.folder)
    as_of = read_as_of(asked.as_of)
    page = newest_first(rows, asked, as_json=lambda segment: {"segment": segment})
    segments = [item["segment"] for item in page["items"]]
    return page | {"items": queries.as_json_of_many(segments, as_of=as_of)}


@router.post("/segments", response={201: Any}, summary="Make a segment; it is computed at once")
def create_segment(request: HttpRequest, body: NewSegment) -> Any:
    account = _actor(request).account
    folder = _folder(request, body.folder)
    made = actions.create(account=account, name=body.name, criteria=body.criteria, now=clock.now())
    if folder is not None:
        folders.put(segment=made, folder=folder)
    return Status(201, _with_warnings(made))


@router.post(
    "/segments/preview", auth=needs(READ), summary="How many contacts meet criteria, and some of them"
)
def preview(
    request: HttpRequest, body: Criteria, as_of: str = Query("", max_length=40, description=_AS_OF)
) -> Any:
    account = _actor(request).account
    found = queries.preview(account=account, criteria=body.criteria, as_of=read_as_of(as_of))
    return {
        "as_of": found.as_of,
        "count": found.count,
        "sample": found.sample,
        "warnings": unheard.warnings(account.pk, body.criteria, "/criteria"),
    }


@router.get("/segments/{segment_id}", summary="A segment and its figures")
def read_segment(
    request: HttpRequest, segment_id: str, as_of: str = Query("", max_length=40, description=_AS_OF)
) -> Any:
    segment = _segment(request, segment_id)
    return queries.as_json_of_many([segment], as_of=read_as_of(as_of))[0]


@router.patch("/segments/{segment_id}", summary="Change a segment's name, criteria or folder")
def change_segment(request: HttpRequest, segment_id: str, body: SegmentChange) -> Any:
    segment = _segment(request, segment_id)
    given = body.model_fields_set
    nothing = [name for name in ("name", "criteria") if name in given and getattr(body, name) is None]
    if nothing:
        faults = [Fault(pointer=f"/{name}", detail=_("A value is missing.")) for name in nothing]
        raise Invalid(_("This segment cannot be saved."), faults)
    moved = "folder" in body.model_fields_set
    folder = _folder(request, body.folder)
    changed = actions.update(segment=segment, name=body.name, criteria=body.criteria, now=clock.now())
    if moved:
        folders.put(segment=changed, folder=folder)
    return _with_warnings(changed)


@router.put("/segments/{segment_id}", summary="Write a segment anew: its name, criteria and folder")
def write_segment(request: HttpRequest, segment_id: str, body: NewSegment) -> Any:
    segment = _segment(request, segment_id)
    folder = _folder(request, body.folder)
    changed = actions.update(segment=segment, name=body.name, criteria=body.criteria, now=clock.now())
    folders.put(segment=changed, folder=folder)
    return _with_warnings(changed)


@router.delete(
    "/segments/{segment_id}", response={204: None}, summary="Delete a segment; 409 with what uses it"
)
def delete_segment(request: HttpRequest, segment_id: str) -> Any:
    actions.delete(segment=_segment(request, segment_id))
    return Status(204, None)


@router.post("/segments/{segment_id}/refresh", response={202: Any}, summary="Compute a segment now")
def refresh_segment(request: HttpRequest, segment_id: str) -> Any:
    segment = actions.refresh(segment=_segment(request, segment_id), now=clock.now())
    return Status(202, queries.as_json(segment))


@router.post("/segments/{segment_id}/duplicate", response={201: Any}, summary="Copy a segment")
def duplicate_segment(request: HttpRequest, segment_id: str) -> Any:
    segment = _segment(request, segment_id)
    copy = actions.duplicate(segment=segment, now=clock.now())
    return Status(201, queries.as_json(copy))


@router.post("/segments/{segment_id}/pause", summary="Freeze a segment's membership")
def pause_segment(request: HttpRequest, segment_id: str) -> Any:
    return queries.as_json(actions.pause(segment=_segment(request, segment_id), now=clock.now()))


@router.post("/segments/{segment_id}/activate", summary="End a segment's pause; it is computed at once")
def activate_segment(request: HttpRequest, segment_id: str) -> Any:
    return queries.as_json(actions.activate(segment=_segment(request, segment_id), now=clock.now()))


@router.get("/segments/{segment_id}/members", summary="A segment's contacts, the last to enter first")
def list_members(request: HttpRequest, segment_id: str, asked: Query[MemberReading]) -> Any:
    segment = _segment(request, segment_id)
    # A cursor keeps the watermark of its first page, so that pages add up to one list.
    after = None
    if asked.cursor:
        load, as_of, key, contact = decode_cursor(asked.cursor, int, int, str, int)
        read, after = Watermark(as_of=from_ms(as_of), load=load), (key, contact)
    else:
        read = members.reading(segment, read_as_of(asked.as_of))
    found = members.members(
        segment,
        load=read.load,
        sort=asked.sort,
        words=members.words_of(asked.q),
        limit=asked.limit + 1,
        after=after,
    )
    page = found[: asked.limit]
    following = None
    if len(found) > asked.limit:
        following = encode_cursor(read.load, to_ms(read.as_of), *page[-1].place)
    return {
        "as_of": None if segment.figures_at is None else read.as_of,
        "items": [_member_json(member) for member in page],
        "next": following,
    }


@router.get("/segments/{segment_id}/members.csv", summary="A segment's contacts as CSV")
def export_members(request: HttpRequest, segment_id: str, asked: Query[MemberFilter]) -> Any:
    segment = _segment(request, segment_id)
    read = members.reading(segment, read_as_of(asked.as_of))
    words = members.words_of(asked.q)
    return exports.members(request, segment, load=read.load, sort=asked.sort, words=words)


@router.get(
    "/segments/{segment_id}/changes", summary="Who entered a segment and who left it, the latest first"
)
def list_changes(request: HttpRequest, segment_id: str, asked: Query[ChangeReading]) -> Any:
    segment = _segment(request, segment_id)
    period = read_period(_actor(request).account, kind=asked.kind, since=asked.since, until=asked.until)
    after = None
    if asked.cursor:
        load, as_of, at, in_load, position = decode_cursor(asked.cursor, int, int, int, int, int)
        read, after = Watermark(as_of=from_ms(as_of), load=load), (at, in_load, position)
    else:
        read = members.reading(segment, read_as_of(asked.as_of))
    found = members.changes(segment, load=read.load, period=period, limit=asked.limit + 1, after=after)
    page = found[: asked.limit]
    following = None
    if len(found) > asked.limit:
        following = encode_cursor(read.load, to_ms(read.as_of), *page[-1].place)
    entered, left = members.change_counts(segment, load=read.load, period=period)
    return {
        "as_of": None if segment.figures_at is None else read.as_of,
        "entered": entered,
        "left": left,
        "items": [_change_json(change) for change in page],
        "next": following,
    }


@router.get("/segments/{segment_id}/sizes", summary="How a segment's size went, a size a day")
def list_sizes(
    request: HttpRequest,
    segment_id: str,
    days: int = Query(90, ge=1, le=730),
    as_of: str = Query("", max_length=40, description=_AS_OF),
) -> Any:
    segment = _segment(request, segment_id)
    until = read_as_of(as_of)
    points = curves.history([segment], now=until or clock.now(), over=timedelta(days=days))[segment.pk]
    if until is not None:
        points = [point for point in points if point[0] <= until]
    return {"items": [{"at": at, "profiles": profiles} for at, profiles in points]}


@router.get("/segment-settings", summary="When the segments are computed in full")
def read_settings(request: HttpRequest) -> Any:
    account = _actor(request).account
    return {"night_hour": queries.night_hour(account), "timezone": account.timezone}


@router.patch("/segment-settings", auth=needs(ADMIN), summary="Change the hour of the computation in full")
def change_settings(request: HttpRequest, body: Settings) -> Any:
    actions.set_night(account=_actor(request).account, hour=body.night_hour, now=clock.now())
    return read_settings(request)


@router.get("/segment-folders", summary="Folders of segments, by name")
def list_folders(request: HttpRequest) -> Any:
    found = folders.counted(_actor(request).account_id)
    return {"items": [_folder_json(folder) for folder in found], "next": None}


@router.post("/segment-folders", response={201: Any}, summary="Make a folder")
def create_folder(request: HttpRequest, body: FolderName) -> Any:
    made = folders.create(account=_actor(request).account, name=body.name)
    return Status(201, _folder_json(made))


@router.patch("/segment-folders/{folder_id}", summary="Rename a folder")
def rename_folder(request: HttpRequest, folder_id: str, body: FolderName) -> Any:
    folder = find(SegmentFolder, folder_id, actor=_actor(request))
    return _folder_json(folders.rename(folder=folder, name=body.name))


@router.delete(
    "/segment-folders/{folder_id}", response={204: None}, summary="Delete a folder; its segments stay"
)
def delete_folder(request: HttpRequest, folder_id: str) -> Any:
    folders.delete(folder=find(SegmentFolder, folder_id, actor=_actor(request)))
    return Status(204, None)


def _with_warnings(segment: Segment) -> dict[str, Any]:
    """A segment that was written, with what its criteria name and the account never received."""
    warnings = unheard.warnings(segment.account_id, segment.criteria, "/criteria")
    return {**queries.as_json(segment), "warnings": warnings}


def _member_json(member: members.Member) -> dict[str, Any]:
    return {
        "contact": None if member.erased else str(member.contact),
        "name": member.name,
        "email": member.email,
        "entered_at": member.entered_at,
        "email_opt_in": member.email_opt_in,
        "sms_opt_in": member.sms_opt_in,
    }


def _change_json(change: members.Change) -> dict[str, Any]:
    return {
        "contact": None if change.erased else str(change.contact),
        "name": change.name,
        "email": change.email,
        "change": "entered" if change.entered else "left",
        "at": change.at,
    }


def _folder_json(folder: SegmentFolder) -> dict[str, Any]:
    return {
        "id": str(folder.pk),
        "name": folder.name,
        "segments": folder.segments.count() if not hasattr(folder, "count") else folder.count,
    }
