"""Files of contacts, the hostile ones included, through the API and the job that imports them."""

from __future__ import annotations

import csv
import gzip
import io
import json
from typing import Any

import pytest

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts import actions, definitions
from parcours.contacts.importing import uploads
from parcours.contacts.models import ConsentChange
from parcours.contacts.tests.conftest import Shop, streamed
from parcours.lib import clock

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_uploads")]


def test_a_file_in_french_from_a_spreadsheet(shop: Shop) -> None:
    body = (
        "sep=;\r\nPrénom;Nom;Adresse e-mail;Téléphone;Ville;attributes.points;Couleur préférée;Étiquettes\r\n"
        "Zoé;Lefèvre;ZOE@Exemple.fr;06 12 34 56 78;Évreux;12;bleu;vip, fidèle\r\n"
    ).encode("utf-16")
    job = shop.take(body)
    assert (job["status"], job["accepted"], job["refused"]) == ("finished", 1, [])
    assert job["result"]["encoding"] == "UTF-16"
    assert job["result"]["columns"]["Couleur préférée"] is None
    person = shop.people()["zoe@exemple.fr"]
    assert (person["first_name"], person["last_name"], person["city"]) == ("Zoé", "Lefèvre", "Évreux")
    assert (person["phone"], person["attributes"]) == ("+33612345678", {"points": "12"})
    assert person["tags"] == ["fidèle", "vip"]
    assert list(uploads.folder().iterdir()) == []


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16-le", "UTF-16"), ("windows-1252", "Windows-1252")],
)
def test_the_encoding_is_found_by_the_whole_file_and_told(shop: Shop, encoding: str, told: str) -> None:
    lines = ["email,first_name"] + [f"p{n}@example.org,Jean" for n in range(3000)] + ["fin@example.org,Noël"]
    job = shop.take("\n".join(lines).encode(encoding))
    assert (job["accepted"], job["refused"], job["result"]["encoding"]) == (3001, [], told)
    assert shop.people()["fin@example.org"]["first_name"] == "Noël"


def test_bad_lines_are_refused_alone_by_their_number(shop: Shop) -> None:
    body = b"\n".join(
        [
            b"email,first_name,country",
            b"good@example.org,Ada,fr",
            b"",
            b"not an address,Bob,FR",
            b'two@example.org,"a name on\ntwo lines",FR',
            b"short@example.org,Short",
            b"long@example.org,Long,FR,more",
            b"nul@example.org,a\0b,FR",
            b"where@example.org,Eve,Narnia",
            b"last@example.org,Last,DE",
        ]
    )
    job = shop.take(body)
    assert job["accepted"] == 3
    assert [each["line"] for each in job["refused"]] == [4, 7, 8, 9, 10]
    assert set(shop.people()) == {"good@example.org", "two@example.org", "last@example.org"}
    assert shop.people()["two@example.org"]["first_name"] == "a name on\ntwo lines"
    assert "not an address" in job["refused"][0]["reason"]


def test_what_is_refused_is_said_under_the_headers_of_the_file(shop: Shop) -> None:
    definitions.declare_attribute(account_id=shop.account.pk, name="points", type="number", now=clock.now())
    body = b"E-mail,Points,consents.email\nann@example.org,many,yes\nbob,12,no\ncyd@example.org,3,perhaps\n"
    job = shop.take(body)
    assert [each["reason"] for each in job["refused"]] == [
        "Points: The value is not a number.",
        "E-mail: “bob” is not an e-mail address.",
        "consents.email: A consent is opted_in, opted_out or pending.",
    ]


def test_formulas_are_data_and_are_defused_only_in_exports(shop: Shop) -> None:
    formula = '=HYPERLINK("http://evil")'
    text = io.StringIO()
    csv.writer(text).writerows([["email", "first_name", "phone"], ["f@example.org", formula, "+33612345678"]])
    shop.take(text.getvalue().encode())
    assert shop.people()["f@example.org"]["first_name"] == formula
    exported = streamed(shop.client.get("/api/v1/contacts/export")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(exported))
    assert row["first_name"] == "'" + formula
    assert row["phone"] == "+33612345678"


