"""Whatever is merged, parted and erased, every reading is the oracle's."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.contacts import actions
from parcours.contacts.merging import joining, parting
from parcours.contacts.merging.tests.oracle import STEPS, Oracle, Person
from parcours.contacts.merging.tests.world import World
from parcours.lib import clock
from parcours.lib.problems import Problem
from parcours.reports import verify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

CITIES = (None, "Lyon", "Paris")
ACTS = (
    *("add", "change", "consent", "buy", "see", "identify", "mail", "enrol", "day", "list"),
    *("merge", "merge", "merge", "merge two", "part", "part", "erase"),
)
acts = st.tuples(st.sampled_from(ACTS), st.integers(0, 30), st.integers(0, 30), st.booleans())


class Walk:
    """The same things done in the world and in the oracle."""

    def __init__(self) -> None:
        self.world = World()
        self.oracle = Oracle()
        self.news = self.world.mailing_list("news")
        self.journey = self.world.journey(
            [
                {"id": STEPS[0], "type": "delay", "for": "1d", "next": STEPS[1]},
                {"id": STEPS[1], "type": "delay", "for": "1d"},
            ]
        )
        event = {"event": "bought", "count": {"op": "gte", "value": 2}}
        criteria: dict[str, Any] = {
            "everyone": {"all": []},
            "lyon": {"field": "city", "op": "eq", "value": "Lyon"},
            "opted_out": {"consent": "email", "op": "eq", "value": "opted_out"},
            "bought": event,
            "saw": {"event": "page.viewed"},
            "entered": {"journey": self.journey.pk, "op": "entered"},
            "news": {"list": self.news.pk, "op": "member"},
        }
        self.segments = {name: self.world.segment(said, name) for name, said in criteria.items()}

    def someone(self, number: int) -> int | None:
        living = self.oracle.living()
        return living[number % len(living)] if living else None

    def do(self, what: str, one: int, other: int, flag: bool) -> None:
        world, oracle = self.world, self.oracle
        contact = self.someone(one)
        if what == "add" or contact is None:
            email = f"p{len(oracle.people)}@example.org"
            made = world.add(email=email, city=CITIES[one % 3], first_name="Zoé" if flag else None)
            oracle.people[made] = Person(email, CITIES[one % 3], "Zoé" if flag else None)
        elif what == "change":
            world.add(id=contact, city=CITIES[other % 3])
            oracle.people[contact].city = CITIES[other % 3]
        elif what == "consent":
            value = "opted_out" if flag else "opted_in"
            actions.set_consent(
                account_id=world.account.pk, contact_ids=[contact], channel="email", value=value, source="test",
                now=clock.now(),
            )  # fmt: skip
            oracle.consents(contact, value)
        elif what == "buy":
            world.did(contact, "bought")
            oracle.events.append((contact, None, "bought"))
        elif what == "see":
            world.call("page", anonymous_id=f"b{one % 3}", properties={"url": "https://x.org/"})
            oracle.sees(f"b{one % 3}")
        elif what == "identify":
            email = oracle.people[contact].email
            world.call("identify", anonymous_id=f"b{other % 3}", traits={"email": email})
            oracle.identifies(f"b{other % 3}", contact)
        elif what == "mail":
            send = f"send {len(oracle.sends)}"
            links = {"message": world.message.pk, "send": send}
            for name in ("email.sent", "email.delivered", *(["email.opened"] if flag else [])):
                world.did(contact, name, **links)
                oracle.events.append((contact, None, name))
            oracle.sends[send] = (contact, flag)
        elif what == "enrol":
            world.enrol(self.journey, contact)
            world.live()
            oracle.enrols(contact)
        elif what == "day":
            world.live()
            world.later(days=1)
            world.live()
            oracle.a_day_passes()
        elif what == "list":
            act = actions.add_to_list if flag else actions.remove_from_list
            act(
                account_id=world.account.pk, list_id=self.news.pk, contact_ids=[contact], source="test",
                now=clock.now(),
            )  # fmt: skip
            lists = oracle.people[contact].lists
            lists.add("news") if flag else lists.discard("news")
        elif what in ("merge", "merge two"):
            self.merge(contact, other, 2 if what == "merge two" else 1)
        elif what == "part":
            self.part(one)
        elif what == "erase" and len(oracle.living()) > 1:
            world.live()  # what a person did is accepted in order; the oracle knows no journal
            actions.erase(account_id=world.account.pk, contact_ids=[contact], now=clock.now())
            world.live()
            oracle.erases(contact)

    def merge(self, into: int, other: int, number: int) -> None:
        others = [each for each in self.oracle.living() if each != into]
        chosen = [others[(other + place) % len(others)] for place in range(min(number, len(others)))]
        if not chosen:
            return
        self.world.live()
        joining.merge(
            self.world.account, into=into, merged=chosen, choices={}, source="test", now=clock.now()
        )
        for contact in chosen:
            self.oracle.merges(into, contact)

    def part(self, number: int) -> None:
        oracle = self.oracle
        if not oracle.joined:
            return
        contact = sorted(oracle.joined)[number % len(oracle.joined)]
        self.world.live()
        into = oracle.joined[contact].into
        if into in oracle.joined or into in oracle.erased:
            with pytest.raises(Problem):
                parting.unmerge(self.world.account, contact=contact, source="test", now=clock.now())
            return
        parting.unmerge(self.world.account, contact=contact, source="test", now=clock.now())
        oracle.parts(contact)

    def check(self) -> None:
        world, oracle = self.world, self.oracle
        world.live()
        told = world.figures(self.journey)
        assert {
            "entered": told["entered"],
            "contacts": told["contacts"],
            "active": told["active"],
            "completed": told["completed"],
            "merged": told["exited"]["merged"],
            "removed": told["exited"]["removed"],
            "steps": {
                step["id"]: (step["passages"], step["contacts"], step["waiting"]) for step in told["steps"]
            },
        } == oracle.figures()
        metrics = world.metrics()
        assert (metrics["sends"], metrics["recipients"], metrics["opened"]) == oracle.metrics()
        for contact in oracle.living():
            person, said = world.person(contact), oracle.people[contact]
            assert (person["email"], person["city"], person["first_name"]) == (
                said.email,
                said.city,
                said.first_name,
            )
            assert person["consents"]["email"] == said.consent
            assert person["lists"] == ([str(self.news.pk)] if "news" in said.lists else [])
            seen = [name for name in world.timeline(contact) if name in ("bought", "page.viewed")]
            told_of = oracle.timeline(contact)
            assert seen == sorted(name for name in told_of.elements() if name in ("bought", "page.viewed"))
        members = {name: world.members(segment) for name, segment in self.segments.items()}
        assert members == oracle.members()
        verified = [(each.kind, each.name, each.differences) for each in verify.verify(world.account)]
        assert all(not differences for _kind, _name, differences in verified), verified


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(acts, min_size=6, max_size=28))
def test_every_reading_is_the_oracle_s(world: World, said: list[tuple[str, int, int, bool]]) -> None:
    walk = Walk()
    for _ in range(4):
        walk.do("add", len(walk.oracle.people), 0, True)
    for place, act in enumerate(said):
        walk.do(*act)
        if place == len(said) // 2:
            walk.check()
    walk.check()
