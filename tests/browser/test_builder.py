"""Criteria composed in a browser: by mouse and by keyboard, in both languages, at a desk and on a phone."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.builder import COMPOSED, ORDERS, TEXTS, choose, plain, saved
from tests.browser.segments import Place
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation


@pytest.fixture(scope="module")
def lyon(installation: Installation, account: Account) -> int:
    """So many contacts meet what is composed: two; others each fail one criterion."""
    headers = {"Authorization": f"Bearer {account.api_key}"}
    with httpx.Client(base_url=f"{installation.url}/api/v1", headers=headers, timeout=60) as http:
        people = [("ada", "Lyon"), ("bob", "lyon"), ("eve", "Lyon"), ("joe", "Paris"), ("kim", "Lyon")]
        for name, city in people:
            made = http.post(
                "/contacts", json={"email": f"{name}@builder.example", "city": city, "first_name": name}
            )
            assert made.status_code == 201, made.text
        recently = datetime.now(UTC) - timedelta(days=10)
        events: list[dict[str, Any]] = []
        for name, totals in {
            "ada": [60, 70],
            "bob": [51, 900],
            "eve": [60, 40],
            "joe": [60, 60],
            "kim": [80, 80],
        }.items():
            for number, total in enumerate(totals):
                events.append({
                    "name": "order.placed", "occurred_at": recently.isoformat(), "message_id": f"b-{name}-{number}",
                    "contact": {"email": f"{name}@builder.example"},
                    "properties": {"order_id": f"b-{name}-{number}", "total": total, "offre": "Été"},
                })  # fmt: skip
        events.append({
            "name": "email.opened", "occurred_at": recently.isoformat(), "message_id": "b-open",
            "contact": {"email": "kim@builder.example"}, "properties": {},
        })  # fmt: skip
        body = "\n".join(json.dumps(event) for event in events)
        done = http.post("/events?history=true&wait=true", content=body)
        assert done.status_code == 200, done.text
        assert done.json()["refused"] == []
    return 2


@each_way
def test_criteria_are_composed_and_counted(
    visits: Visits, account: Account, lyon: int, language: str, width: int
) -> None:
    words, keys = TEXTS[language], width == 1440
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    root = page.locator(".group-root")
    expect(root).to_be_visible()
    assert_accessible(page)

    choose(page, root, words, words["city"], keys=keys)
    page.get_by_role("combobox", name=words["value"]).fill("Lyon")

    choose(page, root, words, words["orders"], keys=keys)
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_label(words["often"]).select_option("gte")
    orders.get_by_label(words["times"]).fill("2")
    orders.get_by_label(words["when"]).select_option("last")
    orders.get_by_label(words["duration"]).fill("90")
    orders.get_by_role("button", name=words["filter"]).click()
    prop = orders.get_by_role("combobox", name=words["property"])
    prop.fill("Total")
    if keys:
        expect(orders.locator(".combo-list:visible li").first).to_have_text(re.compile("Total"))
        page.keyboard.press("ArrowDown")
        expect(orders.locator('.combo-list:visible li[aria-selected="true"]')).to_have_text(
            re.compile("Total")
        )
        page.keyboard.press("Enter")
    else:
        orders.get_by_role("option", name="Total").first.click()
    expect(orders.get_by_label(words["compare"])).to_have_value("gt:number")
    orders.get_by_label(words["total"]).fill("50")

    # A group inside: none of its criteria.
    root.get_by_role("button", name=words["group"], exact=True).last.click()
    inner = page.locator(".group .group")
    inner.get_by_label(words["mode"]).select_option("none")
    choose(page, inner, words, words["opened"], keys=keys)

    said = page.locator("[data-sentence]")
    expect(page.locator(f"[data-count='{lyon}']")).to_be_visible()
    expect(said).to_contain_text("Lyon")
    assert plain(said.inner_text()) == words["sentence"]
    expect(page.get_by_text("bob@builder.example")).to_be_visible()
    assert saved(page) == COMPOSED
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"builder-{language}-{width}")

    # Up, down, away and back again.
    page.get_by_role("button", name=words["down"], exact=True).click()
    assert [next(iter(one)) for one in saved(page)["all"]] == ["event", "field", "not"]
    page.get_by_role("button", name=words["up"], exact=True).click()
    page.get_by_role("button", name=words["remove"], exact=True).click()
    assert len(saved(page)["all"]) == 2
    page.keyboard.press("Control+z")
    assert saved(page) == COMPOSED
    page.keyboard.press("Control+Shift+z")
    assert len(saved(page)["all"]) == 2
    page.get_by_role("button", name=words["undo"]).click()

    page.get_by_label(words["name"], exact=True).fill(f"Lyonnais {language} {width}")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["made"])).to_be_visible()


@each_way
def test_a_fault_is_told_at_its_criterion(
    visits: Visits, account: Account, lyon: int, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_label(words["times"]).fill("deux")
    # It is told once the reader leaves the criterion, not while it is being written.
    expect(orders.locator(".faults")).to_have_count(0)
    page.get_by_label(words["name"], exact=True).focus()
    expect(orders.get_by_text(words["missing"])).to_be_visible()
    expect(page.get_by_text(words["complete"])).to_be_visible()
    assert_accessible(page)
    assert all("422" in fault for fault in visits.faults)
    visits.faults.clear()


@each_way
def test_json_is_seen_and_pasted(
    visits: Visits, account: Account, lyon: int, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    page.get_by_role("button", name="JSON").click()
    field = page.locator("#id_criteria")
    expect(field).to_be_visible()
    field.fill(json.dumps({"any": [ORDERS, {"tag": "VIP", "op": "has_not"}]}))
    page.get_by_role("button", name="JSON").click()
    expect(field).to_be_hidden()
    expect(page.get_by_label(words["mode"])).to_have_value("any")
    expect(page.get_by_role("combobox", name=words["tag"], exact=True)).to_have_value("VIP")
    expect(page.locator("[data-sentence]")).to_contain_text(words["untagged"])
    page.get_by_role("button", name=words["undo"]).click()
    assert saved(page) == {"all": []}


@pytest.fixture(scope="module")
def named(installation: Installation) -> tuple[Account, dict[str, str]]:
    """An account with one thing of each kind that is chosen by its name, and their ids."""
    account = installation.create_account("Choix", email="choix@example.org")
    place = Place(installation)
    place.people(account, [{"email": "ann@example.org", "tags": ["mardi"]}])
    ids = {"tag": "mardi", "segment": place.segment(account, "Fidèles du mardi")}
    place.segment(account, "Autour", {"segment": ids["segment"], "op": "member"})
    ids["journey"] = place.journey(account, "Bienvenue du mardi", segment=ids["segment"])
    with installation.api(account) as api:
        ids["list"] = api.post("lists", json={"name": "Lettre du mardi"}).json()["id"]
    return account, ids


@each_way
def test_lists_tags_segments_and_journeys_are_chosen(
    visits: Visits, named: tuple[Account, dict[str, str]], language: str, width: int
) -> None:
    (account, ids), words = named, TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    root = page.locator(".group-root")
    for name in ("Lettre du mardi", "mardi", "Fidèles du mardi", "Bienvenue du mardi"):
        choose(page, root, words, name, keys=width == 1440)
    page.get_by_label(words["compare_segment"]).select_option("not_member")
    page.get_by_label(words["compare_journey"]).select_option("active")
    assert saved(page)["all"] == [
        {"list": ids["list"], "op": "member"},
        {"tag": "mardi", "op": "has"},
        {"segment": ids["segment"], "op": "not_member"},
        {"journey": ids["journey"], "op": "active"},
    ]
    expect(page.locator("[data-sentence]")).to_have_text(words["named"])
    expect(page.locator("[data-count='0']")).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"builder-named-{language}-{width}")

    # A segment that would depend on itself is refused, and told through which others.
    page.goto(f"/segments/{ids['segment']}/edit")
    choose(page, root, words, "Autour", keys=False)
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["circle"]).first).to_be_visible()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"builder-circle-{language}-{width}")
    assert all("422" in fault for fault in visits.faults)
    visits.faults.clear()


@pytest.fixture(scope="module")
def yes_or_no(installation: Installation, account: Account) -> str:
    """An attribute that is yes or no."""
    with installation.api(account) as api:
        assert api.post("attributes", json={"name": "abonné", "type": "boolean"}).status_code == 201
    return "abonné"


@each_way
def test_yes_or_no_is_one_of_either(
    visits: Visits, account: Account, yes_or_no: str, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    choose(page, page.locator(".group-root"), words, yes_or_no, keys=False)
    page.get_by_label(words["compare_yes"]).select_option("in:booleans")
    page.get_by_label(words["no"], exact=True).check()
    assert saved(page)["all"][0]["value"] == [True, False]
    page.get_by_label(words["yes"], exact=True).uncheck()
    assert saved(page)["all"][0] == {"field": "attributes.abonné", "op": "in", "value": [False]}
    expect(page.locator("[data-sentence]")).to_contain_text("abonné")
    expect(page.locator(".audience[aria-busy=false]")).to_be_visible()  # The count pales while it is asked.
    assert_accessible(page)


@each_way
def test_values_seen_lately_are_suggested(
    visits: Visits, account: Account, lyon: int, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_role("button", name=words["filter"]).click()
    orders.get_by_role("combobox", name=words["property"]).fill("off")
    orders.get_by_role("option", name="offre").click()
    began = time.monotonic()
    orders.get_by_role("combobox", name=words["value_offer"]).focus()
    expect(orders.get_by_role("option", name="Été")).to_be_visible()
    assert time.monotonic() - began < 5
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert saved(page)["all"][0]["where"] == [{"property": "offre", "op": "eq", "value": "Été"}]


@pytest.mark.parametrize("end", ["Tab", "Enter"])
@each_way
def test_a_property_typed_in_full_is_compared_by_its_kind(
    visits: Visits, account: Account, lyon: int, end: str, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_role("button", name=words["filter"]).click()
    orders.get_by_role("combobox", name=words["property"]).press_sequentially("total", delay=40)
    page.keyboard.press(end)
    expect(page).to_have_url(re.compile("/segments/new"))
    expect(orders.get_by_role("combobox", name=words["property"])).to_have_value("Total")
    expect(orders.get_by_label(words["compare"])).to_have_value("gt:number")
    orders.get_by_label(words["total"]).fill("50")
    expect(page.locator("[data-sentence]")).to_contain_text(words["over_fifty"])
    assert saved(page)["all"][0]["where"] == [{"property": "total", "op": "gt", "value": 50}]

    # Leaving it again, and a name that nobody knows, change nothing of what was chosen.
    orders.get_by_role("combobox", name=words["property"]).focus()
    page.keyboard.press("Tab")
    assert saved(page)["all"][0]["where"] == [{"property": "total", "op": "gt", "value": 50}]
    orders.get_by_role("combobox", name=words["property"]).fill("taille")
    page.keyboard.press(end)
    assert saved(page)["all"][0]["where"] == [{"property": "taille", "op": "gt", "value": 50}]
    assert all("422" in fault for fault in visits.faults)  # of criteria that were still being written
    visits.faults.clear()


@each_way
def test_without_the_program_the_form_still_works(
    visits: Visits, account: Account, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/segments/new")
    visits.faults.clear()
    field = page.locator("#id_criteria")
    expect(field).to_be_visible()
    page.get_by_label(words["name"], exact=True).fill(f"À la main {language} {width}")
    field.fill('{"all": [{"field": "city", "op": "eq", "value": "Nantes"}]}')
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["made"])).to_be_visible()
    visits.faults.clear()
