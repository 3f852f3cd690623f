"""The API's merges: joining contacts, parting them again, and those who may be one person."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts import jobs
from parcours.accounts.access import Actor, find
from parcours.contacts import queries
from parcours.contacts.merging import joining, pairs, parting
from parcours.contacts.merging.models import Merge, Pair
from parcours.contacts.merging.people import find_contact
from parcours.lib import clock
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid

router = Router(tags=["contacts"])

Reference = str | int | dict[str, Any]


class _Strict(Schema):
    model_config = ConfigDict(extra="forbid")


class Merging(_Strict):
    """Who is merged into whom; a reference is an id, or an object with id, external_id, email or phone."""

    into: Reference | None = Field(None, description="The contact that is kept (`keep` says the same).")
    keep: Reference | None = None
    merge: list[Reference] = Field(min_length=1, max_length=joining.MOST_AT_ONCE)
    fields: dict[str, Reference] = Field(
        {},
        description="Field, or attributes.name -> the contact whose value is taken; else the one kept wins.",
    )


class MergingInto(_Strict):
    """Who is merged into the contact of the address."""

    merge: list[Reference] = Field(min_length=1, max_length=joining.MOST_AT_ONCE)
    fields: dict[str, Reference] = {}


class Unmerging(_Strict):
    """The contact who was merged away, and is to be there again."""

    contact: str | int


class UnmergingFrom(_Strict):
    """Which of those merged into the contact of the address; all of them when none is named."""

    contact: str | int | None = None


class Filter(Schema):
    """Which pairs."""

    certain: bool = Field(False, description="Those alone of whom it is as good as certain.")


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _resolved(actor: Actor, references: list[tuple[str, Reference]]) -> list[int]:
    """The contacts named. Raises Invalid with a pointer to each that names nobody."""
    account = actor.account
    asked = [each if isinstance(each, dict) else {"id": each} for _pointer, each in references]
    found = queries.resolve(account.pk, asked, country=account.country)
    faults = [
        Fault(pointer=pointer, detail=_("There is no such contact."))
        for (pointer, _reference), contact in zip(references, found, strict=True)
        if contact is None
    ]
    if faults:
        raise Invalid(_("These contacts cannot be merged."), faults)
    return [contact for contact in found if contact is not None]


def _merge(actor: Actor, into: Reference, merge: list[Reference], fields: dict[str, Reference]) -> Any:
    named = [("/into", into)]
    named += [(f"/merge/{place}", each) for place, each in enumerate(merge)]
    named += [(f"/fields/{name}", each) for name, each in fields.items()]
    kept, *others = _resolved(actor, named)
    merged, chosen = others[: len(merge)], others[len(merge) :]
    joining.merge(
        actor.account,
        into=kept,
        merged=list(dict.fromkeys(merged)),
        choices=dict(zip(fields, chosen, strict=True)),
        source="api",
        by=actor.user.pk if actor.user else None,
        now=clock.now(),
    )
    return {**queries.described([kept])[0], "merged": [str(each) for each in dict.fromkeys(merged)]}


@router.get("/contacts/duplicates", summary="Contacts who may be one person, the surest first")
def list_duplicates(request: HttpRequest, paging: Query[Paging], wanted: Query[Filter]) -> Any:
    return pairs.page(_actor(request).account_id, paging, certain=wanted.certain)


@router.post("/contacts/duplicates/search", response={202: Any}, summary="Look for duplicates anew")
def search_duplicates(request: HttpRequest) -> Any:
    return Status(202, jobs.as_json(pairs.start_search(_actor(request).account)))


@router.post(
    "/contacts/duplicates/merge",
    response={202: Any},
    summary="Merge all those who are as good as certainly one person",
)
def merge_duplicates(request: HttpRequest) -> Any:
    actor = _actor(request)
    job = pairs.start_merging(actor.account, by=actor.user.pk if actor.user else None)
    return Status(202, jobs.as_json(job))


@router.post("/contacts/duplicates/{pair_id}/dismiss", response={204: None}, summary="They are two people")
def dismiss_duplicates(request: HttpRequest, pair_id: str) -> Any:
    actor = _actor(request)
    pairs.dismiss(find(Pair, pair_id, actor=actor), by=actor.user.pk if actor.user else None, now=clock.now())
    return Status(204, None)


@router.post("/contacts/merge", summary="Merge contacts into one")
def merge_contacts(request: HttpRequest, payload: Merging) -> Any:
    into = payload.into if payload.into is not None else payload.keep
    if into is None or (payload.into is not None and payload.keep is not None):
        detail = _("Say which contact is kept: `into`.")
        raise Invalid(detail, [Fault(pointer="/into", detail=detail)])
    return _merge(_actor(request), into, payload.merge, payload.fields)


@router.post("/contacts/unmerge", summary="Undo a merge: the contact merged away is there again")
def unmerge_contact(request: HttpRequest, payload: Unmerging) -> Any:
    actor = _actor(request)
    merge = find(
        Merge,
        _merge_of(actor, payload.contact),
        actor=actor,
        rows=Merge.objects.filter(undone_at__isnull=True),
    )
    return _parted(actor, [merge])


def _merge_of(actor: Actor, contact: str | int) -> int:
    """The merge that took a contact away; 0 when there is none."""
    text = str(contact)
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    rows = Merge.objects.filter(account_id=actor.account_id, merged_id=number, undone_at__isnull=True)
    return rows.values_list("pk", flat=True).first() or 0


def _parted(actor: Actor, merges: list[Merge]) -> Any:
    by = actor.user.pk if actor.user else None
    done = [
        parting.unmerge(actor.account, contact=each.merged_id, source="api", by=by, now=clock.now())
        for each in merges
    ]
    ids = list(dict.fromkeys([*(each.into for each in done), *(each.contact for each in done)]))
    return {"contacts": queries.described(ids), "restored": [str(each.contact) for each in done]}


@router.post("/contacts/{contact_id}/merge", summary="Merge contacts into this one")
def merge_into(request: HttpRequest, contact_id: str, payload: MergingInto) -> Any:
    actor = _actor(request)
    contact = find_contact(contact_id, actor)
    return _merge(actor, contact.pk, payload.merge, payload.fields)


@router.post("/contacts/{contact_id}/unmerge", summary="Undo merges of this contact")
def unmerge(request: HttpRequest, contact_id: str, payload: UnmergingFrom = Body(UnmergingFrom())) -> Any:  # noqa: B008
    actor = _actor(request)
    own = _merge_of(actor, contact_id) if payload.contact is None else 0
    if own:
        return _parted(actor, list(Merge.objects.filter(pk=own)))
    contact = find_contact(contact_id, actor)
    merges = Merge.objects.filter(into=contact, undone_at__isnull=True).order_by("-pk")
    if payload.contact is not None:
        merges = merges.filter(pk=_merge_of(actor, payload.contact))
    found = list(merges)
    if not found:
        detail = _("This contact was merged into nobody.")
        raise Invalid(detail, [Fault(pointer="/contact", detail=detail)])
    return _parted(actor, found)


@router.get("/contacts/{contact_id}/merges", summary="Who was merged into a contact, the latest first")
def read_merges(request: HttpRequest, contact_id: str, paging: Query[Paging]) -> Any:
    contact = find_contact(contact_id, _actor(request))
    return newest_first(contact.merges.all(), paging, as_json=merge_json)


def merge_json(merge: Merge) -> dict[str, Any]:
    """A merge as the API tells it."""
    return {
        "into": str(merge.into_id),
        "merged": str(merge.merged_id),
        "source": merge.source,
        "at": merge.at,
        "undone_at": merge.undone_at,
    }
