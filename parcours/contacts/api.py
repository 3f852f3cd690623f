"""The API's contacts, lists and attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Body, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts import jobs, log
from parcours.accounts.access import Actor, as_id, find
from parcours.accounts.models import Account, BusinessUnit
from parcours.contacts import actions, definitions, exports, queries, timeline, uses
from parcours.contacts.audience import Audience
from parcours.contacts.importing import actions as importing
from parcours.contacts.importing import undoing
from parcours.contacts.importing.models import Import
from parcours.contacts.lines import NAMED_BY
from parcours.contacts.merging import people
from parcours.contacts.models import Contact, List, ListMember
from parcours.contacts.orders import SORTS
from parcours.lib import clock
from parcours.lib.lines import is_line
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid, NotFound, Problem

router = Router(tags=["contacts"])
_CHUNK = 1 << 16
_MOST_REFERENCES = 10_000


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


class _Strict(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)


class ContactFilter(Schema):
    """Which contacts: those that meet everything given."""

    search: str = Field("", max_length=200, description="Words of a name, an address or a number.")
    email: str = Field("", max_length=400)
    phone: str = Field("", max_length=40)
    external_id: str = Field("", max_length=300)
    list: str = Field("", max_length=20, description="The id of a list that they are on.")
    tag: str = Field("", max_length=100, description="A tag that they bear.")
    segment: str = Field("", max_length=20, description="The id of a segment in which they are.")
    consent: str = Field("", max_length=20, description="A channel and a consent: email:opted_in.")
    attribute: str = Field("", max_length=100, description="An attribute of which they have a value.")


class Consenting(Schema):
    """What is said of the consents that a request brings."""

    resubscribe: bool = Field(False, description="Let consents end an opt-out; needs a source.")
    source: str = Field("", max_length=200, description="Where the consents come from.")


class ImportOptions(Consenting):
    """What an import says of everyone in its file."""

    list: str = Field("", max_length=400, description="Ids of lists, comma-separated, that everyone joins.")
    consent_email: str = ""
    consent_sms: str = ""
    consent_whatsapp: str = ""
    proof: str = Field("", max_length=2000, description="How the consents can be proved.")
    consented_on: str = Field("", max_length=10, description="The day on which they were given (2026-03-28).")
    tag: str = Field("", max_length=2000, description="Tags, comma-separated, that everyone bears.")
    key: str = Field(
        "", description="The one field that tells who is meant: email, phone, external_id or id."
    )
    mapping: str = Field(
        "",
        max_length=200_000,
        description="JSON: a column's header -> its field (`attributes.points:number`), or an empty text to leave it"
        " out.",
    )
    decimal: str = Field("", description="How numbers are written: point or comma.")
    dates: str = Field("", description="How dates are written: iso, dmy or mdy.")
    encoding: str = Field("", description="utf-8, utf-16 or windows-1252; found out unless said.")
    delimiter: str = Field("", max_length=1)
    mend: bool = Field(False, description="Read lines that are not UTF-8 as Windows-1252.")
    wait: bool = Field(False, description="Answer when everything is visible to segments and reports.")


class NewList(_Strict):
    name: str = Field(min_length=1, max_length=200)
    business_unit: str | None = None


class ListChange(_Strict):
    name: str | None = Field(None, min_length=1, max_length=200)
    business_unit: str | None = None


class References(_Strict):
    contacts: list[dict[str, Any]] = Field(max_length=_MOST_REFERENCES)


def audience_of(actor: Actor, wanted: ContactFilter) -> Audience:
    """The contacts whom a filter means. Raises NotFound for a list or a segment that is not the account's."""
    audience = Audience.read(wanted.model_dump())
    audience.check(actor.account)
    return audience


def keys_of(actor: Actor, wanted: ContactFilter) -> Q:
    """Of a filter, who has its e-mail address, number and external id."""
    country = actor.account.country
    found = Q()
    for key in ("email", "phone", "external_id"):
        if value := getattr(wanted, key):
            who = queries.by_key(actor.account_id, country=country, **{key: value})
            found &= Q(pk__in=list(who.values_list("pk", flat=True)))
    return found


