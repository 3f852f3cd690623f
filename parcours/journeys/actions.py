"""Everything that changes journeys goes through here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from parcours.accounts import plans
from parcours.accounts.models import Account
from parcours.events import watermark
from parcours.events.store import queries
from parcours.journeys import inbox, publishing
from parcours.journeys.document import Document
from parcours.journeys.engine import parts
from parcours.journeys.engine.ending import end_archived, retry_parked
from parcours.journeys.engine.runs import ENTRY, EXIT
from parcours.journeys.engine.walk import REMOVED
from parcours.journeys.inbox import NewRow
from parcours.journeys.models import Inbox, Journey, Version
from parcours.journeys.names import AccountNames
from parcours.journeys.parsing import parse
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.lib.problems import Problem

__all__ = [
    "activate",
    "archive",
    "cancel",
    "check",
    "create",
    "duplicate",
    "enrol",
    "pause",
    "publish",
    "resume",
    "retry_parked",
    "save_draft",
]

Status = Journey.Status


class Conflict(Problem):
    """409: what is asked cannot be done to a journey in its present state."""

    def __init__(self, detail: str) -> None:
        super().__init__(409, "conflict", detail)


def check(account: Account, document: Any) -> Document:
    """The document, parsed against what the account has. Raises Invalid with every fault."""
    return parse(document, names=AccountNames(account))


def create(account: Account, document: Any, *, now: datetime) -> Journey:
    """A new journey, a draft. Raises Invalid when its document is not fit to run."""
    parsed = check(account, document)
    return Journey.objects.create(
        account=account,
        name=parsed.name,
        business_unit_id=parsed.settings.get("business_unit"),
        draft=document,
        created_at=now,
        updated_at=now,
    )


def save_draft(journey: Journey, document: Any, *, now: datetime) -> Journey:
    """Replace the draft. An active journey goes on with its published version."""
    parsed = check(journey.account, document)
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status == Status.ARCHIVED:
            raise Conflict(_("An archived journey does not change any more."))
        locked.draft = document
        locked.updated_at = now
        fields = ["draft", "updated_at"]
        if locked.version == 0:
            locked.name = parsed.name
            fields.append("name")
        locked.save(update_fields=fields)
    return locked


def duplicate(journey: Journey, *, now: datetime) -> Journey:
    """A new draft with the same document, under a name that says so."""
    document = dict(current_document(journey))
    document["name"] = _("%(name)s (copy)") % {"name": document["name"]}
    document["name"] = document["name"][:200]
    return Journey.objects.create(
        account_id=journey.account_id,
        business_unit_id=journey.business_unit_id,
        name=document["name"],
        draft=document,
        created_at=now,
        updated_at=now,
    )


def current_document(journey: Journey) -> dict[str, Any]:
    """The document as it would be edited: the draft, else the version in force."""
    if journey.draft is not None:
        return journey.draft
    return journey.versions.get(number=journey.version).document


def activate(journey: Journey, *, now: datetime) -> Journey:
    """Publish a draft as the first version and let contacts in, those concerned already where the entry says so.

    Raises Problem `plan-required` (403) on the free plan, Conflict (409) when it is no draft, Invalid when the
    document no longer fits the account.
    """
    account = journey.account
    plans.require_full(account)
    if journey.status == Status.DRAFT:
        document = check(account, journey.draft)
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status != Status.DRAFT or locked.draft is None:
            raise Conflict(_("Only a draft can be activated."))
        if locked.draft != journey.draft:
            raise Conflict(_("The draft has just been changed: look at it again."))
        number = locked.version + 1
        Version.objects.create(journey=locked, number=number, document=locked.draft, published_at=now)
        locked.version, locked.draft, locked.status = number, None, Status.ACTIVE
        locked.name = document.name
        locked.activated_at = locked.updated_at = now
        locked.save()
        parts.make(locked.pk)
        if document.include != "new":
            _include_current(locked, document, now)
    return locked


def _include_current(journey: Journey, document: Document, now: datetime) -> None:
    """Those who are on the triggers' lists and in their segments at activation enter with it."""
    at = to_ms(now)
    inbox.lock(journey.account_id)
    for trigger in document.triggers:
        if trigger.type == "list_joined":
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO journeys_inbox (account_id, journey_id, kind, contact_id, at, origin_at,"
                    " cause_id, run_key, event, error)"
                    " SELECT %s, %s, %s, contact_id, %s, %s, %s, '', '', '' FROM contacts_listmember"
                    " WHERE list_id = %s ORDER BY contact_id"
                    " ON CONFLICT (journey_id, contact_id, kind, cause_id) DO NOTHING",
                    [journey.account_id, journey.pk, ENTRY, at, at, "activation", trigger.target],
                )
        elif trigger.type == "segment_entered":
            _enter(journey, _members(journey.account_id, trigger.target), at, "activation")


