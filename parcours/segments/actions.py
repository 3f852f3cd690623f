"""Changes of segments. Each takes the place of the last word at the instant `now`; the work process computes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from parcours.accounts.access import as_id
from parcours.accounts.models import Account
from parcours.criteria import nodes
from parcours.criteria.parse import circle, parse
from parcours.lib.lines import is_line
from parcours.lib.problems import Fault, Invalid, Problem
from parcours.lib.translation import gettext as _
from parcours.lib.translation import pgettext
from parcours.segments import names, stirred
from parcours.segments.full import next_night
from parcours.segments.models import TICK, Flips, Segment, Upkeep
from parcours.segments.names import Use

LONGEST_NAME = 200
Status = Segment.Status


class InUse(Problem):
    """409: what is to go is depended upon; `uses` in the document says by what."""

    def __init__(self, uses: list[Use]) -> None:
        detail = _("This segment is used by: %(uses)s.") % {"uses": ", ".join(use.name for use in uses)}
        told = [{"kind": use.kind, "id": str(use.id), "name": use.name} for use in uses]
        super().__init__(409, "in-use", detail, more={"uses": told})


def create(*, account: Account, name: str, criteria: Any, now: datetime) -> Segment:
    """Make a segment, due at once. Raises Invalid with all the faults."""
    node = _checked(account, name, criteria, segment=None)
    return Segment.objects.create(
        account=account,
        name=name.strip(),
        criteria=criteria,
        mentions=stirred.mentions(node),
        progress=0,
        next_at=now,
        created_at=now,
        updated_at=now,
    )


def update(*, segment: Segment, name: str | None = None, criteria: Any = None, now: datetime) -> Segment:
    """Change a segment's name or criteria (None: as they are); who stays in it keeps the date of entry.

    New criteria make it due at once, and with it the segments that name it. Raises Invalid with all the faults.
    """
    new_name = segment.name if name is None else name
    changed = criteria is not None and criteria != segment.criteria
    node = _checked(segment.account, new_name, criteria if changed else segment.criteria, segment=segment)
    segment.name = new_name.strip()
    if not changed:
        segment.save(update_fields=["name"])
        return segment
    segment.criteria = criteria
    segment.mentions = stirred.mentions(node)
    segment.updated_at = _later(segment, now)
    fields = ["name", "criteria", "mentions", "updated_at"]
    if segment.status != Status.PAUSED:
        fields += _due(segment, now)
    with transaction.atomic():
        segment.save(update_fields=fields)
        _recompute_dependents(segment, now)
    return segment


def refresh(*, segment: Segment, now: datetime) -> Segment:
    """“Update now”: make it due at once. Raises Problem (409) while it is paused."""
    if segment.status == Status.PAUSED:
        raise Problem(409, "paused", _("This segment is paused: activate it first."))
    segment.save(update_fields=_due(segment, now))
    return segment


def pause(*, segment: Segment, now: datetime) -> Segment:
    """Freeze the membership; nothing happens to one that is paused already."""
    if segment.status != Status.PAUSED:
        segment.status, segment.updated_at, segment.next_at = Status.PAUSED, _later(segment, now), None
        segment.progress, segment.flips_until, segment.late_reason = None, None, ""
        fields = ["status", "updated_at", "next_at", "progress", "flips_until", "late_reason"]
        with transaction.atomic():
            segment.save(update_fields=fields)
            Flips.objects.filter(segment=segment).delete()
            _recompute_dependents(segment, now)
    return segment


def activate(*, segment: Segment, now: datetime) -> Segment:
    """End the pause: the segment is computed anew. Nothing happens to one that is not paused."""
    if segment.status == Status.PAUSED:
        _checked(segment.account, segment.name, segment.criteria, segment=segment)
        segment.updated_at = _later(segment, now)
        with transaction.atomic():
            segment.save(update_fields=["updated_at", *_due(segment, now)])
            _recompute_dependents(segment, now)
    return segment


def set_night(*, account: Account, hour: int, now: datetime) -> None:
    """Have an account's segments computed in full at another hour (0 to 23) of its zone. Raises Invalid."""
    if not 0 <= hour <= 23:
        raise Invalid(
            _("An hour is from 0 to 23."),
            [Fault(pointer="/night_hour", detail=_("An hour is from 0 to 23."))],
        )
    before = next_night(account, now)
    with transaction.atomic():
        Upkeep.objects.update_or_create(pk=account.pk, defaults={"night_hour": hour})
        after = next_night(account, now)
        waiting = Segment.objects.filter(account=account, next_at__gt=now)
        waiting.filter(Q(next_at=before) | Q(next_at__gt=after)).update(next_at=after)


def duplicate(*, segment: Segment, now: datetime) -> Segment:
    """A copy under another name, in the same folder, computed on its own."""
    name = pgettext("segment", "%(name)s (copy)") % {"name": segment.name[: LONGEST_NAME - 12]}
    copy = create(account=segment.account, name=name, criteria=segment.criteria, now=now)
    if segment.folder_id is not None:
        copy.folder_id = segment.folder_id
        copy.save(update_fields=["folder"])
    return copy


