"""The journey canvas in a page of ours: its figures, its lists, its two icons, its dots; on a desk and on a phone.

The page is made from our own templates; what the reports would answer is given here, so that figures can be moved.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.template import engines
from django.test import RequestFactory
from django.utils import translation
from playwright.sync_api import Page, Route, expect

from parcours.config.middleware import POLICY
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, at_rest, shoot
from tests.fixtures.installation import Account

TEMPLATE = """
{% extends "ui/page.html" %}{% load ui %}
{% block title %}Trial{% endblock %}
{% block page_title %}Panier abandonné{% endblock %}
{% block page_pretitle %}Marketing automatisé{% endblock %}
{% block page_body %}
<div data-tile="entered"><p class="figure-value">0</p></div>
{% canvas graph url="/trial/graph" interval=400 %}{% endblock %}
"""


def _step(
    id: str, type: str, type_name: str, name: str, passages: int, waiting: int = 0, **more: Any
) -> dict[str, Any]:
    lists = {
        kind: {"url": f"/trial/{id}/{kind}", "page": f"/trial/{id}/{kind}/page"}
        for kind in ("passages", "waiting")
    }
    return {
        "id": id,
        "type": type,
        "type_name": type_name,
        "name": name,
        "passages": passages,
        "waiting": waiting,
        "failed": 0,
        "lists": lists,
        **more,
    }


def _mail(id: str, name: str, passages: int) -> dict[str, Any]:
    own = {
        "preview": f"/trial/{id}/preview",
        "statistics": f"/trial/{id}/quick",
        "report": f"/trial/{id}/report",
    }
    return _step(id, "send_email", "E-mail", name, passages, **own)


GRAPH: dict[str, Any] = {
    "as_of": "2026-11-22T13:32:07.000Z",
    "as_of_text": "à jour à 14:32:07",
    "steps": [
        _step("entry", "entry", "Entrée", "Panier abandonné", 12480),
        _step("wait", "delay", "Attendre", "1 heure", 12480, 312),
        _step(
            "bought",
            "condition",
            "Condition",
            "A commandé depuis ?",
            12168,
            summary="order.placed au moins 1 fois",
        ),
        _mail("mail", "Votre panier vous attend", 8921),
        _step("click", "wait_for", "Attendre un événement", "Clic dans l’e-mail", 8921, 1204),
        _step("tag", "add_tag", "Ajouter une étiquette", "Ajouter une étiquette", 3160, summary="Intéressé"),
        _mail("last", "Dernière chance : −10 % sur votre panier", 4557),
        _step("end", "end", "Fin", "Fin", 10964),
    ],
    "edges": [
        {"from": "entry", "to": "wait"},
        {"from": "wait", "to": "bought"},
        {"from": "bought", "to": "end", "label": "Oui", "count": 3247},
        {"from": "bought", "to": "mail", "label": "Non", "count": 8921},
        {"from": "mail", "to": "click"},
        {"from": "click", "to": "tag", "label": "Événement", "count": 3160},
        {"from": "click", "to": "last", "label": "Délai dépassé", "count": 4557},
        {"from": "tag", "to": "end"},
        {"from": "last", "to": "end"},
    ],
    "moves": [],
}


class Trial:
    """Answers the addresses of the trial page with what the test wants shown."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.graph = copy.deepcopy(GRAPH)
        self.failing = False
        self.asked = 0
        request = RequestFactory().get("/trial")
        request.user = AnonymousUser()
        with translation.override(language):
            template = engines["django"].from_string(TEMPLATE)
            self.html = template.render({"graph": self.graph}, request)
        page.route(re.compile(r"/trial"), self.answer)

    def answer(self, route: Route) -> None:
        path = route.request.url.split("/trial", 1)[1]
        if path == "/graph":
            self.asked += 1
            if self.failing:
                route.fulfill(status=503)
            else:
                route.fulfill(content_type="application/json", body=json.dumps(self.graph))
        elif path:
            route.fulfill(content_type="text/html; charset=utf-8", body=f"<p>fragment {path}</p>")
        else:
            page = {"content-type": "text/html; charset=utf-8", "content-security-policy": POLICY}
            route.fulfill(headers=page, body=self.html)

    def ask_again(self) -> None:
        """Wait until the page has asked for its figures anew and shown them: it asks once more after that."""
        before = self.asked
        while self.asked < before + 2:
            self.page.wait_for_timeout(20)

    def step(self, id: str) -> Any:
        return self.page.locator(f'[data-step="{id}"]')

    def set(self, id: str, passages: int) -> None:
        next(step for step in self.graph["steps"] if step["id"] == id)["passages"] = passages


def _open(visits: Visits, account: Account, language: str = "fr", width: int = 1440) -> Trial:
    page = visits.page(account=account, language=language, width=width)
    trial = Trial(page, language)
    page.goto("/trial")
    expect(trial.step("end")).to_be_visible()
    at_rest(page)
    return trial


