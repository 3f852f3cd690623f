"""An import undone: who came with it goes, what it changed goes back, unless something happened since."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.contacts import actions, definitions, queries
from parcours.contacts.importing import keeping
from parcours.contacts.importing.models import Import, ImportChange, ImportPart
from parcours.contacts.models import Contact, ListMember, Tag
from parcours.contacts.tests.conftest import Shop, streamed
from parcours.events import journal
from parcours.events.entries import Line
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.tracking.digest.run import Digest

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("no_uploads", "store"),
    pytest.mark.database,
]


@pytest.fixture(autouse=True)
def digest() -> Iterator[Digest]:
    collected = journal.open_collector_journal()
    collected.trim(2**62)
    yield Digest()
    collected.trim(2**62)


def _finish(digest: Digest) -> None:
    while digest.round():
        pass


def _undo(shop: Shop, job: dict[str, Any], digest: Digest) -> dict[str, Any]:
    answer = shop.call("post", f"contacts/import/{job['job']}/undo")
    assert answer.status_code == 202, answer.content
    _finish(digest)
    assert jobs.round()
    _finish(digest)
    return shop.client.get(f"/api/v1/jobs/{answer.json()['job']}").json()


def _told(shop: Shop, name: str, contact_id: int, digest: Digest) -> None:
    now = to_ms(clock.now())
    line = Line(name, now, now, new_id(), {"id": contact_id}, None, {})
    journal.append([line], account_id=shop.account.pk)
    _finish(digest)


def test_everything_goes_back(shop: Shop, digest: Digest) -> None:
    letter = definitions.create_list(account_id=shop.account.pk, name="Letter", now=clock.now())
    shop.add(
        {
            "email": "known@example.org",
            "first_name": "Ada",
            "city": "Paris",
            "attributes": {"points": 3},
            "tags": ["old"],
            "consents": {"sms": "opted_in"},
        },
        {"email": "same@example.org", "first_name": "Bob"},
    )
    before = shop.people()
    body = (
        b"email,first_name,phone,attributes.points,consents.sms,consents.email,tags\n"
        b"known@example.org,Grace,+33612345678,7,opted_out,opted_in,new;old\n"
        b"fresh@example.org,New,,1,,opted_in,new\n"
        b"same@example.org,Bob,,,,,\n"
    )
    job = shop.take(body, f"?list={letter.pk}")
    assert (job["result"]["created"], job["result"]["updated"]) == (1, 1)
    assert shop.people()["known@example.org"]["first_name"] == "Grace"
    told = _undo(shop, job, digest)
    assert (told["status"], told["result"]["erased"], told["result"]["kept"]) == ("finished", 1, 0), told
    after = shop.people()
    for people in (before, after):
        for person in people.values():
            person.pop("updated_at")
    assert after == before
    assert not ImportChange.objects.exists()
    assert Contact.objects.filter(erased_at__isnull=False).count() == 1
    again = shop.call("post", f"contacts/import/{job['job']}/undo")
    assert (again.status_code, again.json()["type"]) == (409, "not-undoable")
    assert shop.take(body)["result"]["created"] == 1


def test_what_happened_since_stays_and_is_told(shop: Shop, digest: Digest) -> None:
    shop.add({"email": "a@example.org", "first_name": "Ada", "city": "Paris"})
    (taken,) = shop.add({"email": "b@example.org", "external_id": "u1"})
    body = (
        b"email,first_name,city,external_id\n"
        b"a@example.org,Grace,Lyon,\n"
        b"b@example.org,,,u2\n"
        b"bought@example.org,,,\n"
        b"quiet@example.org,,,\n"
        b"renamed@example.org,,,\n"
    )
    job = shop.take(body)
    people = shop.people()
    shop.add({"email": "a@example.org", "city": "Brest"}, {"email": "c@example.org", "external_id": "u1"})
    clock_later = clock.now()
    actions.update_fields(
        shop.account,
        [int(people["renamed@example.org"]["id"])],
        sets={"first_name": "Ren"},
        source="page",
        now=clock_later,
    )
    _told(shop, "order.placed", int(people["bought@example.org"]["id"]), digest)
    told = _undo(shop, job, digest)
    after = shop.people()
    assert set(after) == {
        "a@example.org",
        "b@example.org",
        "c@example.org",
        "bought@example.org",
        "renamed@example.org",
    }
    assert (after["a@example.org"]["first_name"], after["a@example.org"]["city"]) == ("Ada", "Brest")
    assert after["b@example.org"]["external_id"] == "u2"
    assert (told["result"]["erased"], told["result"]["kept"]) == (1, 4)
    reasons = {each["contact"]: each["reason"] for each in told["result"]["told"]}
    assert "city" in reasons[people["a@example.org"]["id"]]
    assert "external_id" in reasons[str(taken)]


def test_erasure_takes_away_what_was_kept(shop: Shop, digest: Digest) -> None:
    (person,) = shop.add({"email": "a@example.org", "first_name": "Secret"})
    job = shop.take(b"email,first_name\na@example.org,Other\n")
    assert ImportChange.objects.filter(contact_id=person).exists()
    actions.erase(account_id=shop.account.pk, contact_ids=[person], now=clock.now())
    assert not ImportChange.objects.exists()
    assert _undo(shop, job, digest)["result"]["restored"] == 0


def test_another_accounts_import_is_none(shop: Shop, other_shop: Shop) -> None:
    job = shop.take(b"email\na@example.org\n")
    assert other_shop.call("post", f"contacts/import/{job['job']}/undo").status_code == 404
    assert other_shop.call("post", "contacts/import/999999/undo").status_code == 404


def test_after_thirty_days_nothing_is_kept(shop: Shop) -> None:
    job = shop.take(b"email\na@example.org\nnonsense\n")
    imported = Import.objects.get()
    assert keeping.forget(clock.now()) == 0
    assert keeping.forget(clock.now() + keeping.KEPT) == 1
    assert not ImportPart.objects.exists()
    imported.refresh_from_db()
    assert imported.path == ""
    assert shop.call("post", f"contacts/import/{job['job']}/undo").status_code == 409


def test_refused_lines_are_handed_back_as_they_stood(shop: Shop) -> None:
    body = (
        'Prénom;email;note\nZoé;nonsense;=1+1\nAda;a@example.org;fine\nLéo;autre;"two\nlines"\nshort\n'
    ).encode()
    job = shop.take(body)
    assert [each["line"] for each in job["refused"]] == [2, 4, 6]
    client = shop.client.__class__()
    client.force_login(shop.user)
    sent = streamed(client.get(f"/contacts/import/{Import.objects.get().pk}/refused.csv")).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(sent)))
    assert rows[0][2:] == ["Prénom", "email", "note"]
    assert [(row[0], row[2:]) for row in rows[1:]] == [
        ("2", ["Zoé", "nonsense", "'=1+1"]),
        ("4", ["Léo", "autre", "two\nlines"]),
        ("6", ["short"]),
    ]
    mended = sent.replace("nonsense", "zoe@example.org").replace("autre", "leo@example.org")
    again = shop.take(mended.encode())
    assert (again["accepted"], len(again["refused"])) == (2, 1)
    assert shop.people()["leo@example.org"]["first_name"] == "Léo"


def test_lists_and_tags_alone(shop: Shop, digest: Digest) -> None:
    letter = definitions.create_list(account_id=shop.account.pk, name="Letter", now=clock.now())
    one, two = shop.add({"email": "a@example.org"}, {"email": "b@example.org"})
    job = shop.take(
        b"email,tags\na@example.org,vip\nb@example.org,vip\n", f"?list={letter.pk}&tag=all,%20more"
    )
    assert {tag.name for tag in Tag.objects.filter(contact_id=one)} == {"vip", "all", "more"}
    actions.remove_from_list(
        account_id=shop.account.pk, list_id=letter.pk, contact_ids=[two], source="page", now=clock.now()
    )
    actions.add_to_list(
        account_id=shop.account.pk, list_id=letter.pk, contact_ids=[two], source="page", now=clock.now()
    )
    _undo(shop, job, digest)
    assert not Tag.objects.exists()
    assert list(ListMember.objects.values_list("contact_id", flat=True)) == [two]
    assert queries.living(shop.account.pk).count() == 2
