"""The API's journeys; their figures are the reports'."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts.access import SEND, Actor, find, for_account
from parcours.accounts.api_auth import needs
from parcours.contacts import queries as contacts
from parcours.contacts.merging.people import find_contact
from parcours.criteria import unheard
from parcours.journeys import actions, trace
from parcours.journeys.models import Journey, Version
from parcours.lib import clock
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Problem

router = Router(tags=["journeys"])
_MOST_REFERENCES = 10_000


class References(Schema):
    """Contacts, each by its id, external_id, email or phone."""

    model_config = ConfigDict(extra="forbid", strict=True)

    contacts: list[dict[str, Any]] = Field(max_length=_MOST_REFERENCES)


class Publication(Schema):
    """What becomes of those under way: they follow into the new version, or finish in theirs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    under_way: Literal["follow", "finish"]
    moved: dict[str, str | None] = Field(
        {}, description="Step that is gone -> step where they go; null completes."
    )


class JourneyFilter(Schema):
    """Which journeys."""

    status: Literal["", "draft", "active", "paused", "archived"] = ""


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _find(request: HttpRequest, journey_id: str) -> Journey:
    rows = Journey.objects.select_related("account")
    return find(Journey, journey_id, actor=_actor(request), rows=rows)


def journey_json(journey: Journey, *, whole: bool = False) -> dict[str, Any]:
    """A journey as the API tells it; `whole`: with its documents."""
    told: dict[str, Any] = {
        "id": str(journey.pk),
        "name": journey.name,
        "status": journey.status,
        "version": journey.version or None,
        "has_draft": journey.draft is not None,
        "business_unit": None if journey.business_unit_id is None else str(journey.business_unit_id),
        "created_at": journey.created_at,
        "updated_at": journey.updated_at,
        "activated_at": journey.activated_at,
        "paused_at": journey.paused_at,
        "archived_at": journey.archived_at,
    }
    if whole:
        published = journey.versions.filter(number=journey.version).first() if journey.version else None
        told["draft"] = journey.draft
        told["document"] = None if published is None else published.document
    return told


def version_json(version: Version) -> dict[str, Any]:
    """A published version as the API tells it."""
    return {"number": version.number, "published_at": version.published_at, "document": version.document}


@router.get("/journeys", summary="Journeys, newest first")
def list_journeys(request: HttpRequest, wanted: Query[JourneyFilter], paging: Query[Paging]) -> Any:
    rows = for_account(Journey, _actor(request))
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    return newest_first(rows, paging, as_json=journey_json)


@router.post("/journeys", response={201: Any}, summary="Make a journey, a draft, from its document")
def make_journey(request: HttpRequest, payload: Body[dict[str, Any]]) -> Any:
    account = _actor(request).account
    journey = actions.create(account, payload, now=clock.now())
    return Status(201, {**journey_json(journey, whole=True), **_warnings(journey)})


def _warnings(journey: Journey) -> dict[str, Any]:
    """What is odd in a journey's document, and what it names that the account never received."""
    document = actions.current_document(journey)
    odd = actions.check(journey.account, document).warnings
    return {"warnings": [*odd, *unheard.warnings(journey.account_id, document)]}


@router.get("/journeys/{journey_id}", summary="One journey, with its documents")
def read_journey(request: HttpRequest, journey_id: str) -> Any:
    return journey_json(_find(request, journey_id), whole=True)


@router.get("/journeys/{journey_id}/draft", summary="The document as it would be edited")
def read_draft(request: HttpRequest, journey_id: str) -> Any:
    return actions.current_document(_find(request, journey_id))


def _save(request: HttpRequest, journey_id: str, document: dict[str, Any]) -> Any:
    journey = actions.save_draft(_find(request, journey_id), document, now=clock.now())
    return {**journey_json(journey, whole=True), **_warnings(journey)}


@router.patch("/journeys/{journey_id}", summary="Replace the draft by a document")
def change_journey(request: HttpRequest, journey_id: str, payload: Body[dict[str, Any]]) -> Any:
    return _save(request, journey_id, payload)


@router.api_operation(
    ["PATCH", "PUT"], "/journeys/{journey_id}/draft", summary="Replace the draft by a document"
)
def change_draft(request: HttpRequest, journey_id: str, payload: Body[dict[str, Any]]) -> Any:
    return _save(request, journey_id, payload)