def find_contact(contact_id: str, actor: Actor) -> Contact:
    """A contact who was not erased, by id; that of one merged away finds who they are now."""
    return people.find_contact(contact_id, actor)


@router.get("/contacts", summary="Contacts, newest first unless sorted otherwise")
def list_contacts(
    request: HttpRequest, paging: Query[Paging], wanted: Query[ContactFilter], sort: str = "newest"
) -> Any:
    if sort not in SORTS:
        detail = _("An order is one of: %(orders)s.") % {"orders": ", ".join(SORTS)}
        raise Invalid(detail, [Fault(pointer="/sort", detail=detail)])
    actor = _actor(request)
    page = audience_of(actor, wanted).page(
        actor.account, sort=sort, cursor=paging.cursor, size=paging.limit, only=keys_of(actor, wanted)
    )
    return {"items": queries.described(page.ids), "next": page.next}


@router.post("/contacts", response={200: Any, 201: Any}, summary="Create or update a contact by its keys")
def save_contact(request: HttpRequest, said: Query[Consenting], payload: Body[dict[str, Any]]) -> Any:
    created, contact = _save(_actor(request).account, payload, said)
    return Status(201 if created else 200, contact)


def _save(account: Account, line: dict[str, Any], said: Consenting) -> tuple[bool, dict[str, Any]]:
    source = said.source.strip()
    if said.resubscribe and not source:
        detail = _("Say where this consent comes from: people who had opted out will be written to again.")
        raise Invalid(detail, [Fault(pointer="/source", detail=detail)])
    with transaction.atomic():
        outcome = actions.upsert_many(
            account, [line], source=source or "api", now=clock.now(), resubscribe=said.resubscribe
        )
        faults = outcome.refused[0].faults if outcome.refused else []
        if outcome.kept_opted_out:
            detail = _(
                "This person opted out: to end that, add resubscribe=true and the source of the consent."
            )
            faults = [Fault(pointer="/consents", detail=detail)]
        if faults:
            raise Invalid(_("The contact cannot be kept."), faults)
    return bool(outcome.created), queries.described([outcome.contacts[0] or 0])[0]


@router.get("/contacts/export", summary="Contacts as CSV or NDJSON, newest first")
def export_contacts(
    request: HttpRequest, wanted: Query[ContactFilter], format: str = "csv", columns: str = ""
) -> Any:
    actor = _actor(request)
    ids = audience_of(actor, wanted).chosen(actor.account, only=keys_of(actor, wanted))
    chosen = [column.strip() for column in columns.split(",") if column.strip()]
    return exports.contacts(request, ids, account=actor.account, kind=format, columns=chosen)


@router.post("/contacts/import", response={200: Any, 202: Any}, summary="Import contacts from CSV or NDJSON")
def import_contacts(request: HttpRequest, options: Query[ImportOptions]) -> Any:
    chunks, content_type, filename = body_of(request)
    job = importing.start(
        _actor(request).account,
        chunks,
        options=importing.options_of(options.model_dump(exclude={"wait"})),
        content_type=content_type,
        filename=filename,
    )
    if not options.wait:
        return Status(202, jobs.as_json(job))
    return Status(200, jobs.as_json(jobs.wait(job)))


@router.post("/contacts/import/{job_id}/undo", response={202: Any}, summary="Undo an import of contacts")
def undo_import(request: HttpRequest, job_id: str) -> Any:
    """A job; those whom the import created are erased, what it changed goes back, unless something happened since."""
    imports = Import.objects.filter(job__isnull=False)
    found = imports.filter(account_id=_actor(request).account_id, job_id=as_id(job_id) or 0).first()
    if found is None:
        raise NotFound(_("There is nothing of this id here."))
    return Status(202, jobs.as_json(undoing.start(found)))


