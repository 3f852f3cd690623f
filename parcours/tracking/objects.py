"""The API's names behind ids: `objects/{kind}/{id}`."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from parcours.accounts.access import Actor, for_account
from parcours.events import names
from parcours.events.models import ObjectName
from parcours.lib import clock
from parcours.lib.paging import Paging, newest_first
from parcours.lib.problems import Fault, Invalid, NotFound

router = Router(tags=["objects"])
LONGEST_ID = 255


class Named(Schema):
    """What an object is called; `type` and `url` are as one likes."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: str = Field(min_length=1, max_length=500)
    type: str = Field("", max_length=100)
    url: str = Field("", max_length=2000)


class Search(Schema):
    search: str = Field("", max_length=200, description="A part of the name or of the id.")


def _kind(kind: str) -> str:
    if kind not in names.KINDS:
        raise NotFound(_("Objects are of one of these kinds: %(kinds)s.") % {"kinds": ", ".join(names.KINDS)})
    return kind


def _actor(request: HttpRequest) -> Actor:
    return request.actor  # type: ignore[attr-defined]


def _as_json(row: ObjectName) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "id": row.object_id,
        "name": row.name,
        "type": row.type,
        "url": row.url,
        "updated_at": row.updated_at,
    }


def _found(request: HttpRequest, kind: str, key: str) -> ObjectName:
    rows = for_account(ObjectName, _actor(request)).filter(kind=_kind(kind), object_id=key)
    found = None if "\0" in key else rows.first()
    if found is None:
        raise NotFound(_("This object has no name here."))
    return found


@router.get("/objects/{kind}", summary="The named objects of a kind, newest first")
def list_objects(request: HttpRequest, kind: str, paging: Query[Paging], wanted: Query[Search]) -> Any:
    rows = for_account(ObjectName, _actor(request)).filter(kind=_kind(kind))
    if text := wanted.search.replace("\0", "").strip():
        rows = rows.filter(Q(name__icontains=text) | Q(object_id__icontains=text))
    return newest_first(rows, paging, as_json=_as_json)


@router.get("/objects/{kind}/{path:key}", summary="The name behind an id")
def read_object(request: HttpRequest, kind: str, key: str) -> Any:
    return _as_json(_found(request, kind, key))


@router.put("/objects/{kind}/{path:key}", summary="Name an object")
def name_object(request: HttpRequest, kind: str, key: str, body: Named) -> Any:
    faults: list[Fault] = []
    if not body.name.strip():
        faults.append({"pointer": "/name", "detail": _("An object's name is not empty.")})
    if len(key) > LONGEST_ID or "\0" in key:
        detail = _("An id has 1 to %(most)s characters.") % {"most": LONGEST_ID}
        faults.append({"pointer": "/id", "detail": detail})
    _kind(kind)
    if faults:
        raise Invalid(_("This object cannot be named."), faults)
    said = {"name": body.name.strip(), "type": body.type.strip(), "url": body.url.strip()}
    row = names.put(_actor(request).account_id, kind, key, said, now=clock.now())
    return _as_json(row)


@router.delete("/objects/{kind}/{path:key}", response={204: None}, summary="Forget the name behind an id")
def forget_object(request: HttpRequest, kind: str, key: str) -> Any:
    _found(request, kind, key).delete()
    return Status(204, None)
