"""Where a consent comes from is told by names and dates, with links, and never by ids that only the product knows."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client
from django.utils import translation

from parcours.accounts import jobs
from parcours.contacts import actions, bulk
from parcours.contacts.audience import Audience
from parcours.contacts.importing.models import Import
from parcours.contacts.models import ConsentChange, Contact
from parcours.contacts.tests.conftest import Shop
from parcours.lib import clock
from parcours.messaging.models import Message
from parcours.ui import formats

pytestmark = pytest.mark.django_db


def shown(shop: Shop, contact: int, language: str = "fr") -> str:
    """The history of consents on a contact's page, tags but links left out."""
    client = Client(headers={"Accept-Language": language})
    client.force_login(shop.user)
    page = client.get(f"/contacts/{contact}").content.decode()
    (part,) = re.findall(r'<ul class="list-unstyled mb-0">\s*(<li class="mb-2">.*?)</ul>', page, re.S)
    return " ".join(html.unescape(re.sub(r"<(?!/?a\b)[^>]*>", " ", part)).split()).replace("\u00a0", " ")


def one(shop: Shop) -> int:
    return Contact.objects.get(account=shop.account).pk


def test_an_import_is_told_by_its_file_and_its_day(shop: Shop) -> None:
    shop.take(b"email\na@example.org\n", "?consent_email=opted_in")
    imported = Import.objects.get()
    imported.filename = "salon <2026>.csv"
    imported.save()
    text = shown(shop, one(shop))
    with translation.override("en"):
        day = formats.day(imported.created_at)
    link = f'<a href="/contacts/import/{imported.pk}">'
    assert f"· {link}Import « salon <2026>.csv » du " in text
    assert "&lt;2026&gt;" not in text
    assert f"{link}Import “salon <2026>.csv” of {day}</a>" in shown(shop, one(shop), "en")
    assert Client().get(f"/contacts/import/{imported.pk}").status_code == 302  # not for who is not signed in


def test_a_source_that_was_given_comes_first_and_its_import_beside(shop: Shop) -> None:
    shop.take(
        b"email\na@example.org\n",
        "?consent_email=opted_in&source=Salon%20de%20Lyon&proof=fiches&consented_on=2026-03-03",
    )
    text = shown(shop, one(shop))
    assert "· Salon de Lyon <a href=" in text
    assert "date du consentement : 3 mars 2026" in text
    assert "preuve : fiches" in text


def test_a_file_without_a_name_and_an_import_that_is_gone(shop: Shop) -> None:
    shop.take(b"email\na@example.org\n", "?consent_email=opted_in")
    Import.objects.update(filename="")
    assert ">Import du " in shown(shop, one(shop))
    Import.objects.all().delete()
    text = shown(shop, one(shop))
    assert "· un import" in text
    assert "<a" not in text


def test_an_action_in_bulk_is_told_by_its_day_with_who_did_it(shop: Shop) -> None:
    (contact,) = shop.add({"email": "a@example.org"})
    said = {"channel": "email", "value": "opted_in", "source": "bulletin", "resubscribe": False}
    job = bulk.start(shop.account, Audience(), "set_consent", said, user=shop.user.pk)
    assert jobs.round()
    text = shown(shop, contact)
    assert f'· bulletin <a href="/contacts/bulk/{job.pk}">Action groupée du ' in text
    assert "utilisateur : ada@example.org" in text


def test_a_message_is_told_by_its_name(shop: Shop) -> None:
    (contact,) = shop.add({"email": "a@example.org"})
    message = Message.objects.create(account=shop.account, name="Soldes d’été", subject="S")
    actions.set_consent(
        account_id=shop.account.pk,
        contact_ids=[contact],
        channel="email",
        value="opted_out",
        source="one_click",
        proof={"send": "4321", "message": str(message.pk)},
        now=clock.now(),
    )
    text = shown(shop, contact)
    assert "le bouton de désabonnement" in text
    assert f'message : <a href="/messages/{message.pk}">Soldes d’été</a>' in text
    assert "4321" not in text


def test_what_another_account_did_is_not_told(shop: Shop, other_shop: Shop) -> None:
    other_shop.take(b"email\nb@example.org\n", "?consent_email=opted_in")
    theirs = ConsentChange.objects.get()
    (contact,) = shop.add({"email": "a@example.org", "consents": {"email": "opted_in"}})
    proof = {**theirs.proof, "user": str(other_shop.user.pk)}
    ConsentChange.objects.filter(contact=contact).update(source="import", proof=proof)
    text = shown(shop, contact)
    assert "<a" not in text
    assert "eve@example.org" not in text
