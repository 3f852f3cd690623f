"""A walk on which more happens: deals, imported history, tags, segments edited, and those inside them changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from parcours.contacts import actions as contacts
from parcours.criteria.tests import oracle, worlds
from parcours.events import journal
from parcours.events.entries import Line
from parcours.events.store.client import client
from parcours.lib import clock
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.segments import actions
from parcours.segments.models import Segment
from parcours.segments.tests.conftest import Firm
from parcours.segments.tests.walk import Walk

FRENCH = [
    {"field": "country", "op": "eq", "value": "fr"},
    {"event": "signup", "window": {"last": "1d"}},
    {"not": {"event": "order.placed", "window": {"last": "2d"}}},
]
THEMES = {
    "people who are one": ["event", "merge", "event", "unmerge", "merge"],
    "a sale": ["deal_made", "deal_event", "merge_in_deal", "deal_event", "unmerge"],
    "browsers": ["page", "identify", "page", "merge", "page", "unmerge"],
    "the past": ["history", "event", "history", "newcomer"],
    "profiles": ["change", "list_change", "consent", "tag_change", "change"],
    "edits": ["edit", "edit_inner", "thaw", "pause_and_resume", "refresh"],
    "the forgotten": ["merge_late", "event", "erase", "newcomer", "erase"],
}
"""What happens one after the other; between them time passes, and events come in."""
DIGESTED = {"deal_made", "deal_event", "history"}
"""Acts that are digested at once, each a turn of its own: what came before may be seen by itself."""
NAMES = ["order.placed", "order.refunded", "signup", "payment.failed"]


@dataclass
class Deal:
    """A deal, and who is tied to it since when (ms); `carried` are the ties that followed somebody merged away."""

    id: int
    ties: list[list[int]]
    carried: dict[int, list[int]] = field(default_factory=dict)


class Wider(Walk):
    """`seen` tells what kinds of things happened."""

    def __init__(self, firm: Firm, seed: int, documents: list[Any]) -> None:
        self.seen: set[str] = set()
        self.deals: list[Deal] = []
        self.french: Any = FRENCH[0]
        super().__init__(firm, seed, documents)

    def turns(self, themes: list[str]) -> list[list[str]]:
        """The acts of some themes, each in its order, mixed with others; by turns, after which everything settles."""
        waiting = [list(THEMES[theme]) for theme in themes]
        waiting += [["event"] * 3, ["time_passes"] * 4]
        found: list[list[str]] = []
        while waiting:
            some: list[str] = []
            while waiting and (not some or self.chance.random() < 0.5):
                act = self.chance.choice(waiting).pop(0)
                waiting = [acts for acts in waiting if acts]
                if act in DIGESTED:
                    found += [some, [act]]
                    some = []
                else:
                    some.append(act)
            found.append(some)
        return found

    # Acts

    def deal_made(self) -> None:
        """Two or three contacts are tied to a sale."""
        tied = self.chance.sample(self._living(), min(3, len(self._living())))
        made = self.firm.post("deals", {"name": "Roof", "contacts": [{"id": str(one)} for one in tied]})
        now = to_ms(clock.now())
        self.deals.append(Deal(int(made["id"]), [[one, now] for one in tied]))
        self._digest()

    def deal_event(self) -> None:
        """Something happens to a deal, and so to each contact tied to it then; maybe to another, or from a browser."""
        if not self.deals:
            self.deal_made()
        deal, other = self.chance.choice(self.deals), 0
        at = to_ms(clock.now() - self.chance.choice([timedelta(0), timedelta(0), timedelta(hours=1)]))
        if self.chance.random() < 0.3:
            other = self._someone()
        known = [place for place in range(4) if self.people[place] not in self.merged]
        browser = (
            f"a{self.chance.choice(known)}" if known and not other and self.chance.random() < 0.4 else None
        )
        event = self._drawn(at, self.chance.choice(NAMES)) | {"told": new_id(), "links": {"deal": deal.id}}
        people = {who for who, since in deal.ties if since <= at and who not in self.erased} | {other}
        for who in people - {0}:
            self.events.append(event | {"contact": who})
        if browser:
            self.events.append(event | {"contact": 0, "visitor": browser})
        self._tell(event, other, browser, deal=deal.id)
        self.seen.add("an event of a deal")
        self._digest()

    def history(self) -> None:
        """What happened long ago is imported."""
        at = to_ms(
            clock.now() - self.chance.choice([timedelta(days=1), timedelta(days=89), timedelta(days=400)])
        )
        event = self._drawn(at, self.chance.choice(NAMES)) | {"contact": self._someone()}
        self.events.append(event)
        self._tell(event, event["contact"], None, history=True)
        self.seen.add("imported history")
        self._digest()

    def tag_change(self) -> None:
        someone, tag = self._someone(), self.chance.choice(["VIP", "é"])
        if self.chance.random() < 0.5:
            contacts.add_tags(
                account=self.account, contact_ids=[someone], tags=[tag], source="test", now=clock.now()
            )
        else:
            contacts.remove_tags(
                account_id=self.account.pk, contact_ids=[someone], tags=[tag], source="test", now=clock.now()
            )

    def edit(self) -> None:
        """Criteria become others: those who meet both stay."""
        pk = self.chance.choice(list(self.kept))
        document = self.chance.choice([{"not": self.kept[pk]}, self.chance.choice(list(self.kept.values()))])
        segment = Segment.objects.get(pk=pk)
        actions.update(segment=segment, criteria=self._own_ids(document), now=clock.now())
        self.kept[pk] = document
        self.seen.add("edited")

    def edit_inner(self) -> None:
        """A segment that others name has other criteria."""
        self.french = self.chance.choice(FRENCH)
        actions.update(segment=Segment.objects.get(pk=self.inner.pk), criteria=self.french, now=clock.now())
        self.seen.add("inner segment edited")

    def thaw(self) -> None:
        """The frozen segment lives for a while."""
        self.settle()
        self.check()
        actions.activate(segment=Segment.objects.get(pk=self.frozen.pk), now=clock.now())
        self.settle()
        now, world = to_ms(clock.now()), self.world()
        criteria = Segment.objects.get(pk=self.frozen.pk).criteria
        self.inside = {one for one in world.contacts if oracle.meets(criteria, oracle.Case(one, now), world)}
        assert self._inside().get(self.frozen.pk, set()) == self.inside
        self.check()
        actions.pause(segment=Segment.objects.get(pk=self.frozen.pk), now=clock.now())
        self.seen.add("resumed and paused")

    def merge_in_deal(self) -> None:
        """Two contacts of a deal turn out to be one."""
        living = set(self._living())
        together = [sorted({tie[0] for tie in deal.ties} & living) for deal in self.deals]
        pairs = [some for some in together if len(some) > 1]
        self._merge(self.chance.choice(pairs) if pairs else self._living())

    def merge_late(self) -> None:
        """Two contacts of whom no browser is known turn out to be one."""
        self._merge([one for one in self._living() if one in self.people[4:] and not self._browsers(one)])

    def _merge(self, among: list[int]) -> None:
        before = dict(self.merged)
        if len(among) < 2:
            return
        super()._merge(among)
        for away in self.merged.keys() - before.keys():
            for deal in self.deals:
                moving = [place for place, tie in enumerate(deal.ties) if tie[0] == away]
                deal.carried[away] = moving
                known = {tie[0] for tie in deal.ties}
                if moving and self.merged[away] in known:
                    self.seen.add("two contacts of a deal merged")
                for place in moving:
                    deal.ties[place][0] = self.merged[away]
        self.seen.add("merged")

    def unmerge(self) -> None:
        before = dict(self.merged)
        super().unmerge()
        for away in before.keys() - self.merged.keys():
            for deal in self.deals:
                for place in deal.carried.pop(away, []):
                    if deal.ties[place][0] == before[away]:
                        deal.ties[place][0] = away
            self.seen.add("unmerged")

    def erase(self) -> None:
        """Somebody of whom no browser is known is forgotten, and with them whoever was merged into them."""
        others = set(self.people[4:]) - set(self.merged) - self.erased
        others = {one for one in others if not self._browsers(one)}
        if len(others) > 1 and len(self._living()) > 3:
            gone = self.chance.choice(sorted(others))
            contacts.erase(account_id=self.account.pk, contact_ids=[gone], now=clock.now())
            self.erased.add(gone)
            self.seen.add("erased" if gone not in self.merged.values() else "erased with somebody merged")

    def time_passes(self) -> None:
        zone, before = ZoneInfo(self.account.timezone), clock.now()
        super().time_passes()
        if before.astimezone(zone).utcoffset() != clock.now().astimezone(zone).utcoffset():
            self.seen.add("clocks changed")

    def event(self) -> None:
        super().event()
        now, at = to_ms(clock.now()), self.events[-1]["occurred_at"]
        if at != now:
            self.seen.add("a late event" if at < now else "an event still to come")

    # What is true, and what is said

    def turn(self, acts: list[str]) -> None:
        """Some acts, then a look at everything."""
        was = dict(self.told)
        for act in acts:
            self.done.append(act)
            getattr(self, act)()
        self.settle()
        self.check()
        if self.told != was:
            self.seen.add("moved")
            if set(acts) == {"time_passes"}:
                self.seen.add("moved by time alone")

    def world(self) -> oracle.World:
        world = super().world()
        world.segments[901] = self.french
        return world

    def _told_by_product(self) -> list[dict[str, Any]]:
        """Also what the product tells of deals: of each contact, with the same message id."""
        rows = client().query(
            "SELECT contact, toUnixTimestamp64Milli(occurred_at), properties, deal, message_id FROM events"
            " WHERE account = {a:UInt32} AND name = 'deal.stage_changed'",
            parameters={"a": self.account.pk},
        )
        return super()._told_by_product() + [
            {
                "name": "deal.stage_changed",
                "contact": contact,
                "occurred_at": at,
                "told": told,
                "visitor": None,
            }
            | {"machine": False, "links": {"deal": deal}, "properties": json.loads(properties or "{}")}
            for contact, at, properties, deal, told in rows.result_rows
        ]

    def _digest(self) -> None:
        """Whose an event of a deal is, or one of a line, is told when it is digested."""
        while self.firm.digest.round():
            pass

    def _drawn(self, at: int, name: str) -> dict[str, Any]:
        drawn = worlds._event(self.chance, [1], ["nobody"])
        properties = json.loads(json.dumps(drawn["properties"]).replace("\\u0000", ""))
        return {"name": name, "contact": 0, "visitor": None, "occurred_at": at, "machine": False} | {
            "links": {},
            "properties": properties,
        }

    def _tell(self, event: dict[str, Any], contact: int, browser: str | None, **more: Any) -> None:
        history = more.pop("history", False)
        who = {"id": str(contact)} if contact else None
        now, told = to_ms(clock.now()), new_id()
        line = Line(
            event["name"], event["occurred_at"], now, told, who, browser, event["properties"], more, history
        )
        journal.append([line], account_id=self.account.pk)

    def _browsers(self, contact: int) -> list[str]:
        return [browser for browser, who in self.ties.items() if self._who(who) == contact]
