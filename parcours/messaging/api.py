"""The API's messages, sends and sending domains."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts.access import ADMIN, SEND, Actor, as_id, find, for_account
from parcours.accounts.api_auth import needs
from parcours.accounts.models import BusinessUnit
from parcours.contacts import queries as contact_queries
from parcours.contacts.merging import people
from parcours.lib import clock
from parcours.lib.instants import iso
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid, NotFound
from parcours.messaging import actions, addresses, domains, editing
from parcours.messaging.addresses import BadAddress
from parcours.messaging.models import Message, Send, SendingDomain
from parcours.messaging.rendering.compiled import PartError

router = Router(tags=["messages"])
_LONGEST_CONTENT = 1_000_000


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


class _Strict(Schema):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class MessageIn(_Strict):
    """What a message may be given; in a change, what is absent stays."""

    name: str | None = Field(None, max_length=200)
    channel: str | None = None
    kind: str | None = None
    subject: str | None = Field(None, max_length=1000)
    mjml: str | None = Field(None, max_length=_LONGEST_CONTENT)
    html: str | None = Field(None, max_length=_LONGEST_CONTENT)
    text: str | None = Field(None, max_length=_LONGEST_CONTENT)
    sender: str | None = Field(
        None, alias="from", max_length=600, description="`Name <address>`, or an address."
    )
    reply_to: str | None = Field(None, max_length=320)
    track_opens: bool | None = None
    track_clicks: bool | None = None
    business_unit: str | None = None


class TestIn(_Strict):
    to: str | list[str] = Field(description="One address, or several.")
    contact: str | None = Field(None, description="The contact as whom the test is written.")


class SendingDomainIn(_Strict):
    domain: str = Field(max_length=253)
    selector: str = Field("", max_length=63, description="Chosen for you when it is empty.")


def _unit(unit: str | None, actor: Actor) -> BusinessUnit | None:
    """The business unit that a body names. Raises Invalid for an id that names none."""
    if unit is None:
        return None
    try:
        return find(BusinessUnit, unit, actor=actor)
    except NotFound as unknown:
        detail = _("There is no such business unit.")
        raise Invalid(detail, [Fault(pointer="/business_unit", detail=detail)]) from unknown


def _apply(message: Message, payload: MessageIn, actor: Actor) -> Message:
    given = payload.model_dump(exclude_unset=True)
    faults: list[Fault] = []
    try:
        if "sender" in given:
            editing.set_sender(message, given.pop("sender") or "")
    except Invalid as refusal:
        faults += refusal.errors
    try:
        if "business_unit" in given:
            message.business_unit = _unit(given.pop("business_unit"), actor)
    except Invalid as refusal:
        faults += refusal.errors
    for name, value in given.items():
        default = True if name.startswith("track_") else ""
        setattr(message, name, default if value is None else value)
    if faults:
        raise Invalid(_("The message cannot be kept."), faults + editing.faults_of(message))
    return editing.save(message, now=clock.now())


@router.get("/messages", summary="Messages, newest first")
def list_messages(request: HttpRequest, paging: Query[Paging]) -> Any:
    rows = for_account(Message, _actor(request))
    return newest_first(rows, paging, as_json=editing.as_json)


@router.post("/messages", response={201: Any}, summary="Write a message")
def create_message(request: HttpRequest, payload: MessageIn) -> Any:
    actor = _actor(request)
    message = _apply(Message(account=actor.account), payload, actor)
    return Status(201, editing.as_json(message))


@router.get("/messages/{message_id}", summary="One message")
def get_message(request: HttpRequest, message_id: str) -> Any:
    return editing.as_json(find(Message, message_id, actor=_actor(request)))


@router.patch("/messages/{message_id}", summary="Change a message; what is absent stays")
def change_message(request: HttpRequest, message_id: str, payload: MessageIn) -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    return editing.as_json(_apply(message, payload, actor))


@router.delete("/messages/{message_id}", response={204: None}, summary="Remove a message that was never sent")
def delete_message(request: HttpRequest, message_id: str) -> Any:
    editing.delete(find(Message, message_id, actor=_actor(request)))
    return Status(204, None)


@router.post("/messages/{message_id}/duplicate", response={201: Any}, summary="A copy of a message")
def duplicate_message(request: HttpRequest, message_id: str) -> Any:
    message = find(Message, message_id, actor=_actor(request))
    return Status(201, editing.as_json(editing.duplicate(message, now=clock.now())))


@router.get("/messages/{message_id}/preview", summary="The message as a contact would read it")
def preview_message(request: HttpRequest, message_id: str, contact: str = "") -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    shown = _described(contact, actor) if contact else None
    try:
        rendered = editing.preview(message, contact=shown)
    except PartError as error:
        fault = Fault(pointer=f"/{error.part}", detail=editing.line_text(error))
        raise Invalid(_("The message cannot be shown."), [fault]) from error
    return {"subject": rendered.subject, "html": rendered.html, "text": rendered.text}


def _described(contact_id: str, actor: Actor) -> dict[str, Any]:
    return contact_queries.described([people.find_contact(contact_id, actor).pk])[0]


@router.post(
    "/messages/{message_id}/test",
    response={202: Any},
    auth=needs(SEND),
    summary="Send a test, which counts nowhere",
)
def test_message(request: HttpRequest, message_id: str, payload: TestIn) -> Any:
    actor = _actor(request)
    message = find(Message, message_id, actor=actor)
    wanted = [payload.to] if isinstance(payload.to, str) else payload.to
    if not 1 <= len(wanted) <= 20:
        raise Invalid(
            _("A test goes to 1 to 20 addresses."), [Fault(pointer="/to", detail=_("1 to 20 addresses."))]
        )
    faults = []
    for number, address in enumerate(wanted):
        try:
            addresses.read(address.strip())
        except BadAddress as error:
            pointer = "/to" if isinstance(payload.to, str) else f"/to/{number}"
            faults.append(Fault(pointer=pointer, detail=str(error)))
    contact = 0
    if payload.contact:
        try:
            contact = people.find_contact(payload.contact, actor).pk
        except NotFound:
            faults.append(Fault(pointer="/contact", detail=_("There is no such contact.")))
    if faults:
        raise Invalid(_("The test cannot be sent."), faults)
    sends = [
        actions.queue_test(message, address=address.strip(), contact_id=contact, now=clock.now())
        for address in wanted
    ]
    return Status(202, {"sends": [str(send.pk) for send in sends]})


@router.get("/sending-domains", auth=needs(ADMIN), summary="Domains whose mails are signed, newest first")
def list_sending_domains(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(SendingDomain, _actor(request)), paging, as_json=domains.as_json)


@router.post(
    "/sending-domains",
    response={201: Any},
    auth=needs(ADMIN),
    summary="Make a key that signs a domain's mails; answers the DNS record to publish",
)
def add_sending_domain(request: HttpRequest, payload: SendingDomainIn) -> Any:
    account = _actor(request).account
    made = domains.create(account, domain=payload.domain, selector=payload.selector, now=clock.now())
    return Status(201, domains.as_json(made))


@router.delete(
    "/sending-domains/{domain_id}",
    response={204: None},
    auth=needs(ADMIN),
    summary="Remove a domain's key: its mails are signed by the next one, or no more",
)
def remove_sending_domain(request: HttpRequest, domain_id: str) -> Any:
    find(SendingDomain, domain_id, actor=_actor(request)).delete()
    return Status(204, None)


class SendFilter(Schema):
    """Which sends: of a message, of a journey, in a state."""

    message: str = Field("", max_length=20)
    journey: str = Field("", max_length=20)
    status: Literal["", "queued", "claimed", "sent", "refused", "deferred", "unknown", "skipped"] = ""


@router.get("/sends", summary="Sends, newest first; those of unknown fate with ?status=unknown")
def list_sends(request: HttpRequest, paging: Query[Paging], wanted: Query[SendFilter]) -> Any:
    rows = for_account(Send, _actor(request))
    if wanted.message:
        rows = rows.filter(message_id=as_id(wanted.message) or 0)
    if wanted.journey:
        rows = rows.filter(journey_id=as_id(wanted.journey) or 0)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    return newest_first(rows, paging, as_json=_send_json)


@router.get("/sends/{send_id}", summary="What became of one message to one recipient")
def get_send(request: HttpRequest, send_id: str) -> Any:
    return _send_json(find(Send, send_id, actor=_actor(request)))


def _send_json(send: Send) -> dict[str, Any]:
    return {
        "id": str(send.pk),
        "message": str(send.message_id),
        "contact": str(send.contact_id) if send.contact_id else None,
        "address": send.address or None,
        "journey": str(send.journey_id) if send.journey_id else None,
        "step": send.step or None,
        "status": send.status,
        "reason": send.reason or None,
        "answer": send.answer or None,
        "test": send.is_test,
        "attempts": send.attempts,
        "queued_at": iso(send.queued_at),
        "sent_at": iso(send.sent_at) if send.sent_at else None,
    }
