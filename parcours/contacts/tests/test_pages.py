"""The pages of contacts and lists, in both languages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from parcours.accounts import jobs
from parcours.contacts import definitions, queries
from parcours.contacts.importing.models import Import
from parcours.contacts.models import Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(shop: Shop) -> Client:
    client = Client(headers={"Accept-Language": "fr"})
    client.force_login(shop.user)
    return client


def text_of(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_nobody_yet_then_somebody_by_hand(shop: Shop, reader: Client) -> None:
    assert "Personne ici pour l’instant" in text_of(reader.get("/contacts/"))
    answer = reader.post("/contacts/new", {"email": "pas une adresse"})
    assert answer.status_code == 422
    assert "n’est pas une adresse e-mail" in answer.content.decode()
    answer = reader.post(
        "/contacts/new",
        {"email": "zoe@example.org", "first_name": "<b>Zoé</b>", "consent_email": "on"},
        follow=True,
    )
    page = text_of(answer)
    assert "&lt;b&gt;Zoé&lt;/b&gt;" in page
    assert "<b>Zoé" not in page
    assert "En attente → <strong>Abonné" in page.replace("\n", "")
    assert "1 contact" in text_of(reader.get("/contacts/"))


def test_search_and_pages(shop: Shop, reader: Client) -> None:
    shop.add(*({"email": f"p{n}@example.org", "first_name": "Ada"} for n in range(60)))
    first = text_of(reader.get("/contacts/"))
    assert "60 contacts" in first
    assert first.count('class="person"') == 50
    cursor = first.split("?cursor=")[1].split('"')[0]
    assert text_of(reader.get(f"/contacts/?cursor={cursor}")).count('class="person"') == 10
    assert text_of(reader.get("/contacts/?cursor=forged")).count('class="person"') == 50
    assert text_of(reader.get("/contacts/?search=p59")).count('class="person"') == 1
    assert "Personne ne répond" in text_of(reader.get("/contacts/?search=personne"))


def test_lists_by_hand(shop: Shop, reader: Client) -> None:
    (ada,) = shop.add({"email": "ada@example.org"})
    page = text_of(reader.post("/lists/", {"name": "Lettre d’été"}, follow=True))
    assert "Lettre d’été" in page
    made = queries.lists(shop.account.pk).get()
    page = text_of(reader.post(f"/lists/{made.pk}/add", {"key": " Ada@example.org"}, follow=True))
    assert "ada@example.org" in page
    page = text_of(reader.post(f"/lists/{made.pk}/add", {"key": "inconnu@example.org"}, follow=True))
    assert "Aucun contact" in page
    assert "Lettre d’été" in text_of(reader.get(f"/contacts/{ada}"))
    text_of(reader.post(f"/lists/{made.pk}/rename", {"name": "Été"}, follow=True))
    text_of(reader.post(f"/lists/{made.pk}/remove/{ada}", follow=True))
    assert not made.memberships.exists()
    text_of(reader.post(f"/lists/{made.pk}/delete", follow=True))
    assert not queries.lists(shop.account.pk).exists()


def test_erasing_from_the_page(shop: Shop, reader: Client) -> None:
    (ada,) = shop.add({"email": "ada@example.org"})
    assert "Cette personne est effacée" in text_of(reader.post(f"/contacts/{ada}/erase", follow=True))
    assert reader.get(f"/contacts/{ada}").status_code == 404
    assert Contact.objects.get(pk=ada).email is None


def test_an_import_says_that_it_waits_then_how_much_of_what_it_refused_is_shown(
    shop: Shop, reader: Client
) -> None:
    shop.send(b"email\na@example.org\n" + b"nobody\n" * 60)
    path = f"/contacts/import/{Import.objects.get().pk}"
    assert "En attente de commencer." in text_of(reader.get(path))
    assert jobs.round()
    page = text_of(reader.get(path))
    assert page.count("“nobody”") == 50
    assert "Les 50 premières sur 60" in page


def test_pages_of_another_account_do_not_exist(shop: Shop, other_shop: Shop, reader: Client) -> None:
    (theirs,) = other_shop.add({"email": "a@example.org"})
    foreign = definitions.create_list(account_id=other_shop.account.pk, name="x", now=clock.now()).pk
    other_shop.send(b"email\nz@example.org\n")
    job = other_shop.client.get("/api/v1/jobs").json()["items"][0]["job"]
    for path in (
        f"/contacts/{theirs}",
        f"/contacts/{theirs}/timeline",
        f"/lists/{foreign}",
        f"/contacts/import/{job}",
        f"/contacts/import/{job}/progress",
        f"/contacts/import/{job}/refused.csv",
    ):
        assert reader.get(path).status_code == 404, path
    for path in (
        f"/contacts/{theirs}/erase",
        f"/lists/{foreign}/delete",
        f"/lists/{foreign}/remove/{theirs}",
    ):
        assert reader.post(path).status_code == 404, path
