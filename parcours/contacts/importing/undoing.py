"""Undoing an import: who came with it goes again, what it changed is as it was, unless something happened since.

A contact whom the import created, and of whom nothing else is known to have happened, is erased. A field, a consent, a
tag or a list that the import changed goes back to what it was if it is still as the import left it. What stays, and
why, is told. A kill only delays it: each transaction takes away the record of what it undid.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts import actions
from parcours.contacts.batch import Batch
from parcours.contacts.importing import keeping
from parcours.contacts.importing.keeping import Change
from parcours.contacts.importing.models import Import, ImportPart
from parcours.contacts.lines import KEYS, Line, Refused
from parcours.contacts.person import Person
from parcours.contacts.rows import Source
from parcours.events import watermark
from parcours.events.store import queries
from parcours.lib import bulk, clock, crashpoints
from parcours.lib.instants import to_ms
from parcours.lib.problems import Problem

KIND = "contacts.import.undo"
SOURCE = "undo"
MOST_TOLD = 1_000
_AT_ONCE = 2_000
_PATIENCE_SECONDS = 60.0


def refusal(imported: Import, *, now: datetime) -> str:
    """Why an import cannot be undone; "" when it can."""
    if imported.job is None or imported.job.status in (Job.Status.QUEUED, Job.Status.RUNNING):
        return _("The import has not ended yet.")
    if imported.undo_id is not None:
        return _("The import was undone already.")
    if imported.created_at < now - keeping.KEPT or not imported.path:
        return _("The import is older than thirty days: what it changed is no longer kept.")
    return ""


def start(imported: Import) -> Job:
    """Let the work process undo an import. Raises Problem 409 when it cannot be undone."""
    with transaction.atomic():
        locked = Import.objects.select_for_update().get(pk=imported.pk)
        reason = refusal(locked, now=clock.now())
        if reason:
            raise Problem(409, "not-undoable", reason)
        parameters = {"import": locked.pk, "language": translation.get_language() or "en"}
        total = locked.changes.count() + locked.parts.exclude(created=b"").count()
        locked.undo = jobs.enqueue(locked.account, KIND, parameters, total_bytes=max(1, total))
        locked.save(update_fields=["undo"])
    return locked.undo


def run(running: jobs.Running) -> None:
    """Undo an import, newest changes first."""
    job = running.job
    imported = Import.objects.get(pk=job.parameters["import"])
    result: dict[str, Any] = {"erased": 0, "restored": 0, "kept": 0, "told": [], **job.result}
    with translation.override(job.parameters["language"]):
        # What happened to the contacts is asked of the event store: everything must be there.
        if not watermark.wait_digested(imported.account_id, _PATIENCE_SECONDS):
            raise Problem(503, "busy", _("Too much is still on its way to the statistics: try again later."))
        with transaction.atomic():
            running.advance(result=result)
        turns = bulk.Turns()
        for part in imported.parts.exclude(created=b"").order_by("-pk").defer("refused"):
            _erase(running, imported, part, result)
            crashpoints.point("undo.part")
            turns.leave()
        while rows := list(imported.changes.order_by("-pk")[:_AT_ONCE]):
            _restore(running, imported, rows, result)
            crashpoints.point("undo.changes")
            turns.leave()


def _tell(result: dict[str, Any], contact_id: int, reason: str) -> None:
    result["kept"] += 1
    if len(result["told"]) < MOST_TOLD:
        result["told"].append({"contact": str(contact_id), "reason": reason})


def _erase(running: jobs.Running, imported: Import, part: ImportPart, result: dict[str, Any]) -> None:
    ids = keeping.created_ids(part)
    last = imported.parts.order_by("-pk").values_list("at", flat=True)[0]
    busy = active(imported.account_id, ids, since=imported.created_at, until=last)
    with transaction.atomic():
        gone = actions.erase(
            account_id=imported.account_id,
            contact_ids=[contact_id for contact_id in ids if contact_id not in busy],
            now=clock.now(),
        )
        for contact_id in ids:
            if contact_id in busy:
                _tell(result, contact_id, _("Something happened to this contact since: it stays."))
        result["erased"] += len(gone)
        part.created = b""
        part.save(update_fields=["created"])
        crashpoints.point("undo.uncommitted")
        running.advance(lines=len(ids), bytes_done=running.job.done_bytes + 1, result=result)


def active(account_id: int, contact_ids: Sequence[int], *, since: datetime, until: datetime) -> set[int]:
    """Those to whom something happened after an import, other than entering segments and what the import did."""
    rows = queries.run(
        "contacts_active_since",
        {
            "account": account_id,
            "contacts": list(contact_ids),
            "load": watermark.current(account_id).load,
            "since": to_ms(since),
            "until": to_ms(until),
        },
    )
    return {int(row["contact"]) for row in rows}


def _restore(running: jobs.Running, imported: Import, rows: Sequence[Any], result: dict[str, Any]) -> None:
    with transaction.atomic():
        now = clock.now()
        batch = Batch(imported.account, source=Source(SOURCE), now_ms=to_ms(now), resubscribe=True)
        changes = [(row.contact_id, to_ms(row.at), keeping.change(row.body)) for row in rows]
        batch.load_keys("id", [contact_id for contact_id, _at, _change in changes])
        for key in KEYS:
            batch.load_keys(key, [each.fields[key][0] for _id, _at, each in changes if key in each.fields])
        untied: list[tuple[int, int, Change]] = []
        for contact_id, at, change in changes:
            person = batch.people.get(contact_id)
            if person is None:
                _tell(result, contact_id, _("The contact was erased or merged since."))
                continue
            stayed = _put_back(batch, person, change)
            if stayed:
                told = _("Changed since, so that it stays: %(fields)s.") % {"fields": ", ".join(stayed)}
                _tell(result, contact_id, told)
            untied.append((contact_id, at, change))
        _untie(batch, untied)
        batch.write()
        result["restored"] += len(untied)
        among, bound = bulk.among("id", [row.pk for row in rows])
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM contacts_importchange WHERE {among}", [bound])
        crashpoints.point("undo.uncommitted")
        running.advance(lines=len(rows), bytes_done=running.job.done_bytes + len(rows), result=result)


def _put_back(batch: Batch, person: Person, change: Change) -> list[str]:
    """Fields and consents as they were, where they are still as the import left them; answers those that stay."""
    line = Line(id=person.id)
    stayed = []
    for name, (before, after) in change.fields.items():
        _group, dot, bare = name.partition(".")
        known = bare in batch.types if dot else True
        taken = name in KEYS and before is not None and batch.by_key[name].get(before, person) is not person
        if person.value(name) != after or not known or taken:
            stayed.append(name)
        elif dot:
            line.attributes[bare] = before
        else:
            line.values[name] = before
    for channel, (before, after) in change.consents.items():
        if person.consents[channel] == after:
            line.consents[channel] = before
        else:
            stayed.append(f"consents.{channel}")
    try:
        batch.fold(line)
    except Refused:
        return [*stayed, *line.values, *(f"attributes.{name}" for name in line.attributes), *line.consents]
    return stayed


def _untie(batch: Batch, changes: Sequence[tuple[int, int, Change]]) -> None:
    """Take the tags and the lists away that the import gave."""
    tags = [(contact_id, tag) for contact_id, _at, change in changes for tag in change.tags]
    lists = [(list_id, contact_id, at) for contact_id, at, change in changes for list_id in change.lists]
    tagged = {contact_id for contact_id, _tag in tags}
    with connection.cursor() as cursor:
        if tags:
            cursor.executemany("DELETE FROM contacts_tag WHERE contact_id = %s AND name = %s", tags)
        left = []
        if lists:
            among, bound = bulk.among("contact_id", list({contact_id for _list, contact_id, _at in lists}))
            cursor.execute(
                f"SELECT list_id, contact_id, joined_at FROM contacts_listmember WHERE {among}", [bound]
            )
            left = sorted(set(lists).intersection(cursor.fetchall()))
            cursor.executemany(
                "DELETE FROM contacts_listmember WHERE list_id = %s AND contact_id = %s AND joined_at = %s",
                left,
            )
    bulk.update_many(
        "contacts_contact", ("updated_at",), [(batch.now_ms, contact_id) for contact_id in sorted(tagged)]
    )
    for contact_id in sorted(tagged):
        batch.teller.updated(contact_id, ["tags"])
    for list_id, contact_id, _at in left:
        batch.teller.left(contact_id, list_id)
    batch.teller.touched([*tagged, *(contact_id for _list, contact_id, _at in left)])
