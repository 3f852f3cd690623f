"""What the criteria of an account may name, found in the state database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from parcours.accounts.models import Account
from parcours.contacts.models import List
from parcours.contacts.queries import attribute_types
from parcours.criteria.context import Context, SegmentFound
from parcours.events import catalogue
from parcours.segments.models import Segment

JourneySteps = Callable[[int, int], frozenset[str] | None]


@dataclass(frozen=True)
class Use:
    """What depends on a segment: its kind (`segment`, `journey`, …, and `label` as people call it), and its page."""

    kind: str
    label: Promise | str
    id: int
    name: str
    url: str


Uses = Callable[[int, int], list[Use]]
_journey_steps: list[JourneySteps] = []
_uses: list[Uses] = []


def register_journeys(finder: JourneySteps) -> None:
    """Say who finds the steps (of all versions) of a journey: `finder(account_id, journey_id)`, None when unknown."""
    _journey_steps[:] = [finder]


def register_use(finder: Uses) -> None:
    """Say who else depends on segments: `finder(account_id, segment_id)` answers what uses it."""
    if finder not in _uses:
        _uses.append(finder)


def other_uses(account_id: int, segment_id: int) -> list[Use]:
    """What uses a segment outside of this package."""
    return [use for finder in _uses for use in finder(account_id, segment_id)]


class AccountNames:
    """Implements `criteria.context.Resolver` for one account; each thing is looked up once."""

    def __init__(self, account_id: int) -> None:
        self.account_id = account_id
        self._attributes: dict[str, str] | None = None
        self._lists: set[int] | None = None
        self._segments: dict[int, SegmentFound] | None = None

    def attribute_type(self, name: str) -> str | None:
        if self._attributes is None:
            self._attributes = attribute_types(self.account_id)
        return self._attributes.get(name)

    def has_list(self, list_id: int) -> bool:
        if self._lists is None:
            self._lists = set(List.objects.filter(account_id=self.account_id).values_list("pk", flat=True))
        return list_id in self._lists

    def segment(self, segment_id: int) -> SegmentFound | None:
        if self._segments is None:
            rows = Segment.objects.filter(account_id=self.account_id)
            self._segments = {
                row.pk: SegmentFound(row.pk, row.name, row.criteria, row.status == Segment.Status.PAUSED)
                for row in rows.only("name", "criteria", "status")
            }
        return self._segments.get(segment_id)

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        return _journey_steps[0](self.account_id, journey_id) if _journey_steps else None


def context(
    account: Account,
    *,
    segment: tuple[int, str] | None = None,
    names: AccountNames | None = None,
    in_run: bool = False,
) -> Context:
    """Where an account's criteria are read; `segment` is the id and name of the one whose criteria they are, `in_run`
    allows what has a sense inside a journey only."""
    return Context(
        resolver=names or AccountNames(account.pk),
        timezone=account.timezone,
        in_run=in_run,
        segment=segment,
        event_refusal=catalogue.refusal,
    )
