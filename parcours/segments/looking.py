"""Looks again at the contacts whom loads may have moved, or who flip now by the mere passing of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from django.db import transaction

from parcours.criteria import few
from parcours.criteria.nodes import Node
from parcours.events import watermark
from parcours.events.watermark import Watermark
from parcours.lib import clock
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.lib.problems import Invalid
from parcours.segments import compute, flips, names, stirred
from parcours.segments.flips import Pair
from parcours.segments.models import Flips, Segment, Stirred
from parcours.segments.telling import tell
from parcours.segments.upkeep import Held


def look_again(held: Held) -> bool:
    """Look again at who may have moved, in the segments that what happened concerns; answers whether there was any.

    A segment whose last moves are still on their way to the store is looked at once they are there; one that is due
    for a computation in full is left to it.
    """
    account_id = held.account_id
    read = watermark.current(account_id)
    if not _anything(account_id, read):
        return False
    now = clock.now()
    live = {
        one.pk: one
        for one in Segment.objects.filter(account_id=account_id, next_at__gt=now)
        .exclude(status=Segment.Status.PAUSED)
        .select_related("account")
    }
    ready = [pk for pk, one in live.items() if one.settling_at is None]
    left = stirred.pending(account_id, read)
    due = flips.due(account_id, read.as_of, ready)
    later = left.segments & live.keys() - set(ready)
    looked = [live[pk] for pk in ready if pk in left.segments or pk in due.wanted]
    if not looked and (later or not left.rows):
        return False
    found = _Look(read, left, due)
    found.at(looked)
    point("segments.looked")
    with transaction.atomic():
        held.check()
        for segment, moves in found.changed:
            if not moves and not left.consents:
                continue  # Its figures stay: who is opted in did not change either.
            told = tell(segment, moves, held=held, now=clock.now())
            same = Segment.objects.filter(pk=segment.pk, updated_at=segment.updated_at)
            if not same.exclude(status=Segment.Status.PAUSED).update(
                settling_first=told.first, settling_row=told.last, settling_at=clock.now()
            ):
                transaction.set_rollback(True)  # Edited or paused meanwhile: looked at again from the start.
                return True
        Stirred.objects.filter(pk__in=left.rows).delete()
        stirred.keep(account_id, read.load, left, later)
        following = _following({*found.ahead, *due.rest})
        flips.spend(account_id, due, following)
        flips.add(account_id, {pk: pairs for pk, pairs in found.ahead.items() if pk in following})
        if left.consents:
            held.note_consents(read.load)
    point("segments.followed")
    return True


def _following(segments: Collection[int]) -> set[int]:
    """In the caller's transaction: those of these segments that are there and not paused, and stay so until its end.

    Nobody would look at the flips of the others, nor take them away.
    """
    rows = Segment.objects.filter(pk__in=segments).exclude(status=Segment.Status.PAUSED)
    return set(rows.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))


def _anything(account_id: int, read: Watermark) -> bool:
    return (
        Stirred.objects.filter(account_id=account_id, load_id__lte=read.load).exists()
        or Flips.objects.filter(account_id=account_id, due_at__lte=read.as_of).exists()
    )


class _Look:
    """What is found at one watermark."""

    def __init__(self, read: Watermark, left: stirred.Pending, due: flips.Due) -> None:
        self.read, self.left, self.due = read, left, due
        self.changed: list[tuple[Segment, compute.Moves]] = []
        self.ahead: dict[int, list[Pair]] = defaultdict(list)

    def at(self, segments: Sequence[Segment]) -> None:
        """Look at the contacts of all these segments of one account, in one query."""
        known = names.AccountNames(segments[0].account_id) if segments else None
        parsed: list[tuple[Segment, Node]] = []
        for segment in segments:
            try:
                parsed.append((segment, compute.parsed(segment, known=known)))
            except Invalid:  # The computation in full tells what is wrong.
                Segment.objects.filter(pk=segment.pk).update(next_at=clock.now())
        if not parsed:
            return
        contacts = self.left.contacts.union(*(self.due.wanted[segment.pk] for segment, _ in parsed))
        wanted = None
        if len(contacts) <= few.MOST_PEOPLE:
            wanted = {
                segment.pk: self.left.wanted(segment.pk) | self.due.wanted[segment.pk]
                for segment, _ in parsed
            }
        found = compute.moves_of_many(parsed, self.read, contacts=sorted(contacts), wanted=wanted)
        now = to_ms(self.read.as_of)
        for segment, node in parsed:
            self.changed.append((segment, found[segment.pk]))
            self.ahead[segment.pk] += [pair for pair in self.left.flips.get(segment.pk, ()) if pair[0] > now]
            self.ahead[segment.pk] += self._asked(segment, node)

    def _asked(self, segment: Segment, node: Node) -> list[Pair]:
        """The flips to come that only the store knows: of dates, and of whoever has another past than before."""
        if not segment.mentions.get("ask") and not self.left.linked:
            return []
        contacts = self.left.wanted(segment.pk)
        asked = sorted(contacts if segment.mentions.get("ask") else self.left.linked & contacts)
        return flips.of_contacts(segment, node, self.read, asked) if asked else []
