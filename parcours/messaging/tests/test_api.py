"""Messages, tests and suppressions through the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from parcours.accounts.actions import create_key
from parcours.accounts.models import Account, BusinessUnit
from parcours.messaging.models import Message, Send

pytestmark = pytest.mark.django_db


@pytest.fixture
def call(account: Account) -> Any:
    _key, secret = create_key(account=account, name="test", scopes=["admin"])
    client = Client(headers={"authorization": f"Bearer {secret}"})

    def request(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.generic(
            method,
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
        )
        return answer.status_code, json.loads(answer.content) if answer.content else None

    return request


def test_a_message_is_written_read_changed_and_removed(call: Any) -> None:
    status, made = call(
        "POST",
        "messages",
        {
            "name": "Welcome",
            "channel": "email",
            "subject": "Bonjour {{ contact.first_name }}",
            "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column>"
            "</mj-section></mj-body></mjml>",
            "from": "Zoé <zoe@shop.example>",
            "track_opens": True,
            "track_clicks": False,
        },
    )
    assert status == 201, made
    assert made["from"] == "Zoé <zoe@shop.example>"
    assert made["kind"] == "marketing"
    assert made["track_clicks"] is False
    assert call("GET", f"messages/{made['id']}") == (200, made)
    status, changed = call("PATCH", f"messages/{made['id']}", {"subject": "New"})
    assert (status, changed["subject"], changed["name"]) == (200, "New", "Welcome")
    assert call("GET", "messages")[1]["items"][0]["id"] == made["id"]
    assert call("DELETE", f"messages/{made['id']}")[0] == 204
    assert call("GET", f"messages/{made['id']}")[0] == 404


@pytest.mark.parametrize(
    ("change", "pointer", "said"),
    [
        ({"subject": "a\r\nBcc: x@y.example"}, "/subject", "line break"),
        ({"subject": ""}, "/subject", "subject"),
        ({"subject": "{% if %}"}, "/subject", "Line 1"),
        ({"html": "<p>\n\n{% if x %}</p>"}, "/html", "Liquid"),
        ({"html": "<p>\n\n{{ x | nothing }}</p>"}, "/html", "Line 3"),
        ({"html": "{% for i in (1..1000000000) %}x{% endfor %}"}, "/html", "loops"),
        ({"html": "{% include 'x' %}"}, "/html", "include"),
        (
            {"html": "", "mjml": "<mjml>\n<mj-body><mj-include path='/etc/passwd'/></mj-body></mjml>"},
            "/mjml",
            "Line 2",
        ),
        ({"html": "", "mjml": "nothing"}, "/mjml", "MJML"),
        ({"html": ""}, "/html", "content"),
        ({"from": "Zoé <zoe@shop.example>\r\nBcc: x@y.example"}, "/from", "line break"),
        ({"from": "nobody"}, "/from", "address"),
        ({"name": ""}, "/name", "name"),
        ({"channel": "sms"}, "/channel", "e-mail"),
        ({"kind": "spam"}, "/kind", "marketing"),
    ],
)
def test_what_cannot_be_sent_is_refused_with_its_place(
    call: Any, change: Any, pointer: str, said: str
) -> None:
    body = {
        "name": "n",
        "channel": "email",
        "subject": "s",
        "html": "<p>x</p>",
        "from": "a@b.example",
        **change,
    }
    status, problem = call("POST", "messages", body)
    assert status == 422, problem
    assert pointer in [error["pointer"] for error in problem["errors"]]
    assert said in " ".join(error["detail"] for error in problem["errors"])
    assert not Message.objects.exists()


def test_a_test_is_queued_and_counts_nowhere(call: Any, message: Message) -> None:
    status, answer = call(
        "POST", f"messages/{message.pk}/test", {"to": ["me@shop.example", "you@shop.example"]}
    )
    assert (status, len(answer["sends"])) == (202, 2)
    assert set(Send.objects.values_list("address", "is_test")) == {
        ("me@shop.example", True),
        ("you@shop.example", True),
    }
    assert call("POST", f"messages/{message.pk}/test", {"to": "a\r\nb@c.example"})[0] == 422


def test_a_preview_shows_the_message_as_a_contact_reads_it(call: Any, message: Message, people: Any) -> None:
    (contact,) = people(1)
    status, shown = call("GET", f"messages/{message.pk}/preview?contact={contact.pk}")
    assert status == 200
    assert shown["subject"] == f"Hello {contact.first_name}"
    assert 'href="https://shop.example/a?x=1&amp;y=2"' in shown["html"]
    assert "/c/" not in shown["html"]


def test_another_accounts_ids_read_as_unknown(call: Any, message: Message) -> None:
    other = Account.objects.create(name="Other", write_key="other")
    theirs = Message.objects.create(account=other, name="x", subject="s", text="t")
    assert call("GET", f"messages/{theirs.pk}")[0] == 404
    assert call("PATCH", f"messages/{theirs.pk}", {"name": "mine"})[0] == 404
    assert call("POST", f"messages/{theirs.pk}/test", {"to": "a@b.example"})[0] == 404
    assert call("GET", f"messages/{theirs.pk}/preview")[0] == 404
    assert call("POST", f"messages/{theirs.pk}/duplicate")[0] == 404
    assert call("DELETE", f"messages/{theirs.pk}")[0] == 404
    assert theirs.pk not in [int(item["id"]) for item in call("GET", "messages")[1]["items"]]


def test_ids_in_a_body_are_refused_at_their_place(call: Any, account: Account, message: Message) -> None:
    other = Account.objects.create(name="Other", write_key="pw_other")
    theirs = BusinessUnit.objects.create(account=other, name="Brand")
    mine = BusinessUnit.objects.create(account=account, name="Brand")
    path = f"messages/{message.pk}"
    for unit in (str(theirs.pk), "999999", "²", "9" * 30, ""):
        status, refused = call("PATCH", path, {"business_unit": unit, "from": "nobody", "subject": ""})
        assert status == 422
        assert {"/business_unit", "/from", "/subject"} <= {one["pointer"] for one in refused["errors"]}
    assert call("PATCH", path, {"business_unit": str(mine.pk)})[1]["business_unit"] == str(mine.pk)
    status, refused = call("POST", f"{path}/test", {"to": "x", "contact": "999999"})
    assert (status, [one["pointer"] for one in refused["errors"]]) == (422, ["/to", "/contact"])
    assert call("GET", "sends?status=lost")[0] == 422
