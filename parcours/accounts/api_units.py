"""The API's business units: the brands inside an account, to which lists, messages and journeys can be limited."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict

from parcours.accounts import units
from parcours.accounts.access import ADMIN, Actor, find, for_account
from parcours.accounts.api_auth import needs
from parcours.accounts.models import BusinessUnit
from parcours.lib.paging import Paging, newest_first

router = Router(tags=["account"])


class UnitName(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _as_json(unit: BusinessUnit) -> dict[str, Any]:
    return {"id": str(unit.pk), "name": unit.name, "created_at": unit.created_at}


@router.get("/business-units", summary="The account's business units, newest first")
def list_units(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(BusinessUnit, _actor(request)), paging, as_json=_as_json)


@router.post("/business-units", auth=needs(ADMIN), response={201: Any}, summary="Make a business unit")
def make_unit(request: HttpRequest, payload: UnitName) -> Any:
    return Status(201, _as_json(units.save(BusinessUnit(account=_actor(request).account), payload.name)))


@router.get("/business-units/{unit_id}", summary="One business unit")
def read_unit(request: HttpRequest, unit_id: str) -> Any:
    return _as_json(find(BusinessUnit, unit_id, actor=_actor(request)))


@router.patch("/business-units/{unit_id}", auth=needs(ADMIN), summary="Rename a business unit")
def rename_unit(request: HttpRequest, unit_id: str, payload: UnitName) -> Any:
    return _as_json(units.save(find(BusinessUnit, unit_id, actor=_actor(request)), payload.name))


@router.delete(
    "/business-units/{unit_id}",
    auth=needs(ADMIN),
    response={204: None},
    summary="Delete a business unit; what was limited to it stays, and is the whole account's",
)
def delete_unit(request: HttpRequest, unit_id: str) -> Any:
    find(BusinessUnit, unit_id, actor=_actor(request)).delete()
    return Status(204, None)
