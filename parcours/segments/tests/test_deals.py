"""What happens to a deal happens to each contact tied to it, and once to who turns out to be two of them."""

from __future__ import annotations

import pytest

from parcours.contacts.merging import joining, parting
from parcours.criteria.batch import Case, evaluate_batch
from parcours.criteria.tests.test_against_oracle import _few
from parcours.events import journal, watermark
from parcours.events.entries import Line
from parcours.lib import clock
from parcours.lib.instants import to_ms
from parcours.segments import compute, queries
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]
CALLED = {
    "event": "call.ended",
    "count": {"op": "eq", "value": 1},
    "sum": {"property": "minutes", "op": "eq", "value": 7},
}


def _call(firm: Firm, deal: int) -> None:
    """Somebody calls about a deal, from a browser that nobody knows."""
    now = to_ms(clock.now())
    line = Line("call.ended", now, now, "call-1", None, "phone", {"minutes": 7}, {"deal": deal})
    journal.append([line], account_id=firm.account.pk)


@pytest.mark.parametrize("few", [0, 200])
def test_an_event_of_a_deal_counts_once_for_a_person_merged(firm: Firm, few: int) -> None:
    ann, bob, eve = firm.people(*({"email": f"{name}@example.org"} for name in ("ann", "bob", "eve")))
    deal = firm.post("deals", {"name": "Roof", "contacts": [{"id": str(one)} for one in (ann, bob, eve)]})
    once = firm.segment(CALLED)
    dated = firm.segment(CALLED | {"window": {"last": "90d"}}, name="Lately")
    _call(firm, int(deal["id"]))

    def check(*people: int) -> None:
        with _few(few):
            firm.catch_up()
            for segment in (once, dated):
                assert firm.members(segment) == sorted(people)
            assert queries.preview(account=firm.account, criteria=CALLED).count == len(people)
            read = watermark.current(firm.account.pk)
            node = compute.parsed(once)
            assert not compute.moves(once, node, read)
            assert not compute.moves(once, node, read, contacts=[ann, bob, eve])
            cases = [Case(one, one, to_ms(clock.now()), {}) for one in people]
            found = evaluate_batch(node, cases, account=firm.account.pk, load=read.load)
            assert found == set(people)

    check(ann, bob, eve)
    joining.merge(firm.account, into=ann, merged=[bob], source="test", now=clock.now())
    check(ann, eve)
    firm.calls("identify", anonymousId="phone", traits={"email": "eve@example.org"})
    check(ann, eve)
    joining.merge(firm.account, into=eve, merged=[ann], source="test", now=clock.now())
    check(eve)
    Segment.objects.filter(account=firm.account).update(next_at=clock.now())
    check(eve)
    parting.unmerge(firm.account, contact=ann, source="test", now=clock.now())
    check(ann, eve)
    parting.unmerge(firm.account, contact=bob, source="test", now=clock.now())
    check(ann, bob, eve)
