"""The free plan on the page of journeys: what Activate says, and who can change it."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from parcours.accounts import actions
from parcours.accounts.models import Account, Member, User
from parcours.journeys import actions as journeys
from parcours.journeys.models import Journey
from parcours.lib import clock
from parcours.lib.problems import Problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def new() -> actions.NewAccount:
    made = actions.create_account(name="Shop", email="ada@example.org", password="correct horse battery")
    Account.objects.update(plan="free")
    return made


def page_for(user: User) -> str:
    client = Client()
    client.force_login(user)
    return unescape(client.get("/journeys/", headers={"Accept-Language": "fr"}).content.decode())


def test_activating_says_so_and_shows_the_way(new: actions.NewAccount) -> None:
    Journey.objects.create(account=new.account, name="Welcome", draft={"name": "Welcome"})
    page = page_for(new.user)
    assert 'data-open="plan-needed"' in page
    assert "Votre formule permet de construire, pas d’activer" in page
    assert 'href="/settings/#plan"' in page
    assert "/activate" not in page
    marketer = User.objects.create_user("bob@example.org")
    Member.objects.create(account=new.account, user=marketer, role="marketer")
    page = page_for(marketer)
    assert "Demandez à un administrateur du compte de changer de formule." in page
    assert "#plan" not in page.replace("plan-needed", "")


def test_what_was_paused_stays_so(new: actions.NewAccount) -> None:
    journey = Journey.objects.create(account=new.account, name="Welcome", status="paused", version=1)
    journey = Journey.objects.get(pk=journey.pk)
    with pytest.raises(Problem) as refused:
        journeys.resume(journey, now=clock.now())
    assert (refused.value.status, refused.value.kind) == (403, "plan-required")
    assert "/resume" not in page_for(new.user)
