"""Criteria composed in a browser: by mouse and by keyboard, in both languages, at a desk and on a phone."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from parcours.criteria.parse_tests import OPERATORS
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

TEXTS = {
    "fr": {
        "add": "Ajouter un critère", "group": "Ajouter un groupe", "city": "Ville", "orders": "Commandes passées",
        "opened": "E-mails ouverts", "often": "Combien de fois", "times": "Nombre de fois", "when": "Quand",
        "filter": "Ajouter un filtre", "property": "Propriété", "mode": "Ce que le contact doit remplir",
        "name": "Nom", "save": "Enregistrer le segment", "undo": "Annuler la dernière action", "redo": "Rétablir",
        "value": "Valeur : Ville", "total": "Valeur : Total", "compare": "Comparaison : Total", "duration": "Durée",
        "remove": "Retirer Ville", "up": "Monter Ville", "down": "Descendre Ville", "made": "est créé",
        "sentence": "a pour ville « Lyon », a passé au moins 2 commandes de plus de 50 €"
        " dans les 90 derniers jours et n’a ouvert aucun e-mail",
        "search": "Chercher un champ, un événement, une liste…",
    },
    "en": {
        "add": "Add a criterion", "group": "Add a group", "city": "City", "orders": "Orders placed",
        "opened": "Opened", "often": "How often", "times": "Number of times", "when": "When",
        "filter": "Add a filter", "property": "Property", "mode": "What the contact has to meet",
        "name": "Name", "save": "Save the segment", "undo": "Undo", "redo": "Redo",
        "value": "Value: City", "total": "Value: Total", "compare": "Comparison: Total", "duration": "Duration",
        "remove": "Remove City", "up": "Move City up", "down": "Move City down", "made": "is made",
        "sentence": "has the city “Lyon”, has placed at least 2 orders of more than €50 in the last 90 days"
        " and has opened no e-mail",
        "search": "Search a field, an event, a list…",
    },
}  # fmt: skip
ORDERS = {
    "event": "order.placed",
    "count": {"op": "gte", "value": 2},
    "window": {"last": "90d"},
    "where": [{"property": "total", "op": "gt", "value": 50}],
}
COMPOSED = {
    "all": [{"field": "city", "op": "eq", "value": "Lyon"}, ORDERS, {"not": {"event": "email.opened"}}]
}


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


def _choose(page: Page, within: Locator, words: dict[str, str], text: str, *, keys: bool) -> None:
    """Add a criterion to a group by its name: with the keyboard alone, or with the mouse."""
    add = within.get_by_role("button", name=words["add"], exact=True).last
    if keys:
        add.focus()
        page.keyboard.press("Enter")
    else:
        add.click()
    search = page.get_by_role("combobox", name=words["search"])
    expect(search).to_be_focused()
    search.fill(text)
    option = page.get_by_role("option", name=text).first
    expect(option).to_be_visible()
    if keys:
        for _ in range(30):
            if option.get_attribute("aria-selected") == "true":
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    else:
        option.click()
    expect(search).to_have_count(0)


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").strip()


def _saved(page: Page) -> Any:
    return json.loads(page.locator("#id_criteria").input_value())


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_criteria_are_composed_and_counted(
    visits: Visits, account: Account, lyon: int, language: str, width: int
) -> None:
    words, keys = TEXTS[language], width == 1440
    page = visits.page(account=account, language=language, width=width)
    page.goto("/segments/new")
    root = page.locator(".group-root")
    expect(root).to_be_visible()
    assert_accessible(page)

    _choose(page, root, words, words["city"], keys=keys)
    page.get_by_role("combobox", name=words["value"]).fill("Lyon")

    _choose(page, root, words, words["orders"], keys=keys)
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
    _choose(page, inner, words, words["opened"], keys=keys)

    said = page.locator("[data-sentence]")
    expect(page.locator(f"[data-count='{lyon}']")).to_be_visible()
    expect(said).to_contain_text("Lyon")
    assert _plain(said.inner_text()) == words["sentence"]
    expect(page.get_by_text("bob@builder.example")).to_be_visible()
    assert _saved(page) == COMPOSED
    assert_fits(page)
    assert_accessible(page)
    shoot(page, f"builder-{language}-{width}")

    # Up, down, away and back again.
    page.get_by_role("button", name=words["down"], exact=True).click()
    assert [next(iter(one)) for one in _saved(page)["all"]] == ["event", "field", "not"]
    page.get_by_role("button", name=words["up"], exact=True).click()
    page.get_by_role("button", name=words["remove"], exact=True).click()
    assert len(_saved(page)["all"]) == 2
    page.keyboard.press("Control+z")
    assert _saved(page) == COMPOSED
    page.keyboard.press("Control+Shift+z")
    assert len(_saved(page)["all"]) == 2
    page.get_by_role("button", name=words["undo"]).click()

    page.get_by_label(words["name"], exact=True).fill(f"Lyonnais {language} {width}")
    page.get_by_role("button", name=words["save"]).click()
    expect(page.get_by_text(words["made"])).to_be_visible()


def test_a_fault_is_told_at_its_criterion(visits: Visits, account: Account, lyon: int) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name="Commandes passées")
    orders.get_by_label("Nombre de fois").fill("deux")
    # It is told once the reader leaves the criterion, not while it is being written.
    expect(orders.locator(".faults")).to_have_count(0)
    page.get_by_label("Nom", exact=True).focus()
    expect(orders.get_by_text("Il manque une valeur.")).to_be_visible()
    expect(page.get_by_text("Complétez les critères")).to_be_visible()
    assert_accessible(page)
    assert all("422" in fault for fault in visits.faults)
    visits.faults.clear()


def test_json_is_seen_and_pasted(visits: Visits, account: Account, lyon: int) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new")
    page.get_by_role("button", name="JSON").click()
    field = page.locator("#id_criteria")
    expect(field).to_be_visible()
    field.fill(json.dumps({"any": [ORDERS, {"tag": "VIP", "op": "has_not"}]}))
    page.get_by_role("button", name="JSON").click()
    expect(field).to_be_hidden()
    expect(page.get_by_label("Ce que le contact doit remplir")).to_have_value("any")
    expect(page.get_by_role("combobox", name="Étiquette", exact=True)).to_have_value("VIP")
    expect(page.locator("[data-sentence]")).to_contain_text("ou ne porte pas l’étiquette")
    page.get_by_role("button", name="Annuler la dernière action").click()
    assert _saved(page) == {"all": []}


def test_yes_or_no_is_one_of_either(visits: Visits, account: Account, installation: Installation) -> None:
    with installation.api(account) as api:
        assert api.post("attributes", json={"name": "abonné", "type": "boolean"}).status_code == 201
    page = visits.page(account=account, language="fr", width=390)
    page.goto("/segments/new")
    _choose(page, page.locator(".group-root"), TEXTS["fr"], "abonné", keys=False)
    page.get_by_label("Comparaison : abonné").select_option("in:booleans")
    page.get_by_label("Non", exact=True).check()
    assert _saved(page)["all"][0]["value"] == [True, False]
    page.get_by_label("Oui", exact=True).uncheck()
    assert _saved(page)["all"][0] == {"field": "attributes.abonné", "op": "in", "value": [False]}
    expect(page.locator("[data-sentence]")).to_contain_text("abonné")
    expect(page.locator(".audience[aria-busy=false]")).to_be_visible()  # The count pales while it is asked.
    assert_accessible(page)


def test_values_seen_lately_are_suggested(visits: Visits, account: Account, lyon: int) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name="Commandes passées")
    orders.get_by_role("button", name="Ajouter un filtre").click()
    orders.get_by_role("combobox", name="Propriété").fill("off")
    orders.get_by_role("option", name="offre").click()
    began = time.monotonic()
    orders.get_by_role("combobox", name="Valeur : offre").focus()
    expect(orders.get_by_role("option", name="Été")).to_be_visible()
    assert time.monotonic() - began < 5
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert _saved(page)["all"][0]["where"] == [{"property": "offre", "op": "eq", "value": "Été"}]


@pytest.mark.parametrize("end", ["Tab", "Enter"])
def test_a_property_typed_in_full_is_compared_by_its_kind(
    visits: Visits, account: Account, lyon: int, end: str
) -> None:
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new?example=loyal")
    orders = page.get_by_role("region", name="Commandes passées")
    orders.get_by_role("button", name="Ajouter un filtre").click()
    orders.get_by_role("combobox", name="Propriété").press_sequentially("total", delay=40)
    page.keyboard.press(end)
    expect(page).to_have_url(re.compile("/segments/new"))
    expect(orders.get_by_role("combobox", name="Propriété")).to_have_value("Total")
    expect(orders.get_by_label("Comparaison : Total")).to_have_value("gt:number")
    orders.get_by_label("Valeur : Total").fill("50")
    expect(page.locator("[data-sentence]")).to_contain_text("de plus de 50")
    assert _saved(page)["all"][0]["where"] == [{"property": "total", "op": "gt", "value": 50}]

    # Leaving it again, and a name that nobody knows, change nothing of what was chosen.
    orders.get_by_role("combobox", name="Propriété").focus()
    page.keyboard.press("Tab")
    assert _saved(page)["all"][0]["where"] == [{"property": "total", "op": "gt", "value": 50}]
    orders.get_by_role("combobox", name="Propriété").fill("taille")
    page.keyboard.press(end)
    assert _saved(page)["all"][0]["where"] == [{"property": "taille", "op": "gt", "value": 50}]
    assert all("422" in fault for fault in visits.faults)  # of criteria that were still being written
    visits.faults.clear()


def test_without_the_program_the_form_still_works(visits: Visits, account: Account) -> None:
    page = visits.page(account=account, language="fr")
    page.route("**/*.js", lambda route: route.abort())
    page.goto("/segments/new")
    visits.faults.clear()
    field = page.locator("#id_criteria")
    expect(field).to_be_visible()
    page.get_by_label("Nom", exact=True).fill("À la main")
    field.fill('{"all": [{"field": "city", "op": "eq", "value": "Nantes"}]}')
    page.get_by_role("button", name="Enregistrer le segment").click()
    expect(page.get_by_text("est créé")).to_be_visible()
    visits.faults.clear()


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


def test_every_operator_is_shown_as_it_is_written(visits: Visits, account: Account, lyon: int) -> None:
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
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new")
    page.get_by_role("button", name="JSON").click()
    page.locator("#id_criteria").fill(json.dumps(criteria))
    page.get_by_role("button", name="JSON").click()
    shown = page.locator("select.operator")
    expect(shown.first).to_be_visible()
    assert "" not in shown.evaluate_all("all => all.map(one => one.value)")
    after = page.locator('.where:has(select option[value="after:dateEnd"]:checked)').locator("input").nth(1)
    assert after.input_value() == "2026-01-02T00:00", "a day alone is where it begins"
    assert _saved(page) == criteria
    visits.faults.clear()  # of criteria that cannot be: every kind of value was tried on every operator


def test_days_counts_and_countries_are_composed(visits: Visits, account: Account, lyon: int) -> None:
    words = TEXTS["fr"]
    page = visits.page(account=account, language="fr")
    page.goto("/segments/new")
    root = page.locator(".group-root")
    _choose(page, root, words, "Création", keys=False)
    made = page.get_by_role("region", name="Création")
    compare = made.get_by_label("Comparaison : Création")
    for operator, value, said in (
        ("after:dateEnd", "2026-01-02T23:59:59.999", "a été créé après le 2 janvier 2026"),
        ("before:date", "2026-01-02", "a été créé avant le 2 janvier 2026"),
        ("lte:dateEnd", "2026-01-02T23:59:59.999", "a été créé le 2 janvier 2026 ou avant"),
        ("eq:date", "2026-01-02", "a été créé le 2 janvier 2026"),
    ):
        compare.select_option(operator)
        made.locator("input[type=date]").fill("2026-01-02")
        assert _saved(page)["all"][0]["value"] == value
        expect(page.locator("[data-sentence]")).to_have_text(said)
    compare.select_option("between:dates")
    made.locator("input[type=date]").first.fill("2026-01-02")
    made.locator("input[type=date]").last.fill("2026-02-03")
    assert _saved(page)["all"][0]["value"] == ["2026-01-02", "2026-02-03T23:59:59.999"]

    compare.select_option("in:days")
    for day in ("2026-01-02", "2026-02-03"):
        made.locator("input[type=date]").fill(day)
        page.keyboard.press("Enter")
    assert _saved(page)["all"][0]["value"] == ["2026-01-02", "2026-02-03"]
    expect(made.locator(".chip")).to_have_count(2)

    _choose(page, root, words, "Pays", keys=False)
    page.get_by_role("combobox", name="Valeur : Pays").press_sequentially("suisse", delay=20)
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox", name="Valeur : Pays")).to_have_value("Suisse")
    assert _saved(page)["all"][1] == {"field": "country", "op": "eq", "value": "CH"}
    expect(page.locator("[data-sentence]")).to_contain_text("a pour pays")

    _choose(page, root, words, words["orders"], keys=False)
    orders = page.get_by_role("region", name=words["orders"])
    orders.get_by_label(words["often"]).select_option("in")
    orders.get_by_role("combobox", name=words["times"]).fill("4")
    page.keyboard.press("Enter")
    assert _saved(page)["all"][2]["count"] == {"op": "in", "value": [2, 4]}
    orders.get_by_label(words["often"]).select_option("ne")
    assert _saved(page)["all"][2]["count"] == {"op": "ne", "value": 2}
    _choose(page, root, words, "ceuillette", keys=False)
    expect(page.locator(".audience-warnings")).to_contain_text("ceuillette")
    assert_accessible(page)
    assert all("422" in fault for fault in visits.faults)  # of criteria that were still being written
    visits.faults.clear()
