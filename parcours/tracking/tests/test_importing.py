"""Event lines in bulk: taken, refused by number, once whatever is killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts.importing import uploads
from parcours.contacts.models import Contact
from parcours.events import journal
from parcours.events.entries import Line
from parcours.events.models import JournalRow
from parcours.lib.ids import new_id
from parcours.lib.problems import Invalid
from parcours.tracking import importing
from parcours.tracking.tests.test_digest import digest, digest_all, people  # noqa: F401 - a fixture

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.database,
    pytest.mark.usefixtures("no_uploads"),
]


@pytest.fixture
def account() -> Account:
    return Account.objects.create(name="Maison Verte", write_key=new_id(), timezone="Europe/Paris")


def imported(account: Account, lines: list[Any], *, history: bool = False) -> Job:
    body = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    job = importing.start(account, [body[:7], body[7:]], history=history)
    assert jobs.round()
    job.refresh_from_db()
    return job


def lines_kept(account: Account) -> list[Line]:
    rows = JournalRow.objects.filter(account_id=account.pk).order_by("id")
    entries = [entry for row in rows for entry in journal.decode(row.body)]
    return [entry for entry in entries if isinstance(entry, Line)]


def test_lines_are_taken_and_the_others_refused_by_number(account: Account) -> None:
    known = Contact.objects.create(account=account, external_id="known", email="known@example.org")
    other = Contact.objects.create(
        account=Account.objects.create(name="Autre", write_key="x"), external_id="o"
    )
    Contact.objects.create(account=account, email="second@example.org")
    at = "2024-05-01T10:00:00Z"
    job = imported(
        account,
        [
            {
                "name": "order.placed",
                "occurred_at": at,
                "contact": {"id": str(known.pk)},
                "properties": {"total": 9.5},
            },
            {"name": "Tried", "contact": {"email": "NEW@example.org"}, "message_id": 7},
            "not json",
            {"name": "Tried", "contact": {"id": "999999"}},
            {"name": "Tried", "contact": {"id": str(other.pk)}},
            "",
            {"name": "Tried", "contact": {"external_id": "known", "email": "second@example.org"}},
            {"name": "Tried"},
            {"name": "Tried", "anonymous_id": "undefined"},
            {"name": "Tried", "anonymous_id": "visitor", "properties": {"a": {"b": [1, "x"]}}},
            {"name": "page.seen", "contact": {"external_id": "known"}},
            {"name": "journey.entered", "contact": {"external_id": "known"}},
            {"name": "Tried", "contact": {"external_id": "known"}, "occurred_at": "01/05/2024"},
            {"name": "Tried", "contact": {"external_id": "known"}, "property": {}},
            {"name": "Tried", "contact": {"name": "x"}},
            {"name": "Tried", "contact": {"external_id": "known"}, "properties": []},
            {"name": "Tried", "contact": {"external_id": "known"}, "deal": {"id": 1}},
            {"name": "form.submitted", "contact": {"external_id": "nameless"}},
            {"name": "form.submitted", "anonymous_id": "v", "properties": {"email": "form@example.org"}},
            {"name": "form.submitted", "anonymous_id": "v"},
            "x" * 300_000,
            {
                "name": "email.clicked",
                "contact": {"external_id": "known"},
                "message": "12",
                "send": "s-1",
                "machine": True,
            },
            '{"name": "Tried", "contact": {"external_id": "known"}, "properties": {"n": 1e400}}',
            '{"name": "Tried", "contact": {"external_id": "known"}, "properties": {"n": 99999999999999999999}}',
        ],
    )
    assert job.status == Job.Status.FINISHED
    assert job.accepted == 5
    refused = {each["line"]: each["reason"] for each in job.refused}
    assert sorted(refused) == [3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 24]
    assert all(refused.values())
    kept = lines_kept(account)
    assert [line.name for line in kept] == [
        "order.placed",
        "Tried",
        "Tried",
        "form.submitted",
        "email.clicked",
    ]
    assert kept[0].contact == {"id": known.pk}
    assert kept[1].message_id == "7"
    assert kept[4].links == {"message": "12", "send": "s-1", "machine": True}
    assert not list(uploads.folder().glob("*"))


def test_dates_without_an_offset_are_in_the_accounts_zone(account: Account) -> None:
    imported(
        account,
        [
            {"name": "Tried", "anonymous_id": "v", "occurred_at": "2024-05-01"},
            {"name": "Tried", "anonymous_id": "v", "occurred_at": "2024-05-01T00:00:00+00:00"},
        ],
    )
    [local, utc] = lines_kept(account)
    assert utc.occurred_at - local.occurred_at == 2 * 3_600_000


def test_nothing_is_not_imported(account: Account) -> None:
    with pytest.raises(Invalid):
        importing.start(account, [b""])


def test_an_import_goes_on_from_its_last_commit(
    account: Account, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 3)
    body = b"\n".join(b'{"name":"Tried","anonymous_id":"v","message_id":"%d"}' % n for n in range(10))
    job = importing.start(account, [body])

    class Killed(BaseException):
        pass

    for place in ("import.uncommitted", "import.batch", "import.uncommitted", "import.complete"):

        def die(name: str, place: str = place) -> None:
            if name == place:
                raise Killed

        monkeypatch.setattr(importing.crashpoints, "point", die)
        with pytest.raises(Killed):
            jobs.round()
        Job.objects.update(lease_until=0)
    monkeypatch.undo()
    assert jobs.round()
    job.refresh_from_db()
    assert (job.status, job.accepted) == (Job.Status.FINISHED, 10)
    assert [line.message_id for line in lines_kept(account)] == [str(n) for n in range(10)]


@pytest.mark.usefixtures("store")
def test_imported_events_are_their_peoples(account: Account, digest: Any) -> None:  # noqa: F811
    imported(
        account,
        [
            {"name": "page.viewed", "anonymous_id": "v1"},
            {"name": "Order Completed", "contact": {"email": "ann@example.org"}, "anonymous_id": "v1"},
            {"name": "page.viewed", "anonymous_id": "v1"},
        ],
        history=True,
    )
    digest_all(digest)
    assert people(account, "page.viewed") == {"ann@example.org": 2}
    assert people(account, "order.placed") == {"ann@example.org": 1}
