"""Which contacts are meant: a search and filters together, the same on the page, in exports, in bulk and in the API."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol

from django.db import connection
from django.db.models import BigIntegerField, Exists, OuterRef, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import queries
from parcours.contacts import search as searching
from parcours.contacts.lines import CHANNELS, whole_id
from parcours.contacts.models import ConsentValue, Contact, List, ListMember, Tag
from parcours.contacts.orders import Order, Place
from parcours.lib.problems import Fault, Invalid, NotFound

_CONSENTS = tuple(f"{channel}:{value}" for channel in CHANNELS for value in ConsentValue.values)
#: As many contacts are sorted by themselves; of more, an order is walked until it has shown enough of them.
FEW = 5_000
_PIECE = 50_000


class SegmentReading(Protocol):
    """Who is in a segment, at one watermark."""

    def held(self, contacts: Sequence[int]) -> set[int]:
        """Those of some contacts who are in it."""

    def below(self, contact: int | None, limit: int) -> list[int]:
        """Its first `limit` members whose id is lower (None: of all), the highest id first."""


SegmentNames = Callable[[int], Iterable[tuple[int, str]]]
SegmentReader = Callable[[int, int], SegmentReading]
_segments: list[tuple[SegmentNames, SegmentReader]] = []


def register_segments(names: SegmentNames, reader: SegmentReader) -> None:
    """Say who knows segments: `names(account_id)` their ids and names, `reader(account_id, id)` who is in one now."""
    _segments[:] = [(names, reader)]


def segments(account_id: int) -> list[tuple[int, str]]:
    """The account's segments, by name."""
    return (
        sorted(_segments[0][0](account_id), key=lambda each: (each[1].casefold(), each[0]))
        if _segments
        else []
    )


_ANY = Q()


@dataclass(frozen=True)
class Page:
    """The ids of one page, in order, the cursor of the next one, and how many there are in all (None: not counted)."""

    ids: list[int]
    next: str | None
    count: int | None


