"""The API's deals and pipelines."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Body, Query, Router, Status
from pydantic import Field

from parcours.accounts.access import ADMIN, Actor, as_id, find, for_account
from parcours.accounts.api_auth import needs
from parcours.commerce.deals import actions, queries, stages, timeline
from parcours.commerce.models import Deal, Pipeline
from parcours.lib import clock
from parcours.lib.exports import csv_lines, streamed
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid

router = Router(tags=["deals"])


class Search(Paging):
    """Which deals; a pipeline and a stage by id, key or name."""

    search: str = Field("", max_length=200)
    pipeline: str = Field("", max_length=100)
    stage: str = Field("", max_length=100)
    owner: str = Field("", max_length=320)
    state: Literal["", "open", "won", "lost"] = ""
    contact: str = Field("", max_length=20, description="The id of a contact.")
    external_id: str = Field("", max_length=255)


def actor_of(request: HttpRequest) -> Actor:
    """The caller, as the API's authentication has found."""
    return request.actor  # type: ignore[attr-defined]


def _found(request: HttpRequest, asked: Search) -> Any:
    actor = actor_of(request)
    pipeline = stage = None
    try:
        if asked.pipeline or asked.stage:
            finder = stages.Finder(actor.account)
            named = finder.pipeline(asked.pipeline, make=False) if asked.pipeline else None
            pipeline = named.pk if named else None
            stage = finder.known_stage(asked.stage, named).pk if asked.stage else None
    except stages.Unknown as unknown:
        raise Invalid(str(unknown), [Fault(pointer=f"/{unknown.field}", detail=str(unknown))]) from unknown
    return queries.search(
        actor.account_id,
        text=asked.search,
        country=actor.account.country,
        pipeline=pipeline,
        stage=stage,
        owner=asked.owner,
        state=asked.state,
        contact=(as_id(asked.contact) or 0) if asked.contact else None,
        external_id=asked.external_id,
    )


def _deal(request: HttpRequest, deal_id: str) -> Deal:
    return find(
        Deal,
        deal_id,
        actor=actor_of(request),
        rows=Deal.objects.select_related("pipeline", "stage", "account"),
    )


def _told(deal: Deal) -> dict[str, Any]:
    return queries.as_json([deal])[0]


@router.get("/deals/pipelines", summary="The pipelines, each with its stages")
def list_pipelines(request: HttpRequest) -> Any:
    found = for_account(Pipeline, actor_of(request)).order_by("position", "pk")
    return {"items": [queries.pipeline_json(pipeline) for pipeline in found], "next": None}


@router.post(
    "/deals/pipelines", auth=needs(ADMIN), response={201: Any}, summary="Make a pipeline with its stages"
)
def make_pipeline(request: HttpRequest, payload: Body[dict[str, Any]]) -> Any:
    made = stages.make(actor_of(request).account, given=payload, now=clock.now())
    return Status(201, queries.pipeline_json(made))


@router.get("/deals/pipelines/{pipeline_id}", summary="A pipeline with its stages")
def read_pipeline(request: HttpRequest, pipeline_id: str) -> Any:
    return queries.pipeline_json(find(Pipeline, pipeline_id, actor=actor_of(request)))


@router.patch(
    "/deals/pipelines/{pipeline_id}",
    auth=needs(ADMIN),
    summary="Change a pipeline: its stages are those listed",
)
def change_pipeline(request: HttpRequest, pipeline_id: str, payload: Body[dict[str, Any]]) -> Any:
    pipeline = find(Pipeline, pipeline_id, actor=actor_of(request))
    changed = stages.change(pipeline, given={"name": pipeline.name, **payload}, now=clock.now())
    return queries.pipeline_json(changed)


@router.delete(
    "/deals/pipelines/{pipeline_id}",
    auth=needs(ADMIN),
    response={204: None},
    summary="Delete a pipeline that no deal is in",
)
def delete_pipeline(request: HttpRequest, pipeline_id: str) -> Any:
    stages.delete(find(Pipeline, pipeline_id, actor=actor_of(request)))
    return Status(204, None)


@router.get("/deals", summary="Deals, newest first")
def list_deals(request: HttpRequest, asked: Query[Search]) -> Any:
    page = newest_first(_found(request, asked), asked, as_json=lambda deal: deal)
    return {"items": queries.as_json(page["items"]), "next": page["next"]}


@router.get("/deals/export", summary="The same as CSV, whole")
def export_deals(request: HttpRequest, asked: Query[Search]) -> Any:
    lines = csv_lines(queries.CSV_COLUMNS, queries.csv_rows(_found(request, asked)))
    return streamed(request, lines, content_type="text/csv; charset=utf-8", filename="deals.csv")


@router.post(
    "/deals", response={200: Any, 201: Any}, summary="Make a deal, or change the one of this external_id"
)
def save_deal(request: HttpRequest, payload: Body[dict[str, Any]]) -> Any:
    deal, created = actions.save(actor_of(request).account, payload, now=clock.now(), source="api")
    return Status(201 if created else 200, _told(deal))


@router.get("/deals/{deal_id}", summary="A deal")
def read_deal(request: HttpRequest, deal_id: str) -> Any:
    return _told(_deal(request, deal_id))


@router.patch("/deals/{deal_id}", summary="Change a deal, or move it to another stage")
def change_deal(request: HttpRequest, deal_id: str, payload: Body[dict[str, Any]]) -> Any:
    deal = _deal(request, deal_id)
    return _told(
        actions.save(deal.account, {**payload, "id": str(deal.pk)}, now=clock.now(), source="api")[0]
    )


@router.delete("/deals/{deal_id}", response={204: None}, summary="Delete a deal")
def delete_deal(request: HttpRequest, deal_id: str) -> Any:
    actions.delete(_deal(request, deal_id))
    return Status(204, None)


@router.post("/deals/{deal_id}/contacts", summary="Tie contacts to a deal: {contacts: [{id | email | …}]}")
def tie_contacts(request: HttpRequest, deal_id: str, payload: Body[dict[str, Any]]) -> Any:
    deal = _deal(request, deal_id)
    actions.add_contacts(deal, payload.get("contacts", []), now=clock.now(), source="api")
    return _told(deal)


@router.delete(
    "/deals/{deal_id}/contacts/{contact_id}", response={204: None}, summary="Untie a contact from a deal"
)
def untie_contact(request: HttpRequest, deal_id: str, contact_id: str) -> Any:
    actions.remove_contact(_deal(request, deal_id), as_id(contact_id) or 0, now=clock.now())
    return Status(204, None)


@router.get(
    "/deals/{deal_id}/timeline", summary="A deal's history: its events, and those of its contacts meanwhile"
)
def read_timeline(request: HttpRequest, deal_id: str, paging: Query[Paging], as_of: str = "") -> Any:
    part = timeline.page(_deal(request, deal_id), limit=paging.limit, cursor=paging.cursor, as_of=as_of)
    return {"as_of": part.as_of, "items": part.items, "next": part.next}
