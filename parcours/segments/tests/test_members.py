"""Who is in a segment, who entered and left: searched, sorted, paged, exported, against a plain-Python oracle."""

from __future__ import annotations

import csv
import html
import io
import re
import unicodedata
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from parcours.accounts.models import User
from parcours.lib import clock
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = pytest.mark.django_db(transaction=True)
HERE = {"field": "city", "op": "eq", "value": "ici"}
PEOPLE: list[dict[str, Any]] = [
    {
        "email": "zoe@example.org",
        "first_name": "Zoé",
        "last_name": "Lefèvre",
        "consents": {"email": "opted_in"},
    },
    {"email": "ada@example.org", "first_name": "Ada", "last_name": "Byron", "consents": {"sms": "opted_in"}},
    {"phone": "+33612345678", "first_name": "Élise", "last_name": "Noël"},
    {"email": "=cmd@example.org", "first_name": "=1+1", "last_name": "", "consents": {"email": "opted_out"}},
    {"external_id": "X-77"},
    {
        "email": "bob@example.org",
        "first_name": "bob",
        "last_name": "Étienne",
        "consents": {"email": "opted_in"},
    },
]


@pytest.fixture
def segment(firm: Firm) -> Segment:
    """Six people who entered one after the other."""
    segment = firm.segment(HERE)
    for person in PEOPLE:
        firm.people(person | {"city": "ici"})
        firm.catch_up()
    segment.refresh_from_db()
    return segment


def bare(text: str) -> str:
    marked = unicodedata.normalize("NFKD", text)
    return "".join(one for one in marked if unicodedata.category(one) != "Mn").lower()


def walked(firm: Firm, address: str) -> list[dict[str, Any]]:
    """Every item of a list, two at a time."""
    join = "&" if "?" in address else "?"
    items, cursor = [], ""
    while True:
        answer = firm.get(f"{address}{join}limit=2&cursor={cursor}")
        items += answer["items"]
        cursor = answer["next"]
        if cursor is None:
            return items


def test_every_order_reads_each_member_once(firm: Firm, segment: Segment) -> None:
    everyone = firm.get(f"segments/{segment.pk}/members")["items"]
    assert len(everyone) == len(PEOPLE)
    assert set(everyone[0]) == {"contact", "name", "email", "entered_at", "email_opt_in", "sms_opt_in"}
    assert [one["entered_at"] for one in everyone] == sorted(
        (one["entered_at"] for one in everyone), reverse=True
    )

    def key(one: dict[str, Any], sort: str) -> Any:
        value = one[sort]
        return bare(value) if isinstance(value, str) and sort != "entered_at" else value

    for sort in ("entered_at", "name", "email", "email_opt_in", "sms_opt_in"):
        for sign in ("", "-"):
            found = walked(firm, f"segments/{segment.pk}/members?sort={sign}{sort}")
            assert sorted(one["contact"] for one in found) == sorted(one["contact"] for one in everyone)
            told = [one for one in found if one[sort] is not None]
            assert told == found[: len(told)], "what there is none of comes last"
            keys = [key(one, sort) for one in told]
            assert keys == sorted(keys, reverse=bool(sign)), (sign, sort)


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("ETIENNE", {"bob Étienne"}),
        ("elise noel", {"Élise Noël"}),
        ("example.org o", {"Zoé Lefèvre", "Ada Byron", "bob Étienne", "=1+1"}),
        ("12345678", {"Élise Noël"}),
        ("x-77", {None}),
        ("nobody", set()),
        ("%", set()),
    ],
)
def test_a_search_finds_every_word(
    firm: Firm, segment: Segment, search: str, expected: set[str | None]
) -> None:
    found = firm.http.get(f"/api/v1/segments/{segment.pk}/members", {"q": search}).json()["items"]
    assert {one["name"] for one in found} == expected


def test_a_list_read_later_at_the_same_instant_is_the_same(firm: Firm, segment: Segment) -> None:
    before = firm.get(f"segments/{segment.pk}/members")
    assert before["as_of"] is not None
    firm.people({"email": "new@example.org", "city": "ici"})
    firm.catch_up()
    again = firm.get(f"segments/{segment.pk}/members?as_of={before['as_of']}")
    assert again["items"] == before["items"]
    assert len(firm.get(f"segments/{segment.pk}/members")["items"]) == len(PEOPLE) + 1
    for wrong in ("as_of=yesterday", "as_of=2026-01-01T00:00:00", "sort=shoe", "cursor=zz"):
        assert firm.http.get(f"/api/v1/segments/{segment.pk}/members?{wrong}").status_code == 422, wrong


