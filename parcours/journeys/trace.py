"""What became of one contact in one journey: each step taken, when and why; and why they are not in."""

from __future__ import annotations

import json
from typing import Any

from parcours.contacts.merging.people import absorbed
from parcours.events import watermark
from parcours.events.store import queries
from parcours.journeys.models import Enrolment, Journey, Taken
from parcours.lib.instants import from_ms, iso
from parcours.messaging.models import Send

_MOST_REFUSALS = 1_000


def of(journey: Journey, contact: int, *, as_of: str = "") -> dict[str, Any]:
    """The trace of a contact, from the event store at a watermark; sends and refusals are as they are now."""
    mark = watermark.asked(journey.account_id, as_of)
    rows = queries.run(
        "journey_trace",
        {"account": journey.account_id, "journey": journey.pk, "contact": contact, "load": mark.load},
    )
    titles = _titles(journey)
    everyone = [contact, *absorbed([contact])]
    sends = {
        (send.enrolment_id, send.step, send.visit): send
        for send in Send.objects.filter(journey_id=journey.pk, contact_id__in=everyone)
    }
    parked = {
        run.pk: run
        for run in Enrolment.objects.filter(
            journey=journey, contact_id=contact, status=Enrolment.Status.FAILED
        )
    }
    runs: dict[int, dict[str, Any]] = {}
    for row in rows:
        properties, at = json.loads(row["properties"] or "{}"), iso(from_ms(int(row["at_ms"])))
        if row["name"] == "journey.entered":
            runs[row["enrolment"]] = _entered(row, at, held_out=bool(properties.get("holdout")))
            continue
        run = runs.setdefault(row["enrolment"], _entered(row, at, held_out=False))
        if row["name"] == "journey.step_entered":
            run["steps"].append(_step(row, at, properties, titles, sends))
            continue
        run["status"] = row["name"].removeprefix("journey.")
        run["reason"] = properties.get("reason")
        run["ended_at"] = at
    for number, run in runs.items():
        if number in parked and run["status"] == "active":
            run["status"], run["error"] = "failed", parked[number].error
    return {
        "as_of": iso(mark.as_of),
        "contact": str(contact),
        "runs": list(runs.values()),
        "refused": [
            {"at": iso(taken.at), "reason": taken.verdict}
            for taken in Taken.objects.filter(journey=journey, contact_id__in=everyone)
            .exclude(verdict__in=["entered", "held_out"])
            .order_by("-at", "-pk")[:_MOST_REFUSALS]
        ],
    }


def _entered(row: dict[str, Any], at: str, *, held_out: bool) -> dict[str, Any]:
    return {
        "enrolment": str(row["enrolment"]),
        "version": row["version"],
        "status": "holdout" if held_out else "active",
        "reason": None,
        "entered_at": at,
        "ended_at": None,
        "steps": [],
    }


def _step(
    row: dict[str, Any],
    at: str,
    properties: dict[str, Any],
    titles: dict[tuple[int, str], tuple[str, str]],
    sends: dict[tuple[int | None, str, int], Send],
) -> dict[str, Any]:
    kind, name = titles.get((row["version"], row["step"]), ("", ""))
    step: dict[str, Any] = {
        "step": row["step"],
        "type": kind,
        "name": name,
        "visit": row["visit"],
        "at": at,
        "from": properties.get("from") or None,
        "way": properties.get("way"),
    }
    send = sends.get((row["enrolment"], row["step"], row["visit"]))
    if send is not None:
        step["send"] = {"id": str(send.pk), "status": send.status, "reason": send.reason or None}
    return step


def _titles(journey: Journey) -> dict[tuple[int, str], tuple[str, str]]:
    return {
        (version.number, step["id"]): (step["type"], step.get("name", ""))
        for version in journey.versions.all()
        for step in version.document["steps"]
    }
