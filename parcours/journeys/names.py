"""What journeys' documents may name: the account's lists, segments, messages, fields, and the events."""

from __future__ import annotations

from typing import Any

from parcours.accounts.models import Account, BusinessUnit
from parcours.contacts.models import AttributeDefinition, List
from parcours.contacts.queries import attribute_types
from parcours.criteria import parse
from parcours.criteria.context import Context, SegmentFound
from parcours.events import catalogue
from parcours.lib.translation import gettext as _
from parcours.messaging.models import Message
from parcours.segments.models import Segment

_FIELDS = frozenset("email phone external_id first_name last_name locale timezone country city".split())


class AccountNames:
    """The names of one account, each looked up once."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.attributes = attribute_types(account.pk)
        self._known: dict[tuple[type, int], Any] = {}

    def _has(self, model: Any, number: int) -> bool:
        key = (model, number)
        if key not in self._known:
            self._known[key] = model.objects.filter(account_id=self.account.pk, pk=number).exists()
        return bool(self._known[key])

    def context(self, *, in_run: bool) -> Context:
        """Where criteria are read."""
        return Context(
            resolver=self,
            timezone=self.account.timezone,
            in_run=in_run,
            event_refusal=catalogue.refusal,
        )

    def criteria(self, document: Any, *, in_run: bool) -> Any:
        return parse.parse(document, context=self.context(in_run=in_run))

    def where(self, document: Any, *, in_run: bool) -> Any:
        return parse.parse_where(document, context=self.context(in_run=in_run))

    def refused_event(self, name: str) -> str | None:
        return catalogue.refusal(name)

    def attribute_type(self, name: str) -> str | None:
        return self.attributes.get(name)

    def has_list(self, list_id: int) -> bool:
        return self._has(List, list_id)

    def has_segment(self, segment_id: int) -> bool:
        return self._has(Segment, segment_id)

    def has_business_unit(self, unit_id: int) -> bool:
        return self._has(BusinessUnit, unit_id)

    def segment(self, segment_id: int) -> SegmentFound | None:
        found = Segment.objects.filter(account_id=self.account.pk, pk=segment_id).first()
        if found is None:
            return None
        return SegmentFound(
            id=found.pk,
            name=found.name,
            criteria=found.criteria,
            frozen=found.status == Segment.Status.PAUSED,
        )

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        from parcours.journeys import naming

        return naming.step_ids(self.account.pk, journey_id)

    def channel_of(self, message_id: int) -> str | None:
        return (
            Message.objects.filter(account_id=self.account.pk, pk=message_id)
            .values_list("channel", flat=True)
            .first()
        )

    def refused_field(self, name: str) -> str | None:
        if name in _FIELDS or (name.startswith("attributes.") and 11 < len(name) <= 111):
            return None
        return _("A contact has no field “%(name)s” that a step can change.") % {"name": name}


class PublishedNames(AccountNames):
    """For a document checked when it was published: what has been deleted since is nobody's, and no fault."""

    def has_list(self, list_id: int) -> bool:
        return True

    def has_segment(self, segment_id: int) -> bool:
        return True

    def has_business_unit(self, unit_id: int) -> bool:
        return True

    def attribute_type(self, name: str) -> str | None:
        return self.attributes.get(name) or str(AttributeDefinition.Type.TEXT)

    def segment(self, segment_id: int) -> SegmentFound | None:
        gone = SegmentFound(id=segment_id, name="", criteria={"any": []}, frozen=False)
        return super().segment(segment_id) or gone

    def journey_steps(self, journey_id: int) -> frozenset[str] | None:
        return super().journey_steps(journey_id) or _Everything()

    def channel_of(self, message_id: int) -> str | None:
        return "email"

    def refused_event(self, name: str) -> str | None:
        return None


class _Everything(frozenset[str]):
    def __contains__(self, item: object) -> bool:
        return True
