"""The people behind lines of the event store, as they are now: a name and an address, or nothing once erased."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from parcours.contacts.models import Contact


@dataclass(frozen=True)
class Person:
    """A contact as a line shows it; one who was erased has no id, name or address."""

    id: str | None
    email: str | None
    name: str


_ERASED = Person(id=None, email=None, name="")


def people(account_id: int, contacts: Iterable[int]) -> dict[int, Person]:
    """The contacts of these ids, in one query; those erased or gone read as the empty person."""
    wanted = set(contacts)
    found = {
        pk: Person(id=str(pk), email=email, name=" ".join(filter(None, (first, last))))
        for pk, email, first, last in Contact.objects.filter(
            account_id=account_id, pk__in=wanted, erased_at=None
        ).values_list("pk", "email", "first_name", "last_name")
    }
    return {contact: found.get(contact, _ERASED) for contact in wanted}
