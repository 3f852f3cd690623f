"""A click in a message ties the visitor whom it brings to the site: from the redirect to the contact's own past."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from django.test import Client

from parcours.accounts.models import Account
from parcours.contacts import actions as contact_actions
from parcours.contacts.models import Contact
from parcours.events import journal
from parcours.events.entries import Call, Said
from parcours.lib import clock, signing
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.messaging import arrivals, contents, touches
from parcours.messaging.models import Arrival, Click, Message, Send
from parcours.messaging.rendering import tokens
from parcours.messaging.tests.conftest import queue_all
from parcours.messaging.tests.test_public_links import PERSON, path
from parcours.tracking import identity, sites
from parcours.tracking.digest.run import Digest
from parcours.tracking.models import Site, VisitorLink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store"), pytest.mark.database]

SHOP = "https://shop.example/b"


class World:
    """An account whose shop carries the tracker, and a contact who was sent a message of one link or several."""

    def __init__(self, account: Account, message: Message, contacts: list[Contact]) -> None:
        self.account, self.contacts = account, contacts
        self.sends = queue_all(message, contacts)
        contents.load([message.pk])
        Send.objects.update(status="sent", sent_at=clock.now() - timedelta(minutes=5))
        self.links = dict(message.links.values_list("url", "id"))
        self.digest = Digest()
        self.view("elsewhere", SHOP)

    def click(self, url: str = SHOP, *, send: int = 0, agent: str = PERSON) -> str:
        """Where the redirect leads."""
        address = path(tokens.click_url(self.sends[send].pk, self.links[url]))
        answer = Client(headers={"user-agent": agent}).get(address)
        assert answer.status_code == 302
        return str(answer["Location"])

    def view(self, browser: str, address: str, *, source: str = "browser", **body: Any) -> None:
        """A page view as the tracker sends it, digested."""
        token = parse_qs(urlsplit(address).query).get(arrivals.PARAMETER, [""])[0]
        context = {"page": {"url": address.partition("?")[0]}, "arrival": token}
        said = msgspec.convert({"anonymousId": browser, "context": context, **body}, Said)
        now = to_ms(clock.now())
        call = Call("page", said, now, now, new_id(), source=source)
        journal.append([call], account_id=self.account.pk)
        self.work()

    def work(self, *, seconds: float = 0) -> None:
        """What the work process does, so much later."""
        with at(clock.now() + timedelta(seconds=seconds)):
            while self.digest.round() or touches.settle(now=clock.now()) or arrivals.settle():
                pass

    def known(self, browser: str) -> int | None:
        """The contact that a browser is."""
        name = identity.browser_of(self.account.pk, browser)
        found = VisitorLink.objects.filter(browser=name).order_by("-generation").first()
        return None if found is None else found.contact_id


class at:
    """The product's clock stands at an instant."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def __enter__(self) -> None:
        clock.freeze(self._instant)

    def __exit__(self, *_: object) -> None:
        clock.freeze(None)


@pytest.fixture(autouse=True)
def _own_data_dir(settings: Any) -> None:
    """The store's data directory stays: nothing is sent here."""
    settings.PUBLIC_URL = "https://mail.example.test"
    contents._cache.clear()


@pytest.fixture
def world(account: Account, message: Message, people: Any) -> World:
    message.html = f'<a href="{SHOP}">B</a> <a href="https://shop.example/a?x=1#part">A</a>'
    message.html += '<a href="https://partner.example/">P</a>'
    message.save()
    return World(account, message, people(2))


def test_who_clicks_is_known_on_the_site_past_included(world: World) -> None:
    world.view("b1", SHOP)
    assert world.known("b1") is None
    world.view("b1", world.click())
    assert world.known("b1") is None, "the click may still turn out to be a scanner's"
    world.work(seconds=5)
    assert world.known("b1") == world.contacts[0].pk
    assert not Arrival.objects.exists()


