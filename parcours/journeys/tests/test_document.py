"""What is refused in a document, and where: all faults at once, each with its JSON Pointer and its step."""

from __future__ import annotations

from typing import Any

import pytest

from parcours.accounts.models import Account
from parcours.contacts.models import List
from parcours.journeys import actions
from parcours.journeys.document import Document
from parcours.journeys.steps import LATER, TYPES
from parcours.journeys.tests.world import World
from parcours.lib.ids import new_id
from parcours.lib.problems import Invalid

ENTRY = {"triggers": [{"type": "manual"}]}


def document(steps: list[Any], **parts: Any) -> dict[str, Any]:
    return {"name": "J", "entry": ENTRY, "start": "a", "steps": steps, **parts}


def faults(world: World, given: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        actions.check(world.account, given)
    return {fault["pointer"]: fault["detail"] for fault in refused.value.errors}


def fit(world: World, given: Any) -> Document:
    return actions.check(world.account, given)


END = {"id": "a", "type": "end"}


@pytest.mark.parametrize("given", [None, [], "x", 3, {}, {"steps": {}}, {"entry": [], "steps": [[]]}])
def test_what_is_no_journey_at_all_is_refused(world: World, given: Any) -> None:
    assert faults(world, given)


def test_every_fault_is_told_with_its_place_and_its_step(world: World) -> None:
    other = List.objects.create(
        account=Account.objects.create(name="Other", write_key=new_id()), name="Not ours"
    )
    steps = [
        {"id": "a", "type": "delay", "for": "soon", "next": "nowhere"},
        {"id": "b", "type": "sing"},
        {"id": "b", "type": "end"},
        {"id": "c", "type": "webhook"},
        {"id": "d", "type": "send_email", "name": "Hello"},
        {"id": "e", "type": "add_to_list", "list": other.pk, "colour": "red"},
        {"id": "f", "type": "condition", "if": {"field": "nose", "op": "eq", "value": "long"}},
        {"id": "g", "type": "wait_for", "timeout": "1d"},
        {"id": "h", "type": "update_contact", "set": {"shoe": 42}},
        {"id": "i", "type": "end", "next": "a"},
        7,
    ]
    found = faults(
        world,
        document(steps, start="z", entry={"triggers": [{"type": "list_joined", "list": str(other.pk)}]}),
    )
    assert set(found) == {
        "/entry/triggers/0/list", "/start",
        "/steps/0/for", "/steps/0/next", "/steps/1/type", "/steps/2/id", "/steps/3/type", "/steps/4/message",
        "/steps/5/list", "/steps/5/colour", "/steps/6/if/field", "/steps/7", "/steps/8/set/shoe",
        "/steps/9/next", "/steps/10",
    }  # fmt: skip
    assert "“Hello”" in found["/steps/4/message"]
    assert "“a”" in found["/steps/0/for"]
    assert "not available yet" in found["/steps/3/type"]


def test_a_loop_without_waiting_is_refused_with_its_steps(world: World) -> None:
    again = {"field": "country", "op": "eq", "value": "FR"}
    loop: list[dict[str, Any]] = [
        {"id": "a", "type": "condition", "if": again, "then": "b", "else": "end"},
        {"id": "b", "type": "update_contact", "set": {"country": "FR"}, "next": "c"},
        {"id": "c", "type": "delay", "for": "0h", "next": "a"},
        {"id": "end", "type": "end"},
    ]
    found = faults(world, document(loop))
    assert list(found) == ["/steps/0"]
    assert "a → b → c → a" in found["/steps/0"]
    loop[2]["for"] = "1h"
    assert fit(world, document(loop)).warnings == []


def test_a_step_that_no_way_leads_to_is_a_warning(world: World) -> None:
    parsed = fit(world, document([END, {"id": "lost", "type": "end"}]))
    assert [warning["pointer"] for warning in parsed.warnings] == ["/steps/1"]


@pytest.mark.parametrize(
    ("entry", "pointer"),
    [
        ({"triggers": []}, "/entry/triggers"),
        ({"triggers": [{"type": "date"}]}, "/entry/triggers/0/type"),
        ({"triggers": [{"type": "moon"}]}, "/entry/triggers/0/type"),
        ({"triggers": [{"type": "event", "event": "email.eaten"}]}, "/entry/triggers/0/event"),
        ({"triggers": [{"type": "event", "event": "x", "max_age": "1 day"}]}, "/entry/triggers/0/max_age"),
        ({"triggers": [{"type": "event", "event": "x", "where": [{"property": "p", "op": "like", "value": 1}]}]},
         "/entry/triggers/0/where/0/op"),
        ({"triggers": [{"type": "page_visited", "url": {"op": "gt", "value": "x"}}]}, "/entry/triggers/0/url/value"),
        ({**ENTRY, "mode": "twice"}, "/entry/mode"),
        ({**ENTRY, "reentry_after": "2d"}, "/entry/reentry_after"),
        ({**ENTRY, "key": "order_id"}, "/entry/key"),
        ({**ENTRY, "include": "all"}, "/entry/include"),
        ({**ENTRY, "filter": {"event": "order.placed", "scope": "run"}}, "/entry/filter/scope"),
        ({**ENTRY, "quickly": True}, "/entry/quickly"),
    ],
)  # fmt: skip
def test_an_entry_is_checked(world: World, entry: dict[str, Any], pointer: str) -> None:
    assert pointer in faults(world, document([END], entry=entry))


@pytest.mark.parametrize(
    ("settings", "pointer"),
    [
        ({"holdout": 101}, "/settings/holdout"),
        ({"subject": "deal"}, "/settings/subject"),
        ({"quiet_hours": {"from": "22:00", "to": "8:00"}}, "/settings/quiet_hours"),
        ({"business_unit": "1"}, "/settings/business_unit"),
        ({"speed": 3}, "/settings/speed"),
    ],
)
def test_settings_are_checked(world: World, settings: dict[str, Any], pointer: str) -> None:
    assert pointer in faults(world, document([END], settings=settings))


def test_every_type_of_the_contract_is_known_now_or_said_to_come(world: World) -> None:
    contract = (
        "delay delay_until wait_for condition branch split send_email send_sms send_whatsapp update_contact"
        " add_to_list remove_from_list add_tag remove_tag set_consent update_deal webhook notify enter_journey"
        " exit_journey end"
    )
    assert set(contract.split()) == TYPES.keys() | LATER
    assert all(step.__doc__ for step in TYPES.values())


def test_a_very_long_journey_is_read_quickly_and_a_longer_one_refused(world: World) -> None:
    steps: list[dict[str, Any]] = [
        {"id": f"s{n}", "type": "delay", "for": "1h", "next": f"s{n + 1}"} for n in range(499)
    ]
    steps.append({"id": "s499", "type": "end"})
    assert fit(world, document(steps, start="s0")).warnings == []
    assert "/steps" in faults(world, document([*steps, {"id": "more", "type": "end"}], start="s0"))