def body_of(request: HttpRequest) -> tuple[Iterator[bytes], str, str]:
    """What is sent, by pieces, its type and its name: a form's file, or the body itself."""
    content_type = request.headers.get("Content-Type", "")
    if content_type.startswith("multipart/form-data"):
        for file in request.FILES.values():
            if isinstance(file, UploadedFile):
                return iter(file.chunks()), file.content_type or "", file.name or ""
        raise Problem(400, "malformed", _("The form holds no file."))
    return iter(lambda: request.read(_CHUNK), b""), content_type, ""


@router.get("/contacts/{contact_id}", summary="One contact")
def read_contact(request: HttpRequest, contact_id: str) -> Any:
    return queries.described([find_contact(contact_id, _actor(request)).pk])[0]


@router.patch("/contacts/{contact_id}", summary="Change a contact; what is absent stays, null clears")
def change_contact(
    request: HttpRequest, contact_id: str, said: Query[Consenting], payload: Body[dict[str, Any]]
) -> Any:
    actor = _actor(request)
    contact = find_contact(contact_id, actor)
    return _save(actor.account, {**payload, "id": contact.pk}, said)[1]


@router.delete("/contacts/{contact_id}", response={204: None}, summary="Erase a person")
def erase_contact(request: HttpRequest, contact_id: str) -> Any:
    actor = _actor(request)
    contact = find_contact(contact_id, actor)
    actions.erase(account_id=contact.account_id, contact_ids=[contact.pk], now=clock.now())
    log.note(actor, "contacts.erased", str(contact.pk))
    return Status(204, None)


@router.get("/contacts/{contact_id}/timeline", summary="What a contact did, newest first")
def read_timeline(
    request: HttpRequest, contact_id: str, paging: Query[Paging], as_of: str = "", categories: str = ""
) -> Any:
    contact = find_contact(contact_id, _actor(request))
    chosen = timeline.categories_of(categories)
    page = timeline.page(contact, limit=paging.limit, cursor=paging.cursor, as_of=as_of, categories=chosen)
    return {"as_of": page.as_of, "items": page.items, "next": page.next}


@router.get("/contacts/{contact_id}/consents", summary="The history of a contact's consents, newest first")
def read_consents(request: HttpRequest, contact_id: str, paging: Query[Paging]) -> Any:
    contact = find_contact(contact_id, _actor(request))
    return newest_first(contact.consent_changes.all(), paging, as_json=consent_json)


def consent_json(change: Any) -> dict[str, Any]:
    """A change of consent as the API tells it."""
    return {
        "channel": change.channel,
        "from": change.before,
        "to": change.after,
        "source": change.source,
        "proof": change.proof,
        "send": None if change.send_id is None else str(change.send_id),
        "at": change.at,
    }


def list_json(each: Any) -> dict[str, Any]:
    """A list as the API tells it, with how many contacts are on it."""
    return {
        "id": str(each.pk),
        "name": each.name,
        "business_unit": None if each.business_unit_id is None else str(each.business_unit_id),
        "members": each.members,
        "created_at": each.created_at,
    }


