"""Segments that are late, each for its reason, while nobody computes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.segments import WORDS, Place, row
from tests.browser.ways import each_way
from tests.fixtures.browser import Visits, assert_accessible, assert_fits, shoot
from tests.fixtures.installation import Account, Installation

REASONS = {
    "fr": {
        "Lecture": "Ce qui a été reçu dernièrement est encore en cours de lecture.",
        "File": "D’autres segments sont calculés avant lui.",
        "Panne": "le calcul a échoué, et reprend dans la minute. La machine a répondu : plus de place",
        "Oubli": "Non calculé : ",
    },
    "en": {
        "Lecture": "What was received lately is still being read in.",
        "File": "Other segments are computed before it.",
        "Panne": "the computation failed, and is tried again within a minute. The machine said: plus de place",
        "Oubli": "Not computed: ",
    },
}
#: Two hours ago each was due; what the worker says when it cannot compute, said by its own function.
LATE = """
from datetime import timedelta
from parcours.lib import clock
from parcours.segments.full import failed
from parcours.segments.models import Segment
of = Segment.objects.filter(account={account})
of.update(next_at=clock.now() - timedelta(hours=2), status="up_to_date")
of.filter(name="Lecture").update(late_reason="digest")
of.filter(name="File").update(late_reason="queue")
gone = {{"field": "attributes.perdu", "op": "exists"}}
of.filter(name="Oubli").update(criteria=gone)
failed(of.get(name="Oubli"), Segment.Error.CRITERIA)
failed(of.get(name="Panne"), Segment.Error.FAILURE, "plus de place")
"""


@pytest.fixture(scope="module")
def place(installation: Installation) -> Place:
    return Place(installation)


@pytest.fixture(scope="module")
def late(place: Place) -> Iterator[Account]:
    """Four segments that nobody computes, each for a reason of its own."""
    account = place.account("Retards")
    place.people(account, [{"email": "ann@example.org"}])
    for name in REASONS["fr"]:
        place.segment(account, name)
    place.settled(account)
    with place.at_rest():
        place.installation.quickly("manage", "shell", "-c", LATE.format(account=account.id))
        yield account


@each_way
def test_why_a_segment_is_late_is_told(visits: Visits, late: Account, language: str, width: int) -> None:
    words = WORDS[language]
    page = visits.page(account=late, language=language, width=width)
    page.goto("/segments/?sort=state")
    for name, reason in REASONS[language].items():
        expect(row(page, name)).to_contain_text(words["late"])
        expect(row(page, name)).to_contain_text(reason)
        # What was computed before stands.
        expect(row(page, name).locator("[data-figure=profiles]")).to_have_text("1")
    assert "perdu" in row(page, "Oubli").inner_text()
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segments-why-late-{language}-{width}")
    row(page, "Panne").get_by_role("link", name=words["see"]).click()
    expect(page.get_by_text(REASONS[language]["Panne"])).to_be_visible()
    expect(page.locator(".segment-head .state")).to_have_text(words["late"])
    assert_accessible(page)
    assert_fits(page)
    shoot(page, f"segment-why-late-{language}-{width}")
