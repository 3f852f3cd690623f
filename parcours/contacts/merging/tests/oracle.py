"""What merging, parting and erasing mean, in plain Python: who everybody is, and what that makes of every figure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

STEPS = ("first", "second")
FIELDS = ("city", "first_name")
_STRONGEST = ("opted_out", "opted_in", "pending")


@dataclass
class Person:
    """A contact as it stands."""

    email: str
    city: str | None = None
    first_name: str | None = None
    consent: str = "pending"
    lists: set[str] = field(default_factory=set)


@dataclass
class Joined:
    """A merge in force: who it took away, as they were, and what it changed."""

    into: int
    was: Person
    given: dict[str, Any]
    lists: set[str]
    consented: bool
    visitors: list[int]
    acts: int  # how many consents were recorded of the other by then


@dataclass
class Run:
    """One run of the journey: who entered, whose it is, how far it came."""

    entrant: int
    holder: int
    number: int
    step: int = 0
    end: str = ""
    passed: list[str] = field(default_factory=list)


@dataclass
class Oracle:
    """Everything that the world below says happened."""

    people: dict[int, Person] = field(default_factory=dict)
    erased: set[int] = field(default_factory=set)
    joined: dict[int, Joined] = field(default_factory=dict)
    events: list[tuple[int, int | None, str]] = field(default_factory=list)  # contact, visitor, name
    owners: list[int] = field(default_factory=list)  # of each visitor
    browsers: dict[str, int] = field(default_factory=dict)  # browser -> its present visitor
    sends: dict[str, tuple[int, bool]] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    acts: Counter[int] = field(default_factory=Counter)

    def who(self, contact: int) -> int:
        while contact in self.joined:
            contact = self.joined[contact].into
        return contact

    def living(self) -> list[int]:
        return [
            contact for contact in self.people if contact not in self.joined and contact not in self.erased
        ]

    # What happens

    def visitor(self, browser: str) -> int:
        if browser not in self.browsers:
            self.browsers[browser] = len(self.owners)
            self.owners.append(0)
        return self.browsers[browser]

    def sees(self, browser: str) -> None:
        visitor = self.visitor(browser)
        self.events.append((self.owners[visitor], visitor, "page.viewed"))

    def identifies(self, browser: str, contact: int) -> None:
        visitor = self.visitor(browser)
        if self.owners[visitor] not in (0, contact):
            del self.browsers[browser]
            visitor = self.visitor(browser)
        self.owners[visitor] = contact

    def consents(self, contact: int, value: str) -> None:
        if self.people[contact].consent != value:
            self.people[contact].consent = value
            self.acts[contact] += 1

    def enrols(self, contact: int) -> None:
        if all(run.holder != contact for run in self.runs):
            self.runs.append(Run(contact, contact, len(self.runs), passed=[STEPS[0]]))

    def a_day_passes(self) -> None:
        for run in self.runs:
            if not run.end:
                run.step += 1
                if run.step < len(STEPS):
                    run.passed.append(STEPS[run.step])
                else:
                    run.end = "completed"

    def merges(self, into: int, contact: int) -> None:
        kept, other = self.people[into], self.people[contact]
        given = {name: getattr(other, name) for name in FIELDS if getattr(kept, name) is None}
        given = {name: value for name, value in given.items() if value is not None}
        for name, value in given.items():
            setattr(kept, name, value)
        consent = min(kept.consent, other.consent, key=_STRONGEST.index)
        consented = consent != kept.consent
        if consented:
            given["consent"] = (kept.consent, consent)
            kept.consent = consent
        new = other.lists - kept.lists
        kept.lists |= new
        moved = [visitor for visitor, owner in enumerate(self.owners) if owner == contact]
        for visitor in moved:
            self.owners[visitor] = into
        was = Person(other.email, other.city, other.first_name, other.consent, set(other.lists))
        self.joined[contact] = Joined(into, was, given, new, consented, moved, self.acts[into])
        self._merge_runs(into, contact)

    def _merge_runs(self, into: int, contact: int) -> None:
        has_own = any(run.holder == into for run in self.runs)
        # Somebody whose runs gave way earlier holds several; the one that stands is the one that they entered by last.
        for run in [run for run in self.runs if run.holder == contact]:
            if has_own:
                run.end = run.end or "merged"
            else:
                run.holder, has_own = into, True

    def parts(self, contact: int) -> None:
        joined = self.joined.pop(contact)
        into, kept = joined.into, self.people[joined.into]
        for name, value in joined.given.items():
            if name == "consent":
                before, after = value
                if kept.consent == after and self.acts[into] == joined.acts:
                    kept.consent = before
            elif getattr(kept, name) == value:
                setattr(kept, name, None)
        kept.lists -= joined.lists
        self.people[contact] = joined.was
        for visitor in joined.visitors:
            if self.owners[visitor] == into:
                self.owners[visitor] = contact
        under = [each for each in self.people if self._under(each, contact)]
        for run in self.runs:
            if run.holder == into and run.entrant in under:
                run.holder = contact

    def _under(self, contact: int, root: int) -> bool:
        while contact != root and contact in self.joined:
            contact = self.joined[contact].into
        return contact == root

    def erases(self, contact: int) -> None:
        self.erased.add(contact)
        for run in self.runs:
            if run.holder == contact and not run.end:
                run.end = "removed"
        for browser, visitor in list(self.browsers.items()):
            if self.owners[visitor] == contact:
                del self.browsers[browser]

    # What is read

    def timeline(self, contact: int) -> Counter[str]:
        return Counter(
            name
            for told, visitor, name in self.events
            if self.who(told or (self.owners[visitor] if visitor is not None else 0)) == contact
        )

    def figures(self) -> dict[str, Any]:
        ends = Counter(run.end for run in self.runs)
        return {
            "entered": len(self.runs),
            "contacts": len({self.who(run.entrant) for run in self.runs}),
            "active": ends[""],
            "completed": ends["completed"],
            "merged": ends["merged"],
            "removed": ends["removed"],
            "steps": {
                step: (
                    sum(step in run.passed for run in self.runs),
                    len({self.who(run.entrant) for run in self.runs if step in run.passed}),
                    sum(not run.end and run.passed[-1] == step for run in self.runs),
                )
                for step in STEPS
            },
        }

    def metrics(self) -> tuple[int, int, int]:
        return (
            len(self.sends),
            len({self.who(contact) for contact, _opened in self.sends.values()}),
            len({self.who(contact) for contact, opened in self.sends.values() if opened}),
        )

    def members(self) -> dict[str, list[int]]:
        living = self.living()
        entered = {self.who(run.entrant) for run in self.runs}
        return {
            "everyone": sorted(living),
            "lyon": sorted(each for each in living if self.people[each].city == "Lyon"),
            "opted_out": sorted(each for each in living if self.people[each].consent == "opted_out"),
            "bought": sorted(each for each in living if self.timeline(each)["bought"] >= 2),
            "saw": sorted(each for each in living if self.timeline(each)["page.viewed"]),
            "entered": sorted(entered & set(living)),
            "news": sorted(each for each in living if "news" in self.people[each].lists),
        }
