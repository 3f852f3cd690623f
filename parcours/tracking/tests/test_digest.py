"""From calls in the journals to what the store answers: who, what, when, once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.contacts.models import Contact
from parcours.events import journal
from parcours.events.entries import Call, Entry, Line, Linked, Said, Touched
from parcours.events.models import JournalRow, Load, Shard
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.tracking import fanout, identity
from parcours.tracking.digest import compose
from parcours.tracking.digest.run import Digest
from parcours.tracking.models import VisitorLink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("store"), pytest.mark.database]


@pytest.fixture
def account() -> Account:
    return Account.objects.create(name="Maison Verte", write_key=new_id(), timezone="Europe/Paris")


@pytest.fixture
def digest() -> Iterator[Digest]:
    """The digest of this test; rows that an earlier test left in the collector's journal are gone."""
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield Digest()
    collected.trim(2**62)


def call(kind: str, *, at: int = 0, message_id: str = "", **body: Any) -> Call:
    now = to_ms(clock.now())
    return Call(
        kind=kind,
        body=msgspec.convert(body, Said),
        received_at=now,
        occurred_at=at or now,
        message_id=message_id or new_id(),
    )


def collect(account: Account, *entries: Entry) -> None:
    """What the collector writes."""
    opened = journal.open_collector_journal(writer=True)
    now = to_ms(clock.now())
    row = (account.pk, journal.shard_of(account.pk), len(entries), now, journal.encode(entries))
    opened.append_many([row])
    opened.close()


def digest_all(digest: Digest) -> None:
    while digest.round():
        pass


def rows(sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client().query(sql).result_rows]


def people(account: Account, name: str) -> dict[str, int]:
    """Events of a name by whoever they are now: external ids, or the visitor when it is tied to nobody."""
    ids = {contact.pk: contact.external_id or contact.email or "" for contact in Contact.objects.all()}
    found: dict[str, int] = {}
    for contact, visitor, count in rows(
        "SELECT if(e.contact = 0, l.contact, e.contact) AS who, if(who = 0, toString(e.visitor), ''), count()"
        " FROM events AS e LEFT JOIN"
        " (SELECT account, visitor, merged, argMax(contact, load) AS contact FROM links GROUP BY ALL) AS l"
        " ON l.account = e.account AND l.visitor = e.visitor AND l.merged = 0"
        f" WHERE e.account = {account.pk} AND e.name = '{name}' GROUP BY 1, 2"
    ):
        found[ids.get(contact, visitor.replace("-", ""))] = count
    return found


def test_a_call_becomes_an_event_of_a_new_contact(account: Account, digest: Digest) -> None:
    collect(
        account, call("track", event="Tried", userId="u1", properties={"price": 19.99, "tags": ["a", "b"]})
    )
    digest_all(digest)
    contact = Contact.objects.get(external_id="u1")
    assert contact.last_seen_at is not None
    [(who, texts, numbers)] = rows("SELECT contact, texts, numbers FROM events WHERE name = 'Tried'")
    assert who == contact.pk
    assert texts == {"price": ["19.99"], "tags": ["a", "b"]}
    assert {name: [str(value.normalize()) for value in found] for name, found in numbers.items()} == {
        "price": ["19.99"]
    }
    assert rows(f"SELECT count() FROM events WHERE name = 'contact.created' AND contact = {who}") == [(1,)]
    assert rows(f"SELECT argMax(external_id, load) FROM profiles WHERE contact = {who}") == [("u1",)]
    assert not JournalRow.objects.exists()
    assert set(Load.objects.values_list("status", "body")) == {("done", None)}


def test_a_visitor_later_identified_is_that_contact_past_included(account: Account, digest: Digest) -> None:
    collect(
        account,
        *[
            call("page", anonymousId="a1", context={"page": {"url": f"https://x.example/{n}"}})
            for n in range(3)
        ],
        call("page", anonymousId="a2"),
    )
    digest_all(digest)
    a1, a2 = (identity.browser_of(account.pk, name) for name in ("a1", "a2"))
    assert people(account, "page.viewed") == {a1: 3, a2: 1}
    collect(
        account,
        call("identify", anonymousId="a1", userId="u1", traits={"email": "Ann@Example.org", "plan": "pro"}),
        call("page", anonymousId="a1"),
    )
    digest_all(digest)
    assert people(account, "page.viewed") == {"u1": 4, a2: 1}
    contact = Contact.objects.get(external_id="u1")
    assert (contact.email, contact.attributes) == ("ann@example.org", {"plan": "pro"})