def test_what_is_exported_can_be_imported_and_changes_nothing(shop: Shop) -> None:
    line = {
        "email": "a@example.org",
        "phone": "+33612345678",
        "first_name": "Ada, “the first”",
        "attributes": {"points": 12.5, "vip": True, "colours": ["red", "blue"]},
        "consents": {"email": "opted_in"},
        "tags": ["new", "vip"],
    }
    assert not actions.upsert_many(shop.account, [line], source="trial", now=clock.now()).refused
    before = shop.people()
    for kind, content_type in (("csv", "text/csv"), ("ndjson", "application/x-ndjson")):
        sent = shop.client.get(f"/api/v1/contacts/export?format={kind}")
        job = shop.take(streamed(sent), content_type=content_type)
        assert (job["accepted"], job["refused"], job["result"]["updated"]) == (1, [], 0), job
    assert shop.people() == before


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"first_name,city\nAda,Paris\n", "email"),
        (b"email,E-mail\na@example.org,b@example.org\n", "twice"),
        (b"email,plan,plan\na@example.org,x,y\n", "twice"),
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"PK\x03\x04aaaaaaaaaaaaaaaaaaaa", "CSV"),
        (gzip.compress(b"email\n" + b"a@example.org\n" * 100, mtime=0)[:40], "compressed"),
        (b"email,attributes.a.b\na@example.org,1\n", "dot"),
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_at_once(shop: Shop, body: bytes, told: str) -> None:
    answer = shop.send(body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert not Job.objects.exists()
    assert list(uploads.folder().iterdir()) == []


def test_gzip_is_unpacked_within_limits(shop: Shop, settings: Any) -> None:
    lines = b"email\n" + b"".join(b"g%d@example.org\n" % n for n in range(50))
    two_members = gzip.compress(lines) + gzip.compress(b"last@example.org\n")
    assert shop.take(two_members)["accepted"] == 51
    settings.IMPORT_MAX_BYTES = 1_000_000
    bomb = gzip.compress(b"email\n" + b"\n" * 50_000_000)
    assert len(bomb) < 100_000
    answer = shop.send(bomb)
    assert (answer.status_code, answer.json()["type"]) == (413, "too-large")
    assert list(uploads.folder().iterdir()) == []


def test_a_cell_of_ten_megabytes_and_a_quote_never_closed(shop: Shop) -> None:
    huge = b"x" * 10_000_000
    body = (
        b"email,first_name\nbig@example.org,"
        + huge
        + b'\nok@example.org,Ada\nopen@example.org,"never closed\n'
    )
    job = shop.take(body)
    assert [each["line"] for each in job["refused"]] == [2, 4]
    assert set(shop.people()) == {"ok@example.org"}


def test_ndjson_of_every_shape(shop: Shop) -> None:
    lines = [
        b'{"email": "a@example.org", "attributes": {"points": 3, "vip": true}, "tags": ["x"]}',
        b'{"email": "b@example.org", "attributes": {"points": "4.5"}}',
        b'{"email": "c@example.org", "attributes": {"points": "many"}}',
        b"not json",
        b"[1, 2]",
        b'{"email": "d@example.org", "first_name": "a\\u0000b"}',
        b'{"email": "e@example.org", "first_name": "\\ud800"}',
        b'{"email": "f@example.org", "attributes": {"deep": {"a": 1}}}',
        b"[" * 100_000,
        b'{"email": "g@example.org", "account": 7, "role": "owner"}',
        b'{"email": "h@example.org", "attributes": {"points": NaN}}',
        b'{"email": ["i@example.org"]}',
        b'{"email": "a@example.org", "first_name": "Ada", "tags": null, "city": null}',
    ]
    job = shop.take(b"\n".join(lines), content_type="application/x-ndjson")
    assert [each["line"] for each in job["refused"]] == list(range(3, 13))
    people = shop.people()
    assert people["a@example.org"]["attributes"] == {"points": 3, "vip": True}
    assert people["a@example.org"]["first_name"] == "Ada"
    assert people["b@example.org"]["attributes"] == {"points": 4.5}


def test_lists_consents_and_opt_outs(shop: Shop) -> None:
    made = definitions.create_list(account_id=shop.account.pk, name="Letter", now=clock.now())
    out = {"email": "out@example.org", "consents": {"email": "opted_out"}}
    actions.upsert_many(shop.account, [out], source="person", now=clock.now())
    body = b"email,consents.sms\nout@example.org,opted_in\nnew@example.org,\n"
    query = f"?list={made.pk}&consent_email=opted_in"
    job = shop.take(body, query + "&source=shop%20form")
    assert (job["accepted"], job["result"]["kept_opted_out"]) == (2, 1)
    people = shop.people()
    assert people["out@example.org"]["consents"] == {
        "email": "opted_out",
        "sms": "opted_in",
        "whatsapp": "pending",
    }
    assert people["new@example.org"]["consents"]["email"] == "opted_in"
    assert people["out@example.org"]["lists"] == people["new@example.org"]["lists"] == [str(made.pk)]
    assert shop.send(body, query + "&resubscribe=true").status_code == 422
    shop.take(body, query + "&resubscribe=true&source=asked%20again&proof=letter")
    assert shop.people()["out@example.org"]["consents"]["email"] == "opted_in"
    change = ConsentChange.objects.latest("pk")
    assert (change.before, change.after, change.source) == ("opted_out", "opted_in", "asked again")
    assert change.proof["proof"] == "letter"
    assert shop.send(body, "?list=999999").status_code == 422


def test_another_accounts_list_reads_as_one_that_does_not_exist(shop: Shop, other_shop: Shop) -> None:
    foreign = definitions.create_list(account_id=other_shop.account.pk, name="Theirs", now=clock.now())
    assert shop.send(b"email\na@example.org\n", f"?list={foreign.pk}").json() == {
        **shop.send(b"email\na@example.org\n", "?list=999999").json()
    }
    line = json.dumps({"email": "a@example.org", "lists": [str(foreign.pk)]}).encode()
    assert shop.take(line, content_type="application/x-ndjson")["accepted"] == 0


def test_a_form_sends_a_file_too(shop: Shop) -> None:
    file = io.BytesIO(b"email\nform@example.org\n")
    file.name = "people.csv"
    answer = shop.client.post("/api/v1/contacts/import", {"file": file})
    assert answer.status_code == 202
    assert jobs.round()
    assert set(shop.people()) == {"form@example.org"}


def test_twenty_thousand_lines(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    body = b"email,first_name,last_name,consents.email,attributes.plan\n" + b"".join(
        b"p%d@example.org,Jean,Dupont,opted_in,gold\n" % n for n in range(20_000)
    )
    started = clock.machine_ms()
    job = shop.take(body)
    seconds = (clock.machine_ms() - started) / 1000
    assert (job["accepted"], job["result"]["created"]) == (20_000, 20_000)
    with capsys.disabled():
        print(f"\nimport of contacts: {20_000 / seconds:,.0f} lines/s")