def delete(*, segment: Segment) -> None:
    """Delete a segment. Raises InUse with what depends on it."""
    if found := uses(segment):
        raise InUse(found)
    segment.delete()


def uses(segment: Segment) -> list[Use]:
    """What depends on a segment, each with its page: other segments, then what other packages know of."""
    label = pgettext("kind", "Segment")
    return [
        Use("segment", label, other.pk, other.name, reverse("segments:edit", args=[other.pk]))
        for other in dependents(segment)
    ] + names.other_uses(segment.account_id, segment.pk)


def dependents(segment: Segment) -> list[Segment]:
    """The segments whose criteria name this one."""
    others = (
        Segment.objects.filter(account_id=segment.account_id).exclude(pk=segment.pk).order_by("name", "pk")
    )
    return [other for other in others if _names_segment(other.criteria, segment.pk)]


def _recompute_dependents(segment: Segment, now: datetime) -> None:
    """Whoever names a segment, directly or through another, has to be computed with it."""
    every = list(Segment.objects.filter(account_id=segment.account_id).select_related("account"))
    reached, found = {segment.pk}, True
    while found:
        more = {one.pk for one in every if any(_names_segment(one.criteria, pk) for pk in reached)} - reached
        reached |= more
        found = bool(more)
    known = names.AccountNames(segment.account_id)
    for one in every:
        if one.pk == segment.pk or one.pk not in reached:
            continue
        try:
            context = names.context(one.account, segment=(one.pk, one.name), names=known)
            mentions = stirred.mentions(parse(one.criteria, context=context))
        except Invalid:
            mentions = one.mentions
        row = Segment.objects.filter(pk=one.pk)
        row.update(mentions=mentions)
        # Another `updated_at`: a computation under way, of the criteria as they were, is of no use.
        live = row.exclude(status=Status.PAUSED)
        live.update(status=Status.COMPUTING, progress=0, next_at=now, updated_at=_later(one, now))


def _named(criteria: Any, pointer: str = "") -> Iterator[tuple[str, int]]:
    """The segments that criteria name, each with the place of its id."""
    stack = [(criteria, pointer)]
    while stack:
        one, at = stack.pop()
        if not isinstance(one, dict):
            continue
        number = as_id(str(one.get("segment", "")))
        if number is not None:
            yield f"{at}/segment", number
        stack.append((one.get("not"), f"{at}/not"))
        for kind in ("all", "any"):
            stack += [(child, f"{at}/{kind}/{place}") for place, child in enumerate(one.get(kind) or [])]


def _names_segment(criteria: Any, segment_id: int) -> bool:
    return any(number == segment_id for _at, number in _named(criteria))


def _due(segment: Segment, now: datetime) -> list[str]:
    """Make a segment due for a computation in full; answers the fields to save."""
    segment.status, segment.next_at, segment.retry_at, segment.progress = Status.COMPUTING, now, 0, 0
    return ["status", "next_at", "retry_at", "progress"]


def _later(segment: Segment, now: datetime) -> datetime:
    """`updated_at` tells one edition from the next, even within one millisecond."""
    return max(now, segment.updated_at + TICK)


def _checked(account: Account, name: str, criteria: Any, *, segment: Segment | None) -> nodes.Node:
    faults: list[Fault] = []
    if not name.strip() or len(name.strip()) > LONGEST_NAME or not is_line(name.strip()):
        detail = _("A name has 1 to %(most)s characters.") % {"most": LONGEST_NAME}
        faults.append(Fault(pointer="/name", detail=detail))
    node: nodes.Node = nodes.AnyOf(())
    own = None if segment is None else (segment.pk, segment.name)
    try:
        node = parse(criteria, context=names.context(account, segment=own), pointer="/criteria")
    except Invalid as refusal:
        faults += refusal.errors
    else:
        faults += [] if segment is None else _circles(segment, name, criteria)
    if faults:
        raise Invalid(_("This segment cannot be saved."), faults)
    return node


def _circles(segment: Segment, name: str, criteria: Any) -> list[Fault]:
    """Where criteria lead back to their own segment through one that is paused, whose criteria do not count as long
    as that lasts: neither could be computed afterwards."""
    rows = Segment.objects.filter(account_id=segment.account_id).values_list("pk", "name", "criteria")
    known = {pk: (called, {number for _at, number in _named(asked)}) for pk, called, asked in rows}
    found = []
    for at, first in _named(criteria, "/criteria"):
        ways, seen = [[first]], {first}
        while ways:
            way = ways.pop()
            if way[-1] == segment.pk:
                through = [name.strip(), *(known[one][0] for one in way[:-1])]
                found.append(Fault(pointer=at, detail=circle(through)))
                break
            more = known[way[-1]][1] - seen if way[-1] in known else set()
            seen |= more
            ways += [[*way, one] for one in sorted(more)]
    return found