def test_a_second_contact_on_the_same_browser_is_a_new_visitor(account: Account, digest: Digest) -> None:
    collect(account, call("track", event="Tried", anonymousId="shared"))
    collect(account, call("identify", anonymousId="shared", userId="ann"))
    collect(account, call("track", event="Tried", anonymousId="shared"))
    collect(account, call("identify", anonymousId="shared", userId="bob"))
    collect(account, call("track", event="Tried", anonymousId="shared"))
    collect(account, call("track", event="Tried", anonymousId="shared", userId="ann"))
    collect(account, call("track", event="Tried", anonymousId="shared"))
    digest_all(digest)
    assert people(account, "Tried") == {"ann": 4, "bob": 1}
    links = VisitorLink.objects.order_by("generation").values_list("generation", "contact_id")
    ann, bob = (Contact.objects.get(external_id=name).pk for name in ("ann", "bob"))
    assert list(links) == [(0, ann), (1, bob), (2, ann)]


def test_the_same_in_one_batch_or_in_many(account: Account, digest: Digest) -> None:
    calls = [
        call("track", event="Tried", anonymousId="b"),
        call("alias", previousId="b", userId="cy"),
        call("track", event="Tried", anonymousId="b"),
        call("track", event="Tried", anonymousId="b", userId="di"),
        call("track", event="Tried", anonymousId="b"),
        call("track", event="Tried", userId="cy"),
    ]
    collect(account, *calls)
    digest_all(digest)
    together = people(account, "Tried")
    other = Account.objects.create(name="Autre", write_key=new_id())
    for each in calls:
        collect(other, each)
        digest_all(digest)
    assert together == {"cy": 3, "di": 2}
    assert people(other, "Tried") == together


@pytest.mark.parametrize("nobody", ["null", "undefined", "guest", "[object Object]", "NaN", "0"])
def test_ids_that_name_nobody_join_nobody(account: Account, digest: Digest, nobody: str) -> None:
    collect(
        account,
        call("identify", anonymousId="p", userId=nobody, traits={"plan": "x"}),
        call("identify", anonymousId="q", userId=nobody),
        call("track", event="Tried", anonymousId="p", userId=nobody),
        call("track", event="Tried", anonymousId=nobody, userId="real-1"),
        call("track", event="Tried", anonymousId=nobody, userId="real-2"),
        call("alias", previousId=nobody, userId="real-3"),
    )
    digest_all(digest)
    assert set(Contact.objects.values_list("external_id", flat=True)) == {"real-1", "real-2", "real-3"}
    assert not VisitorLink.objects.exists()
    assert people(account, "Tried") == {"real-1": 1, "real-2": 1, identity.browser_of(account.pk, "p"): 1}


def test_aliases_of_aliases_end(account: Account, digest: Digest) -> None:
    collect(account, call("alias", previousId="x", userId="y"), call("alias", previousId="y", userId="x"))
    collect(account, call("alias", previousId="x", userId="x"))
    digest_all(digest)
    assert set(Contact.objects.values_list("external_id", flat=True)) == {"x", "y"}


def test_a_browser_of_everyone_is_nobodys(
    account: Account, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "MOST_CONTACTS_OF_A_BROWSER", 3)
    monkeypatch.setattr(identity, "MOST_BROWSERS_OF_A_CONTACT", 3)
    for number in range(6):
        collect(account, call("track", event="Tried", anonymousId="kiosk", userId=f"k{number}"))
        collect(account, call("track", event="Tried", anonymousId=f"many-{number}", userId="nomad"))
    digest_all(digest)
    assert people(account, "Tried") == {**{f"k{number}": 1 for number in range(6)}, "nomad": 6}
    assert VisitorLink.objects.filter(browser=identity.browser_of(account.pk, "kiosk")).count() == 4
    assert VisitorLink.objects.filter(contact_id=Contact.objects.get(external_id="nomad").pk).count() == 3


def test_a_form_names_its_person_and_ties_the_browser(account: Account, digest: Digest) -> None:
    collect(
        account,
        call("page", anonymousId="f1"),
        call("track", event="form.submitted", anonymousId="f1", properties={"email": "Eve@Example.org "}),
        call(
            "track",
            event="form.submitted",
            anonymousId="f2",
            context={"traits": {"email": "fay@example.org"}},
        ),
        call("track", event="form.submitted", anonymousId="f3", properties={"form_id": "7"}),
        call("track", event="form.submitted", anonymousId="f4", properties={"email": "not an address"}),
        call("track", event="form.submitted", userId="no-address"),
        call("identify", userId="gil", anonymousId="f5", traits={"email": "gil@example.org"}),
        call("track", event="form.submitted", anonymousId="f5"),
    )
    digest_all(digest)
    assert people(account, "form.submitted") == {"eve@example.org": 1, "fay@example.org": 1, "gil": 1}
    assert people(account, "page.viewed") == {"eve@example.org": 1}
    assert sum(load.dropped.get("form_without_email", 0) for load in Load.objects.all()) == 3


