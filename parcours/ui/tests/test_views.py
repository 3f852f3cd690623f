"""The language switch, the reader's zone, the error pages."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from parcours.ui.middleware import show_dates_in

pytestmark = pytest.mark.django_db


def _signed_in(**fields: str) -> Client:
    user = get_user_model().objects.create_user("marie@example.org", "un mot de passe", **fields)
    client = Client()
    client.force_login(user)
    return client


def test_language_of_the_browser_then_cookie_then_user() -> None:
    client = Client()
    assert (
        'lang="fr"' in client.get("/accounts/login/", headers={"Accept-Language": "fr-CA"}).content.decode()
    )
    assert 'lang="en"' in client.get("/accounts/login/", headers={"Accept-Language": "de"}).content.decode()
    client.post("/language", {"language": "fr", "next": "/accounts/login/"})
    assert 'lang="fr"' in client.get("/accounts/login/", headers={"Accept-Language": "en"}).content.decode()
    theirs = _signed_in(language="fr").get("/nowhere", headers={"Accept-Language": "en"})
    assert theirs.status_code == 404
    assert 'lang="fr"' in theirs.content.decode()


def test_the_switch_keeps_the_choice_with_the_user() -> None:
    client = _signed_in()
    assert client.post("/language", {"language": "fr", "next": "/x"}).headers["Location"] == "/x"
    assert get_user_model().objects.get().language == "fr"


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_the_switch_leads_nowhere_else(to: str) -> None:
    assert Client().post("/language", {"language": "en", "next": to}).headers["Location"] == "/"


def test_the_switch_knows_its_languages_and_is_a_post() -> None:
    assert Client().post("/language", {"language": "xx"}).status_code == 400
    assert Client().get("/language").status_code == 405
    assert Client(enforce_csrf_checks=True).post("/language", {"language": "fr"}).status_code == 403


def test_pages_of_people_are_not_kept_by_the_browser() -> None:
    assert _signed_in().get("/nowhere").headers["Cache-Control"] == "private, no-store"


def test_the_first_zone_that_exists_is_shown() -> None:
    with timezone.override(None):
        show_dates_in("", "No/Where", "Australia/Lord_Howe")
        assert timezone.get_current_timezone_name() == "Australia/Lord_Howe"


@pytest.mark.parametrize("page", ["login", "password/reset", "password/reset/done", "signup"])
def test_sign_in_pages_are_in_the_frame(page: str) -> None:
    answer = Client().get(f"/accounts/{page}/", headers={"Accept-Language": "fr"})
    assert answer.status_code == 200
    assert "auth-page" in answer.content.decode()
