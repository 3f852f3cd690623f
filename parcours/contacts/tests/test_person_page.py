"""A contact's page without scripts: each part is a form of its own that leads back to the page."""

from __future__ import annotations

import pytest
from django.test import Client

from parcours.contacts import definitions
from parcours.contacts.models import ConsentChange, Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(shop: Shop) -> Client:
    client = Client(headers={"Accept-Language": "fr"})
    client.force_login(shop.user)
    return client


@pytest.fixture
def zoe(shop: Shop) -> Contact:
    definitions.declare_attribute(account_id=shop.account.pk, name="points", type="number", now=clock.now())
    (pk,) = shop.add(
        {
            "email": "zoe@example.org",
            "first_name": "Zoé",
            "attributes": {"points": 3},
            "consents": {"sms": "opted_out"},
        }
    )
    return Contact.objects.get(pk=pk)


def form_of(reader: Client, zoe: Contact) -> dict[str, str]:
    """What the form holds when it is opened."""
    form = reader.get(f"/contacts/{zoe.pk}/edit").context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def test_the_profile_is_changed_and_what_is_emptied_is_cleared(reader: Client, zoe: Contact) -> None:
    said = form_of(reader, zoe)
    attribute = next(name for name in said if name.startswith("attribute_"))
    assert (said["first_name"], said[attribute]) == ("Zoé", "3")
    said |= {"first_name": "", "city": "Évreux", attribute: "12.5"}
    answer = reader.post(f"/contacts/{zoe.pk}/edit", said)
    assert (answer.status_code, answer["Location"]) == (302, f"/contacts/{zoe.pk}")
    zoe.refresh_from_db()
    assert (zoe.first_name, zoe.city, zoe.attributes) == (None, "Évreux", {"points": 12.5})
    reader.post(f"/contacts/{zoe.pk}/edit", said | {attribute: ""})
    zoe.refresh_from_db()
    assert zoe.attributes == {}


def test_what_does_not_fit_is_said_beside_its_field(reader: Client, zoe: Contact) -> None:
    said = form_of(reader, zoe)
    attribute = next(name for name in said if name.startswith("attribute_"))
    answer = reader.post(f"/contacts/{zoe.pk}/edit", said | {attribute: "beaucoup"})
    assert answer.status_code == 422
    assert answer.context["form"].errors[attribute] == ["La valeur n’est pas un nombre."]
    answer = reader.post(f"/contacts/{zoe.pk}/edit", said | {"country": "XX"})
    assert "country" in answer.context["form"].errors
    zoe.refresh_from_db()
    assert zoe.attributes == {"points": 3}


def test_a_consent_needs_its_source_and_an_opt_out_more(reader: Client, zoe: Contact) -> None:
    said = {"channel": "sms", "value": "opted_in", "source": "au téléphone", "note": "le 3 mars"}
    assert reader.post(f"/contacts/{zoe.pk}/consent", said | {"source": " "}).status_code == 422
    refused = reader.post(f"/contacts/{zoe.pk}/consent", said)
    assert refused.status_code == 422
    assert "demandent" in refused.content.decode() or "demande" in refused.content.decode()
    assert reader.post(f"/contacts/{zoe.pk}/consent", said | {"resubscribe": "on"}).status_code == 302
    zoe.refresh_from_db()
    assert zoe.consent_sms == "opted_in"
    change = ConsentChange.objects.latest("pk")
    assert (change.before, change.after, change.source) == ("opted_out", "opted_in", "au téléphone")
    assert change.proof == {"user": "ada@example.org", "note": "le 3 mars"}
    page = reader.get(f"/contacts/{zoe.pk}").content.decode()
    assert "au téléphone" in page
    assert "le 3 mars" in page


def test_tags_and_lists(shop: Shop, reader: Client, zoe: Contact) -> None:
    made = definitions.create_list(account_id=shop.account.pk, name="Lettre", now=clock.now())
    reader.post(f"/contacts/{zoe.pk}/tags", {"tag": "<b>vip</b>"})
    reader.post(f"/contacts/{zoe.pk}/lists", {"list": str(made.pk)})
    page = reader.get(f"/contacts/{zoe.pk}").content.decode()
    assert "&lt;b&gt;vip&lt;/b&gt;" in page
    assert "<b>vip" not in page
    assert "Lettre" in page
    reader.post(f"/contacts/{zoe.pk}/tags", {"remove": "<b>vip</b>"})
    reader.post(f"/contacts/{zoe.pk}/lists", {"remove": str(made.pk)})
    assert not zoe.tags.exists()
    assert not zoe.list_memberships.exists()
    fragment = reader.post(f"/contacts/{zoe.pk}/tags", {"tag": " "}, headers={"HX-Request": "true"})
    assert "100 caractères" in fragment.content.decode()


def test_another_accounts_person_and_list(shop: Shop, other_shop: Shop, reader: Client, zoe: Contact) -> None:
    (theirs,) = other_shop.add({"email": "t@example.org"})
    foreign = definitions.create_list(account_id=other_shop.account.pk, name="F", now=clock.now())
    for part in ("edit", "consent", "tags", "lists"):
        assert reader.post(f"/contacts/{theirs}/{part}", {"list": "1"}).status_code == 404
    assert reader.post(f"/contacts/{zoe.pk}/lists", {"list": str(foreign.pk)}).status_code == 404
    assert not foreign.memberships.exists()
