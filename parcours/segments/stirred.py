"""Which contacts a load may have moved in or out of which segments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from parcours.criteria.nodes import event_matches_name
from parcours.segments.models import Segment, Stirred
from parcours.tracking.fanout import Batch

Groups = list[tuple[list[int], list[int]]]


class Listener:
    """Told of every load by the digest."""

    def prepare(self, batch: Batch) -> Groups:
        """The segments that mention what the load tells, with its contacts."""
        live = Segment.objects.filter(account_id=batch.account_id).exclude(status=Segment.Status.PAUSED)
        mentions = {pk: _Mentions(said) for pk, said in live.values_list("pk", "mentions") if said}
        if not mentions:
            return []
        names: dict[int, set[str]] = defaultdict(set)
        for event in batch.events:
            if event.contact:
                names[event.contact].add(event.name)
        of_names: dict[frozenset[str], frozenset[int]] = {}
        found: dict[frozenset[int], list[int]] = defaultdict(list)
        linked = {contact for _visitor, contact in batch.linked}
        for contact in {*names, *batch.touched, *linked}:
            what = frozenset(names.get(contact, ()))
            if what not in of_names:
                of_names[what] = frozenset(pk for pk, said in mentions.items() if said.any_of(what))
            segments = of_names[what]
            if contact in batch.touched:
                segments |= {pk for pk, said in mentions.items() if said.profile}
            if contact in linked:  # All that the visitor ever did is the contact's now.
                segments |= {pk for pk, said in mentions.items() if said.events}
            if segments:
                found[segments].append(contact)
        return [(sorted(segments), sorted(contacts)) for segments, contacts in found.items()]

    def apply(self, batch: Batch, prepared: Groups) -> None:
        if prepared:
            Stirred.objects.create(account_id=batch.account_id, load_id=batch.load_id, groups=prepared)


listener = Listener()


class _Mentions:
    def __init__(self, said: Mapping[str, object]) -> None:
        events = said.get("events") or []
        assert isinstance(events, list)
        self.events = frozenset(events)
        self.profile = bool(said.get("profile"))

    def any_of(self, names: Iterable[str]) -> bool:
        """Whether one of these events can move a contact; a contact just created can be in any segment."""
        for name in names:
            if name == "contact.created" or name in self.events:
                return True
            if "*" in self.events and event_matches_name("*", name):
                return True
            if "journey.*" in self.events and name.startswith("journey."):
                return True
        return False


def by_segment(rows: Iterable[Stirred]) -> dict[int, set[int]]:
    """The contacts to look at again, segment by segment."""
    wanted: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        for segments, contacts in row.groups:
            for segment in segments:
                wanted[segment].update(contacts)
    return wanted


def keep(*, account_id: int, load_id: int, contacts: Mapping[int, set[int]]) -> None:
    """Keep contacts for a later look."""
    if contacts:
        groups = [([segment], sorted(some)) for segment, some in contacts.items()]
        Stirred.objects.create(account_id=account_id, load_id=load_id, groups=groups)
