"""Actions in bulk: on a choice or on all that match, by batches, killed and gone on, undone."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts import bulk, definitions, queries
from parcours.contacts.audience import Audience
from parcours.contacts.models import BulkStep, ConsentChange, Contact, ListMember, Tag
from parcours.contacts.tests.conftest import Shop
from parcours.contacts.views.bulk import _told
from parcours.events.models import JournalRow
from parcours.lib import clock
from parcours.lib.problems import Invalid, NotFound, Problem

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def crowd(shop: Shop, monkeypatch: Any) -> Shop:
    """Twenty-five contacts, worked on ten at a time."""
    monkeypatch.setattr(bulk, "_AT_ONCE", 10)
    shop.add(
        *({"email": f"p{n}@example.org", "first_name": "Ada", "tags": ["vip"] * (n % 2)} for n in range(25))
    )
    return shop


def do(shop: Shop, audience: Audience, action: str, **said: Any) -> Job:
    job = bulk.start(shop.account, audience, action, said)
    assert jobs.round()
    job.refresh_from_db()
    assert job.status == Job.Status.FINISHED, job.error
    return job


def undo(job: Job) -> Job:
    made = bulk.undo(job)
    assert jobs.round()
    made.refresh_from_db()
    assert made.status == Job.Status.FINISHED, made.error
    return made


def tagged(shop: Shop, name: str) -> int:
    return Tag.objects.filter(account=shop.account, name=name).count()


def test_tags_on_all_that_match_and_back(crowd: Shop) -> None:
    job = do(crowd, Audience(tag="vip"), "add_tag", tag="  été ")
    assert (job.accepted, job.done_lines, job.result["changed"]) == (12, 12, 12)
    assert tagged(crowd, "été") == 12
    again = do(crowd, Audience(search="ada"), "add_tag", tag="été")
    assert (again.done_lines, again.result["changed"]) == (25, 13)
    undo(again)
    assert tagged(crowd, "été") == 12
    assert not bulk.can_undo(Job.objects.get(pk=again.pk))
    with pytest.raises(Problem):
        bulk.undo(again)
    undo(job)
    assert tagged(crowd, "été") == 0


def test_a_filter_that_the_action_itself_empties(crowd: Shop) -> None:
    job = do(crowd, Audience(tag="vip"), "remove_tag", tag="vip")
    assert job.result["changed"] == 12
    assert tagged(crowd, "vip") == 0
    undo(job)
    assert tagged(crowd, "vip") == 12


def test_lists_and_who_was_on_them_already(crowd: Shop) -> None:
    made = definitions.create_list(account_id=crowd.account.pk, name="L", now=clock.now())
    everybody = list(queries.living(crowd.account.pk).values_list("pk", flat=True))
    do(crowd, Audience(ids=tuple(map(str, everybody[:5]))), "add_to_list", list=str(made.pk))
    assert made.memberships.count() == 5
    job = do(crowd, Audience(), "add_to_list", list=str(made.pk))
    assert (made.memberships.count(), job.result["changed"]) == (25, 20)
    undo(job)
    assert set(made.memberships.values_list("contact_id", flat=True)) == set(everybody[:5])
    off = do(crowd, Audience(list=str(made.pk)), "remove_from_list", list=str(made.pk))
    assert off.result["changed"] == 5
    undo(off)
    assert made.memberships.count() == 5


def test_an_opt_out_gives_way_only_when_that_is_said(crowd: Shop) -> None:
    do(crowd, Audience(tag="vip"), "set_consent", channel="email", value="opted_out", source="letters")
    job = do(crowd, Audience(), "set_consent", channel="email", value="opted_in", source="fair")
    assert (job.result["changed"], job.result["kept_opted_out"]) == (13, 12)
    assert Contact.objects.filter(consent_email="opted_out").count() == 12
    do(crowd, Audience(), "set_consent", channel="email", value="opted_in", source="form", resubscribe=True)
    assert Contact.objects.filter(consent_email="opted_in").count() == 25
    assert ConsentChange.objects.filter(source="form").count() == 12
    assert not bulk.can_undo(job)


def test_an_attribute_that_fits(crowd: Shop) -> None:
    definitions.declare_attribute(account_id=crowd.account.pk, name="points", type="number", now=clock.now())
    job = do(crowd, Audience(tag="vip"), "set_attribute", name="points", value="12")
    assert job.result["changed"] == 12
    assert Audience(attribute="points").count(crowd.account) == 12
    assert {contact.attributes.get("points") for contact in Contact.objects.filter(tags__name="vip")} == {12}
    wider = do(crowd, Audience(), "set_attribute", name="points", value="12")
    assert (wider.accepted, wider.result["changed"]) == (25, 13), "the others had it already"
    emptied = do(crowd, Audience(tag="vip"), "set_attribute", name="points", value="")
    assert emptied.result["changed"] == 12
    assert Audience(attribute="points").count(crowd.account) == 13


def test_the_value_of_an_attribute_is_asked_for_as_its_type_is(crowd: Shop) -> None:
    for name, kind in (("born", "date"), ("points", "number"), ("vip", "boolean"), ("sizes", "list")):
        definitions.declare_attribute(account_id=crowd.account.pk, name=name, type=kind, now=clock.now())
    reader = Client(headers={"Accept-Language": "fr"})
    reader.force_login(crowd.user)
    where = "/contacts/bulk?tag=vip&action=set_attribute"

    def control(name: str) -> str:
        page = reader.get(f"{where}&name={name}").content.decode()
        assert f'<option value="{name}" selected>' in page
        return page.partition('id="field-value"')[2].partition("</form>")[0]

    assert 'type="date"' in control("born")
    assert 'inputmode="decimal"' in control("points")
    assert "séparées par des virgules" in control("sizes")
    assert re.findall(r"<option value=\"(\w*)\"[^>]*>([^<]+)<", control("vip")) == [
        ("", "Aucune valeur"),
        ("true", "Oui"),
        ("false", "Non"),
    ]
    refused = reader.post(where, {"name": "vip", "value": "perhaps"})
    assert refused.status_code == 422
    assert reader.post(where, {"name": "vip", "value": "true"}).status_code == 302
    assert jobs.round()
    assert Audience(attribute="vip").count(crowd.account) == 12


@pytest.mark.parametrize(
    ("action", "said", "columns"),
    [
        ("add_tag", {"tag": "new"}, {"updated_at"}),
        ("remove_tag", {"tag": "vip"}, {"updated_at"}),
        ("set_attribute", {"name": "points", "value": "3"}, {"attributes", "updated_at"}),
        (
            "set_consent",
            {"channel": "sms", "value": "opted_in", "source": "x"},
            {"consent_sms", "updated_at"},
        ),
    ],
)
def test_no_index_is_written_for_what_stays(
    crowd: Shop, action: str, said: dict[str, str], columns: set[str]
) -> None:
    """A column that is written as it was costs its indexes as much as another value would."""
    definitions.declare_attribute(account_id=crowd.account.pk, name="points", type="number", now=clock.now())
    with CaptureQueriesContext(connection) as seen:
        assert do(crowd, Audience(tag="vip"), action, **said).result["changed"] == 12
    written = {
        column
        for query in seen.captured_queries
        if (found := re.search(r'UPDATE "?contacts_contact"? SET (.*) WHERE', query["sql"], re.DOTALL))
        for column in re.findall(r'"?(\w+)"? = ', found[1])
    }
    assert written == columns
    assert not Contact.objects.filter(
        tags__name="vip", updated_at__lt=clock.now() - timedelta(hours=1)
    ).exists()


def test_who_opted_out_is_not_among_those_who_were_so_already(crowd: Shop) -> None:
    crowd.add({"email": "p0@example.org", "consents": {"email": "opted_out"}})
    crowd.add({"email": "p2@example.org", "consents": {"email": "opted_in"}})
    job = do(crowd, Audience(), "set_consent", channel="email", value="opted_in", source="x")
    told = _told(job)
    assert (told["changed"], told["kept_opted_out"], told["unchanged"]) == (23, 1, 1)


def test_how_long_it_still_takes_is_told(crowd: Shop, client: Client) -> None:
    job = bulk.start(crowd.account, Audience(), "add_tag", {"tag": "new"})
    assert _told(job)["total"] is None
    Job.objects.filter(pk=job.pk).update(
        status=Job.Status.RUNNING,
        done_lines=100,
        result={"total": 400, "began_ms": clock.machine_ms() - 10_000},
    )
    job.refresh_from_db()
    assert 29_000 < (_told(job)["left_ms"] or 0) < 40_000


def test_erasing_many(crowd: Shop) -> None:
    job = do(crowd, Audience(tag="vip"), "erase")
    assert job.result["changed"] == 12
    assert queries.living(crowd.account.pk).count() == 13
    assert Contact.objects.count() == 25


@pytest.mark.parametrize(
    ("action", "said", "pointer"),
    [
        ("add_to_list", {"list": "999"}, "/list"),
        ("add_tag", {"tag": " "}, "/tag"),
        ("add_tag", {"tag": "x" * 101}, "/tag"),
        ("set_attribute", {"name": "none", "value": "1"}, "/name"),
        ("set_consent", {"channel": "fax", "value": "opted_in", "source": "x"}, "/channel"),
        ("set_consent", {"channel": "email", "value": "yes", "source": "x"}, "/value"),
        ("set_consent", {"channel": "email", "value": "opted_in", "source": " "}, "/source"),
        ("replace_tag", {"tag": "vip", "by": "vip"}, "/by"),
        ("dance", {}, "/action"),
    ],
)
def test_what_does_not_fit_is_refused(crowd: Shop, action: str, said: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        bulk.start(crowd.account, Audience(), action, said)
    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]
    assert not Job.objects.exists()


def test_another_accounts_list_is_unknown(crowd: Shop, other_shop: Shop) -> None:
    theirs = definitions.create_list(account_id=other_shop.account.pk, name="L", now=clock.now())
    with pytest.raises(Invalid):
        bulk.start(crowd.account, Audience(), "add_to_list", {"list": str(theirs.pk)})
    with pytest.raises(NotFound):
        bulk.start(crowd.account, Audience(list=str(theirs.pk)), "erase", {})
    (stranger,) = other_shop.add({"email": "s@example.org"})
    job = do(crowd, Audience(ids=(str(stranger),)), "erase")
    assert job.result.get("changed", 0) == 0
    assert queries.living(other_shop.account.pk).count() == 1


@pytest.mark.parametrize("place", ["bulk.uncommitted:2", "bulk.batch:1"])
def test_stopped_half_way_it_goes_on_where_it_was(crowd: Shop, monkeypatch: Any, place: str) -> None:
    """The same as a kill for what is committed: the second worker finds what the first one left."""
    name, count = place.split(":")
    left = [int(count)]

    class Died(BaseException):
        pass

    def point(reached: str) -> None:
        if reached == name:
            left[0] -= 1
            if left[0] == 0:
                raise Died

    job = bulk.start(crowd.account, Audience(), "add_tag", {"tag": "new"})
    with monkeypatch.context() as patched:
        patched.setattr("parcours.lib.crashpoints.point", point)
        with pytest.raises(Died):
            jobs.round()
    assert tagged(crowd, "new") == 10
    Job.objects.filter(pk=job.pk).update(lease_until=0)
    newcomer = crowd.add({"email": "late@example.org"})  # not among those who were meant
    assert jobs.round()
    job.refresh_from_db()
    assert (job.status, job.done_lines, job.result["changed"]) == (Job.Status.FINISHED, 25, 25)
    assert not Tag.objects.filter(contact_id__in=newcomer, name="new").exists()
    assert sorted(step.number for step in BulkStep.objects.all()) == [1, 2, 3]
    assert tagged(crowd, "new") == 25


def test_the_journal_is_told_once_of_each(crowd: Shop) -> None:
    before = sum(JournalRow.objects.values_list("count", flat=True))
    made = definitions.create_list(account_id=crowd.account.pk, name="L", now=clock.now())
    do(crowd, Audience(), "add_to_list", list=str(made.pk))
    told = sum(JournalRow.objects.values_list("count", flat=True)) - before
    assert told == 25 + 3  # a joining for each, and who was touched once a batch
    assert ListMember.objects.count() == 25


def test_by_the_api(crowd: Shop) -> None:
    answer = crowd.call("POST", "contacts/bulk", {"who": {"tag": "vip"}, "action": "add_tag", "tag": "a"})
    assert answer.status_code == 202, answer.content
    assert jobs.round()
    job = crowd.call("GET", f"jobs/{answer.json()['job']}").json()
    assert (job["status"], job["accepted"], job["result"]["changed"]) == ("finished", 12, 12)
    assert crowd.call("POST", f"contacts/bulk/{job['job']}/undo").status_code == 202
    assert jobs.round()
    assert tagged(crowd, "a") == 0
    assert crowd.call("POST", f"contacts/bulk/{job['job']}/undo").status_code == 409
    nobody = crowd.call("POST", "contacts/bulk", {"who": {}, "action": "add_tag", "tag": "a"})
    assert nobody.json()["errors"][0]["pointer"] == "/who"
    wrong = crowd.call("POST", "contacts/bulk", {"who": {"tag": "vip"}, "action": "erase", "count": 11})
    assert wrong.json()["errors"][0]["pointer"] == "/count"
    right = crowd.call("POST", "contacts/bulk", {"who": {"tag": "vip"}, "action": "erase", "count": 12})
    assert right.status_code == 202
    assert jobs.round()
    assert queries.living(crowd.account.pk).count() == 13


def test_from_the_page(crowd: Shop) -> None:
    reader = Client(headers={"Accept-Language": "fr"})
    reader.force_login(crowd.user)
    page = reader.get("/contacts/bulk?tag=vip").content.decode()
    assert "Ajouter une étiquette" in page
    assert ">12<" in page
    answer = reader.post("/contacts/bulk?tag=vip&action=erase", {"confirm": "11"})
    assert answer.status_code == 422
    answer = reader.post("/contacts/bulk?tag=vip&action=add_tag", {"tag": "Noël"})
    assert answer.status_code == 302
    address = answer["Location"]
    assert "hx-get" in reader.get(address).content.decode()
    assert jobs.round()
    page = reader.get(f"{address}/progress").content.decode()
    assert "L’action est faite." in page
    assert "hx-get" not in page
    back = reader.post(f"{address}/undo")
    assert jobs.round()
    assert "L’action est annulée." in reader.get(back["Location"]).content.decode()
    assert tagged(crowd, "Noël") == 0
    reader.post("/contacts/bulk?tag=vip&action=erase", {"confirm": "12"})
    assert jobs.round()
    assert queries.living(crowd.account.pk).count() == 13
