"""An attribute renamed, given another type, or deleted: in every contact that has a value, by a job, by batches.

Renaming names the definition anew at once, and moves the values after. Changing the type looks at every value first,
and changes nothing while one does not fit. Deleting takes the values away, then the definition.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts import attributes, uses
from parcours.contacts.audience import Audience
from parcours.contacts.batch import lock
from parcours.contacts.models import AttributeDefinition
from parcours.contacts.normalise import Unfit
from parcours.contacts.telling import Teller
from parcours.lib import bulk, clock, crashpoints
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid, Problem

KIND = "contacts.attribute"
_AT_ONCE = 2_000
_EXAMPLES = 20
_PASSES = 5
Values = dict[str, Any]


def rename(definition: AttributeDefinition, name: str) -> Job:
    """Give an attribute another name. Raises Invalid, and Problem (409) while something uses it."""
    try:
        attributes.check_name(name)
    except Unfit as error:
        raise _refuse("/name", str(error)) from error
    uses.refuse_while_used(definition.account_id, "attribute", definition.name)
    with transaction.atomic():
        lock(definition.account_id)
        _refuse_while_changing(definition)
        if AttributeDefinition.objects.filter(account_id=definition.account_id, name=name).exists():
            raise _refuse("/name", _("There is an attribute of this name already."))
        before, definition.name = definition.name, name
        definition.save(update_fields=["name"])
        return _enqueue(definition.account, {"do": "rename", "name": before, "to": name})


def change_type(definition: AttributeDefinition, kind: str) -> Job:
    """Give an attribute another type, if every value fits it: the job says how many do not.

    Raises Problem (409) while criteria or a journey use it: what they ask of it would mean something else, or nothing.
    """
    if kind not in AttributeDefinition.Type.values:
        types = ", ".join(AttributeDefinition.Type.values)
        raise _refuse("/type", _("A type is one of: %(types)s.") % {"types": types})
    uses.refuse_while_used(definition.account_id, "attribute", definition.name, by_name=False)
    with transaction.atomic():
        lock(definition.account_id)
        _refuse_while_changing(definition)
        return _enqueue(definition.account, {"do": "type", "name": definition.name, "type": kind})


def delete(definition: AttributeDefinition) -> Job:
    """Take an attribute away from everybody. Raises Problem (409) while something uses it."""
    uses.refuse_while_used(definition.account_id, "attribute", definition.name)
    with transaction.atomic():
        lock(definition.account_id)
        _refuse_while_changing(definition)
        return _enqueue(definition.account, {"do": "delete", "name": definition.name})


def under_way(account_id: int) -> dict[str, Job]:
    """The changes of attributes that are queued or under way, by the attribute's present name."""
    rows = Job.objects.filter(
        account_id=account_id, kind=KIND, status__in=(Job.Status.QUEUED, Job.Status.RUNNING)
    )
    return {job.parameters.get("to", job.parameters["name"]): job for job in rows.order_by("pk")}


def _refuse(pointer: str, detail: str) -> Invalid:
    return Invalid(detail, [Fault(pointer=pointer, detail=detail)])


def _refuse_while_changing(definition: AttributeDefinition) -> None:
    if definition.name in under_way(definition.account_id):
        raise Problem(409, "conflict", _("This attribute is being changed: wait until that is done."))


def _enqueue(account: Account, parameters: dict[str, Any]) -> Job:
    parameters["language"] = translation.get_language() or "en"
    return jobs.enqueue(account, KIND, parameters)


def run(running: jobs.Running) -> None:
    """Do a job of kind KIND."""
    said = running.job.parameters
    with translation.override(said["language"]):
        {"rename": _rename, "type": _change_type, "delete": _delete}[said["do"]](running)


def _bearers(account: Account, name: str, *, below: int | None = None) -> array[int]:
    return Audience(attribute=name).chosen(account, below=below)


def _rename(running: jobs.Running) -> None:
    before, after = running.job.parameters["name"], running.job.parameters["to"]

    def moved(values: Values) -> bool:
        value = values.pop(before, None)
        if value is None:
            return False
        values.setdefault(after, value)
        return True

    _until_none_is_left(running, before, moved, [before, after])


def _delete(running: jobs.Running) -> None:
    job = running.job
    name = job.parameters["name"]
    if not job.done_lines:  # Something may have come to use it while the job waited.
        uses.refuse_while_used(job.account_id, "attribute", name)
    _until_none_is_left(running, name, lambda values: values.pop(name, None) is not None, [name])
    with transaction.atomic():
        lock(job.account_id)
        running.advance()
        AttributeDefinition.objects.filter(account_id=job.account_id, name=name).delete()


