"""The API of segments: their shape, folders, what refuses a deletion."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
EVERYONE: dict[str, Any] = {"all": []}
SHAPE = {
    "id",
    "name",
    "criteria",
    "status",
    "profiles",
    "email_opt_ins",
    "sms_opt_ins",
    "computed_at",
    "duration_ms",
    "next_at",
}


def send(firm: Firm, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    call = getattr(firm.http, method)
    answer = (
        call(f"/api/v1/{path}", body, content_type="application/json")
        if body is not None
        else call(f"/api/v1/{path}")
    )
    return answer.status_code, answer.json() if answer.content else None


def test_a_segment_has_the_shape_of_the_contract(firm: Firm) -> None:
    segment = firm.segment(EVERYONE)
    told = firm.get(f"segments/{segment.pk}")
    assert set(told) >= SHAPE
    assert told["id"] == str(segment.pk)
    assert firm.get("segments")["items"] == [told]


def test_lists_are_searched_paged_and_by_folder(firm: Firm) -> None:
    code, folder = send(firm, "post", "segment-folders", {"name": "Boutique"})
    assert (code, folder["segments"]) == (201, 0)
    for name in ("Été", "Hiver", "Printemps"):
        body = {"name": name, "criteria": EVERYONE} | ({"folder": folder["id"]} if name != "Hiver" else {})
        assert send(firm, "post", "segments", body)[0] == 201
    names = [one["name"] for one in firm.get(f"segments?folder={folder['id']}")["items"]]
    assert names == ["Printemps", "Été"]
    assert [one["name"] for one in firm.get("segments?folder=none")["items"]] == ["Hiver"]
    assert [one["name"] for one in firm.get("segments?search=ete")["items"]] == ["Été"]
    first = firm.get("segments?limit=2")
    rest = firm.get(f"segments?limit=2&cursor={first['next']}")
    assert [one["name"] for one in first["items"] + rest["items"]] == ["Printemps", "Hiver", "Été"]
    assert firm.get("segment-folders")["items"] == [{"id": folder["id"], "name": "Boutique", "segments": 2}]
    assert (
        send(firm, "patch", f"segment-folders/{folder['id']}", {"name": ""})[1]["errors"][0]["pointer"]
        == "/name"
    )
    assert send(firm, "patch", f"segment-folders/{folder['id']}", {"name": "Shop"})[1]["name"] == "Shop"
    assert send(firm, "delete", f"segment-folders/{folder['id']}")[0] == 204
    assert {one["folder"] for one in firm.get("segments")["items"]} == {None}


def test_patch_leaves_and_put_replaces(firm: Firm) -> None:
    folder = send(firm, "post", "segment-folders", {"name": "F"})[1]["id"]
    made = send(firm, "post", "segments", {"name": "A", "criteria": EVERYONE, "folder": folder})[1]
    path = f"segments/{made['id']}"
    assert send(firm, "patch", path, {"name": "B"})[1]["folder"] == folder
    assert send(firm, "patch", path, {"folder": None})[1]["folder"] is None
    assert send(firm, "patch", path, {"folder": folder})[1]["name"] == "B"
    code, told = send(firm, "put", path, {"name": "C", "criteria": {"any": []}})
    assert (code, told["name"], told["criteria"], told["folder"]) == (200, "C", {"any": []}, None)
    code, refused = send(firm, "patch", path, {"name": "D", "folder": "999"})
    assert (code, refused["errors"][0]["pointer"]) == (422, "/folder")
    code, refused = send(firm, "put", path, {"name": "", "criteria": {"field": "shoe", "op": "exists"}})
    assert [fault["pointer"] for fault in refused["errors"]] == ["/name", "/criteria/field"]
    code, refused = send(firm, "patch", path, {"name": None, "criteria": None})
    assert (code, [fault["pointer"] for fault in refused["errors"]]) == (422, ["/name", "/criteria"])
    code, refused = send(firm, "patch", path, {"name": "two\nlines"})
    assert (code, refused["errors"][0]["pointer"]) == (422, "/name")
    assert Segment.objects.get().name == "C"


def test_what_uses_a_segment_refuses_its_deletion(firm: Firm) -> None:
    inner = firm.segment(EVERYONE, name="Inner")
    outer = firm.segment({"segment": str(inner.pk), "op": "member"}, name="Outer")
    code, refused = send(firm, "delete", f"segments/{inner.pk}")
    assert (code, refused["type"]) == (409, "in-use")
    assert refused["uses"] == [{"kind": "segment", "id": str(outer.pk), "name": "Outer"}]
    assert send(firm, "delete", f"segments/{outer.pk}")[0] == 204
    assert send(firm, "delete", f"segments/{inner.pk}")[0] == 204


def test_a_copy_lies_beside_its_original(firm: Firm) -> None:
    folder = send(firm, "post", "segment-folders", {"name": "F"})[1]["id"]
    made = send(firm, "post", "segments", {"name": "A", "criteria": EVERYONE, "folder": folder})[1]
    code, copy = send(firm, "post", f"segments/{made['id']}/duplicate")
    assert (code, copy["folder"], copy["name"]) == (201, folder, "A (copy)")


def test_sizes_over_time_are_told(firm: Firm) -> None:
    firm.people({"email": "ann@example.org"})
    segment = firm.segment(EVERYONE)
    sizes = firm.get(f"segments/{segment.pk}/sizes")["items"]
    assert sizes[-1] == {"at": firm.get(f"segments/{segment.pk}")["as_of"], "profiles": 1}
    assert send(firm, "get", f"segments/{segment.pk}/sizes?days=0")[0] == 422


def test_what_was_never_received_is_told_as_a_warning(firm: Firm) -> None:
    (ann,) = firm.people({"email": "ann@example.org"})
    firm.happens("Signed Up", ann, plan="gold")
    firm.catch_up()

    def leaf(event: str, *properties: str, **more: Any) -> dict[str, Any]:
        where = [{"property": name, "op": "exists"} for name in properties]
        return {"event": event, "where": where, **more}

    known = leaf("Signed Up", "plan", "machine")
    code, made = send(firm, "post", "segments", {"name": "A", "criteria": known})
    assert (code, made["warnings"]) == (201, [])
    total = {"property": "total", "op": "gt", "value": 5}
    criteria = {"all": [known, {"not": leaf("Signd Up")}, leaf("Signed Up", "plan", "colour/x", sum=total)]}
    criteria["all"].append(leaf("order.placed"))  # of the catalogue: it may come
    wanted = ["/criteria/all/1/not/event", "/criteria/all/2/where/1/property", "/criteria/all/2/sum/property"]
    for method, path in (("post", "segments/preview"), ("patch", f"segments/{made['id']}")):
        code, told = send(firm, method, path, {"criteria": criteria})
        assert code == 200
        assert [one["pointer"] for one in told["warnings"]] == wanted
        assert "“Signd Up”" in told["warnings"][0]["detail"]


def test_a_preview_can_be_read_at_the_instant_of_an_answer(firm: Firm) -> None:
    firm.people({"email": "ann@example.org"})
    firm.catch_up()
    first = send(firm, "post", "segments/preview", {"criteria": EVERYONE})[1]
    firm.people({"email": "bob@example.org"})
    firm.catch_up()
    assert send(firm, "post", "segments/preview", {"criteria": EVERYONE})[1]["count"] == 2
    path = f"segments/preview?as_of={first['as_of']}"
    again = send(firm, "post", path, {"criteria": EVERYONE})[1]
    assert (again["count"], again["as_of"]) == (1, first["as_of"])
    code, refused = send(firm, "post", "segments/preview?as_of=yesterday", {"criteria": EVERYONE})
    assert (code, refused["errors"][0]["pointer"]) == (422, "/as_of")


def test_a_segment_is_read_at_the_instant_of_an_answer(firm: Firm) -> None:
    firm.people({"email": "ann@example.org", "consents": {"email": "opted_in"}})
    segment = firm.segment(EVERYONE)
    path = f"segments/{segment.pk}"
    before = firm.get(path)
    firm.people(
        {"email": "ann@example.org", "consents": {"email": "opted_out"}},
        {"email": "bob@example.org", "consents": {"sms": "opted_in"}},
    )
    firm.catch_up()
    after = firm.get(path)
    names = ("as_of", "profiles", "email_opt_ins", "sms_opt_ins")
    assert [after[name] for name in names[1:]] == [2, 0, 1]
    asked = {"as_of": before["as_of"]}
    for told in (
        firm.http.get(f"/api/v1/{path}", asked).json(),
        firm.http.get("/api/v1/segments", asked).json()["items"][0],
    ):
        assert [told[name] for name in names] == [before[name] for name in names]
    then = firm.http.get(f"/api/v1/{path}/members", asked).json()["items"]
    assert (len(then), sum(one["email_opt_in"] for one in then)) == (1, 1)
    assert firm.http.get(f"/api/v1/{path}", {"as_of": after["as_of"]}).json() == after
    sizes = firm.http.get(f"/api/v1/{path}/sizes", asked).json()["items"]
    assert all(one["at"] <= before["as_of"] for one in sizes)
    for place in (path, "segments", f"{path}/members", f"{path}/sizes"):
        refused = firm.http.get(f"/api/v1/{place}", {"as_of": "yesterday"})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/as_of"), place
