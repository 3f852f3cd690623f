"""The reports as the API tells them; the pages read the same."""

from __future__ import annotations

from typing import Any

from parcours.events.watermark import Watermark
from parcours.journeys.models import Journey, Version
from parcours.lib.instants import from_ms, iso
from parcours.reports import journeys, messages
from parcours.reports.filters import RunFilter
from parcours.reports.people import people
from parcours.reports.readings import cut_page


def document_of(journey: Journey, version: int = 0) -> dict[str, Any]:
    """The journey's document: of a version, else the one that new runs enter, else the draft."""
    number = version or journey.version
    found = Version.objects.filter(journey=journey, number=number).first()
    return found.document if found else (journey.draft or {})


def statistics(
    journey: Journey, *, mark: Watermark, chosen: RunFilter, found: journeys.JourneyFigures | None = None
) -> dict[str, Any]:
    """`journeys/{id}/statistics`: every counter of the journey and of its steps, in the document's order.

    A step that only another version has comes after those of the document, as far as anybody passed it. `found` are
    the figures when they were read already.
    """
    found = found or journeys.figures(journey, mark=mark, chosen=chosen)
    steps = [
        (step["id"], step["type"], step.get("name") or "")
        for step in document_of(journey, chosen.version).get("steps", [])
    ]
    known = {id for id, _, _ in steps}
    for version in Version.objects.filter(journey=journey).order_by("-number"):
        for step in version.document.get("steps", []):
            if step["id"] not in known and step["id"] in found.steps:
                known.add(step["id"])
                steps.append((step["id"], step["type"], step.get("name") or ""))
    empty = journeys.StepFigures()
    return {
        "as_of": iso(mark.as_of),
        "entered": found.entered,
        "contacts": found.contacts,
        "active": found.active,
        "completed": found.completed,
        "exited": found.exited,
        "failed": found.failed,
        "goals": found.goals,
        "goals_after": found.goals_after,
        "holdout": found.holdout,
        "steps": [
            {
                "id": id,
                "type": kind,
                "name": name,
                "passages": (figures := found.steps.get(id, empty)).passages,
                "contacts": figures.contacts,
                "waiting": figures.waiting,
                "failed": figures.failed,
            }
            for id, kind, name in steps
        ],
    }


def _line(row: dict[str, Any], person: Any) -> dict[str, Any]:
    return {"contact": person.id, "email": person.email, "name": person.name or None}


def step_contacts(
    journey: Journey,
    step: str,
    *,
    mark: Watermark,
    chosen: RunFilter,
    after: tuple[int, int] | None,
    limit: int,
) -> dict[str, Any]:
    """`journeys/{id}/steps/{step}/contacts`: who passed, with their number of passages, latest first."""
    totals = journeys.step_figures(journey, step, mark=mark, chosen=chosen)
    rows = journeys.step_contacts(
        journey, step, mark=mark, chosen=chosen, after=after or (0, 0), limit=limit + 1
    )
    rows, cursor = cut_page(rows, limit=limit, keys=("last_at", "contact"))
    known = people(journey.account_id, (row["contact"] for row in rows))
    return {
        "as_of": iso(mark.as_of),
        "contacts": totals.contacts,
        "passages": totals.passages,
        "items": [
            {
                **_line(row, known[row["contact"]]),
                "passages": row["passages"],
                "first_at": iso(from_ms(row["first_at"])),
                "last_at": iso(from_ms(row["last_at"])),
            }
            for row in rows
        ],
        "next": cursor,
    }


def step_present(
    journey: Journey,
    step: str,
    *,
    parked: bool,
    mark: Watermark,
    chosen: RunFilter,
    after: tuple[int, int] | None,
    limit: int,
) -> dict[str, Any]:
    """`journeys/{id}/steps/{step}/contacts?now=true`: the runs that stand there, latest arrival first."""
    figures = journeys.figures(journey, mark=mark, chosen=chosen).steps.get(step, journeys.StepFigures())
    rows = journeys.step_present(
        journey, step, parked=parked, mark=mark, chosen=chosen, after=after or (0, 0), limit=limit + 1
    )
    rows, cursor = cut_page(rows, limit=limit, keys=("at_ms", "enrolment"))
    known = people(journey.account_id, (row["contact"] for row in rows))
    return {
        "as_of": iso(mark.as_of),
        "total": figures.failed if parked else figures.waiting,
        "items": [
            {
                **_line(row, known[row["contact"]]),
                "enrolment": str(row["enrolment"]),
                "since": iso(from_ms(row["at_ms"])),
                "entered_at": iso(from_ms(row["entered_ms"])),
            }
            for row in rows
        ],
        "next": cursor,
    }


def state_contacts(
    journey: Journey,
    state: str,
    *,
    reason: str,
    mark: Watermark,
    chosen: RunFilter,
    after: tuple[int, int] | None,
    limit: int,
) -> dict[str, Any]:
    """`journeys/{id}/contacts?state=`: the runs behind a figure of the journey, one item each, latest first."""
    rows = journeys.runs_in_state(
        journey, state, reason=reason, mark=mark, chosen=chosen, after=after or (0, 0), limit=limit + 1
    )
    rows, cursor = cut_page(rows, limit=limit, keys=("at_ms", "enrolment"))
    known = people(journey.account_id, (row["contact"] for row in rows))
    return {
        "as_of": iso(mark.as_of),
        "items": [
            {
                **_line(row, known[row["contact"]]),
                "enrolment": str(row["enrolment"]),
                "at": iso(from_ms(row["at_ms"])),
                "entered_at": iso(from_ms(row["entered_ms"])),
                "step": row["step"],
                "reason": row["reason"] or None,
            }
            for row in rows
        ],
        "next": cursor,
    }


def message_report(scope: messages.Scope, *, mark: Watermark) -> dict[str, Any]:
    """`messages/{id}/report`: every metric of the message, and the revenue in other currencies."""
    found = messages.figures(scope, mark=mark)
    return {
        "as_of": iso(mark.as_of),
        "metrics": found.metrics,
        "currency": scope.currency,
        "other_currencies": found.other_currencies,
    }


def recipients(
    scope: messages.Scope,
    metric: str,
    *,
    mark: Watermark,
    after: tuple[int, int | str] | None,
    limit: int,
) -> dict[str, Any]:
    """`messages/{id}/report/recipients?metric=`: the list behind a metric, as long as its number."""
    rows = messages.recipients(scope, metric, mark=mark, after=after, limit=limit + 1)
    rows, cursor = cut_page(rows, limit=limit, keys=("at_ms", messages.key_of(metric)))
    known = people(scope.account_id, (row["contact"] for row in rows))
    items = []
    for row in rows:
        item = {**_line(row, known[row["contact"]]), "at": iso(from_ms(row["at_ms"]))}
        for name in ("send", "url"):
            if row.get(name):
                item[name] = row[name]
        if "machine" in row:
            item["machine"] = bool(row["machine"])
        if "order_id" in row:
            item["order"] = row["order_id"]
            item |= {name: row[name] for name in ("currency", "amount", "net")}
        items.append(item)
    return {"as_of": iso(mark.as_of), "metric": metric, "items": items, "next": cursor}