def test_the_csv_is_what_is_shown_with_formulas_defused(firm: Firm, segment: Segment) -> None:
    answer = firm.http.get(f"/api/v1/segments/{segment.pk}/members.csv?sort=name")
    lines = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))  # type: ignore[attr-defined]
    shown = firm.get(f"segments/{segment.pk}/members?sort=name")["items"]
    assert [line["contact"] for line in lines] == [one["contact"] for one in shown]
    assert "'=1+1" in {line["name"] for line in lines}
    assert "'=cmd@example.org" in {line["email"] for line in lines}
    client = Client(headers={"accept-language": "fr"})
    client.force_login(User.objects.get())
    page = client.get(f"/segments/{segment.pk}/profiles.csv?q=bob")
    found = b"".join(page.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert found.splitlines()[1].split(",")[1:3] == ["bob Étienne", "bob@example.org"]
    assert len(found.splitlines()) == 2


def test_entries_and_exits_are_told_with_their_dates(firm: Firm) -> None:
    start = clock.now()
    clock.freeze(start)
    try:
        segment = firm.segment(HERE)
        (ann,) = firm.people({"email": "ann@example.org", "first_name": "Ann", "city": "ici"})
        firm.catch_up()
        clock.freeze(start + timedelta(days=2))
        (bob,) = firm.people({"email": "bob@example.org", "city": "ici"})
        firm.people({"email": "ann@example.org", "city": "ailleurs"})
        firm.catch_up()
        clock.freeze(start + timedelta(days=2, seconds=1))
        firm.catch_up()
        address = f"segments/{segment.pk}/changes"
        told = firm.get(address)
        assert (told["entered"], told["left"]) == (2, 1)
        seen = [(one["contact"], one["change"]) for one in walked(firm, address)]
        assert sorted(seen[:2]) == sorted([(str(ann), "left"), (str(bob), "entered")])
        assert seen[2] == (str(ann), "entered")
        assert [one["change"] for one in firm.get(f"{address}?kind=left")["items"]] == ["left"]
        day = (start + timedelta(days=2)).astimezone().date().isoformat()
        late = firm.get(f"{address}?from={day}")
        assert (late["entered"], late["left"], len(late["items"])) == (1, 1, 2)
        early = firm.get(f"{address}?to={(start + timedelta(days=1)).isoformat().replace('+', '%2B')}")
        assert (early["entered"], early["left"], len(early["items"])) == (1, 0, 1)
        refused = firm.http.get(f"/api/v1/{address}?from=hier&kind=left")
        assert refused.json()["errors"][0]["pointer"] == "/from"
    finally:
        clock.freeze(None)


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def test_the_pages_of_a_segment(firm: Firm, segment: Segment) -> None:
    reader = Client(headers={"accept-language": "fr"})
    reader.force_login(User.objects.get())
    page = text(reader.get(f"/segments/{segment.pk}"))
    assert "6 profils" in page
    (link,) = re.findall(r'href="([^"]+\.csv[^"]*)"', page)
    firm.people({"email": "late@example.org", "city": "ici"})
    firm.catch_up()
    assert "7 profils" in text(reader.get(f"/segments/{segment.pk}"))
    exported = b"".join(reader.get(link).streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    assert len(exported.splitlines()) == 1 + 6, "the file is of the page's instant"
    found = text(reader.get(f"/segments/{segment.pk}?q=noel"))
    assert "1 profil trouvé" in found
    assert "7 profils" in found
    assert "Personne ne répond" in text(reader.get(f"/segments/{segment.pk}?q=nobody"))
    assert reader.get(f"/segments/{segment.pk}?cursor=zz").status_code == 302
    changes = text(reader.get(f"/segments/{segment.pk}/changes"))
    assert "Entrées et sorties" in changes
    assert changes.count("move-in") == 7
    assert "ni une date" in text(reader.get(f"/segments/{segment.pk}/changes?from=hier"))
    assert "Personne n’est entré" in text(reader.get(f"/segments/{segment.pk}/changes?kind=left"))


def test_one_erased_stays_a_line_without_name(firm: Firm, segment: Segment) -> None:
    contact = firm.get(f"segments/{segment.pk}/members?q=byron")["items"][0]["contact"]
    before = firm.get(f"segments/{segment.pk}/members")["as_of"]
    assert firm.http.delete(f"/api/v1/contacts/{contact}").status_code in (202, 204)
    firm.catch_up()
    told = firm.get(f"segments/{segment.pk}/changes")["items"]
    assert [one for one in told if one["contact"] is None and one["name"] is None and one["email"] is None]
    assert contact not in {one["contact"] for one in told}
    assert len(firm.get(f"segments/{segment.pk}/members?as_of={before}")["items"]) == len(PEOPLE)
