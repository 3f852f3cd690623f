"""The API's attributes and tags."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Body, Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts import jobs
from parcours.accounts.access import Actor, for_account
from parcours.contacts import attribute_changes, definitions, queries, tags, uses
from parcours.contacts.models import AttributeDefinition
from parcours.lib import clock
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid, NotFound

router = Router(tags=["attributes"])


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


class NewAttribute(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str
    type: str


class AttributeChange(Schema):
    """Another name, or another type: one of them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    type: str | None = None


class TagChange(Schema):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(description="The new name; that of another tag merges the two.")


def _attribute_json(definition: AttributeDefinition) -> dict[str, Any]:
    return {"name": definition.name, "type": definition.type, "created_at": definition.created_at}


def _found(request: HttpRequest, name: str) -> AttributeDefinition:
    rows = for_account(AttributeDefinition, _actor(request)).select_related("account")
    found = None if "\0" in name else rows.filter(name=name).first()
    if found is None:
        raise NotFound(_("There is no such attribute."))
    return found


@router.get("/attributes", summary="The account's custom attributes")
def list_attributes(request: HttpRequest, paging: Query[Paging]) -> Any:
    return newest_first(for_account(AttributeDefinition, _actor(request)), paging, as_json=_attribute_json)


@router.post("/attributes", response={201: Any}, summary="Declare a custom attribute")
def declare_attribute(request: HttpRequest, payload: NewAttribute) -> Any:
    account = _actor(request).account
    definition = definitions.declare_attribute(
        account_id=account.pk, name=payload.name, type=payload.type, now=clock.now()
    )
    return Status(201, _attribute_json(definition))


@router.get("/attributes/{path:name}", summary="One attribute: how many contacts have a value, what uses it")
def read_attribute(request: HttpRequest, name: Path[str]) -> Any:
    definition = _found(request, name)
    found = uses.of_account(definition.account_id).of("attribute", definition.name)
    return {
        **_attribute_json(definition),
        "contacts": queries.bearing(queries.living(definition.account_id), definition.name).count(),
        "uses": [use.as_json() for use in found],
    }


@router.patch(
    "/attributes/{path:name}", response={202: Any}, summary="Rename an attribute, or change its type"
)
def change_attribute(request: HttpRequest, name: Path[str], payload: Body[AttributeChange]) -> Any:
    definition = _found(request, name)
    if (payload.name is None) == (payload.type is None):
        detail = _("Give either a name or a type.")
        raise Invalid(detail, [Fault(pointer="", detail=detail)])
    if payload.name is not None:
        return Status(202, jobs.as_json(attribute_changes.rename(definition, payload.name)))
    return Status(202, jobs.as_json(attribute_changes.change_type(definition, payload.type or "")))


@router.delete(
    "/attributes/{path:name}", response={202: Any}, summary="Take an attribute away from everybody"
)
def delete_attribute(request: HttpRequest, name: Path[str]) -> Any:
    return Status(202, jobs.as_json(attribute_changes.delete(_found(request, name))))


@router.get("/tags", tags=["tags"], summary="The account's tags by name, with how many contacts bear each")
def list_tags(request: HttpRequest, search: str = "") -> Any:
    found = tags.counts(_actor(request).account_id, search=search.replace("\0", ""))
    return {"items": [{"name": name, "contacts": count} for name, count in found], "next": None}


@router.patch("/tags/{path:tag}", tags=["tags"], response={202: Any}, summary="Rename a tag, or merge it")
def change_tag(request: HttpRequest, tag: Path[str], payload: Body[TagChange]) -> Any:
    return Status(202, jobs.as_json(tags.rename(_actor(request).account, tag, payload.name)))


@router.delete("/tags/{path:tag}", tags=["tags"], response={202: Any}, summary="Take a tag from everybody")
def delete_tag(request: HttpRequest, tag: Path[str]) -> Any:
    return Status(202, jobs.as_json(tags.delete(_actor(request).account, tag)))
