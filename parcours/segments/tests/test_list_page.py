"""The table of segments: search, order, folders, states, its parts that follow a computation."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from parcours.accounts import actions as accounts
from parcours.accounts.models import User
from parcours.lib import clock
from parcours.segments import curves, folders
from parcours.segments.models import Segment, SegmentFolder, SegmentSize, Upkeep
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


@pytest.fixture
def reader(firm: Firm) -> Client:
    client = Client(headers={"accept-language": "fr"})
    client.force_login(User.objects.get())
    return client


def text(answer: Any) -> str:
    return html.unescape(answer.content.decode()).replace("\u00a0", " ").replace("\u202f", " ")


def names(answer: Any) -> list[str]:
    """The names in the table, in its order."""
    return re.findall(r'class="segment-name">\s*<div><a [^>]*>([^<]*)<', text(answer))


def made(firm: Firm, name: str, **fields: Any) -> Segment:
    """A segment as a computation left it."""
    now = clock.now()
    usual = {
        "status": "up_to_date",
        "figures_at": now,
        "computed_at": now,
        "next_at": now + timedelta(hours=9),
    }
    return Segment.objects.create(account=firm.account, name=name, criteria={"all": []}, **(usual | fields))


def test_words_of_the_name_are_found_whatever_their_case_and_accents(firm: Firm, reader: Client) -> None:
    for name in ("Évreux, été 2026", "Clients fidèles", "Inactifs"):
        made(firm, name)
    assert names(reader.get("/segments/?search=ete evreux")) == ["Évreux, été 2026"]
    assert names(reader.get("/segments/?search=FIDÈLES")) == ["Clients fidèles"]
    assert "Aucun segment ne porte ce nom" in text(reader.get("/segments/?search=%25"))
    assert "Nouveau segment" in text(reader.get("/segments/?search=nothing"))


def test_every_column_sorts_both_ways(firm: Firm, reader: Client) -> None:
    now = clock.now()
    made(firm, "Ann", profiles=5, email_opt_ins=1, sms_opt_ins=2, computed_at=now - timedelta(days=2))
    made(firm, "Bob", profiles=9, email_opt_ins=9, sms_opt_ins=1, status="paused", next_at=None)
    made(firm, "Cléa", profiles=7, email_opt_ins=3, sms_opt_ins=3, next_at=now - timedelta(hours=2))
    made(firm, "Dan", status="computing", figures_at=None, computed_at=None, next_at=now)
    expected = {
        "name": ["Ann", "Bob", "Cléa", "Dan"],
        "-profiles": ["Bob", "Cléa", "Ann", "Dan"],
        "email_opt_ins": ["Dan", "Ann", "Cléa", "Bob"],
        "-sms_opt_ins": ["Cléa", "Ann", "Bob", "Dan"],
        "state": ["Cléa", "Dan", "Bob", "Ann"],
        "computed_at": ["Ann", "Bob", "Cléa", "Dan"],
    }
    for sort, order in expected.items():
        assert names(reader.get(f"/segments/?sort={sort}")) == order, sort
    made(firm, "élan")
    made(firm, "Zoé")
    assert names(reader.get("/segments/")) == ["Ann", "Bob", "Cléa", "Dan", "élan", "Zoé"]
    assert names(reader.get("/segments/?sort=-name"))[:2] == ["Zoé", "élan"]
    Segment.objects.filter(name__in=("élan", "Zoé")).delete()
    assert names(reader.get("/segments/?sort=password")) == ["Ann", "Bob", "Cléa", "Dan"]
    page = text(reader.get("/segments/?sort=-profiles"))
    assert 'aria-sort="descending"' in page
    assert "En retard" in page
    assert "En pause" in page
    assert "En cours" in page


def test_why_a_segment_is_late_is_said(firm: Firm, reader: Client) -> None:
    late = made(firm, "Late", next_at=clock.now() - timedelta(hours=2), late_reason="digest")
    assert "encore en cours de lecture" in text(reader.get("/segments/"))
    Segment.objects.filter(pk=late.pk).update(late_reason="")
    assert "Son calcul n’a pas commencé" in text(reader.get("/segments/"))
    Segment.objects.filter(pk=late.pk).update(
        error="criteria", criteria={"field": "attributes.x", "op": "exists"}
    )
    assert "Il n’y a pas de champ « attributes.x »" in text(reader.get("/segments/"))


def test_folders_are_made_renamed_deleted_and_filled(firm: Firm, reader: Client) -> None:
    one, two = made(firm, "One"), made(firm, "Two")
    assert "Pas encore de dossier" in text(reader.get("/segments/folders"))
    assert "est créé" in text(reader.post("/segments/folders", {"name": " Boutique "}, follow=True))
    again = reader.post("/segments/folders", {"name": "Boutique"})
    assert again.status_code == 422
    assert "Un dossier porte déjà ce nom" in text(again)
    folder = SegmentFolder.objects.get(name="Boutique")
    moved = reader.post(
        "/segments/move", {"folder": folder.pk, "segment": [one.pk, "x"], "back": "sort=-name&evil=1"}
    )
    assert moved["Location"] == "/segments/?sort=-name"
    assert names(reader.get(f"/segments/?folder={folder.pk}")) == ["One"]
    assert names(reader.get("/segments/?folder=none")) == ["Two"]
    assert names(reader.get("/segments/?folder=-1")) == []
    reader.post(f"/segments/folders/{folder.pk}/rename", {"name": "Magasin"})
    assert "Magasin (1)" in text(reader.get("/segments/"))
    assert "1 à 200" in text(reader.post(f"/segments/folders/{folder.pk}/rename", {"name": " "}, follow=True))
    reader.post("/segments/move", {"folder": "none", "segment": [one.pk, two.pk]})
    assert names(reader.get("/segments/?folder=none")) == ["One", "Two"]
    reader.post("/segments/move", {"folder": folder.pk, "segment": [two.pk]})
    assert "Cochez d’abord" in text(reader.post("/segments/move", {"folder": "none"}, follow=True))
    reader.post(f"/segments/folders/{folder.pk}/delete")
    assert not SegmentFolder.objects.exists()
    assert Segment.objects.filter(folder=None).count() == 2


def test_another_account_s_segments_are_not_moved(firm: Firm, reader: Client) -> None:
    other = accounts.create_account(
        name="Other", email="b@example.org", password="un mot de passe assez long"
    )
    theirs = Segment.objects.create(account=other.account, name="Theirs", criteria={"all": []})
    their_folder = folders.create(account=other.account, name="Theirs")
    mine = folders.create(account=firm.account, name="Mine")
    reader.post("/segments/move", {"folder": mine.pk, "segment": [theirs.pk]})
    assert reader.post("/segments/move", {"folder": their_folder.pk, "segment": []}).status_code == 404
    theirs.refresh_from_db()
    assert theirs.folder is None


def watched(page: str) -> str:
    """What a page asks again, and how often."""
    found = re.search(r'hx-get="/segments/pulse\?([^"]*)" hx-trigger="every ([^"]*)"', page)
    assert found, page
    return f"{html.unescape(found[1])} {found[2]}"


def test_the_pulse_gives_the_rows_that_are_other_than_they_were(firm: Firm, reader: Client) -> None:
    firm.people({"email": "ann@example.org"})
    answer = firm.http.post(
        "/api/v1/segments", {"name": "S", "criteria": {"all": []}}, content_type="application/json"
    )
    pk = answer.json()["id"]
    page = text(reader.get("/segments/"))
    asked, pause = watched(page).split()
    assert (asked.partition(".")[0], pause) == (f"row={pk}", "1500ms")
    assert "hx-swap-oob" not in text(reader.get(f"/segments/pulse?{asked}"))
    beat = text(reader.get(f"/segments/pulse?row={pk}&row=999999.1&row=x"))
    assert watched(beat) == f"{asked} 1500ms"
    assert "En cours" in beat
    firm.catch_up()
    beat = text(reader.get(f"/segments/pulse?{asked}"))
    asked, pause = watched(beat).split()
    assert pause == "10s"
    assert "À jour" in beat
    assert re.search(rf'id="segment-{pk}-profiles" hx-swap-oob="true"[^>]*>1<', beat)
    assert "hx-swap-oob" not in text(reader.get(f"/segments/pulse?{asked}"))
    # It is computed again, by whomever: the page comes to know of it, and asks more often.
    firm.http.post(f"/api/v1/segments/{pk}/refresh")
    beat = text(reader.get(f"/segments/pulse?{asked}"))
    assert watched(beat).endswith(" 1500ms")
    assert "En cours" in beat


def test_three_hundred_segments_cost_as_many_queries_as_three(firm: Firm, reader: Client) -> None:
    folder = folders.create(account=firm.account, name="F")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert reader.get("/segments/").status_code == 200
        return len(seen)

    for number in range(3):
        made(firm, f"S{number}", folder=folder)
    reader.get("/segments/")
    few = queries()
    for number in range(3, 300):
        made(firm, f"S{number:03}", folder=folder, profiles=number)
    assert queries() == few
    page = text(reader.get("/segments/"))
    assert "1 à 50 sur 300" in page
    assert len(names(reader.get("/segments/?page=6"))) == 50


def test_the_curve_is_of_the_last_size_of_each_day(firm: Firm) -> None:
    now = clock.now()
    segment = made(firm, "S", profiles=42, figures_at=now)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for days, hour, profiles in ((40, 1, 1), (3, 2, 10), (3, 9, 20), (2, 5, 35)):
        at = start - timedelta(days=days) + timedelta(hours=hour)
        SegmentSize.objects.create(segment=segment, slot=curves.slot_of(at), at=at, profiles=profiles)
    points = curves.history([segment], now=now)[segment.pk]
    assert [profiles for _, profiles in points] == [20, 35, 42]
    drawn = curves.sparkline(points)
    assert drawn is not None
    assert (drawn.first, drawn.last) == (20, 42)
    assert len(drawn.line.split()) == 3
    large = curves.chart(points)
    assert large is not None
    assert (large.lowest, large.highest) == (20, 42)
    assert all(0 <= mark.top <= 100 and 0 <= mark.left <= 100 for mark in large.marks)
    assert curves.sparkline([]) is None
    assert curves.chart(points[:1]) is None


def test_a_young_segment_is_drawn_by_the_hour(firm: Firm, reader: Client) -> None:
    segment = made(firm, "S", profiles=42, figures_at=clock.now())
    for hours, profiles in ((5, 10), (3, 20), (2, 30)):
        at = clock.now() - timedelta(hours=hours)
        SegmentSize.objects.create(segment=segment, slot=curves.slot_of(at), at=at, profiles=profiles)
    page = text(reader.get(f"/segments/{segment.pk}/changes"))
    marks = re.findall(r'class="curve-mark"[^>]*title="([^"]*)"', page)
    assert [mark.rpartition(" · ")[2] for mark in marks] == ["10", "20", "30", "42"]
    assert all(re.search(r" \d\d:\d\d · ", mark) for mark in marks), marks
    Segment.objects.filter(pk=segment.pk).update(created_at=clock.now() - curves.YOUNG)
    page = text(reader.get(f"/segments/{segment.pk}/changes"))
    marks = re.findall(r'class="curve-mark"[^>]*title="([^"]*)"', page)
    assert marks
    assert not any(":" in mark for mark in marks)


def test_the_hour_of_the_night_is_chosen(firm: Firm, reader: Client) -> None:
    segment = made(firm, "S")
    assert "à 3 h" in text(reader.get("/segments/"))
    assert reader.post("/segments/night", {"night_hour": "24"}).status_code == 422
    assert reader.post("/segments/night", {"night_hour": "5"}).status_code == 302
    assert Upkeep.objects.get(account=firm.account).night_hour == 5
    assert "à 5 h" in text(reader.get("/segments/"))
    changed = firm.http.patch("/api/v1/segment-settings", {"night_hour": 1}, content_type="application/json")
    assert changed.json() == {"night_hour": 1, "timezone": "Europe/Paris"}
    refused = firm.http.patch("/api/v1/segment-settings", {"night_hour": 25}, content_type="application/json")
    assert refused.json()["errors"][0]["pointer"] == "/night_hour"
    segment.refresh_from_db()
    assert segment.next_at is not None
    assert segment.next_at <= clock.now() + timedelta(days=1)
