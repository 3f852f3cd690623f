"""What users do to a segment while it is being looked at, or settled."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from parcours.lib import clock
from parcours.segments import actions, looking, work
from parcours.segments.models import Flips, Segment
from parcours.segments.tests.conftest import Firm
from parcours.segments.upkeep import Held

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
LATELY = {"event": "page.viewed", "window": {"last": "2h"}}


def _during_the_look(monkeypatch: pytest.MonkeyPatch, act: Any) -> list[str]:
    """Do something between what a look finds and what it writes, once."""
    done: list[str] = []

    def point(name: str) -> None:
        if name == "segments.looked" and not done:
            done.append(name)
            act()

    monkeypatch.setattr(looking, "point", point)
    return done


@pytest.mark.parametrize("deed", ["pause", "delete"])
def test_no_flips_are_left_of_a_segment_that_goes_while_it_is_looked_at(
    firm: Firm, deed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would look at them any more: work would find some due at every turn, for ever."""
    (ada,) = firm.people({"email": "ada@example.org"})
    segment = firm.segment(LATELY)
    firm.happens("page.viewed", ada)
    firm.catch_up()
    assert firm.members(segment) == [ada]
    firm.happens("page.viewed", ada)  # moves nobody, and flips in two hours
    while firm.digest.round():
        pass

    def act() -> None:
        seen = Segment.objects.select_related("account").get(pk=segment.pk)
        if deed == "pause":
            actions.pause(segment=seen, now=clock.now())
        else:
            actions.delete(segment=seen)

    done = _during_the_look(monkeypatch, act)
    firm.catch_up()
    assert done
    assert not Flips.objects.exists()
    if deed == "pause":
        actions.activate(
            segment=Segment.objects.select_related("account").get(pk=segment.pk), now=clock.now()
        )
        firm.catch_up()
        assert firm.members(segment) == [ada]
        assert Flips.objects.filter(segment=segment).exists()


def test_one_that_is_refreshed_while_it_is_settled_stays_computing(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asked for the figures of now would take the former ones for them."""
    firm.people({"email": "ada@example.org", "city": "Lyon"})
    answer = firm.post(
        "segments", {"name": "Lyon", "criteria": {"field": "city", "op": "eq", "value": "lyon"}}
    )
    segment = Segment.objects.select_related("account").get(pk=int(answer["id"]))
    while firm.digest.round():
        pass
    work.round()  # computed: what it tells is on its way
    while firm.digest.round():
        pass
    assert Segment.objects.get(pk=segment.pk).settling_at is not None
    check, refreshed = Held.check, list[datetime]()

    def late(held: Held) -> None:
        time.sleep(0.005)
        check(held)
        if not refreshed:
            refreshed.append(clock.now())
            actions.refresh(segment=Segment.objects.get(pk=segment.pk), now=refreshed[0])

    monkeypatch.setattr(Held, "check", late)
    monkeypatch.setattr(work, "_compute_due", lambda held, now: False)
    work.round()
    assert refreshed
    seen = Segment.objects.get(pk=segment.pk)
    assert (seen.status, seen.progress, seen.next_at) == (Segment.Status.COMPUTING, 0, refreshed[0])
    assert seen.profiles == 1
    monkeypatch.undo()
    firm.catch_up()
    assert Segment.objects.get(pk=segment.pk).status == Segment.Status.UP_TO_DATE
