"""A firm to which random things happen, and its truth kept in plain Python beside it for the oracle of criteria."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

from parcours.contacts import actions as contacts
from parcours.contacts import definitions
from parcours.contacts.merging import joining, parting
from parcours.contacts.queries import described
from parcours.criteria.tests import oracle, worlds
from parcours.events import journal, watermark
from parcours.events.entries import Event
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import from_ms, to_ms
from parcours.segments import actions
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm

STARTS = [
    datetime(2026, 3, 28, 20, tzinfo=UTC),  # clocks go forward in Paris that night, have gone in Montreal
    datetime(2026, 10, 24, 20, tzinfo=UTC),  # and back
    datetime(2026, 11, 1, 4, tzinfo=UTC),  # back in Montreal
    datetime(2026, 11, 22, 12, tzinfo=UTC),
]
ZONES = ["UTC", "Europe/Paris", "America/Montreal", "Asia/Kathmandu"]
AGES = [timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=2), timedelta(days=90)]
STEPS = [timedelta(milliseconds=1), timedelta(seconds=59), timedelta(hours=1), timedelta(days=1)]
TOLD_BY_PRODUCT = ("contact.created", *(f"{one}.subscription_updated" for one in worlds.CHANNELS))
SYSTEM = "SELECT name, contact, toUnixTimestamp64Milli(occurred_at), properties FROM events WHERE account = {a:UInt32}"


class Walk:
    """Each act goes through a door of the product, and is noted for the oracle."""

    def __init__(self, firm: Firm, seed: int, documents: list[Any]) -> None:
        self.firm, self.chance = firm, random.Random(seed)
        self.account = firm.account
        self.account.timezone = self.chance.choice(ZONES)
        self.account.save(update_fields=["timezone"])
        clock.freeze(self.chance.choice(STARTS))
        self.people: list[int] = []
        self.done: list[str] = []
        self.since = 0
        self.events: list[dict[str, Any]] = []
        self.ties: dict[str, int] = {}
        self.merged: dict[int, int] = {}
        self.erased: set[int] = set()
        for name, kind in worlds.ATTRIBUTES.items():
            definitions.declare_attribute(account_id=self.account.pk, name=name, type=kind, now=clock.now())
        self.lists = [
            definitions.create_list(account_id=self.account.pk, name=f"List {number}", now=clock.now()).pk
            for number in (1, 2, 3)
        ]
        for _ in range(7):
            self.newcomer()
        self.frozen = self._segment({"any": [{"tag": "vip", "op": "has"}, {"event": "signup"}]}, "Frozen")
        self.inner = self._segment({"field": "country", "op": "eq", "value": "fr"}, "French")
        self.settle()
        self.inside = self._inside()[self.frozen.pk]
        actions.pause(segment=Segment.objects.get(pk=self.frozen.pk), now=clock.now())
        self.kept: dict[int, Any] = {}
        self.was: dict[int, set[int]] = {}
        self.told: dict[int, int] = {}
        for place, document in enumerate(documents):
            made = self._segment(self._own_ids(document), f"Segment {place}")
            self.kept[made.pk], self.was[made.pk], self.told[made.pk] = document, set(), 0

    # Acts

    def newcomer(self) -> None:
        """Somebody is added, with whatever is known of them."""
        line = self._line()
        self.people += self.firm.people(line | {"email": f"{new_id()}@example.org"})

    def change(self) -> None:
        """A profile changes; what is absent stays, null clears."""
        line = {key: value for key, value in self._line().items() if self.chance.random() < 0.4}
        self.firm.people(line | {"id": str(self._someone())})

    def list_change(self) -> None:
        act = self.chance.choice([contacts.add_to_list, contacts.remove_from_list])
        act(
            account_id=self.account.pk,
            list_id=self.chance.choice(self.lists),
            contact_ids=[self._someone()],
            source="test",
            now=clock.now(),
        )

    def consent(self) -> None:
        contacts.set_consent(
            account_id=self.account.pk,
            contact_ids=[self._someone()],
            channel=self.chance.choice(worlds.CHANNELS),
            value=self.chance.choice(worlds.CONSENTS),
            source="test",
            now=clock.now(),
        )

    def event(self) -> None:
        """Something happens to a contact now, happened long ago and is told late, or is yet to come."""
        name = self.chance.choice(["order.placed", "signup", "email.opened", "payment.failed"])
        at = clock.now() - self.chance.choice(AGES) + self.chance.choice([timedelta(0), *STEPS])
        drawn = worlds._event(self.chance, [self._someone()], ["nobody"])
        event = {
            "name": name,
            "contact": self._someone(),
            "visitor": None,
            "occurred_at": to_ms(at),
            "machine": name == "email.opened" and self.chance.random() < 0.4,
            "links": {},
            "properties": drawn["properties"],
        }
        self.events.append(event)
        told = Event(
            name,
            event["occurred_at"],
            to_ms(clock.now()),
            new_id(),
            contact=event["contact"],
            machine=event["machine"],
            properties=event["properties"],
        )
        journal.append([told], account_id=self.account.pk)

    def page(self) -> None:
        """A browser, known or not, views a page."""
        known = [place for place in range(4) if self.people[place] not in self.merged]
        browser = f"a{self.chance.choice(known)}" if known else "a9"
        self.firm.calls("page", anonymousId=browser, properties={"url": "https://x.org/", "label": "Paris"})
        properties = {"url": "https://x.org/", "label": "Paris"}
        self.events.append(
            {
                "name": "page.viewed",
                "contact": 0,
                "visitor": browser,
                "occurred_at": to_ms(clock.now()),
                "machine": False,
                "links": {},
                "properties": properties,
            }
        )

    def identify(self) -> None:
        """A browser says whose it is: always the same contact's."""
        place = self.chance.randrange(4)
        if self.people[place] in self.merged:
            return
        (person,) = described([self.people[place]])
        self.firm.calls("identify", anonymousId=f"a{place}", traits={"email": person["email"]})
        self.ties[f"a{place}"] = self.people[place]

    def merge(self) -> None:
        """Two contacts turn out to be one."""
        self._merge(self._living())

    def _merge(self, among: list[int]) -> None:
        into, away = self.chance.sample(among, 2)
        joining.merge(self.account, into=into, merged=[away], source="test", now=clock.now())
        self.merged[away] = into

    def unmerge(self) -> None:
        """They were two after all."""
        apart = [away for away, into in self.merged.items() if into in self._living()]
        if apart:
            away = self.chance.choice(apart)
            parting.unmerge(self.account, contact=away, source="test", now=clock.now())
            del self.merged[away]

    def erase(self) -> None:
        """Somebody, of whom no browser is known and whom no merge concerns, is forgotten."""
        others = set(self.people[4:]) - set(self.merged) - set(self.merged.values()) - self.erased
        if others:
            gone = self.chance.choice(sorted(others))
            contacts.erase(account_id=self.account.pk, contact_ids=[gone], now=clock.now())
            self.erased.add(gone)

    def refresh(self) -> None:
        """Everything is computed in full: nobody moves who would not have moved."""
        for segment in Segment.objects.filter(account=self.account).exclude(pk=self.frozen.pk):
            actions.refresh(segment=segment, now=clock.now())

    def pause_and_resume(self) -> None:
        """A pause changes nothing once it is over."""
        self.settle()
        self.check()
        segment = Segment.objects.get(pk=self.chance.choice(list(self.kept)))
        actions.pause(segment=segment, now=clock.now())
        self.firm.catch_up()
        actions.activate(segment=segment, now=clock.now())

    def time_passes(self) -> None:
        """To just before, at, or just after an instant at which an event leaves a window; or by any time."""
        now = to_ms(clock.now())
        lengths = [0, 1000, 3_600_000, worlds.DAY, 2 * worlds.DAY, 14 * worlds.DAY, 90 * worlds.DAY]
        soon = [
            event["occurred_at"] + length + step
            for event in self.events
            for length in lengths
            for step in (0, 1, 2)
            if now < event["occurred_at"] + length + step < now + 3 * worlds.DAY
        ]
        if soon and self.chance.random() < 0.7:
            clock.freeze(from_ms(self.chance.choice(soon)))
        else:
            clock.freeze(
                clock.now()
                + self.chance.choice(
                    [*STEPS, timedelta(hours=5, minutes=30), timedelta(hours=7), timedelta(days=30)]
                )
            )

    # What is true, and what is said

    def settle(self) -> None:
        """Digest and keep segments until nothing is left, at the instant for which the answers hold."""
        self.since = to_ms(clock.now())
        for _ in range(20):
            self.firm.catch_up()
            as_of = watermark.current(self.account.pk).as_of
            if as_of == clock.now():
                return
            clock.freeze(as_of)
        raise AssertionError("Time runs away.")

    def check(self) -> None:
        """Members are those whom the oracle finds, and the entries and exits told are what changed since."""
        world, now = self.world(), to_ms(clock.now())
        inside, told = self._inside(), self._moves()
        segments = Segment.objects.in_bulk(list(self.kept))
        for pk, document in self.kept.items():
            assert segments[pk].status == Segment.Status.UP_TO_DATE, segments[pk].error
            expected = {one for one in world.contacts if oracle.meets(document, oracle.Case(one, now), world)}
            assert inside.get(pk, set()) == expected, (document, from_ms(now), self.done)
            assert segments[pk].profiles == len(expected), (document, from_ms(now), self.done)
            new = told.get(pk, [])[self.told[pk] :]
            self._check_moves(pk, document, new, expected, world)
            self.was[pk], self.told[pk] = expected, self.told[pk] + len(new)

    def _check_moves(
        self,
        pk: int,
        document: Any,
        new: list[tuple[str, int]],
        expected: set[int],
        world: oracle.World,
    ) -> None:
        """Who is on another side than before moved once. Some milliseconds pass while all settles: who was on both
        sides meanwhile may have been seen there."""
        was = self.was[pk]
        for one in was | expected | {contact for _name, contact in new}:
            told = [name for name, contact in new if contact == one]
            moves = (
                ["segment.left" if one in was else "segment.entered"]
                if (one in was) != (one in expected)
                else []
            )
            if told == moves:
                continue
            if one not in world.contacts:  # They are gone: whatever they were before, they are in nothing.
                assert told[-1] == "segment.left", (document, one, told, self.done)
                continue
            sides = {
                oracle.meets(document, oracle.Case(one, at), world)
                for at in range(self.since, to_ms(clock.now()) + 1)
            }
            assert len(sides) == 2, (document, one, told, moves, self.since, self.done)
            names = ["segment.left", "segment.entered"] if one in was else ["segment.entered", "segment.left"]
            assert told == (names * len(told))[: len(told)], (document, one, told, self.done)
            assert len(told) % 2 == len(moves) % 2, (document, one, told, moves, self.done)

    def _inside(self) -> dict[int, set[int]]:
        """Who is in each segment, by its entries and exits."""
        rows = client().query(
            "SELECT segment, contact FROM memberships WHERE account = {a:UInt32} GROUP BY segment, contact"
            " HAVING argMax(member, (load, position)) = 1",
            parameters={"a": self.account.pk},
        )
        found: dict[int, set[int]] = defaultdict(set)
        for segment, contact in rows.result_rows:
            found[segment].add(contact)
        return found

    def _moves(self) -> dict[int, list[tuple[str, int]]]:
        """The events that tell of entries and exits, by segment, in their order."""
        rows = client().query(
            "SELECT texts['segment'][1], name, contact FROM events WHERE account = {a:UInt32}"
            " AND name IN ('segment.entered', 'segment.left') ORDER BY load, position",
            parameters={"a": self.account.pk},
        )
        found: dict[int, list[tuple[str, int]]] = defaultdict(list)
        for segment, name, contact in rows.result_rows:
            found[int(segment)].append((name, contact))
        return found

    def world(self) -> oracle.World:
        """What is true now."""
        people = {}
        for person in described(self._living()):
            person["lists"] = [self.lists.index(int(one)) + 1 for one in person["lists"]]
            people[int(person["id"])] = person
        segments = {901: {"field": "country", "op": "eq", "value": "fr"}}
        events = self.events + self._told_by_product()
        return oracle.World(
            people,
            events,
            self.ties,
            {one: self._who(one) for one in self.merged},
            self.account.timezone,
            {900: self.inside},
            segments,
        )

    def _told_by_product(self) -> list[dict[str, Any]]:
        rows = client().query(
            f"{SYSTEM} AND name IN {{names:Array(String)}}",
            parameters={"a": self.account.pk, "names": list(TOLD_BY_PRODUCT)},
        )
        keys = ("name", "contact", "occurred_at")
        return [
            dict(zip(keys, row[:3], strict=True))
            | {"visitor": None, "machine": False, "links": {}, "properties": json.loads(row[3] or "{}")}
            for row in rows.result_rows
        ]

    def _someone(self) -> int:
        return self.chance.choice(self._living())

    def _living(self) -> list[int]:
        return [one for one in self.people if one not in self.merged and one not in self.erased]

    def _who(self, contact: int) -> int:
        """Who a contact is after all merges."""
        while contact in self.merged:
            contact = self.merged[contact]
        return contact

    def _line(self) -> dict[str, Any]:
        drawn = worlds._contact(self.chance, 1)
        attributes = drawn["attributes"]
        attributes["colors"] = [str(one) for one in attributes["colors"] or []] or None
        attributes["plan"] = attributes["plan"] or None
        for name in ("age", "vip", "birthday"):
            if attributes[name] in ("", []):
                attributes[name] = None
        line = {
            "first_name": drawn["first_name"].replace("\0", "") or None,
            "city": drawn["city"].replace("\0", "") or None,
            "country": drawn["country"] or None,
            "attributes": attributes,
            "consents": drawn["consents"],
            "tags": drawn["tags"],
            "lists": [str(self.lists[one - 1]) for one in drawn["lists"]],
        }
        return json.loads(json.dumps(line).replace("\\u0000", ""))

    def _segment(self, criteria: Any, name: str) -> Segment:
        return actions.create(account=self.account, name=name, criteria=criteria, now=clock.now())

    def _own_ids(self, document: Any) -> Any:
        """Criteria of the oracle's worlds, with the ids of this account."""
        if isinstance(document, list):
            return [self._own_ids(one) for one in document]
        if not isinstance(document, dict):
            return document
        changed = {key: self._own_ids(value) for key, value in document.items()}
        if "list" in changed:
            changed["list"] = str(self.lists[int(changed["list"]) - 1])
        if "segment" in changed:
            changed["segment"] = str(self.frozen.pk if int(changed["segment"]) == 900 else self.inner.pk)
        return changed
