"""Attributes renamed, given another type, deleted; tags too; and what uses them is asked first."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts import attribute_changes, definitions, queries, tags, uses
from parcours.contacts.models import AttributeDefinition, Contact, Tag
from parcours.contacts.tests.conftest import Shop
from parcours.contacts.uses import User
from parcours.lib import clock
from parcours.lib.problems import Invalid, Problem

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def bearers(shop: Shop, monkeypatch: Any) -> Shop:
    monkeypatch.setattr(attribute_changes, "_AT_ONCE", 4)
    shop.add(*({"email": f"p{n}@example.org", "attributes": {"points": n, "size": "38"}} for n in range(10)))
    shop.add({"email": "none@example.org"})
    return shop


def definition(shop: Shop, name: str = "points") -> AttributeDefinition:
    return AttributeDefinition.objects.select_related("account").get(account=shop.account, name=name)


def finished(job: Job) -> Job:
    assert jobs.round()
    job.refresh_from_db()
    assert job.status == Job.Status.FINISHED, job.error
    return job


def values(shop: Shop, name: str) -> list[Any]:
    rows = Contact.objects.filter(account=shop.account).order_by("pk")
    return [contact.attributes[name] for contact in rows if name in contact.attributes]


def test_a_new_name_takes_every_value_along(bearers: Shop) -> None:
    job = attribute_changes.rename(definition(bearers), "fidélité")
    assert definition(bearers, "fidélité").type == "number"
    with pytest.raises(Problem):
        attribute_changes.delete(definition(bearers, "fidélité"))
    late = bearers.add({"email": "late@example.org", "attributes": {"fidélité": 99}})
    finished(job)
    assert values(bearers, "fidélité") == [*range(10), 99]
    assert values(bearers, "points") == []
    assert Contact.objects.get(pk=late[0]).attributes == {"fidélité": 99}


@pytest.mark.parametrize("name", ["size", "a.b", "", " x", "x" * 101])
def test_names_that_cannot_be(bearers: Shop, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        attribute_changes.rename(definition(bearers), name)
    assert refused.value.errors[0]["pointer"] == "/name"


def test_a_type_changes_when_every_value_fits(bearers: Shop) -> None:
    finished(attribute_changes.change_type(definition(bearers, "size"), "number"))
    assert definition(bearers, "size").type == "number"
    assert values(bearers, "size") == [38] * 10
    finished(attribute_changes.change_type(definition(bearers, "size"), "list"))
    assert values(bearers, "size") == [[38]] * 10
    finished(attribute_changes.change_type(definition(bearers, "size"), "text"))
    assert values(bearers, "size") == ["38"] * 10


def test_a_change_of_type_stopped_half_way_counts_everybody_once(bearers: Shop, monkeypatch: Any) -> None:
    """The same as a kill for what is committed: the second worker begins where the first one left."""

    class Died(BaseException):
        pass

    def die(reached: str) -> None:
        if reached == "attribute.batch":
            raise Died

    job = attribute_changes.change_type(definition(bearers, "size"), "number")
    with monkeypatch.context() as patched:
        patched.setattr("parcours.lib.crashpoints.point", die)
        with pytest.raises(Died):
            jobs.round()
    Job.objects.filter(pk=job.pk).update(lease_until=0)
    job = finished(job)
    assert (job.accepted, job.done_lines, job.result["total"]) == (10, 10, 10)
    sizes = [person["attributes"]["size"] for person in bearers.people().values() if person["attributes"]]
    assert sizes == [38] * 10


def test_a_type_that_does_not_fit_changes_nothing_and_says_how_many(bearers: Shop) -> None:
    bearers.add({"email": "x@example.org", "attributes": {"size": "large"}})
    job = finished(attribute_changes.change_type(definition(bearers, "size"), "number"))
    assert job.result["misfits"] == 1
    assert job.result["examples"][0]["value"] == "large"
    assert definition(bearers, "size").type == "text"
    assert values(bearers, "size") == ["38"] * 10 + ["large"]


@pytest.mark.parametrize(
    ("value", "kind", "after"),
    [
        (True, "text", "true"),
        (1.5, "text", "1.5"),
        (1e22, "text", "10000000000000000000000"),
        (["a", 1], "text", "a, 1"),
        ("a;b, c", "list", ["a", "b", "c"]),
        ("oui", "boolean", True),
        (0, "boolean", False),
        ("2026-03-28", "date", "2026-03-28"),
        ("-12.5", "number", -12.5),
    ],
)
def test_values_under_another_type(value: Any, kind: str, after: Any) -> None:
    assert attribute_changes.convert(value, kind, zone="Europe/Paris") == after


def test_deleting_takes_every_value_away(bearers: Shop) -> None:
    finished(attribute_changes.delete(definition(bearers)))
    assert values(bearers, "points") == []
    assert not AttributeDefinition.objects.filter(name="points").exists()
    assert values(bearers, "size") == ["38"] * 10


@pytest.fixture
def used(bearers: Shop, monkeypatch: Any) -> Shop:
    def users(account_id: int) -> list[User]:
        criteria = {"all": [{"not": {"field": "attributes.points", "op": "gt", "value": 3}}, {"tag": "vip"}]}
        step = {"type": "update_contact", "set": {"attributes.size": "L"}, "unset": ["attributes.old"]}
        return [
            User("segment", "Segment", 1, "Fidèles", "/s", documents=(criteria,)),
            User(
                "journey",
                "Journey",
                2,
                "Accueil",
                "/j",
                documents=({"steps": [step], "entry": {"list": "7"}}, None),
            ),
            User("message", "Message", 3, "Soldes", "/m", texts=('{{ contact.attributes["two words"] }}',)),
        ]

    monkeypatch.setattr(uses, "_finders", [users])
    return bearers


def test_what_uses_what(used: Shop) -> None:
    found = uses.of_account(used.account.pk)
    assert [use.name for use in found.of("attribute", "points")] == ["Fidèles"]
    assert [use.name for use in found.of("attribute", "size")] == ["Accueil"]
    assert [use.name for use in found.of("attribute", "old")] == ["Accueil"]
    assert [use.name for use in found.of("attribute", "two words")] == ["Soldes"]
    assert [use.name for use in found.of("tag", "vip")] == ["Fidèles"]
    assert [use.name for use in found.of("list", 7)] == ["Accueil"]
    assert found.of("list", 8) == []


def test_what_is_used_is_neither_renamed_nor_deleted(used: Shop) -> None:
    used.add({"email": "v@example.org", "tags": ["vip"]})
    for refused in (
        lambda: attribute_changes.rename(definition(used), "other"),
        lambda: attribute_changes.delete(definition(used)),
        lambda: attribute_changes.change_type(definition(used), "text"),
        lambda: tags.rename(used.account, "vip", "VIP"),
        lambda: tags.delete(used.account, "vip"),
    ):
        with pytest.raises(Problem) as problem:
            refused()
        assert problem.value.status == 409
        assert "Fidèles" in problem.value.detail
    assert not Job.objects.exists()


def test_a_template_minds_no_type_and_what_came_meanwhile_stops_a_deletion(
    bearers: Shop, monkeypatch: Any
) -> None:
    monkeypatch.setattr(
        uses,
        "_finders",
        [lambda _account: [User("message", "Message", 3, "Soldes", "/m", texts=("attributes.points",))]],
    )
    finished(attribute_changes.change_type(definition(bearers), "text"))
    monkeypatch.setattr(uses, "_finders", [])
    job = attribute_changes.delete(definition(bearers))
    criteria = {"field": "attributes.points", "op": "exists"}
    monkeypatch.setattr(
        uses,
        "_finders",
        [lambda _account: [User("segment", "Segment", 1, "Fidèles", "/s", documents=(criteria,))]],
    )
    assert jobs.round()
    job.refresh_from_db()
    assert (job.status, "Fidèles" in job.error) == ("failed", True)
    assert len(values(bearers, "points")) == 10


def test_the_api_of_attributes(bearers: Shop) -> None:
    read = bearers.call("GET", "attributes/points").json()
    assert (read["type"], read["contacts"], read["uses"]) == ("number", 10, [])
    assert bearers.call("GET", "attributes/unknown").status_code == 404
    assert bearers.call("PATCH", "attributes/points", {}).status_code == 422
    answer = bearers.call("PATCH", "attributes/points", {"type": "text"})
    assert answer.status_code == 202
    assert jobs.round()
    assert bearers.call("GET", "attributes/points").json()["type"] == "text"
    assert bearers.call("DELETE", "attributes/points").status_code == 202
    assert jobs.round()
    assert bearers.call("GET", "attributes/points").status_code == 404


def test_an_odd_name(shop: Shop) -> None:
    shop.add({"email": "a@example.org", "attributes": {'a"b/c\\d': 1}})
    found = definition(shop, 'a"b/c\\d')
    finished(attribute_changes.rename(found, "plain"))
    assert values(shop, "plain") == [1]


def test_tags_are_renamed_merged_and_deleted(shop: Shop) -> None:
    shop.add(
        {"email": "a@example.org", "tags": ["old"]},
        {"email": "b@example.org", "tags": ["old", "new"]},
        {"email": "c@example.org", "tags": ["new"]},
    )
    assert tags.counts(shop.account.pk) == [("new", 2), ("old", 2)]
    finished(tags.rename(shop.account, "old", "new"))
    assert tags.counts(shop.account.pk) == [("new", 3)]
    assert shop.call("PATCH", "tags/new", {"name": "newest"}).status_code == 202
    assert jobs.round()
    assert shop.call("GET", "tags").json()["items"] == [{"name": "newest", "contacts": 3}]
    assert shop.call("DELETE", "tags/newest").status_code == 202
    assert jobs.round()
    assert not Tag.objects.exists()
    assert shop.call("DELETE", "tags/newest").status_code == 404


def test_every_attribute_is_counted_in_one_reading(bearers: Shop) -> None:
    strange = {'5" nails': 1, "back\\slash": 2, "été": 3, "a'b; --": None}
    bearers.add(
        {"email": "s@example.org", "attributes": strange},
        {"email": "t@example.org", "attributes": {"été": 4}},
    )
    names = ["points", "size", *strange, "nobody"]
    living = queries.living(bearers.account.pk)
    each = {name: queries.bearing(living, name).count() for name in names}
    assert queries.bearers(bearers.account.pk, names) == each
    assert (each["points"], each["été"], each["nobody"]) == (10, 2, 0)


def test_the_pages(bearers: Shop) -> None:
    reader = Client(headers={"Accept-Language": "fr"})
    reader.force_login(bearers.user)
    page = reader.get("/attributes/").content.decode()
    assert "points" in page
    found = definition(bearers)
    assert ">10<" in reader.get(f"/attributes/{found.pk}/count").content.decode()
    assert f'id="attribute-{found.pk}-count"' in reader.get("/attributes/counts").content.decode()
    answer = reader.post("/attributes/", {"name": "a.b", "type": "text"})
    assert answer.status_code == 422
    reader.post("/attributes/", {"name": "birthday", "type": "date"})
    assert definition(bearers, "birthday").type == "date"
    reader.post(f"/attributes/{found.pk}", {"name": "points", "type": "boolean"})
    assert jobs.round()
    assert "8 valeurs ne conviennent pas" in reader.get(f"/attributes/{found.pk}").content.decode()
    reader.post(f"/attributes/{found.pk}/delete")
    assert "En cours de modification" in reader.get("/attributes/").content.decode()
    assert jobs.round()
    assert ">points<" not in reader.get("/attributes/").content.decode()


def test_declared_by_the_api_as_before(shop: Shop) -> None:
    made = definitions.declare_attribute(account_id=shop.account.pk, name="n", type="list", now=clock.now())
    assert shop.call("GET", "attributes").json()["items"][0]["name"] == made.name
