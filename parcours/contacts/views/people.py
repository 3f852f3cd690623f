"""Contacts as pages show them, and the one that an address names."""

from __future__ import annotations

from typing import Any

from parcours.accounts.access import PageRequest
from parcours.contacts import queries
from parcours.contacts.merging.people import find_contact
from parcours.contacts.models import Channel, ConsentValue, Contact
from parcours.contacts.views.words import CONSENT_TONES
from parcours.lib.instants import from_ms


def people(contact_ids: list[int]) -> list[dict[str, Any]]:
    """Contacts as the rows of a table show them, in the order of the ids."""
    shown = {
        person["contact"]: {
            **person,
            "name": " ".join(part for part in (person["first_name"], person["last_name"]) if part),
            "consents": consents_of(person),
            "created": from_ms(person["created_at"]),
            "seen": None if person["last_seen_at"] is None else from_ms(person["last_seen_at"]),
        }
        for person in queries.snapshot(contact_ids)
    }
    return [shown[contact_id] for contact_id in contact_ids if contact_id in shown]


def consents_of(person: dict[str, Any]) -> list[dict[str, Any]]:
    """The consents of a snapshot: channel, its label, value, its label, tone."""
    return [
        {
            "channel": channel.value,
            "label": channel.label,
            "value": person[f"consent_{channel.value}"],
            "words": ConsentValue(person[f"consent_{channel.value}"]).label,
            "tone": CONSENT_TONES[person[f"consent_{channel.value}"]],
        }
        for channel in Channel
    ]


def found_contact(request: PageRequest, contact_id: str) -> Contact:
    """A contact of the reader's account who was not erased; one merged away is who they are now. Raises NotFound."""
    return find_contact(contact_id, request.actor)