def _members(account_id: int, segment_id: int) -> list[int]:
    mark = watermark.current(account_id)
    scope = {"account": account_id, "segment": segment_id, "load": mark.load}
    return [row["contact"] for row in queries.run("journey_segment_members", scope)]


def _enter(journey: Journey, contacts: Sequence[int], at: int, cause: str) -> None:
    rows = [
        NewRow(journey.account_id, journey.pk, ENTRY, contact, at, at, cause)
        for contact in dict.fromkeys(contacts)
    ]
    inbox.put(rows, account_id=journey.account_id)


def enrol(journey: Journey, contacts: Sequence[int], *, now: datetime) -> None:
    """Let contacts of the account in by hand; the filter and the mode decide as for any entry.

    A paused journey takes them when it is resumed. Raises Conflict when it is neither active nor paused.
    """
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status not in (Status.ACTIVE, Status.PAUSED):
            raise Conflict(_("Only an active journey lets contacts in."))
        _enter(locked, contacts, to_ms(now), f"enrol:{new_id()}")


def cancel(journey: Journey, contacts: Sequence[int], *, now: datetime) -> None:
    """Take contacts out of the journey: their runs under way end as removed."""
    at, cause = to_ms(now), f"{REMOVED}{new_id()}"
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status not in (Status.ACTIVE, Status.PAUSED):
            raise Conflict(_("Nobody is under way in this journey."))
        rows = [
            NewRow(locked.account_id, locked.pk, EXIT, contact, at, at, cause)
            for contact in dict.fromkeys(contacts)
        ]
        inbox.put(rows, account_id=locked.account_id)


def pause(journey: Journey, *, now: datetime) -> Journey:
    """Let no one in and move no one, until it is resumed. Harmless when it is paused already."""
    return _turn(journey, Status.ACTIVE, Status.PAUSED, now, _("Only an active journey can be paused."))


def resume(journey: Journey, *, now: datetime) -> Journey:
    """Go on: what happened and what fell due meanwhile is taken in the order of its instants.

    Raises Problem `plan-required` (403) on the free plan, Conflict (409) when the journey is not paused.
    """
    plans.require_full(journey.account)
    return _turn(journey, Status.PAUSED, Status.ACTIVE, now, _("Only a paused journey can be resumed."))


def _turn(journey: Journey, before: str, after: str, now: datetime, refusal: str) -> Journey:
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status == after and locked.version:
            return locked
        if locked.status != before:
            raise Conflict(refusal)
        locked.status = after
        locked.paused_at = now if after == Status.PAUSED else None
        locked.updated_at = now
        locked.save(update_fields=["status", "paused_at", "updated_at"])
    return locked


def archive(journey: Journey, *, now: datetime) -> Journey:
    """Put a journey away for good, from any status: its runs under way end as archived."""
    with transaction.atomic():
        locked = _lock(journey)
        if locked.status == Status.ARCHIVED:
            return locked
        locked.status = Status.ARCHIVED
        locked.archived_at = locked.updated_at = now
        locked.save(update_fields=["status", "archived_at", "updated_at"])
        Inbox.objects.filter(journey=locked).delete()
    end_archived(locked)
    return locked


def publish(journey: Journey, *, follow: bool, moved: publishing.Moved, now: datetime) -> Journey:
    """Put the draft of a journey under way in force; see `publishing.publish`."""
    if journey.draft is None:
        raise Conflict(_("There is no draft to publish on this journey."))
    document = check(journey.account, journey.draft)
    return publishing.publish(journey, document, follow=follow, moved=moved, now=now)


def _lock(journey: Journey) -> Journey:
    return Journey.objects.select_for_update().get(pk=journey.pk)