@router.get("/lists", tags=["lists"], summary="Lists, newest first")
def list_lists(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(queries.lists(_actor(request).account_id), paging, as_json=list_json)


def _unit(actor: Actor, business_unit: str | None) -> int | None:
    if business_unit is None:
        return None
    try:
        return find(BusinessUnit, business_unit, actor=actor).pk
    except NotFound as unknown:
        detail = _("There is no such business unit.")
        raise Invalid(detail, [Fault(pointer="/business_unit", detail=detail)]) from unknown


def _name(name: str) -> str:
    name = name.strip()
    if not name or not is_line(name):
        detail = _("A name is a line of text.")
        raise Invalid(detail, [Fault(pointer="/name", detail=detail)])
    return name


@router.post("/lists", tags=["lists"], response={201: Any}, summary="Make a list")
def make_list(request: HttpRequest, payload: NewList) -> Any:
    actor = _actor(request)
    made = definitions.create_list(
        account_id=actor.account_id,
        name=_name(payload.name),
        business_unit_id=_unit(actor, payload.business_unit),
        now=clock.now(),
    )
    return Status(201, list_json(queries.lists(actor.account_id).get(pk=made.pk)))


@router.get("/lists/{list_id}", tags=["lists"], summary="One list")
def read_list(request: HttpRequest, list_id: str) -> Any:
    actor = _actor(request)
    return list_json(find(List, list_id, actor=actor, rows=queries.lists(actor.account_id)))


@router.patch("/lists/{list_id}", tags=["lists"], summary="Rename a list")
def change_list(request: HttpRequest, list_id: str, payload: ListChange) -> Any:
    actor = _actor(request)
    found = find(List, list_id, actor=actor, rows=queries.lists(actor.account_id))
    given = payload.model_dump(exclude_unset=True)
    if given.get("name") is not None:
        found.name = _name(given["name"])
    if "business_unit" in given:
        found.business_unit_id = _unit(actor, given["business_unit"])
    found.save(update_fields=["name", "business_unit"])
    return list_json(found)


@router.delete(
    "/lists/{list_id}", tags=["lists"], response={204: None}, summary="Delete a list; 409 with what uses it"
)
def delete_list(request: HttpRequest, list_id: str) -> Any:
    found = find(List, list_id, actor=_actor(request))
    uses.refuse_while_used(found.account_id, "list", found.pk)
    definitions.delete_list(contact_list=found, now=clock.now())
    return Status(204, None)


@router.get("/lists/{list_id}/members", tags=["lists"], summary="Who is on a list, the latest to join first")
def list_members(request: HttpRequest, list_id: str, paging: Query[Paging]) -> Any:
    found = find(List, list_id, actor=_actor(request))
    members = found.memberships.select_related("contact")
    return newest_first(members, paging, as_json=member_json)


def member_json(member: ListMember) -> dict[str, Any]:
    """A member of a list as the API tells it."""
    contact = member.contact
    return {
        "contact": str(contact.pk),
        "name": " ".join(part for part in (contact.first_name, contact.last_name) if part) or None,
        "email": contact.email,
        "joined_at": member.joined_at,
        "source": member.source,
    }


def _referred(request: HttpRequest, payload: References) -> tuple[list[int], list[dict[str, Any]]]:
    account = _actor(request).account
    answers = queries.resolve(account.pk, payload.contacts, country=account.country)
    refused = [
        {"index": index, "reason": _("There is no such contact.")}
        for index, answer in enumerate(answers)
        if answer is None
    ]
    return [answer for answer in answers if answer is not None], refused


@router.post("/lists/{list_id}/members", tags=["lists"], summary="Put contacts on a list")
def add_members(request: HttpRequest, list_id: str, payload: References) -> Any:
    """As in an import, whom a key names and nobody is yet is made; an unknown `id` is refused."""
    account = _actor(request).account
    found = find(List, list_id, actor=_actor(request))
    named = [{key: value for key, value in each.items() if key in NAMED_BY} for each in payload.contacts]
    with transaction.atomic():
        done = actions.upsert_many(account, named, source="api", now=clock.now())
        ids = [contact for contact in done.contacts if contact is not None]
        joined = actions.add_to_list(
            account_id=account.pk, list_id=found.pk, contact_ids=ids, source="api", now=clock.now()
        )
    refused = [{"index": each.index, "reason": each.reason} for each in done.refused]
    return {"accepted": len(ids), "added": len(joined), "refused": refused}


@router.delete("/lists/{list_id}/members", tags=["lists"], summary="Take contacts off a list")
def remove_members(request: HttpRequest, list_id: str, payload: References) -> Any:
    found = find(List, list_id, actor=_actor(request))
    ids, refused = _referred(request, payload)
    left = actions.remove_from_list(
        account_id=found.account_id, list_id=found.pk, contact_ids=ids, source="api", now=clock.now()
    )
    return {"accepted": len(ids), "removed": len(left), "refused": refused}
