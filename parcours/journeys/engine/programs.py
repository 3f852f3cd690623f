"""Published documents, parsed and kept in memory: a version never changes, but the segments that it names may."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from parcours.accounts.models import Account
from parcours.criteria import nodes
from parcours.journeys.document import Document
from parcours.journeys.models import Journey, Version
from parcours.journeys.names import PublishedNames
from parcours.journeys.parsing import parse
from parcours.journeys.steps.waiting import WaitFor

_FRESH_SECONDS = 1.0


@dataclass(frozen=True)
class Program:
    """One version of a journey, ready to run."""

    version: int
    document: Document
    waits: dict[str, WaitFor]  # step -> the wait
    wait_names: frozenset[str]  # events that may end a wait, those that its criteria mention included
    exit_names: frozenset[str]
    wait_profile: bool  # whether a change of the contact may end a wait
    exit_profile: bool
    needs_events: bool  # whether what it decides depends on events
    has_segments: bool


@dataclass(frozen=True)
class Programs:
    """A journey with all its versions."""

    journey: int
    account: int
    timezone: str
    current: Program
    versions: dict[int, Program]
    read_at: float = field(default_factory=time.monotonic)

    @property
    def needs_events(self) -> bool:
        """Whether a version depends on events: its timers then wait for the digest."""
        return any(program.needs_events for program in self.versions.values())


def build(version: int, document: Document) -> Program:
    """What the engine and the fan-out need of a document, found once."""
    waits = {step.id: step for step in document.steps.values() if isinstance(step, WaitFor)}
    criteria = [way.criteria for way in document.exits if way.criteria is not None]
    questions = [step.question() for step in document.steps.values() if step.question() is not None]
    waited = [wait.question() for wait in waits.values() if wait.question() is not None]
    every = [*criteria, *questions, *([document.filter] if document.filter is not None else [])]
    wait_names, wait_profile = _mentions(waited)
    exit_names, exit_profile = _mentions(criteria)
    triggers = {way.trigger.event for way in document.exits if way.trigger is not None}
    return Program(
        version=version,
        document=document,
        waits=waits,
        wait_names=wait_names | {wait.event for wait in waits.values() if wait.event is not None},
        exit_names=exit_names | triggers,
        wait_profile=wait_profile,
        exit_profile=exit_profile,
        # Whether an entry finds a run under way depends on which of the two came first.
        needs_events=bool(waits or document.exits or document.mode == "multiple" or _mentions(every)[0]),
        has_segments=any(isinstance(leaf, nodes.InSegment) for node in every for leaf in _all(node)),
    )


def _mentions(criteria: Iterable[Any]) -> tuple[frozenset[str], bool]:
    names: set[str] = set()
    profile = False
    for node in criteria:
        found, touched = nodes.mentions(node)
        names |= found
        profile = profile or touched
    return frozenset(names), profile


def _all(node: Any) -> Iterable[Any]:
    stack = [node]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(getattr(one, "children", ()))
        if isinstance(one, nodes.Not):
            stack.append(one.child)


_known: dict[tuple[int, int], Program] = {}
_journeys: dict[int, Programs] = {}
_MOST_KNOWN = 2_000


def of(journey_id: int, version: int) -> Programs:
    """The programs of a journey whose present version is given; parsed when it is new or names segments."""
    found = _journeys.get(journey_id)
    if found is not None and found.current.version == version:
        stale = time.monotonic() - found.read_at > _FRESH_SECONDS
        if not stale or not any(program.has_segments for program in found.versions.values()):
            return found
    journey = Journey.objects.select_related("account").get(pk=journey_id)
    programs = {row.number: _program(journey.account, row) for row in journey.versions.all()}
    if len(_known) > _MOST_KNOWN:
        _known.clear()
        _journeys.clear()
    result = Programs(
        journey=journey_id,
        account=journey.account_id,
        timezone=journey.account.timezone,
        current=programs[version],
        versions=programs,
    )
    _journeys[journey_id] = result
    return result


def _program(account: Account, row: Version) -> Program:
    known = _known.get((row.journey_id, row.number))
    if known is not None and not known.has_segments:
        return known
    program = build(row.number, parse(row.document, names=PublishedNames(account)))
    _known[row.journey_id, row.number] = program
    return program


def forget() -> None:
    """Forget every program (tests, whose databases give the same ids anew)."""
    _known.clear()
    _journeys.clear()
