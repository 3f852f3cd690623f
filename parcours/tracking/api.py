"""The API's events: their bulk import."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from parcours.accounts import jobs
from parcours.accounts.access import Actor
from parcours.tracking import importing

router = Router(tags=["events"])
_CHUNK = 1 << 16


class ImportOptions(Schema):
    """What is said of all the lines."""

    history: bool = Field(False, description="Past events: they start and move no journey.")
    wait: bool = Field(False, description="Answer when everything is visible to segments and reports.")


@router.post("/events", response={200: Any, 202: Any}, summary="Import events from NDJSON")
def import_events(request: HttpRequest, options: Query[ImportOptions]) -> Any:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    chunks = iter(lambda: request.read(_CHUNK), b"")
    job = importing.start(actor.account, chunks, history=options.history)
    if not options.wait:
        return Status(202, jobs.as_json(job))
    return Status(200, jobs.as_json(jobs.wait(job)))
