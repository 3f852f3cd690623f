"""Which contacts a load may have moved in or out of which segments, and which of its events will by time alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from parcours.criteria import flips as criteria_flips
from parcours.criteria import nodes
from parcours.criteria.nodes import event_matches_name
from parcours.events.entries import Event
from parcours.events.watermark import Watermark
from parcours.lib.instants import from_ms, to_ms
from parcours.segments.flips import HORIZON, Pair
from parcours.segments.models import Segment, Stirred
from parcours.tracking.fanout import Batch

MOST_CONTACTS = 300_000
"""About as many contacts are looked at again at a time, in one segment."""
_MOST_ROWS = 50
_CONSENTS = ("email.subscription_updated", "sms.subscription_updated")


def mentions(node: nodes.Node) -> dict[str, Any]:
    """What can move a contact in or out of criteria, as `Segment.mentions` keeps it."""
    events, profile = nodes.mentions(node)
    timing = criteria_flips.timing(node)
    return {
        "events": sorted(events),
        "profile": profile,
        "windows": sorted([name, last] for name, last in timing.windows),
        "ask": timing.dates,
    }


class _Mentions:
    def __init__(self, said: Mapping[str, Any]) -> None:
        self.events = frozenset(said.get("events") or ())
        self.profile = bool(said.get("profile"))
        self.windows = [(name, last) for name, last in said.get("windows") or ()]

    def any_of(self, names: Collection[str]) -> bool:
        """Whether one of these events can move a contact; one just created can be in any segment."""
        return any(name == "contact.created" or self.names(name) for name in names)

    def names(self, name: str) -> bool:
        """Whether the criteria look at events of that name."""
        if name in self.events:
            return True
        if "*" in self.events and event_matches_name("*", name):
            return True
        return "journey.*" in self.events and name.startswith("journey.")


@dataclass
class Found:
    """What a load stirs."""

    groups: list[tuple[list[int], list[int]]] = field(default_factory=list)
    flips: list[tuple[int, list[int], list[int]]] = field(default_factory=list)
    linked: list[int] = field(default_factory=list)
    ready_at: int = 0
    consents: bool = False


class Listener:
    """Told of every load by the digest."""

    def prepare(self, batch: Batch) -> Found:
        """The segments that mention what the load tells, with its contacts."""
        live = Segment.objects.filter(account_id=batch.account_id).exclude(status=Segment.Status.PAUSED)
        said = {pk: _Mentions(told) for pk, told in live.values_list("pk", "mentions") if told}
        if not said:
            return Found()
        linked = {contact for _visitor, contact in batch.linked} | batch.regrouped
        latest = _latest(batch)
        # Who is two contacts by a merge may have another consent than before, and no event tells it.
        consents = bool(batch.regrouped) or any(event.name in _CONSENTS for event in batch.events)
        groups, flips = _groups(batch, said, linked), _flips(batch, said, latest)
        return Found(groups, flips, sorted(linked), latest, consents)

    def apply(self, batch: Batch, prepared: Found) -> None:
        if prepared.groups or prepared.consents:
            Stirred.objects.create(
                account_id=batch.account_id,
                load_id=batch.load_id,
                groups=prepared.groups,
                flips=prepared.flips,
                linked=prepared.linked,
                ready_at=from_ms(prepared.ready_at),
                consents=prepared.consents,
            )


listener = Listener()


def _latest(batch: Batch) -> int:
    """The last instant (ms) of what the load tells as past: seen from before it, its contacts are as they were."""
    now = to_ms(batch.now)
    if batch.regrouped or any(event.name == "contact.created" for event in batch.events):
        return now
    return max((event.occurred_at for event in batch.events if event.occurred_at <= now), default=0)


def _groups(
    batch: Batch, said: Mapping[int, _Mentions], linked: set[int]
) -> list[tuple[list[int], list[int]]]:
    names: dict[int, set[str]] = defaultdict(set)
    for event in batch.events:
        if event.contact:
            names[event.contact].add(event.name)
    everywhere = frozenset(said)
    by_profile = frozenset(pk for pk, one in said.items() if one.profile)
    by_events = frozenset(pk for pk, one in said.items() if one.events)
    of_names: dict[frozenset[str], frozenset[int]] = {}
    found: dict[frozenset[int], list[int]] = defaultdict(list)
    for contact in {*names, *batch.touched, *linked}:
        what = frozenset(names.get(contact, ()))
        if what not in of_names:
            of_names[what] = frozenset(pk for pk, one in said.items() if one.any_of(what))
        segments = of_names[what]
        if contact in batch.gone or contact in batch.regrouped:
            segments = everywhere
        elif contact in batch.touched:
            segments |= by_profile
        if contact in linked:  # All that the visitor ever did is the contact's now.
            segments |= by_events
        if segments:
            found[segments].append(contact)
    return [(sorted(segments), sorted(contacts)) for segments, contacts in found.items()]


def _flips(
    batch: Batch, said: Mapping[int, _Mentions], latest: int
) -> list[tuple[int, list[int], list[int]]]:
    """When events of this load leave the windows of segments, in the next hours, or begin to count."""
    now, end = to_ms(batch.now), to_ms(batch.now + HORIZON)
    windows: dict[str, list[tuple[int, int]]] = {}
    found: dict[int, tuple[list[int], list[int]]] = {}

    def keep(segment: int, due: int, contact: int) -> None:
        dues, contacts = found.setdefault(segment, ([], []))
        dues.append(due)
        contacts.append(contact)

    for event in batch.events:
        if not event.contact:
            continue
        if event.name not in windows:
            windows[event.name] = _windows(said, event)
        for last, segment in windows[event.name]:
            due = event.occurred_at + last + 1
            if due > end:
                break
            if due > latest:
                keep(segment, due, event.contact)
        if event.occurred_at > now:
            for segment, one in said.items():
                if one.names(event.name):
                    keep(segment, event.occurred_at, event.contact)
    return [(segment, dues, contacts) for segment, (dues, contacts) in found.items()]


def _windows(said: Mapping[int, _Mentions], event: Event) -> list[tuple[int, int]]:
    """The windows (ms) that events of this name leave, the shortest first, each with its segment."""
    return sorted(
        (last, segment)
        for segment, one in said.items()
        for name, last in one.windows
        if event_matches_name(name, event.name)
    )


@dataclass
class Pending:
    """What loads stirred, for one look: groups of contacts, each with the segments that it may have moved in, and by
    segment the flips to come."""

    rows: list[int] = field(default_factory=list)
    groups: list[tuple[frozenset[int], list[int]]] = field(default_factory=list)
    segments: set[int] = field(default_factory=set)
    contacts: set[int] = field(default_factory=set)
    flips: dict[int, list[Pair]] = field(default_factory=lambda: defaultdict(list))
    linked: set[int] = field(default_factory=set)
    consents: bool = False

    def wanted(self, segment: int) -> set[int]:
        """The contacts who may have moved in a segment."""
        return set().union(*(contacts for segments, contacts in self.groups if segment in segments))


def pending(account_id: int, read: Watermark) -> Pending:
    """What may be looked at again at a watermark, the oldest first, some thousands of contacts at a time."""
    found = Pending()
    rows = Stirred.objects.filter(account_id=account_id, load_id__lte=read.load)
    ready = rows.filter(Q(ready_at__isnull=True) | Q(ready_at__lte=read.as_of))
    for row in ready.order_by("pk")[:_MOST_ROWS]:
        found.rows.append(row.pk)
        for segments, contacts in row.groups:
            found.groups.append((frozenset(segments), contacts))
            found.segments.update(segments)
            found.contacts.update(contacts)
        for segment, dues, contacts in row.flips:
            found.flips[segment].extend(zip(dues, contacts, strict=True))
        found.linked.update(row.linked)
        found.consents = found.consents or row.consents
        if len(found.contacts) >= MOST_CONTACTS:
            break
    return found


def keep(account_id: int, load_id: int, left: Pending, segments: Iterable[int]) -> None:
    """In the caller's transaction: keep what concerns these segments for a later look."""
    later = frozenset(segments)
    groups = [(sorted(some & later), contacts) for some, contacts in left.groups if some & later]
    if not groups:
        return
    flips = [
        (segment, [due for due, _ in left.flips[segment]], [contact for _, contact in left.flips[segment]])
        for segment in sorted(later)
        if left.flips.get(segment)
    ]
    Stirred.objects.create(
        account_id=account_id, load_id=load_id, groups=groups, flips=flips, linked=sorted(left.linked)
    )
