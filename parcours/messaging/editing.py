"""Writing messages: every fault found at once, each with its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import ProtectedError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import uses
from parcours.contacts.models import Channel
from parcours.lib.instants import iso
from parcours.lib.problems import Fault, Invalid, Problem
from parcours.messaging import addresses, contents
from parcours.messaging.addresses import BadAddress
from parcours.messaging.models import Message
from parcours.messaging.rendering.compiled import (
    Compiled,
    PartError,
    Rendered,
    compile_source,
    personalise,
    untracked,
)

_HEADER_BREAK = re.compile(r"[\r\n\x00]")
_LONGEST_SUBJECT = 900


def as_json(message: Message) -> dict[str, Any]:
    """A message as the API writes it."""
    return {
        "id": str(message.pk),
        "name": message.name,
        "channel": message.channel,
        "kind": message.kind,
        "subject": message.subject,
        "mjml": message.mjml or None,
        "html": message.html or None,
        "text": message.text or None,
        "from": sender_text(message) or None,
        "reply_to": message.reply_to or None,
        "track_opens": message.track_opens,
        "track_clicks": message.track_clicks,
        "business_unit": None if message.business_unit_id is None else str(message.business_unit_id),
        "created_at": iso(message.created_at),
        "updated_at": iso(message.updated_at),
    }


def sender_text(message: Message) -> str:
    """The sender as the account wrote it: `Name <address>`, or the address alone."""
    if message.from_name:
        return f"{message.from_name} <{message.from_email}>"
    return message.from_email


def line_text(error: PartError) -> str:
    """A fault of a template with its line, for a reader."""
    if error.line is None:
        return error.detail
    return _("Line %(line)d: %(what)s") % {"line": error.line, "what": error.detail}


def faults_of(message: Message) -> list[Fault]:
    """Everything that keeps a message from being sent."""
    faults: list[Fault] = []

    def fault(pointer: str, detail: str) -> None:
        faults.append(Fault(pointer=pointer, detail=detail))

    if not message.name.strip():
        fault("/name", _("A message needs a name."))
    if message.channel != Channel.EMAIL:
        fault("/channel", _("Only e-mail can be sent so far."))
    if message.kind not in Message.Kind.values:
        fault("/kind", _("A message is “marketing” or “transactional”."))
    if message.mjml and message.html:
        fault("/html", _("A message is written in MJML or in HTML, not both."))
    if not (message.mjml.strip() or message.html.strip() or message.text.strip()):
        fault("/html", _("A message needs a content: MJML, HTML or text."))
    if not message.subject.strip():
        fault("/subject", _("An e-mail needs a subject."))
    elif _HEADER_BREAK.search(message.subject):
        fault("/subject", _("A subject holds no line break."))
    elif len(message.subject) > _LONGEST_SUBJECT:
        fault("/subject", _("The subject is too long."))
    if _HEADER_BREAK.search(message.from_name):
        fault("/from", _("A sender holds no line break and no control character."))
    for pointer, address in (("/from", message.from_email), ("/reply_to", message.reply_to)):
        if address:
            try:
                if not addresses.read(address).local.isascii():
                    fault(pointer, _("The sender's address must be in ASCII before the @."))
            except BadAddress as error:
                fault(pointer, str(error))
    if not any(one["pointer"] in ("/subject", "/html") for one in faults):
        faults.extend(_template_faults(message))
    return faults


def _template_faults(message: Message) -> list[Fault]:
    try:
        compiled = compile_source(contents.source_of(message))
        _try_out(compiled)
    except PartError as error:
        return [Fault(pointer=f"/{error.part}", detail=line_text(error))]
    return []


def _try_out(compiled: Compiled) -> None:
    """Run the templates once, for what shows only then: a loop that never ends, an output without measure.

    Other errors may come from the lack of a contact's data, and say nothing. Raises PartError.
    """
    try:
        personalise(compiled, sample_context(), untracked(compiled))
    except PartError as error:
        if error.limit:
            raise


def sample_context(
    contact: Mapping[str, Any] | None = None, account: Account | None = None
) -> dict[str, Any]:
    """What templates see in a trial or a preview: this contact, or nobody in particular."""
    nobody = {
        "first_name": "Camille",
        "last_name": "Martin",
        "email": "camille@example.org",
        "attributes": {},
    }
    return {
        "contact": contact or {**nobody, "locale": get_language() or ""},
        "event": {},
        "deal": {},
        "account": contents.account_names(account) if account else {},
    }


def preview(message: Message, *, contact: Mapping[str, Any] | None = None) -> Rendered:
    """The message as a contact would read it; its links lead straight to where they are written.

    Raises PartError.
    """
    compiled = compile_source(contents.source_of(message))
    return personalise(compiled, sample_context(contact, message.account), untracked(compiled))


def save(message: Message, *, now: datetime) -> Message:
    """Keep a new or changed message. Raises Invalid with every fault."""
    faults = faults_of(message)
    if faults:
        raise Invalid(_("The message cannot be kept."), faults)
    message.updated_at = now
    if message.pk is None:
        message.created_at = now
    with transaction.atomic():
        message.save()
        contents.sync_links(message, compile_source(contents.source_of(message)).urls)
    return message


def set_sender(message: Message, text: str) -> None:
    """Read `Name <address>` into a message. Raises Invalid."""
    if not text.strip():
        message.from_name = message.from_email = ""
        return
    try:
        message.from_name, message.from_email = addresses.read_sender(text)
    except BadAddress as error:
        raise Invalid(
            _("The message cannot be kept."), [Fault(pointer="/from", detail=str(error))]
        ) from error


def duplicate(message: Message, *, now: datetime) -> Message:
    """A copy of a message, with a name that says so."""
    copy = Message.objects.get(pk=message.pk)
    copy.pk = None
    copy.name = (_("%(name)s (copy)") % {"name": message.name})[:200]
    return save(copy, now=now)


def delete(message: Message) -> None:
    """Remove a message that was never sent. Raises Problem 409 for one that was, whose figures stay, and for one that
    a journey sends."""
    uses.refuse_while_used(message.account_id, "message", message.pk)
    try:
        message.delete()
    except ProtectedError as error:
        raise Problem(409, "in-use", _("This message was sent: its figures need it.")) from error
