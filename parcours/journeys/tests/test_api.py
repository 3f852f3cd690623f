"""Journeys by the API and by the pages."""

from __future__ import annotations

import json
from datetime import timedelta
from operator import itemgetter
from typing import Any

import pytest
from django.test import Client

from parcours.accounts import actions as accounts
from parcours.accounts.models import Account
from parcours.contacts.models import Contact, List
from parcours.journeys import work
from parcours.journeys.models import Enrolment, Journey
from parcours.lib import clock

pytestmark = pytest.mark.django_db
JSON = "application/json"


class Api:
    """An account's API, and a browser signed in to it."""

    def __init__(self, client: Client, email: str = "ada@example.org") -> None:
        self.client = client
        self.new = accounts.create_account(name="Ada", email=email, password="correct horse battery")
        self.account: Account = self.new.account
        self.list = List.objects.create(account=self.account, name="L")

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.new.api_key}"}
        return self.client.generic(
            method, f"/api/v1/{path}", "" if body is None else _json(body), JSON, headers=headers
        )

    def document(self, **parts: Any) -> dict[str, Any]:
        return {
            "name": "Bienvenue",
            "entry": {"triggers": [{"type": "list_joined", "list": str(self.list.pk)}]},
            "start": "rest",
            "steps": [
                {"id": "rest", "type": "delay", "for": "1d", "next": "end"},
                {"id": "end", "type": "end"},
            ],
            **parts,
        }


def _json(body: Any) -> str:
    return json.dumps(body)


@pytest.fixture
def api(client: Client) -> Api:
    return Api(client)


def test_a_journey_lives_from_draft_to_archive(api: Api) -> None:
    made = api("POST", "journeys", api.document())
    assert made.status_code == 201
    told = made.json()
    path = f"journeys/{told['id']}"
    assert (told["status"], told["version"], told["warnings"]) == ("draft", None, [])
    assert told["draft"]["name"] == "Bienvenue"
    assert api("POST", f"{path}/pause").status_code == 409
    assert api("POST", f"{path}/activate").json()["status"] == "active"
    assert api("POST", f"{path}/activate").status_code == 409
    assert [version["number"] for version in api("GET", f"{path}/versions").json()["items"]] == [1]
    assert api("POST", f"{path}/pause").json()["status"] == "paused"
    assert api("POST", f"{path}/pause").status_code == 200
    assert api("POST", f"{path}/resume").json()["status"] == "active"
    copy = api("POST", f"{path}/duplicate").json()
    assert (copy["status"], copy["name"]) == ("draft", "Bienvenue (copy)")
    assert api("POST", f"{path}/archive").json()["status"] == "archived"
    assert api("POST", f"{path}/resume").status_code == 409
    assert api("PATCH", path, api.document()).status_code == 409
    assert [each["id"] for each in api("GET", "journeys?status=archived").json()["items"]] == [told["id"]]


def test_faults_are_told_with_their_pointers(api: Api) -> None:
    answer = api("POST", "journeys", api.document(start="nowhere"))
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/start"]
    assert not Journey.objects.exists()


def test_the_free_plan_builds_and_does_not_activate(api: Api) -> None:
    api.account.plan = Account.Plan.FREE
    api.account.save()
    made = api("POST", "journeys", api.document()).json()
    answer = api("POST", f"journeys/{made['id']}/activate")
    assert (answer.status_code, answer.json()["type"]) == (403, "plan-required")


def test_contacts_are_enrolled_and_taken_out_by_hand(api: Api) -> None:
    path = f"journeys/{api('POST', 'journeys', api.document()).json()['id']}"
    people = {"contacts": [{"email": "bob@example.org"}, {"email": "nobody@example.org"}]}
    Contact.objects.create(account=api.account, email="bob@example.org")
    assert api("POST", f"{path}/enrol", people).status_code == 409
    api("POST", f"{path}/activate")
    told = api("POST", f"{path}/enrol", people).json()
    assert (told["accepted"], [each["index"] for each in told["refused"]]) == (1, [1])
    while work.round():
        pass
    assert Enrolment.objects.get().status == "active"
    assert api("POST", f"{path}/cancel", {"contacts": people["contacts"][:1]}).json()["accepted"] == 1
    while work.round():
        pass
    assert Enrolment.objects.get().reason == "removed"


def test_another_accounts_journey_reads_as_one_that_does_not_exist(api: Api) -> None:
    other = Api(Client(), email="eve@example.org")
    mine = api("POST", "journeys", api.document()).json()["id"]
    paths = [("GET", ""), ("GET", "/draft"), ("PATCH", ""), ("POST", "/activate"), ("POST", "/archive")]
    for method, rest in paths:
        body = other.document() if method == "PATCH" else None
        answer = other(method, f"journeys/{mine}{rest}", body)
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")
    stolen = other("POST", "journeys", api.document())
    assert [fault["pointer"] for fault in stolen.json()["errors"]] == ["/entry/triggers/0/list"]


