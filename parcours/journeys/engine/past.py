"""What contacts did before they entered, for first waits: read from the event store."""

from __future__ import annotations

import json

from parcours.events.entries import Event
from parcours.events.store import queries
from parcours.events.watermark import Watermark


class Past:
    """The events of an account until a watermark."""

    def __init__(self, account: int, watermark: Watermark | None) -> None:
        self.account = account
        self.watermark = watermark

    def __call__(self, name: str, spans: dict[int, tuple[int, int]]) -> dict[int, list[Event]]:
        """Events of a name, for contacts, each from an instant to another (milliseconds, both in), by contact."""
        found: dict[int, list[Event]] = {}
        if self.watermark is None or not spans:
            return found
        rows = queries.run(
            "journey_past_events",
            {
                "account": self.account,
                "name": name,
                "load": self.watermark.load,
                "contacts": list(spans),
                "since": [since for since, _ in spans.values()],
                "until": [until for _, until in spans.values()],
                "earliest": min(since for since, _ in spans.values()),
            },
        )
        for row in rows:
            event = Event(
                name=name,
                occurred_at=row["occurred_ms"],
                received_at=row["received_ms"],
                message_id=row["message_id"],
                contact=row["contact"],
                properties=json.loads(row["properties"]),
                journey=row["journey"],
                version=row["version"],
                step=row["step"],
                enrolment=row["enrolment"],
                message=row["message"],
                send=row["send"],
                order=row["order_id"],
            )
            found.setdefault(event.contact, []).append(event)
        return found
