"""`/t.js` on a site of another origin: what it sends, in what order, and when it keeps silent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Page, Response, Route, expect

from tests.fixtures.browser import Visits
from tests.fixtures.installation import Account, Installation


class Site(ThreadingHTTPServer):
    """A customer's web server: every address answers `html`."""

    html = ""

    def __init__(self, collector: str) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.collector = collector
        self.url = f"http://shop.maison-lavande.test:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        body = self.server.html.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: pytest shows what failed."""


@pytest.fixture
def site(installation: Installation) -> Iterator[Site]:
    server = Site(installation.url)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


class Shop:
    """A shop that carries the snippet; `calls` are those that the collector took, in the order of its answers."""

    def __init__(self, page: Page, site: Site, account: Account, *, before: str = "") -> None:
        self.page = page
        self.site = site
        self.calls: list[dict[str, Any]] = []
        self.statuses: list[int] = []
        snippet = f'<script async src="{site.collector}/t.js" data-key="{account.write_key}"></script>'
        early = f"<script>window.parcours = window.parcours || []; {before}</script>" if before else ""
        site.html = f"<!doctype html><title>Lavande</title><h1>Boutique</h1>{early}{snippet}"
        page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        request = response.request
        if request.method != "POST" or "/v1/" not in request.url:
            return
        self.statuses.append(response.status)
        body = json.loads(request.post_data or "{}")
        assert body["writeKey"]
        assert body["sentAt"]
        self.calls += body.get("batch", [body])

    def open(self, path: str = "/") -> None:
        self.page.goto(self.site.url + path)

    def wait(self, enough: Callable[[], bool]) -> None:
        for _ in range(400):
            if enough():
                return
            self.page.wait_for_timeout(30)
        raise AssertionError(self.calls)

    def kinds(self) -> list[str]:
        return [call["type"] for call in self.calls]


def test_a_visit_is_followed(visits: Visits, site: Site, account: Account) -> None:
    before = 'parcours.push(["identify", "client-7", {email: "lea@example.org"}]);'
    shop = Shop(visits.page(), site, account, before=before)
    shop.open("/lavande?utm_source=infolettre&utm_campaign=automne")
    shop.wait(lambda: len(shop.calls) == 2)
    page, identify = shop.calls
    assert shop.kinds() == ["page", "identify"]
    assert page["properties"]["url"] == f"{site.url}/lavande?utm_source=infolettre&utm_campaign=automne"
    assert page["properties"]["title"] == "Lavande"
    assert page["context"]["campaign"] == {"source": "infolettre", "name": "automne"}
    assert identify["userId"] == "client-7"
    assert identify["traits"] == {"email": "lea@example.org"}
    assert page["anonymousId"] == identify["anonymousId"]

    # The same visitor on the next page, after storage was emptied: the cookie remembers.
    shop.page.evaluate("localStorage.removeItem('pc_visitor')")
    shop.open("/panier")
    shop.wait(lambda: shop.kinds().count("page") == 2)
    assert {call["anonymousId"] for call in shop.calls} == {page["anonymousId"]}
    [cookie] = [c for c in shop.page.context.cookies(site.url) if c["name"] == "pc_visitor"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["domain"] == ".maison-lavande.test"

    # A change of address without a new page is a page view; the same address again is none.
    shop.page.evaluate("history.pushState({}, '', '/merci'); history.replaceState({}, '', '/merci')")
    shop.page.evaluate("parcours.track('cta.clicked', {cta_id: 'b1'})")
    shop.wait(lambda: "track" in shop.kinds() and shop.kinds().count("page") == 3)
    assert [c["properties"]["path"] for c in shop.calls if c["type"] == "page"] == [
        "/lavande",
        "/panier",
        "/merci",
    ]
    assert set(shop.statuses) == {200}

    shop.page.evaluate("parcours.reset(); parcours.page()")
    shop.wait(lambda: shop.kinds().count("page") == 4)
    assert shop.calls[-1]["anonymousId"] != page["anonymousId"]
    assert "userId" not in shop.calls[-1]


def test_the_token_of_a_click_goes_with_the_page_view_and_out_of_the_address(
    visits: Visits, site: Site, account: Account
) -> None:
    shop = Shop(visits.page(), site, account)
    shop.open("/lavande?note=a%20b&pc_c=Token-1&x=1#avis")
    shop.wait(lambda: len(shop.calls) == 1)
    assert shop.calls[0]["context"]["arrival"] == "Token-1"
    assert shop.calls[0]["properties"]["url"] == f"{site.url}/lavande?note=a%20b&x=1#avis"
    assert shop.page.url == f"{site.url}/lavande?note=a%20b&x=1#avis"
    shop.page.evaluate("parcours.page()")
    shop.wait(lambda: len(shop.calls) == 2)
    assert "arrival" not in shop.calls[1]["context"]
    for query, left in (
        ("?pc_c=t", ""),
        ("?pc_c=t&a=1", "?a=1"),
        ("?a=1&pc_c=t", "?a=1"),
        ("?my_pc_c=t", "?my_pc_c=t"),
    ):
        shop.open("/panier" + query)
        expect(shop.page).to_have_url(f"{site.url}/panier{left}")


def test_what_could_not_be_sent_is_sent_later(visits: Visits, site: Site, account: Account) -> None:
    shop = Shop(visits.page(), site, account)
    down = True

    def gate(route: Route) -> None:
        if down:
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*", "Retry-After": "1"})
        else:
            route.continue_()

    shop.page.route(f"{site.collector}/v1/**", gate)
    shop.open("/")
    shop.page.evaluate("window.parcours.track ? 0 : new Promise((done) => setTimeout(done, 500))")
    shop.page.evaluate("parcours.track('cta.viewed', {cta_id: 'b2'})")
    shop.wait(lambda: 503 in shop.statuses)
    first = shop.calls[0]["messageId"]
    down = False
    shop.wait(lambda: 200 in shop.statuses)
    shop.page.wait_for_function("localStorage.getItem('pc_waiting') === '[]'")
    taken = [call for call in shop.calls if call["messageId"] == first]
    assert len(taken) >= 2, "the same call, under the same message id"
    visits.faults.clear()  # Chromium itself calls a 503 an error


def test_a_browser_that_says_no_is_not_followed(visits: Visits, site: Site, account: Account) -> None:
    page = visits.page()
    page.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})")
    shop = Shop(page, site, account)
    shop.open("/")
    page.wait_for_function("typeof window.parcours?.track === 'function'")
    page.evaluate("parcours.track('cta.clicked', {}); parcours.identify('client-8')")
    page.wait_for_timeout(500)
    expect(page.get_by_role("heading")).to_have_text("Boutique")
    assert shop.calls == []
    assert page.context.cookies(site.url) == []
    assert page.evaluate("localStorage.getItem('pc_visitor')") is None
