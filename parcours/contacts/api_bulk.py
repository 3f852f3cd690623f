"""The API's actions on many contacts at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts import jobs, log
from parcours.accounts.access import Actor, find
from parcours.accounts.models import Job
from parcours.contacts import bulk
from parcours.contacts.audience import Audience
from parcours.lib.problems import Fault, Invalid

router = Router(tags=["contacts"])
_MOST_IDS = 10_000


class Who(Schema):
    """Contacts who meet everything given."""

    model_config = ConfigDict(extra="forbid", strict=True)

    search: str = Field("", max_length=200)
    list: str = Field("", max_length=20)
    tag: str = Field("", max_length=100)
    segment: str = Field("", max_length=20)
    consent: str = Field("", max_length=20)
    attribute: str = Field("", max_length=100)
    ids: Sequence[str] = Field(default=(), max_length=_MOST_IDS)
    everybody: bool = Field(False, description="To be said where nothing else is.")


class BulkAction(Schema):
    """What is done to them; which other members it takes depends on the action."""

    model_config = ConfigDict(extra="forbid", strict=True)

    who: Who
    action: str
    list: str | None = None
    tag: str | None = None
    by: str | None = None
    name: str | None = None
    value: Any = None
    channel: str | None = None
    source: str | None = None
    resubscribe: bool = False
    count: int | None = Field(None, description="To erase: how many people that is.")


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


@router.post("/contacts/bulk", response={202: Any}, summary="Do something to many contacts at once")
def act_in_bulk(request: HttpRequest, payload: BulkAction) -> Any:
    actor = _actor(request)
    audience = Audience.read(payload.who.model_dump())
    if audience.everybody and not payload.who.everybody:
        detail = _("Say who is meant; for all contacts say everybody.")
        raise Invalid(detail, [Fault(pointer="/who", detail=detail)])
    if payload.action == "erase":
        audience.check(actor.account)
        count = audience.count(actor.account)
        if payload.count != count:
            detail = _("Say how many people are erased: %(count)d.") % {"count": count}
            raise Invalid(detail, [Fault(pointer="/count", detail=detail)])
    said = payload.model_dump(exclude={"who", "action", "count"})
    job = bulk.start(
        actor.account, audience, payload.action, said, user=actor.user.pk if actor.user else None
    )
    if payload.action == "erase":
        log.note(actor, "contacts.erased", f"{count}")
    return Status(202, jobs.as_json(job))


@router.post(
    "/contacts/bulk/{job_id}/undo", response={202: Any}, summary="Undo what was done to lists or tags"
)
def undo_in_bulk(request: HttpRequest, job_id: str) -> Any:
    job = find(Job, job_id, actor=_actor(request), rows=Job.objects.filter(kind=bulk.KIND))
    return Status(202, jobs.as_json(bulk.undo(job)))