@router.get("/journeys/{journey_id}/versions", summary="The published versions, newest first")
def list_versions(request: HttpRequest, journey_id: str, paging: Query[Paging]) -> Any:
    return newest_first(_find(request, journey_id).versions.all(), paging, as_json=version_json)


@router.post(
    "/journeys/{journey_id}/activate", auth=needs(SEND), summary="Publish the draft and let contacts in"
)
def activate_journey(request: HttpRequest, journey_id: str) -> Any:
    return journey_json(actions.activate(_find(request, journey_id), now=clock.now()))


@router.post(
    "/journeys/{journey_id}/publish", auth=needs(SEND), summary="Put the draft in force as a new version"
)
def publish_journey(request: HttpRequest, journey_id: str, payload: Publication) -> Any:
    journey = _find(request, journey_id)
    follow = payload.under_way == "follow"
    return journey_json(actions.publish(journey, follow=follow, moved=payload.moved, now=clock.now()))


@router.post("/journeys/{journey_id}/pause", summary="Let no one in and move no one, for now")
def pause_journey(request: HttpRequest, journey_id: str) -> Any:
    return journey_json(actions.pause(_find(request, journey_id), now=clock.now()))


@router.post("/journeys/{journey_id}/resume", auth=needs(SEND), summary="Go on after a pause")
def resume_journey(request: HttpRequest, journey_id: str) -> Any:
    return journey_json(actions.resume(_find(request, journey_id), now=clock.now()))


@router.post("/journeys/{journey_id}/archive", summary="Put away for good; runs under way end")
def archive_journey(request: HttpRequest, journey_id: str) -> Any:
    return journey_json(actions.archive(_find(request, journey_id), now=clock.now()))


@router.post(
    "/journeys/{journey_id}/duplicate", response={201: Any}, summary="Make a draft with the same document"
)
def duplicate_journey(request: HttpRequest, journey_id: str) -> Any:
    copy = actions.duplicate(_find(request, journey_id), now=clock.now())
    return Status(201, journey_json(copy, whole=True))


def _people(request: HttpRequest, given: References) -> tuple[list[int], list[dict[str, Any]]]:
    account = _actor(request).account
    found = contacts.resolve(account.pk, given.contacts, country=account.country)
    refused = [
        {"index": place, "reason": _("There is no such contact.")}
        for place, contact in enumerate(found)
        if contact is None
    ]
    return [contact for contact in found if contact is not None], refused


@router.post("/journeys/{journey_id}/enrol", auth=needs(SEND), summary="Let contacts in by hand")
def enrol_contacts(request: HttpRequest, journey_id: str, payload: References) -> Any:
    journey = _find(request, journey_id)
    people, refused = _people(request, payload)
    actions.enrol(journey, people, now=clock.now())
    return {"accepted": len(people), "refused": refused}


@router.post("/journeys/{journey_id}/cancel", summary="Take contacts out: their runs end as removed")
def cancel_contacts(request: HttpRequest, journey_id: str, payload: References) -> Any:
    journey = _find(request, journey_id)
    people, refused = _people(request, payload)
    actions.cancel(journey, people, now=clock.now())
    return {"accepted": len(people), "refused": refused}


@router.post(
    "/journeys/{journey_id}/retry", auth=needs(SEND), summary="Let parked runs go on from where they stopped"
)
def retry_runs(request: HttpRequest, journey_id: str, step: str = "") -> Any:
    journey = _find(request, journey_id)
    if journey.status not in (Journey.Status.ACTIVE, Journey.Status.PAUSED):
        raise Problem(409, "conflict", _("Nobody is under way in this journey."))
    return {"retried": actions.retry_parked(journey, step=step or None)}


@router.get(
    "/journeys/{journey_id}/contacts/{contact_id}/trace",
    summary="What a contact did in a journey, when and why",
)
def read_trace(request: HttpRequest, journey_id: str, contact_id: str, as_of: str = "") -> Any:
    journey = _find(request, journey_id)
    contact = find_contact(contact_id, _actor(request))
    return trace.of(journey, contact.pk, as_of=as_of)
