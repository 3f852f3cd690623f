"""Numbers and instants, as readers of French and English write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation

from parcours.ui import formats

NOW = datetime(2026, 11, 22, 13, 32, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [
        (0, "0", "0"),
        (999, "999", "999"),
        (1000, "1\u202f000", "1,000"),
        (1234567, "1\u202f234\u202f567", "1,234,567"),
        (-4200, "-4\u202f200", "-4,200"),
        (None, "—", "—"),
    ],
)
def test_numbers(value: int | None, french: str, english: str) -> None:
    with translation.override("fr"):
        assert formats.number(value) == french
    with translation.override("en"):
        assert formats.number(value) == english


@pytest.mark.parametrize(
    ("code", "french", "english"),
    [("BE", "Belgique", "Belgium"), ("be", "Belgique", "Belgium"), ("XX", "XX", "XX"), ("", "", "")],
)
def test_countries(code: str, french: str, english: str) -> None:
    with translation.override("fr"):
        assert formats.country(code) == french
    with translation.override("en"):
        assert formats.country(code) == english


@pytest.mark.parametrize(
    ("tag", "french", "english"),
    [
        ("fr", "Français", "French"),
        ("fr-CA", "Français (Canada)", "French (Canada)"),
        ("en_GB", "Anglais (Royaume-Uni)", "English (United Kingdom)"),
        ("zz", "zz", "zz"),
        ("not a tag", "not a tag", "not a tag"),
        ("", "", ""),
    ],
)
def test_languages(tag: str, french: str, english: str) -> None:
    with translation.override("fr"):
        assert formats.language(tag) == french
    with translation.override("en"):
        assert formats.language(tag) == english


def test_texts_that_are_dates() -> None:
    with translation.override("fr"), timezone.override("Europe/Paris"):
        assert formats.dated("2026-03-01") == "1er mars 2026"
        assert formats.dated("2026-03-01T10:00:00Z") == "1er mars 2026 à 11:00:00"
        assert formats.dated("1er mars") == "1er mars"
        assert formats.dated("2026-03-01T10:00:00") == "2026-03-01T10:00:00"


def test_decimals_round_half_up() -> None:
    with translation.override("en"):
        assert formats.number(0.125, 2) == "0.13"
        assert formats.percent(0.12345) == "12.3%"
        assert formats.percent(Decimal("0.0005")) == "0.1%"
        assert formats.percent(None) == "—"
        assert formats.money(1234.5, "EUR") == "€1,234.50"
        assert formats.money(3, "PLN") == "PLN\u00a03.00"
        assert formats.money(21.75, "USD") == "$21.75"
        assert formats.money(21.75, "") == "21.75"
    with translation.override("fr"):
        assert formats.percent(0.12345) == "12,3\u202f%"
        assert formats.money(1234.5, "EUR") == "1\u202f234,50\u00a0€"
        assert formats.money(21.75, "USD") == "21,75\u00a0$US"
        assert formats.money(None, "EUR") == "—"


@pytest.mark.parametrize(
    ("passed", "french", "english"),
    [
        (timedelta(seconds=20), "à l’instant", "just now"),
        (timedelta(seconds=60), "il y a 1 minute", "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "il y a 59 minutes", "59 minutes ago"),
        (timedelta(hours=2), "aujourd’hui à 12:32", "today at 12:32"),
        (timedelta(hours=15), "hier à 23:32", "yesterday at 23:32"),
        (timedelta(days=21), "1er nov. 2026 à 14:32", "1 Nov 2026 at 14:32"),
        (timedelta(minutes=-5), "dans 5 minutes", "in 5 minutes"),
        (timedelta(hours=-12), "demain à 02:32", "tomorrow at 02:32"),
    ],
)
def test_when(passed: timedelta, french: str, english: str) -> None:
    with timezone.override(ZoneInfo("Europe/Paris")):
        with translation.override("fr"):
            assert formats.when(NOW - passed, NOW) == french
        with translation.override("en"):
            assert formats.when(NOW - passed, NOW) == english


def test_the_full_instant_is_in_the_readers_zone() -> None:
    with timezone.override(ZoneInfo("Asia/Kathmandu")), translation.override("fr"):
        assert formats.moment(NOW) == "22 novembre 2026 à 19:17:07"


def test_durations() -> None:
    with translation.override("fr"):
        assert formats.duration(400) == "0,4\u00a0s"
        assert formats.duration(90_000) == "1\u00a0min 30\u00a0s"
        assert formats.duration(3_600_000) == "1\u00a0h"
        assert formats.duration((2 * 86400 + 4 * 3600 + 59) * 1000) == "2\u00a0j 4\u00a0h"
        assert formats.duration(None) == "—"
