"""Values in the builder: every operator as it is written, days, counts, countries; and what nobody ever sent."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import expect

from parcours.criteria.parse_tests import OPERATORS
from tests.browser.builder import TEXTS, choose, saved
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account

#: A value for each operator, as the contract writes it.
VALUES: list[tuple[tuple[str, ...], list[Any]]] = [
    (("eq", "ne"), ["x", 5, True, "2026-01-02"]),
    (("in", "not_in"), [["x", "y"], [1, 2], []]),
    (("contains", "not_contains", "starts_with", "ends_with"), ["x"]),
    (("gt", "gte", "lt", "lte"), [5, "2026-01-02", "2026-01-02T10:00:00Z"]),
    (("between",), [[1, 5], ["2026-01-02", "2026-02-03T23:59:59.999"]]),
    (("before", "after"), ["90d", "2026-01-02", "2026-01-02T23:59:59.999"]),
    (("within_last", "not_within_last", "within_next"), ["90d", "30s"]),
    (("exists", "missing"), [None]),
]


def _conditions(operators: tuple[str, ...]) -> list[dict[str, Any]]:
    written = [(op, value) for ops, values in VALUES for op in ops if op in operators for value in values]
    return [{"op": op} if value is None else {"op": op, "value": value} for op, value in written]


def _holds(condition: dict[str, Any], kind: type) -> bool:
    """Whether a value, or one of several, is of a kind."""
    value = condition.get("value")
    return any(isinstance(one, kind) for one in (value if isinstance(value, list) else [value]))


@each_way
def test_every_operator_is_shown_as_it_is_written(
    visits: Visits, account: Account, language: str, width: int
) -> None:
    asked = _conditions(OPERATORS["any"])
    numbers = [one for one in _conditions(OPERATORS["amount"]) if not _holds(one, str)]
    counts = [one for one in _conditions(OPERATORS["count"]) if not _holds(one, str)]
    dates = [
        one
        for one in _conditions(OPERATORS["date"])
        if not _holds(one, int) and "x" not in str(one.get("value"))
    ]
    criteria = {
        "all": [
            {"event": "cueillette", "where": [{"property": "fruit", **one} for one in asked]},
            {"any": [{"event": "cueillette", "avg": {"property": "poids", **one}} for one in numbers]},
            {"any": [{"event": "cueillette", "count": one} for one in counts]},
            {"any": [{"field": "created_at", **one} for one in dates]},
        ]
    }  # fmt: skip
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    page.get_by_role("button", name="JSON").click()
    page.locator("#id_criteria").fill(json.dumps(criteria))
    page.get_by_role("button", name="JSON").click()
    shown = page.locator("select.operator")
    expect(shown.first).to_be_visible()
    assert "" not in shown.evaluate_all("all => all.map(one => one.value)")
    after = page.locator('.where:has(select option[value="after:dateEnd"]:checked)').locator("input").nth(1)
    assert after.input_value() == "2026-01-02T00:00", "a day alone is where it begins"
    assert saved(page) == criteria
    visits.faults.clear()  # of criteria that cannot be: every kind of value was tried on every operator


@each_way
def test_days_counts_and_countries_are_composed(
    visits: Visits, account: Account, language: str, width: int
) -> None:
    words = TEXTS[language]
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    root = page.locator(".group-root")
    choose(page, root, words, words["created"], keys=False)
    made = page.get_by_role("region", name=words["created"])
    compare = made.get_by_label(words["compare_created"])
    for operator, value, said in (
        ("after:dateEnd", "2026-01-02T23:59:59.999", words["after"]),
        ("before:date", "2026-01-02", words["before"]),
        ("lte:dateEnd", "2026-01-02T23:59:59.999", words["until"]),
        ("eq:date", "2026-01-02", words["on"]),
    ):
        compare.select_option(operator)
        made.locator("input[type=date]").fill("2026-01-02")
        assert saved(page)["all"][0]["value"] == value
        expect(page.locator("[data-sentence]")).to_have_text(said)
    compare.select_option("between:dates")
    made.locator("input[type=date]").first.fill("2026-01-02")
    made.locator("input[type=date]").last.fill("2026-02-03")
    assert saved(page)["all"][0]["value"] == ["2026-01-02", "2026-02-03T23:59:59.999"]

    compare.select_option("in:days")
    for day in ("2026-01-02", "2026-02-03"):
        made.locator("input[type=date]").fill(day)
        page.keyboard.press("Enter")
    assert saved(page)["all"][0]["value"] == ["2026-01-02", "2026-02-03"]
    expect(made.locator(".chip")).to_have_count(2)

    choose(page, root, words, words["country"], keys=False)
    page.get_by_role("combobox", name=words["value_country"]).press_sequentially(
        words["swiss"].lower(), delay=20
    )
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name=words["value_country"])).to_have_value(words["swiss"])
    assert saved(page)["all"][1] == {"field": "country", "op": "eq", "value": "CH"}
    expect(page.locator("[data-sentence]")).to_contain_text(words["has_country"])

    choose(page, root, words, words["orders"], keys=False)
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_label(words["often"]).select_option("in")
    orders.get_by_role("combobox", name=words["times"]).fill("4")
    page.keyboard.press("Enter")
    assert saved(page)["all"][2]["count"] == {"op": "in", "value": [2, 4]}
    orders.get_by_label(words["often"]).select_option("ne")
    assert saved(page)["all"][2]["count"] == {"op": "ne", "value": 2}
    choose(page, root, words, "ceuillette", keys=False)
    expect(page.locator(".audience-warnings")).to_contain_text("ceuillette")
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"builder-values-{language}-{width}")
    assert all("422" in fault for fault in visits.faults)  # of criteria that were still being written
    visits.faults.clear()