@dataclass(frozen=True)
class Audience:
    """Contacts who meet everything given; nothing given is everybody. Ids are text, as in the API."""

    search: str = ""
    list: str = ""
    tag: str = ""
    segment: str = ""
    consent: str = ""  # "email:opted_in"
    attribute: str = ""  # its name: those who have a value
    ids: tuple[str, ...] = ()

    @classmethod
    def read(cls, given: Mapping[str, Any], *, ids: Sequence[str] = ()) -> Audience:
        """What a query or a job's parameters say; names that are none of ours are left alone."""
        names = {each.name for each in fields(cls)} - {"ids"}
        said = {name: str(given.get(name) or "").replace("\0", "").strip()[:200] for name in names}
        return cls(**said, ids=tuple(str(each) for each in ids or given.get("ids") or ()))

    def as_json(self) -> dict[str, Any]:
        """For a job's parameters: `read` takes it back."""
        return {name: value for name, value in asdict(self).items() if value}

    @property
    def everybody(self) -> bool:
        """Whether it leaves nobody out."""
        return not self.as_json()

    def check(self, account: Account) -> None:
        """Raises NotFound for a list or a segment that is not the account's, Invalid for a consent that is none."""
        if self.list and not List.objects.filter(account=account, pk=whole_id(self.list) or 0).exists():
            raise NotFound(_("There is nothing of this id here."))
        if self.segment and not any(str(pk) == self.segment for pk, _name in segments(account.pk)):
            raise NotFound(_("There is nothing of this id here."))
        if self.consent and self.consent not in _CONSENTS:
            detail = _("A consent is a channel and a value, such as “email:opted_in”.")
            raise Invalid(detail, [Fault(pointer="/consent", detail=detail)])

    def page(self, account: Account, *, sort: str, cursor: str, size: int, only: Q = _ANY) -> Page:
        """A page of them, in an order of `orders.SORTS`. Raises Invalid for a cursor that was not given with this sort.

        `only` narrows them further. Asks the event store for a segment's members.
        """
        order = Order.named(sort)
        after = order.place(cursor)
        everybody = self.everybody and only == _ANY
        few = None if everybody else self._few(account, only)
        places: Sequence[Place]
        if few is not None:
            places = order.piece(Contact.objects.filter(pk__in=_among(few)), after, size + 1)
        else:
            places = self._walk(account, order, after, size + 1, only)
        count = self.count(account) if everybody else None if few is None else len(few)
        return Page(
            [place.contact for place in places[:size]],
            order.cursor(places[size - 1]) if len(places) > size else None,
            count,
        )

    def count(self, account: Account, *, only: Q = _ANY) -> int:
        """How many they are. Reads all of a segment, by pieces."""
        return sum(rows.count() for rows in self._pieces(account, only))

    def chosen(self, account: Account, *, below: int | None = None, only: Q = _ANY) -> array[int]:
        """The ids of everybody meant, the newest first, eight bytes each; those `below` an id only."""
        chosen = array("q")
        for rows in self._pieces(account, only, below):
            chosen.extend(rows.order_by("-pk").values_list("pk", flat=True).iterator(10_000))
        return chosen

    def _rows(self, account: Account, only: Q, *, walked: bool = False) -> QuerySet[Contact]:
        """The contacts, not erased, whatever segment is asked for; `walked`: each of many is going to be looked at."""
        found = queries.search(account.pk, text=self.search, country=account.country)
        beside: list[QuerySet[Any]] = []
        if self.list:
            number = whole_id(self.list) or 0
            beside.append(ListMember.objects.filter(list_id=number, list__account=account))
        if self.tag:
            beside.append(Tag.objects.filter(account=account, name=self.tag))
        for rows in beside:
            # Contacts looked at one after the other are asked for a list's row; else all of its rows are read.
            if walked:
                found = found.filter(Exists(rows.filter(contact_id=OuterRef("pk"))))
            else:
                found = found.filter(pk__in=rows.values("contact_id"))
        if self.consent in _CONSENTS:
            channel, _colon, value = self.consent.partition(":")
            found = found.filter(**{f"consent_{channel}": value})
        if self.attribute:
            found = queries.bearing(found, self.attribute)
        if self.ids:
            found = found.filter(pk__in=_among([whole_id(each) or 0 for each in self.ids]))
        return found.filter(only)

    def _few(self, account: Account, only: Q) -> Sequence[int] | None:
        """The ids of all of them, in no order, when they are few."""
        if self.search and not queries.whole_address(account.pk, self.search):
            found = searching.few(account.pk, self.search, country=account.country, limit=FEW)
            if found is not None:
                only &= Q(pk__in=_among(found))
                return replace(self, search="")._few(account, only)
            if not self.as_json().keys() - {"search"} and only == _ANY:
                return None
        rows = self._rows(account, only)
        segment = self._segment(account)
        if segment is None:
            ids = list(rows.values_list("pk", flat=True)[: FEW + 1])
            return ids if len(ids) <= FEW else None
        if self.as_json().keys() - {"segment"} or only != _ANY:
            ids = list(rows.values_list("pk", flat=True)[: FEW + 1])
            if len(ids) <= FEW:
                return sorted(segment.held(ids))
        members = segment.below(None, FEW + 1)
        if len(members) > FEW:
            return None
        return list(rows.filter(pk__in=_among(members)).values_list("pk", flat=True))

    def _walk(
        self, account: Account, order: Order, after: Place | None, limit: int, only: Q
    ) -> Sequence[Place]:
        """The first of them after a place, found by following the order."""
        rows = self._rows(account, only, walked=True)
        segment = self._segment(account)
        if segment is None:
            return order.piece(rows, after, limit)
        found: list[Place] = []
        for places in order.walk(rows, after):
            held = segment.held([place.contact for place in places])
            found += [place for place in places if place.contact in held]
            if len(found) >= limit:
                break
        return found[:limit]

    def _segment(self, account: Account) -> SegmentReading | None:
        if not self.segment or not _segments:
            return None
        return _segments[0][1](account.pk, whole_id(self.segment) or 0)

    def _pieces(self, account: Account, only: Q, below: int | None = None) -> Iterator[QuerySet[Contact]]:
        """All of them, those of a segment by pieces, the highest ids first."""
        rows = self._rows(account, only)
        segment = self._segment(account)
        if segment is None:
            yield rows if below is None else rows.filter(pk__lt=below)
            return
        while members := segment.below(below, _PIECE):
            yield rows.filter(pk__in=_among(members))
            if len(members) < _PIECE:
                return
            below = members[-1]


def _among(ids: Sequence[int]) -> RawSQL:
    """However many ids, as one bound value."""
    field: BigIntegerField[int, int] = BigIntegerField()
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)], output_field=field)
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))], output_field=field)