def test_a_published_draft_moves_those_under_way_as_it_says(api: Api) -> None:
    path = f"journeys/{api('POST', 'journeys', api.document()).json()['id']}"
    api("POST", f"{path}/activate")
    bob = Contact.objects.create(account=api.account, email="bob@example.org")
    api("POST", f"{path}/enrol", {"contacts": [{"id": str(bob.pk)}]})
    while work.round():
        pass
    before = Enrolment.objects.get()
    longer = api.document(steps=[{"id": "rest", "type": "delay", "for": "3d"}])
    assert api("PATCH", f"{path}/draft", longer).status_code == 200
    assert api("POST", f"{path}/publish", {"under_way": "follow"}).json()["version"] == 2
    while work.round():
        pass
    after = Enrolment.objects.get()
    assert (after.version, after.step, after.visit, after.step_at) == (2, "rest", 1, before.step_at)
    assert before.due_at is not None
    assert after.due_at == before.due_at + timedelta(days=2)
    gone = api.document(start="end", steps=[{"id": "end", "type": "end"}])
    api("PATCH", f"{path}/draft", gone)
    refused = api("POST", f"{path}/publish", {"under_way": "follow"})
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/moved/rest"]
    assert (
        api("POST", f"{path}/publish", {"under_way": "follow", "moved": {"rest": "end"}}).status_code == 200
    )
    while work.round():
        pass
    assert (Enrolment.objects.get().status, Enrolment.objects.get().visit) == ("completed", 2)


def test_the_pages_list_write_and_turn_journeys_in_both_languages(api: Api) -> None:
    browser = api.client
    user = api.account.members.get().user
    browser.force_login(user)
    assert "Aucun scénario" in browser.get("/journeys/", headers={"Accept-Language": "fr"}).content.decode()
    new = browser.get("/journeys/new?example=reminder", headers={"Accept-Language": "fr"}).content.decode()
    assert "Rappel avant la première commande" in new
    wrong = browser.post("/journeys/new", {"name": "J", "document": "{"})
    assert wrong.status_code == 422
    wrong = browser.post("/journeys/new", {"name": "J", "document": _json(api.document(start="z"))})
    assert wrong.status_code == 422
    assert "/start" in wrong.content.decode()
    rest = {key: value for key, value in api.document().items() if key != "name"}
    assert browser.post("/journeys/new", {"name": "Accueil", "document": _json(rest)}).status_code == 302
    journey = Journey.objects.get()
    assert journey.name == "Accueil"
    for action, status in (
        ("activate", "active"),
        ("pause", "paused"),
        ("resume", "active"),
        ("archive", "archived"),
    ):
        assert browser.post(f"/journeys/{journey.pk}/{action}").status_code == 302
        journey.refresh_from_db()
        assert journey.status == status
    page = browser.get("/journeys/archived", headers={"Accept-Language": "fr"}).content.decode()
    assert "Accueil" in page
    assert "Scénarios archivés" in page
    assert browser.get(f"/journeys/{journey.pk}/edit").status_code == 200
    assert clock.now() >= journey.created_at


def test_a_draft_is_put_and_a_status_that_is_none_refused(api: Api) -> None:
    journey = api("POST", "journeys", api.document()).json()
    path = f"journeys/{journey['id']}/draft"
    assert api("PUT", path, api.document(name="Autre")).json()["name"] == "Autre"
    assert api("GET", path).json()["name"] == "Autre"
    assert api("GET", "journeys?status=draft").json()["items"][0]["id"] == journey["id"]
    assert api("GET", "journeys?status=lost").status_code == 422


def test_events_never_received_are_warnings_at_their_place(api: Api, store: Any) -> None:
    where = [{"property": "colour", "op": "eq", "value": "red"}]
    document = api.document(
        entry={"triggers": [{"type": "event", "event": "Signed Up", "where": where}]},
        steps=[
            {
                "id": "rest",
                "type": "wait_for",
                "event": "Paid",
                "timeout": "1d",
                "then": "end",
                "else": "end",
            },
            {"id": "end", "type": "end"},
        ],
    )
    told = api("POST", "journeys", document).json()["warnings"]
    assert [one["pointer"] for one in told] == [
        "/entry/triggers/0/event",
        "/entry/triggers/0/where/0/property",
        "/steps/0/event",
    ]


def test_a_message_that_a_journey_sends_is_not_removed(api: Api) -> None:
    body = {"name": "Hello", "subject": "S", "text": "T"}
    used, free = (api("POST", "messages", body).json()["id"] for _ in range(2))
    steps = [{"id": "rest", "type": "send_email", "message": used}]
    journey = api("POST", "journeys", api.document(steps=steps)).json()["id"]
    refused = api("DELETE", f"messages/{used}")
    assert (refused.status_code, refused.json()["type"]) == (409, "in-use")
    assert refused.json()["uses"] == [{"kind": "journey", "id": journey, "name": "Bienvenue"}]
    assert api("DELETE", f"messages/{free}").status_code == 204
    api("POST", f"journeys/{journey}/archive")
    assert api("DELETE", f"messages/{used}").status_code == 204


def test_a_list_in_use_is_not_deleted(api: Api) -> None:
    used, free = (api("POST", "lists", {"name": name}).json()["id"] for name in ("Used", "Free"))
    criteria = {"list": used, "op": "member"}
    segment = api("POST", "segments", {"name": "Members", "criteria": criteria}).json()["id"]
    entry = {"triggers": [{"type": "list_joined", "list": used}]}
    journey = api("POST", "journeys", api.document(entry=entry)).json()["id"]
    refused = api("DELETE", f"lists/{used}")
    assert (refused.status_code, refused.json()["type"]) == (409, "in-use")
    assert sorted(refused.json()["uses"], key=itemgetter("kind")) == [
        {"kind": "journey", "id": journey, "name": "Bienvenue"},
        {"kind": "segment", "id": segment, "name": "Members"},
    ]
    assert api("DELETE", f"lists/{free}").status_code == 204
