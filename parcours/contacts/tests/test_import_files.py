"""Files as people send them: ill-made, ambiguous, hostile. Each is told clearly, and nothing is half-written."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from parcours.accounts import jobs
from parcours.accounts.models import Job
from parcours.contacts.importing import cells, columns, drafts, previewing, uploads
from parcours.contacts.models import AttributeDefinition, Contact
from parcours.contacts.tests.conftest import Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_uploads")]


def _mapping(**columns: str) -> str:
    return quote(json.dumps({name.replace("_", " "): field for name, field in columns.items()}))


def test_two_columns_of_addresses_are_refused_until_one_is_left_out(shop: Shop) -> None:
    body = b"email,courriel\na@example.org,b@example.org\n"
    answer = shop.send(body)
    assert answer.status_code == 422
    assert "twice" in answer.json()["detail"]
    assert not Job.objects.exists()
    job = shop.take(body, "?mapping=" + _mapping(courriel=""))
    assert job["accepted"] == 1
    assert set(shop.people()) == {"a@example.org"}


def test_a_mapping_makes_attributes_of_the_types_that_it_says(shop: Shop) -> None:
    body = "e;Points;Né le;Vip;Couleurs\na@example.org;1 234,5;28/03/1985;oui;bleu, vert\n".encode()
    mapping = {
        "e": "email",
        "Points": "attributes.points:number",
        "Né le": "attributes.born:date",
        "Vip": "attributes.vip:boolean",
        "Couleurs": "attributes.colours:list",
    }
    job = shop.take(body, f"?dates=dmy&mapping={quote(json.dumps(mapping))}")
    assert (job["accepted"], job["refused"]) == (1, []), job
    assert shop.people()["a@example.org"]["attributes"] == {
        "points": 1234.5,
        "born": "1985-03-28",
        "vip": True,
        "colours": ["bleu", "vert"],
    }
    wrong = quote(json.dumps({**mapping, "Points": "attributes.points:text"}))
    answer = shop.send(body, f"?mapping={wrong}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/mapping")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("mapping=nonsense", "/mapping"),
        ('mapping={"nobody": "email"}', "/mapping"),
        ('mapping={"email": "account"}', "/0"),
        ("key=phone", "/key"),
        ("key=colour", "/key"),
        ("encoding=klingon", "/encoding"),
        ("decimal=dot", "/decimal"),
        ("dates=ymd", "/dates"),
        ("delimiter=x", "/delimiter"),
        ("consent_email=maybe", "/consent_email"),
        ("consented_on=yesterday", "/consented_on"),
        ("tag=" + "x" * 101, "/tag"),
        ("resubscribe=true", "/source"),
    ],
)
def test_what_cannot_be_said_of_a_file_is_refused_at_its_place(shop: Shop, query: str, pointer: str) -> None:
    answer = shop.send(b"email,city\na@example.org,Paris\n", f"?{quote(query, safe='=&')}")
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert not Job.objects.exists()
    assert list(uploads.folder().iterdir()) == []


def test_lines_in_another_encoding_are_told_or_mended(shop: Shop) -> None:
    body = "email;first_name\na@example.org;Zoé\nb@example.org;Noël\n".encode()
    body += "c@example.org;Léo\n".encode("cp1252") + b"d@example.org;Ada\n"
    job = shop.take(body)
    assert (job["accepted"], [each["line"] for each in job["refused"]]) == (3, [4])
    assert job["result"]["strays"] == [4, 1]
    assert "UTF-8" in job["refused"][0]["reason"]
    assert shop.take(body, "?mend=true")["refused"] == []
    assert shop.people()["c@example.org"]["first_name"] == "Léo"


def test_a_million_characters_in_a_cell_refuse_their_line_alone(shop: Shop) -> None:
    body = b"email,attributes.note\na@example.org," + b"x" * 1_000_000 + b"\nb@example.org,y\n"
    job = shop.take(body)
    assert (job["accepted"], [each["line"] for each in job["refused"]]) == (1, [2])
    assert "20000" in job["refused"][0]["reason"]


def test_a_header_alone_imports_nobody(shop: Shop) -> None:
    job = shop.take(b"email,first_name\n")
    assert (job["status"], job["accepted"], job["refused"]) == ("finished", 0, [])


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b",".join(b"c%d" % n for n in range(10_000)) + b"\n", "10000 columns"),
        (bytes(range(256)) * 20, "not a text"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "email"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 60, "workbook"),
        ("prénom,nom\nZoé,L\n".encode(), "email"),
    ],
)
def test_what_is_no_file_of_contacts_is_told_at_once(shop: Shop, body: bytes, told: str) -> None:
    answer = shop.send(body)
    assert answer.status_code == 422
    assert told in answer.json()["detail"]
    assert list(uploads.folder().iterdir()) == []


@pytest.mark.parametrize(
    ("body", "refused", "names"),
    [
        (b'a@x.fr,"A\nb@x.fr,B\nc@x.fr,C\n', [2], {"b@x.fr", "c@x.fr"}),
        (b'a@x.fr,"A\nb@x.fr,B\nc@x.fr,"C\nd@x.fr,D\n', [2, 4], {"b@x.fr", "d@x.fr"}),
        (b'a@x.fr,"A\nb@x.fr,"B"\nc@x.fr,C\n', [2], {"b@x.fr", "c@x.fr"}),
        (b'a@x.fr,"one\ntwo"\nb@x.fr,5" wide\nc@x.fr,"a ""b"" c"\n', [], {"a@x.fr", "b@x.fr", "c@x.fr"}),
    ],
)
def test_a_quotation_mark_never_closed_swallows_no_other_line(
    shop: Shop, body: bytes, refused: list[int], names: set[str]
) -> None:
    job = shop.take(b"email,first_name\n" + body)
    assert [each["line"] for each in job["refused"]] == refused
    assert set(shop.people()) == names


def test_the_last_word_stands_of_lines_about_one_contact(shop: Shop) -> None:
    body = b"email,external_id,first_name\na@x.fr,u1,Ada\nb@x.fr,u2,Bob\nA@X.fr,,Grace\na@x.fr,u2,Both\n"
    job = shop.take(body)
    assert (job["accepted"], job["result"]["created"]) == (3, 2)
    assert [each["line"] for each in job["refused"]] == [5]
    assert "two different contacts" in job["refused"][0]["reason"]
    assert shop.people()["a@x.fr"]["first_name"] == "Grace"


def test_one_key_alone_decides_when_it_is_said(shop: Shop) -> None:
    shop.add({"email": "a@x.fr", "external_id": "u1"}, {"email": "b@x.fr"})
    body = b"email,external_id\nnew@x.fr,u1\nb@x.fr,u9\n,u8\nc@x.fr,\n"
    job = shop.take(body, "?key=external_id")
    assert [each["line"] for each in job["refused"]] == [3, 5]
    people = shop.people()
    assert people["new@x.fr"]["external_id"] == "u1"
    assert "a@x.fr" not in people
    assert people["b@x.fr"]["external_id"] is None


@pytest.mark.parametrize(
    ("text", "decimal", "read"),
    [
        ("12,5", "comma", "12.5"),
        ("1 234,56", "comma", "1234.56"),
        ("1\u202f234,56", "comma", "1234.56"),
        ("1.234,56", "comma", "1234.56"),
        ("12.5", "comma", "12.5"),
        ("1,234.56", "point", "1234.56"),
        ("1,234", "point", "1234"),
        ("12,5", "point", "12,5"),
        ("-3,0", "comma", "-3.0"),
        ("1,2,3", "comma", "1,2,3"),
        ("douze", "comma", "douze"),
    ],
)
def test_numbers_as_people_write_them(text: str, decimal: str, read: str) -> None:
    assert cells.number(text, decimal) == read


@pytest.mark.parametrize(
    ("text", "order", "read"),
    [
        ("28/03/2026", "dmy", "2026-03-28"),
        ("3/28/2026", "mdy", "2026-03-28"),
        ("28.03.2026 14h05", "dmy", "2026-03-28T14:05:00"),
        ("2026-03-28", "dmy", "2026-03-28"),
        ("32/03/2026", "dmy", "32/03/2026"),
        ("28/03/26", "dmy", "28/03/26"),
        ("28/03/2026", "iso", "28/03/2026"),
    ],
)
def test_dates_as_people_write_them(text: str, order: str, read: str) -> None:
    assert cells.day(text, order) == read


def test_a_preview_writes_nothing_and_says_what_the_import_then_does(shop: Shop) -> None:
    shop.add({"email": "a@x.fr", "first_name": "Ada"}, {"email": "same@x.fr", "city": "Paris"})
    out: dict[str, Any] = {"email": "out@x.fr", "consents": {"email": "opted_out"}}
    shop.add(out)
    body = (
        b"email,first_name,city,newsletter,points\n"
        b"a@x.fr,Grace,,oui,12\nsame@x.fr,,Paris,,\nnew@x.fr,N,,non,3\nout@x.fr,,,oui,\nnope,,,,\n"
    )
    imported = drafts.begin(
        shop.account, iter([body]), content_type="text/csv", filename="f.csv", user=shop.user
    )
    draft = drafts.open_draft(imported)
    columns, said = drafts.told_columns(draft)
    targets = [column.target for column in columns]
    assert targets == ["email", "first_name", "city", "consents.email", "new:number"]
    drafts.say_columns(draft, targets, key="", decimal=said.decimal, dates=said.dates)
    preview = previewing.of_sample(imported, drafts.mapped(draft), draft.options)
    assert (preview.created, preview.updated, preview.same) == (1, 1, 2)
    assert (preview.refused_count, preview.kept_opted_out) == (1, 1)
    assert Contact.objects.count() == 3
    assert not AttributeDefinition.objects.exists()
    job = previewing.start(imported, drafts.mapped(draft), draft.options)
    assert jobs.round()
    job.refresh_from_db()
    assert (job.result["created"], job.result["updated"], job.result["refused_count"]) == (1, 1, 1)
    assert Contact.objects.count() == 3
    done = drafts.run(draft)
    assert drafts.run(drafts.Draft(imported, draft.found, draft.options, "")).pk == done.pk  # pressed twice
    assert jobs.round()
    done.refresh_from_db()
    assert (done.status, done.result["created"], done.result["updated"]) == ("finished", 1, 1), done.error
    assert shop.people()["new@x.fr"]["attributes"] == {"points": 3}


def test_a_look_at_the_whole_file_counts_each_contact_once(shop: Shop) -> None:
    lines = [b"email"] + [b"p%d@x.fr" % (n % 7_000) for n in range(12_000)]
    imported = drafts.begin(
        shop.account, iter([b"\n".join(lines)]), content_type="text/csv", filename="f.csv", user=None
    )
    draft = drafts.open_draft(imported)
    job = previewing.start(imported, drafts.mapped(draft), draft.options)
    assert jobs.round()
    job.refresh_from_db()
    assert (job.status, job.result["lines"], job.result["created"]) == ("finished", 12_000, 7_000), job.error


@pytest.mark.parametrize(
    "header", ["consents.email", "consent_email", "Consentement e-mail", "E-mail consent"]
)
def test_a_column_of_consents_is_known_by_its_header(header: str) -> None:
    assert columns.field_of(header, ()) == "consents.email"