@each_way
def test_figures_are_shown_and_readable(visits: Visits, account: Account, language: str, width: int) -> None:
    trial = _open(visits, account, language, width)
    grouped = "12\u202f480" if language == "fr" else "12,480"
    expect(trial.step("entry").locator(".step-passages")).to_have_text(f"{grouped} passages")
    expect(trial.step("wait").locator(".step-waiting")).to_have_text(
        "312 en attente" if language == "fr" else "312 waiting"
    )
    expect(trial.step("mail").locator(".step-waiting")).to_have_count(0)
    expect(trial.page.locator(".canvas-watermark")).to_have_text("à jour à 14:32:07")
    expect(trial.page.locator(".line-label")).to_have_count(4)
    expect(trial.step("bought").locator(".step-summary")).to_have_text("order.placed au moins 1 fois")
    expect(trial.step("tag").locator(".step-name")).to_have_text("Intéressé")
    assert_accessible(trial.page)
    assert_fits(trial.page)
    shoot(trial.page, f"canvas-{language}-{width}")


def test_a_number_opens_its_list(visits: Visits, account: Account) -> None:
    trial = _open(visits, account)
    trial.step("mail").get_by_role("link", name=re.compile("8.921 passages")).click()
    expect(trial.page.locator("#side-panel-body")).to_have_text("fragment /mail/passages")
    expect(trial.page.locator("#side-panel-title")).to_contain_text("Votre panier vous attend")
    link = trial.page.get_by_role("link", name="Page entière")
    assert link.get_attribute("href") is not None
    assert (link.get_attribute("href") or "").endswith("/trial/mail/passages/page")
    assert_accessible(trial.page)
    shoot(trial.page, "canvas-list")


def test_a_message_has_two_icons(visits: Visits, account: Account) -> None:
    trial = _open(visits, account)
    tools = trial.step("mail").locator(".step-tools")
    expect(tools).to_have_css("opacity", "0")
    trial.step("mail").hover()
    expect(tools).to_have_css("opacity", "1")
    expect(trial.step("end").locator(".step-tools")).to_have_count(0)

    tools.get_by_role("button", name=re.compile("^Statistiques")).click()
    quick = trial.page.get_by_role("dialog", name=re.compile("^Statistiques"))
    expect(quick).to_contain_text("fragment /mail/quick")
    full = quick.get_by_role("link", name="Statistiques complètes")
    assert full.get_attribute("target") == "_blank"
    assert full.get_attribute("href") == "/trial/mail/report"
    assert_accessible(trial.page)
    shoot(trial.page, "canvas-quick-view")
    trial.page.keyboard.press("Escape")
    expect(quick).to_have_count(0)

    trial.step("mail").hover()
    tools.get_by_role("link", name=re.compile("^Aperçu")).click()
    frame = trial.page.locator("#preview-dialog iframe")
    expect(frame).to_be_visible()
    assert frame.get_attribute("sandbox") == ""
    expect(trial.page.frame_locator("#preview-dialog iframe").locator("p")).to_have_text(
        "fragment /mail/preview"
    )


def test_the_icons_are_reached_by_touch_and_by_keyboard(visits: Visits, account: Account) -> None:
    phone = _open(visits, account, width=390)
    phone.step("mail").locator(".step-name").tap()
    expect(phone.step("mail").locator(".step-tools")).to_have_css("opacity", "1")

    desk = _open(visits, account)
    desk.step("mail").locator(".step-tool").first.focus()
    expect(desk.step("mail").locator(".step-tools")).to_have_css("opacity", "1")
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_role("dialog", name=re.compile("^Statistiques"))).to_be_visible()
    desk.page.keyboard.press("Escape")
    expect(desk.step("mail").get_by_role("button", name=re.compile("^Statistiques"))).to_be_focused()


def test_figures_tick_and_contacts_are_seen_to_move(visits: Visits, account: Account) -> None:
    trial = _open(visits, account)
    trial.set("mail", 8922)
    trial.graph["as_of"] = "2026-11-22T13:32:09.000Z"
    trial.graph["moves"] = [
        {"contact": "c1", "from": "bought", "to": "mail", "at": "2026-11-22T13:32:08.500Z"}
    ]
    trial.graph["tiles"] = {"entered": {"value": 12481, "url": "/trial/entered"}}
    expect(trial.page.locator(".dot")).to_have_count(1)
    shoot(trial.page, "canvas-dot")
    expect(trial.step("mail").locator(".step-number").first).to_have_text("8\u202f922")
    expect(trial.page.locator(".dot")).to_have_count(0)
    trial.ask_again()
    expect(trial.page.locator(".dot")).to_have_count(0)  # the same move, told again, is not a second one

    around = trial.page.locator('[data-tile="entered"]').get_by_role("link", name="12\u202f481")
    assert around.get_attribute("href") == "/trial/entered"

    trial.set("mail", 1)
    trial.graph["as_of"] = "2026-11-22T13:00:00.000Z"
    trial.ask_again()
    expect(trial.step("mail").locator(".step-number").first).to_have_text(
        "8\u202f922"
    )  # nothing older is shown


def test_stale_figures_are_said_to_be(visits: Visits, account: Account) -> None:
    trial = _open(visits, account)
    trial.failing = True
    expect(trial.page.locator(".canvas-watermark")).to_contain_text("n’ont pas pu", timeout=15_000)
    trial.failing = False
    visits.faults.clear()  # Chromium itself calls a 503 an error