def test_the_same_message_counts_once(account: Account, digest: Digest) -> None:
    other = Account.objects.create(name="Autre", write_key=new_id())
    first = call("track", event="Tried", userId="once", message_id="m", properties={"body": 1})
    again = call("track", event="Tried", userId="once", message_id="m", properties={"body": 2})
    collect(account, *[first, *[again] * 500])
    collect(account, again)
    digest_all(digest)
    collect(account, *[again] * 500)
    collect(other, again)
    digest_all(digest)
    assert rows(f"SELECT texts['body'] FROM events WHERE name = 'Tried' AND account = {account.pk}") == [
        (["1"],)
    ]
    assert people(other, "Tried") == {"once": 1}
    assert (
        sum(load.dropped.get("duplicate", 0) for load in Load.objects.filter(account_id=account.pk)) == 1001
    )


def test_a_message_is_remembered_seven_days_and_history_for_ever(account: Account, digest: Digest) -> None:
    now, day = to_ms(clock.now()), 86_400_000

    def line(message_id: str, received: int, history: bool) -> Line:
        return Line("Tried", received, received, message_id, {"external_id": "z"}, None, {}, history=history)

    for received in (now, now + 7 * day - 1, now + 7 * day, now + 15 * day):
        collect(account, line("short", received, False), line("ever", received, True))
        digest_all(digest)
    found = dict(rows("SELECT message_id, count() FROM events WHERE name = 'Tried' GROUP BY 1"))
    assert found == {"short": 3, "ever": 1}


def test_two_keys_that_disagree_lose_no_event(account: Account, digest: Digest) -> None:
    ann = Contact.objects.create(account=account, external_id="ann", email="ann@example.org")
    bob = Contact.objects.create(account=account, external_id="bob", email="bob@example.org")
    collect(
        account,
        call(
            "identify",
            userId="ann",
            anonymousId="d1",
            traits={"email": "bob@example.org", "first_name": "Ann"},
        ),
        call("identify", userId="bob", traits={"email": "broken", "last_name": "B", "country": "Nowhere"}),
        call("track", event="Tried", anonymousId="d1"),
    )
    digest_all(digest)
    ann.refresh_from_db()
    bob.refresh_from_db()
    assert (ann.email, ann.first_name) == ("ann@example.org", "Ann")
    assert (bob.email, bob.last_name, bob.country) == ("bob@example.org", "B", None)
    assert people(account, "Tried") == {"ann": 1}


def test_segments_names_and_pages_are_put_into_ours(account: Account, digest: Digest) -> None:
    agent = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/17.0 Mobile/15E148 Safari/604.1"
    )
    collect(
        account,
        call("track", event="Order Completed", userId="s", properties={"order_id": "o-1", "total": 20}),
        call("track", event="Product Added", userId="s"),
        call("track", event="order_completed", userId="s"),
        call(
            "page",
            userId="s",
            name="Home",
            context={
                "userAgent": agent,
                "page": {
                    "url": "https://x.example/home?utm_source=news&utm_campaign=May",
                    "referrer": "https://y.example/",
                    "title": "Welcome",
                },
            },
        ),
        call("screen", userId="s", name="Cart"),
        call("group", userId="s", groupId="g-1", traits={"size": 3}),
    )
    digest_all(digest)
    named = {name: (texts, order) for name, texts, order in rows("SELECT name, texts, order_id FROM events")}
    assert named["order.placed"][1] == "o-1"
    assert named["cart.updated"][0] == {"action": ["added"]}
    assert named["order_completed"][0] == {}
    assert named["group"][0] == {"group_id": ["g-1"], "size": ["3"]}
    [page, screen] = [
        texts for [texts] in rows("SELECT texts FROM events WHERE name = 'page.viewed' ORDER BY position")
    ]
    assert page == {
        "name": ["Home"],
        "title": ["Welcome"],
        "url": ["https://x.example/home?utm_source=news&utm_campaign=May"],
        "path": ["/home"],
        "referrer": ["https://y.example/"],
        "utm_source": ["news"],
        "utm_campaign": ["May"],
        "browser": ["Safari"],
        "device_type": ["mobile"],
    }
    assert screen == {"name": ["Cart"], "screen": ["Cart"]}


