"""The pages of segments, as their users meet them."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from parcours.accounts.models import User
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = pytest.mark.django_db(transaction=True)
IN_PARIS = '{"field": "city", "op": "eq", "value": "paris"}'


@pytest.fixture
def reader(firm: Firm) -> Client:
    client = Client(headers={"accept-language": "fr"})
    client.force_login(User.objects.get())
    return client


def text(answer: object) -> str:
    return html.unescape(answer.content.decode()).replace("\u00a0", " ")  # type: ignore[attr-defined]


def test_a_segment_from_the_empty_page_to_its_profiles(firm: Firm, reader: Client) -> None:
    empty = text(reader.get("/segments/"))
    assert "Nouveau segment" in empty
    assert "Pas encore de segment" in empty
    firm.people(
        {"email": "ann@example.org", "first_name": "Ann", "last_name": "Lee", "city": "Paris"},
        {"email": "bob@example.org", "city": "Paris", "consents": {"email": "opted_in"}},
    )
    made = reader.post("/segments/new", {"name": "Parisiens", "criteria": IN_PARIS})
    assert made.status_code == 302, text(made)
    assert "En cours" in text(reader.get("/segments/"))
    firm.catch_up()
    page = text(reader.get("/segments/"))
    for words in (
        "À jour",
        "Voir les profils",
        "Modifier",
        "Mettre à jour maintenant",
        "Dupliquer",
        "Mettre en pause",
    ):
        assert words in page
    segment = Segment.objects.get()
    profiles = text(reader.get(f"/segments/{segment.pk}"))
    assert "Parisiens" in profiles
    assert "2 profils" in profiles
    for words in ("Nom et prénom", "E-mail", "Date d’entrée", "E-mail opt-in", "SMS opt-in"):
        assert words in profiles
    assert "Ann Lee" in profiles
    assert profiles.count("✓") == 1
    assert profiles.count("✗") == 3


def test_faults_are_shown_at_their_place(reader: Client) -> None:
    answer = reader.post(
        "/segments/new", {"name": "X", "criteria": '{"all": [{"field": "shoe", "op": "eq"}]}'}
    )
    assert answer.status_code == 422
    assert "/all/0/field : Il n’y a pas de champ « shoe »." in text(answer)
    answer = reader.post("/segments/new", {"name": "X", "criteria": "{"})
    assert "Ce n’est pas du JSON : voyez ligne 1, colonne 2." in text(answer)
    deep = reader.post("/segments/new", {"name": "X", "criteria": '{"not":' * 5000 + "{}" + "}" * 5000})
    assert deep.status_code == 422


def test_every_action_of_the_menu(firm: Firm, reader: Client) -> None:
    segment = firm.segment({"all": []}, name="Tous")
    for action, status in (("pause", "paused"), ("activate", "computing"), ("refresh", "computing")):
        answer = reader.post(f"/segments/{segment.pk}/{action}", follow=True)
        assert answer.status_code == 200
        segment.refresh_from_db()
        assert segment.status == status
    assert "est dupliqué" in text(reader.post(f"/segments/{segment.pk}/duplicate", follow=True))
    assert "Tous (copie)" in text(reader.get("/segments/"))
    changed = reader.post(
        f"/segments/{segment.pk}/edit", {"name": "Toutes", "criteria": '{"any": []}'}, follow=True
    )
    assert "Toutes" in text(changed)
    assert "Ses contacts restent" in text(reader.post(f"/segments/{segment.pk}/delete", follow=True))
    assert Segment.objects.count() == 1
    assert reader.get("/segments/999999").status_code == 404
