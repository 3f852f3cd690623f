"""What an account declares: its lists, its custom attributes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from parcours.contacts import actions, attributes
from parcours.contacts.batch import lock
from parcours.contacts.models import AttributeDefinition, List
from parcours.contacts.normalise import Unfit
from parcours.lib.problems import Fault, Invalid

_AT_ONCE = 5_000


def create_list(*, account_id: int, name: str, business_unit_id: int | None = None, now: datetime) -> List:
    """A new, empty list."""
    return List.objects.create(
        account_id=account_id, name=name, business_unit_id=business_unit_id, created_at=now
    )


def delete_list(*, contact_list: List, now: datetime) -> None:
    """Delete a list; its members leave it first, some thousands at a time, which their history tells."""
    while True:
        with transaction.atomic():
            lock(contact_list.account_id)
            members = list(contact_list.memberships.values_list("contact_id", flat=True)[:_AT_ONCE])
            if not members:
                contact_list.delete()
                return
            actions.remove_from_list(
                account_id=contact_list.account_id,
                list_id=contact_list.pk,
                contact_ids=members,
                source="deletion",
                now=now,
            )


def declare_attribute(*, account_id: int, name: str, type: str, now: datetime) -> AttributeDefinition:
    """A custom attribute declared before any contact bears it. Raises Invalid; the same again changes nothing."""
    faults: list[Fault] = []
    try:
        attributes.check_name(name)
    except Unfit as error:
        faults.append({"pointer": "/name", "detail": str(error)})
    if type not in AttributeDefinition.Type.values:
        detail = _("A type is one of: %(types)s.") % {"types": ", ".join(AttributeDefinition.Type.values)}
        faults.append({"pointer": "/type", "detail": detail})
    if not faults:
        with transaction.atomic():
            lock(account_id)
            definition, _made = AttributeDefinition.objects.get_or_create(
                account_id=account_id, name=name, defaults={"type": type, "created_at": now}
            )
        if definition.type == type:
            return definition
        detail = _("This attribute exists with the type %(type)s.") % {"type": definition.type}
        faults.append({"pointer": "/type", "detail": detail})
    raise Invalid(" ".join(fault["detail"] for fault in faults), faults)