def test_a_privacy_signal_is_obeyed(account: Account, digest: Digest) -> None:
    def quiet(kind: str, **body: Any) -> Call:
        sent = call(kind, anonymousId="gpc", **body)
        sent.source, sent.agent = (
            "gpc",
            "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
        )
        return sent

    collect(
        account,
        quiet("page", userId="u", context={"page": {"url": "https://x.example/"}, "userAgent": "Firefox/1"}),
        quiet("track", event="form.submitted", properties={"email": "own@example.org"}),
        quiet("identify", userId="own-word", traits={"email": "word@example.org"}),
        quiet("alias", previousId="gpc", userId="u"),
        quiet("group", userId="u", groupId="g"),
    )
    digest_all(digest)
    [(contact, visitor, texts)] = rows(
        "SELECT contact, visitor, texts FROM events WHERE name = 'page.viewed'"
    )
    assert (contact, visitor.int) == (0, 0)
    assert texts == {"url": ["https://x.example/"], "path": ["/"]}
    assert people(account, "form.submitted") == {"own@example.org": 1}
    assert not VisitorLink.objects.exists()
    assert set(Contact.objects.values_list("email", flat=True)) == {"own@example.org", "word@example.org"}
    account.refresh_from_db()
    assert account.last_page_at is not None


def test_listeners_are_told_once_of_what_moves(account: Account, digest: Digest) -> None:
    told: list[fanout.Batch] = []

    class Listener:
        def prepare(self, batch: fanout.Batch) -> int:
            return len(batch.events)

        def apply(self, batch: fanout.Batch, prepared: int) -> None:
            assert prepared == len(batch.events)
            told.append(batch)

    listener = Listener()
    fanout.register(listener)
    try:
        collect(account, call("page", anonymousId="t1"))
        digest_all(digest)
        contact = Contact.objects.create(account=account, external_id="t")
        journal.append(
            [Touched([contact.pk]), Linked(identity.browser_of(account.pk, "t1"), contact.pk)],
            account_id=account.pk,
        )
        now = to_ms(clock.now())
        collect(account, Line("Tried", now, now, new_id(), {"id": contact.pk}, "t1", {}, history=True))
        digest_all(digest)
    finally:
        fanout._listeners.remove(listener)
    [first, *rest] = told
    assert [event.contact for event in first.events] == [0]
    [second] = [batch for batch in rest if batch.touched]
    assert second.touched == {contact.pk}
    assert [(event.contact, event.moves) for batch in rest for event in batch.events] == [(contact.pk, False)]
    assert [link for batch in rest for link in batch.linked] == [
        (identity.browser_of(account.pk, "t1"), contact.pk)
    ]
    assert people(account, "page.viewed") == {"t": 1}


def test_an_account_that_is_gone_holds_nobody_up(account: Account, digest: Digest) -> None:
    gone = Account.objects.create(name="Partie", write_key=new_id())
    collect(gone, call("track", event="Tried", userId="x"))
    gone.delete()
    collect(account, call("track", event="Tried", userId="y"))
    digest_all(digest)
    assert people(account, "Tried") == {"y": 1}


def test_a_browser_of_someone_erased_is_a_new_visitor(account: Account, digest: Digest) -> None:
    collect(account, call("identify", userId="ann", anonymousId="b"), call("page", anonymousId="b"))
    digest_all(digest)
    erased = Contact.objects.get(external_id="ann")
    contacts.erase(account_id=account.pk, contact_ids=[erased.pk], now=clock.now())
    collect(account, call("page", anonymousId="b"))
    digest_all(digest)
    collect(account, call("page", anonymousId="b", userId="bob"), call("page", anonymousId="b"))
    digest_all(digest)
    assert people(account, "page.viewed") == {"": 1, "bob": 3}
    links = VisitorLink.objects.order_by("generation").values_list("generation", "contact_id")
    assert list(links) == [(0, erased.pk), (1, Contact.objects.get(external_id="bob").pk)]


def test_a_worker_that_lost_its_shard_commits_nothing(
    account: Account, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(account, call("track", event="Tried", userId="x"), call("page", anonymousId="y"))
    other = Digest()

    def overtaken(name: str) -> None:
        if name == "digest.read":
            monkeypatch.undo()
            digest_all(other)

    monkeypatch.setattr(compose, "point", overtaken)
    digest_all(digest)
    assert people(account, "Tried") == {"x": 1}
    assert rows("SELECT count() FROM events WHERE name = 'page.viewed'") == [(1,)]
    assert Load.objects.filter(count__gt=0).count() == 2  # the calls, then the contact that they made


def test_a_shard_is_anothers_while_its_lease_runs(account: Account, digest: Digest) -> None:
    collect(account, call("track", event="Tried", userId="x"))
    Shard.objects.update_or_create(
        id=journal.shard_of(account.pk),
        defaults={"worker": "elsewhere/1/2/3", "lease_until": clock.machine_ms() + 60_000, "fence": 7},
    )
    assert digest.round() is False
    Shard.objects.update(lease_until=clock.machine_ms() - 1)
    digest_all(digest)
    assert people(account, "Tried") == {"x": 1}
    assert Shard.objects.get(id=journal.shard_of(account.pk)).fence == 8