def _until_none_is_left(
    running: jobs.Running, name: str, change: Callable[[Values], bool], names: Sequence[str]
) -> None:
    """Change everybody who bears the attribute, those too who are given a value meanwhile."""
    for _pass in range(_PASSES):
        chosen = _bearers(running.job.account, name)
        if not chosen:
            return
        result = dict(running.job.result)
        result["total"] = running.job.done_lines + len(chosen)
        running.advance(result=result)
        for first in range(0, len(chosen), _AT_ONCE):
            _change(running, chosen[first : first + _AT_ONCE], change, names)


def _change(
    running: jobs.Running, ids: Sequence[int], change: Callable[[Values], bool], names: Sequence[str]
) -> None:
    job = running.job
    among, bound = bulk.among("id", list(ids))
    teller = Teller(source="attributes", cause=None, now_ms=to_ms(clock.now()))
    with transaction.atomic():
        lock(job.account_id)
        changed: dict[int, str] = {}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, attributes FROM contacts_contact"
                f" WHERE account_id = %s AND erased_at IS NULL AND {among}",
                [job.account_id, bound],
            )
            for contact_id, text in cursor.fetchall():
                values: Values = json.loads(text)
                if change(values):
                    changed[contact_id] = json.dumps(values, ensure_ascii=False)
        bulk.update_many(
            "contacts_contact",
            ("attributes", "updated_at"),
            [(text, teller.now_ms, contact_id) for contact_id, text in changed.items()],
        )
        for contact_id in changed:
            teller.updated(contact_id, [f"attributes.{name}" for name in names])
        teller.touched(changed)
        teller.append(job.account_id)
        crashpoints.point("attribute.uncommitted")
        running.advance(accepted=len(changed), lines=len(ids), result={**job.result, "last": ids[-1]})
    crashpoints.point("attribute.batch")


def _change_type(running: jobs.Running) -> None:
    job = running.job
    name, kind = job.parameters["name"], job.parameters["type"]
    result = dict(job.result)
    if not result.get("fits"):
        result["misfits"], result["examples"] = _misfits(job.account, name, kind)
        if result["misfits"]:
            running.advance(result=result)
            return
        # From here on, values that come are of the new type.
        result["fits"] = True
        with transaction.atomic():
            lock(job.account_id)
            running.advance(result=result)
            AttributeDefinition.objects.filter(account_id=job.account_id, name=name).update(type=kind)

    def converted(values: Values) -> bool:
        before = values.get(name)
        try:
            after = convert(before, kind, zone=job.account.timezone)
        except Unfit:  # It came between the look at all values and the change of type: it stays as it is.
            return False
        if after == before and type(after) is type(before):
            return False
        values[name] = after
        return True

    # They bear it still once it is converted: whoever goes on after a kill begins below the last of them.
    chosen = _bearers(job.account, name, below=result.get("last"))
    running.advance(result={**result, "total": job.done_lines + len(chosen)})
    for first in range(0, len(chosen), _AT_ONCE):
        _change(running, chosen[first : first + _AT_ONCE], converted, [name])


def _misfits(account: Account, name: str, kind: str) -> tuple[int, list[dict[str, str]]]:
    """How many contacts have a value that does not fit the type, and some of them with the value."""
    count = 0
    examples: list[dict[str, str]] = []
    chosen = _bearers(account, name)
    for first in range(0, len(chosen), _AT_ONCE):
        among, bound = bulk.among("id", list(chosen[first : first + _AT_ONCE]))
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT id, attributes FROM contacts_contact WHERE {among} ORDER BY id", [bound])
            for contact_id, text in cursor.fetchall():
                value = json.loads(text).get(name)
                try:
                    convert(value, kind, zone=account.timezone)
                except Unfit:
                    count += 1
                    if len(examples) < _EXAMPLES:
                        examples.append({"contact": str(contact_id), "value": str(value)[:100]})
    return count, examples


def convert(value: Any, kind: str, *, zone: str) -> Any:
    """A value kept under one type, as another type keeps it. Raises Unfit."""
    if kind == AttributeDefinition.Type.TEXT and not isinstance(value, str):
        value = _as_text(value)
    elif kind == AttributeDefinition.Type.LIST and not isinstance(value, str | list):
        value = [value]
    elif kind == AttributeDefinition.Type.BOOLEAN and value in (0, 1):
        value = bool(value)
    return attributes.fit(value, kind, zone=zone, cell=isinstance(value, str))


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_as_text(element) for element in value)
    return format(Decimal(str(value)), "f") if isinstance(value, float) else str(value)