def test_only_the_accounts_own_sites_are_told_and_the_address_stays_as_written(world: World) -> None:
    assert world.click("https://partner.example/") == "https://partner.example/"
    led = world.click("https://shop.example/a?x=1#part")
    token = parse_qs(urlsplit(led).query)[arrivals.PARAMETER][0]
    assert led == f"https://shop.example/a?x=1&pc_c={token}#part"
    Site.objects.update(seen_at=clock.now() - timedelta(days=31))
    assert world.click() == SHOP
    stranger = Account.objects.create(name="Other", write_key="wk2")
    assert not sites.is_site(stranger.pk, SHOP, now=clock.now())


def test_a_machines_click_ties_nobody(world: World) -> None:
    assert world.click(agent="Barracuda Sentinel") == SHOP
    led = [world.click(url) for url in world.links if "partner" not in url]
    world.click("https://partner.example/")
    for address in led:  # All links at once: a scanner's browser, which looks like a person's.
        world.view("scanner", address)
    world.work(seconds=5)
    assert set(Click.objects.values_list("machine", flat=True)) == {True}
    assert world.known("scanner") is None
    assert not Arrival.objects.exists()


def test_a_forged_expired_foreign_or_orphaned_token_ties_nobody(world: World) -> None:
    send = world.sends[0].pk
    now = to_ms(clock.now()) // 60_000
    stranger = Account.objects.create(name="Other", write_key="wk2")
    theirs = Send.objects.create(
        account=stranger,
        message=Message.objects.create(account=stranger, name="M"),
        contact_id=world.contacts[0].pk,
        channel="email",
    )
    genuine = signing.sign("visit", send, 0, now + 5)
    for number, token in enumerate(
        [
            "x",
            "é" * 300,
            genuine[:-2] + "AA",
            signing.sign("c", send, 0, now + 5),
            signing.sign("visit", send, 0, now - 1),
            signing.sign("visit", theirs.pk, 0, now + 5),
            signing.sign("visit", 10**12, 0, now + 5),
            signing.sign("visit", send, 10**12, now + 5),
        ]
    ):
        world.view(f"f{number}", f"{SHOP}?pc_c={token}")
        world.work(seconds=5)
        assert world.known(f"f{number}") is None, token
    world.view("quiet", f"{SHOP}?pc_c={genuine}", source="gpc")
    world.work(seconds=5)
    assert world.known("quiet") is None
    world.view("b", f"{SHOP}?pc_c={genuine}")
    world.work(seconds=5)
    assert world.known("b") == world.contacts[0].pk


def test_a_browser_that_is_someones_stays_theirs(world: World) -> None:
    ann, bob = (contact.pk for contact in world.contacts)
    world.view("b1", world.click())
    world.work(seconds=5)
    world.view("b1", world.click(send=1))
    world.work(seconds=5)
    assert world.known("b1") == ann
    # Known between the page view and the verdict: by what people say of themselves.
    world.view("b2", world.click())
    world.view("b2", SHOP, userId="cleo")
    world.work(seconds=5)
    assert world.known("b2") == Contact.objects.get(external_id="cleo").pk
    assert VisitorLink.objects.filter(contact_id=bob).count() == 0


def test_a_parted_browser_is_tied_as_what_it_is_now_and_the_erased_are_not(world: World) -> None:
    ann, bob = world.contacts
    world.view("b1", world.click())
    world.work(seconds=5)
    contact_actions.erase(account_id=world.account.pk, contact_ids=[ann.pk], now=clock.now())
    led = world.click(send=1)
    world.view("b1", led)
    world.view("b2", world.click())
    world.work(seconds=5)
    assert world.known("b1") == bob.pk
    assert world.known("b2") is None


def test_a_test_message_ties_nobody(world: World) -> None:
    Send.objects.update(is_test=True)
    assert world.click() == SHOP


def test_sites_are_few_and_those_of_the_latest_pages(world: World) -> None:
    now = to_ms(clock.now())
    sites.note(world.account.pk, {f"s{number}.example": now + number for number in range(300)})
    hosts = set(Site.objects.filter(account_id=world.account.pk).values_list("host", flat=True))
    assert hosts == {f"s{number}.example" for number in range(200, 300)}
    for url in (
        "javascript:alert(1)",
        "https://",
        "http://[",
        "mailto:a@b.example",
        "https://u@" + "x" * 300,
    ):
        assert sites.host_of(url) == "", url
    assert sites.host_of("HTTPS://User@Shop.Example:8443/x") == "shop.example:8443"
