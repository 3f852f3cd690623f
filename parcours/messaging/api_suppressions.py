"""The API's suppressions."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts.access import Actor, find
from parcours.contacts import queries as contact_queries
from parcours.contacts.models import Channel
from parcours.contacts.normalise import Unfit
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.instants import iso
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid
from parcours.messaging import actions, suppression
from parcours.messaging.models import Suppression

router = Router(tags=["suppressions"])
_CHUNK = 1 << 16


class SuppressionIn(Schema):
    model_config = ConfigDict(extra="forbid")

    channel: str = Channel.EMAIL
    address: str = Field(max_length=320)


class SuppressionFilter(Schema):
    """Which suppressions: those that meet everything given."""

    channel: str = Field("", max_length=10)
    reason: str = Field("", max_length=20)
    address: str = Field("", max_length=320, description="An address whole; the erased are found by it too.")
    search: str = Field("", max_length=320, description="The beginning of an address.")


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _as_json(found: Suppression) -> dict[str, Any]:
    return {
        "id": str(found.pk),
        "channel": found.channel,
        "address": found.address or None,
        "reason": found.reason,
        "contact": None if found.contact_id is None else str(found.contact_id),
        "send": None if found.send_id is None else str(found.send_id),
        "at": iso(found.at),
    }


def _rows(actor: Actor, wanted: SuppressionFilter) -> Any:
    reasons = [wanted.reason] if wanted.reason else []
    rows = suppression.search(actor.account, text=wanted.search, reasons=reasons, channel=wanted.channel)
    if wanted.address:
        value = suppression.address_hash(wanted.channel or Channel.EMAIL, wanted.address)
        rows = rows.filter(address_hash=value)
    return rows


@router.get("/suppressions", summary="Addresses to which nothing goes, newest first")
def list_suppressions(request: HttpRequest, paging: Query[Paging], wanted: Query[SuppressionFilter]) -> Any:
    return newest_first(_rows(_actor(request), wanted), paging, as_json=_as_json)


@router.get("/suppressions.csv", summary="Addresses to which nothing goes, as CSV")
def export_suppressions(request: HttpRequest, wanted: Query[SuppressionFilter]) -> Any:
    rows = _rows(_actor(request), wanted)
    return streamed(
        request,
        csv_lines(suppression.COLUMNS, suppression.csv_rows(rows)),
        content_type="text/csv; charset=utf-8",
        filename="suppressions.csv",
    )


def _channel(channel: str) -> str:
    if channel not in Channel.values:
        detail = _("There is no such channel.")
        raise Invalid(detail, [Fault(pointer="/channel", detail=detail)])
    return channel


@router.post("/suppressions", response={201: Any}, summary="Send nothing more to an address")
def add_suppression(request: HttpRequest, payload: SuppressionIn) -> Any:
    account = _actor(request).account
    channel = _channel(payload.channel)
    try:
        address = suppression.read(account, channel, payload.address)
    except Unfit as error:
        raise Invalid(
            _("The address cannot be suppressed."), [Fault(pointer="/address", detail=str(error))]
        ) from error
    key = "email" if channel == Channel.EMAIL else "phone"
    person = contact_queries.by_key(account.pk, country=account.country, **{key: address}).first()
    made = actions.suppress(
        account_id=account.pk,
        channel=channel,
        address=address,
        reason=Suppression.Reason.MANUAL,
        contact_id=person.pk if person else None,
        now=clock.now(),
    )
    return Status(201, _as_json(made))


@router.post("/suppressions/import", summary="Send nothing more to the addresses of a file, one a line")
def import_suppressions(request: HttpRequest, channel: str = "email") -> Any:
    files = [each for each in request.FILES.values() if isinstance(each, UploadedFile)]
    chunks = files[0].chunks() if files else iter(lambda: request.read(_CHUNK), b"")
    taken = suppression.take_list(_actor(request).account, chunks, channel=_channel(channel), now=clock.now())
    return {
        "accepted": taken.added + taken.known,
        "added": taken.added,
        "known": taken.known,
        "refused_count": taken.refused,
        "refused": [{"line": line, "reason": reason} for line, reason in taken.refusals],
    }


@router.get("/suppressions/{suppression_id}", summary="One suppression")
def read_suppression(request: HttpRequest, suppression_id: str) -> Any:
    return _as_json(find(Suppression, suppression_id, actor=_actor(request)))


@router.delete(
    "/suppressions/{suppression_id}",
    response={204: None},
    summary="Let an address be written to again; after a complaint, only with force=true",
)
def remove_suppression(request: HttpRequest, suppression_id: str, force: bool = False) -> Any:
    suppression.remove(find(Suppression, suppression_id, actor=_actor(request)), forced=force)
    return Status(204, None)
