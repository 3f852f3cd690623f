"""What the journal is told of contacts: the events of their changes, and whose mirror is to be written anew."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parcours.events import journal
from parcours.events.entries import Alike, Event, Touched, Written
from parcours.lib.ids import new_id


@dataclass(frozen=True, slots=True)
class Cause:
    """On whose behalf contacts change: a step of a journey, or a message. The events bear its links."""

    journey: int = 0
    version: int = 0
    step: str = ""
    message: int = 0
    send: str = ""
    enrolments: Mapping[int, int] = field(default_factory=dict)  # contact -> its run


_NO_CAUSE = Cause()
_ALIKE_FROM = 3


class Teller:
    """Gathers the entries of one transaction."""

    def __init__(self, *, source: str, cause: Cause | None, now_ms: int) -> None:
        self.source = source
        self.cause = cause or _NO_CAUSE
        self.now_ms = now_ms
        self.entries: list[Written] = []

    def event(self, name: str, contact_id: int, properties: dict[str, Any]) -> None:
        """An event of a contact, now."""
        self.entries.append(self._event(name, contact_id, properties))

    def alike(self, name: str, contact_ids: Sequence[int], properties: dict[str, Any]) -> None:
        """The same event of many contacts, now."""
        if self.cause.enrolments or len(contact_ids) < _ALIKE_FROM:
            for contact_id in contact_ids:
                self.event(name, contact_id, properties)
            return
        for start in range(0, len(contact_ids), journal.MOST_ENTRIES):
            some = list(contact_ids[start : start + journal.MOST_ENTRIES])
            self.entries.append(Alike(self._event(name, 0, properties), some))

    def _event(self, name: str, contact_id: int, properties: dict[str, Any]) -> Event:
        cause = self.cause
        return Event(
            name=name,
            occurred_at=self.now_ms,
            received_at=self.now_ms,
            message_id=new_id(),
            contact=contact_id,
            properties=properties,
            journey=cause.journey,
            version=cause.version,
            step=cause.step,
            enrolment=cause.enrolments.get(contact_id, 0),
            message=cause.message,
            send=cause.send,
        )

    def created(self, contact_ids: Sequence[int]) -> None:
        self.alike("contact.created", contact_ids, {"source": self.source})

    def updated(self, contact_id: int, fields: list[str]) -> None:
        """Names alone: what the fields held before or hold now is in no event, so that erasure has less to erase."""
        self.event("contact.updated", contact_id, {"fields": fields, "source": self.source})

    def consent(self, contact_id: int, channel: str, before: str, after: str) -> None:
        self.consents([contact_id], channel, before, after)

    def consents(self, contact_ids: Sequence[int], channel: str, before: str, after: str) -> None:
        """The same change of a consent, of many contacts."""
        properties = {"from": before, "to": after, "source": self.source}
        self.alike(f"{channel}.subscription_updated", contact_ids, properties)

    def joined(self, contact_ids: Sequence[int], list_id: int) -> None:
        self.alike("list.joined", contact_ids, {"list": str(list_id), "source": self.source})

    def left(self, contact_id: int, list_id: int) -> None:
        self.event("list.left", contact_id, {"list": str(list_id), "source": self.source})

    def touched(self, contact_ids: Iterable[int]) -> None:
        ids = list(dict.fromkeys(contact_ids))
        if ids:
            self.entries.append(Touched(ids))

    def append(self, account_id: int) -> None:
        """Hand the entries to the journal, in the caller's transaction."""
        if self.entries:
            journal.append(self.entries, account_id=account_id)
            self.entries = []
