"""Which contacts are meant: a search and filters together, the same on the page, in exports, in bulk and in the API."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import queries
from parcours.contacts.lines import CHANNELS, whole_id
from parcours.contacts.models import ConsentValue, Contact, List, ListMember, Tag
from parcours.lib.paging import decode_cursor, encode_cursor
from parcours.lib.problems import Fault, Invalid, NotFound

SORTS = ("newest", "oldest", "email")
_CONSENTS = tuple(f"{channel}:{value}" for channel in CHANNELS for value in ConsentValue.values)

SegmentNames = Callable[[int], Iterable[tuple[int, str]]]
SegmentMembers = Callable[[int, int], Sequence[int]]
_segments: list[tuple[SegmentNames, SegmentMembers]] = []


def register_segments(names: SegmentNames, members: SegmentMembers) -> None:
    """Say who knows segments: `names(account_id)` their ids and names, `members(account_id, id)` who is in one now."""
    _segments[:] = [(names, members)]


def segments(account_id: int) -> list[tuple[int, str]]:
    """The account's segments, by name."""
    return (
        sorted(_segments[0][0](account_id), key=lambda each: (each[1].casefold(), each[0]))
        if _segments
        else []
    )


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

    def rows(self, account: Account) -> QuerySet[Contact]:
        """The contacts, not erased. Asks the event store for a segment's members, all of them at once."""
        found = queries.search(account.pk, text=self.search, country=account.country)
        if self.list:
            members = ListMember.objects.filter(list_id=whole_id(self.list) or 0, list__account=account)
            found = found.filter(pk__in=members.values("contact_id"))
        if self.tag:
            tagged = Tag.objects.filter(account=account, name=self.tag)
            found = found.filter(pk__in=tagged.values("contact_id"))
        if self.consent in _CONSENTS:
            channel, _colon, value = self.consent.partition(":")
            found = found.filter(**{f"consent_{channel}": value})
        if self.attribute:
            found = queries.bearing(found, self.attribute)
        if self.segment:
            number = whole_id(self.segment) or 0
            found = found.filter(pk__in=_among(_segments[0][1](account.pk, number) if _segments else ()))
        if self.ids:
            found = found.filter(pk__in=_among([whole_id(each) or 0 for each in self.ids]))
        return found

    def chosen(self, account: Account, *, below: int | None = None) -> array[int]:
        """The ids of everybody meant, the newest first, eight bytes each; those `below` an id only."""
        rows = self.rows(account)
        if below is not None:
            rows = rows.filter(pk__lt=below)
        return array("q", rows.order_by("-pk").values_list("pk", flat=True).iterator(10_000))


def _among(ids: Sequence[int]) -> RawSQL:
    """However many ids, as one bound value."""
    field: BigIntegerField[int, int] = BigIntegerField()
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)], output_field=field)
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))], output_field=field)


@dataclass(frozen=True)
class Page:
    """The ids of one page, in order, and the cursor of the next one."""

    ids: list[int]
    next: str | None


def page(rows: QuerySet[Contact], *, sort: str, cursor: str, size: int) -> Page:
    """A page of contacts; `sort` is one of SORTS. Raises Invalid for a cursor that was not given with this sort.

    By e-mail address, those who have none come last, the newest of them first.
    """
    if sort == "email":
        return _by_email(rows, cursor=cursor, size=size)
    newest = sort != "oldest"
    if cursor:
        (last,) = decode_cursor(cursor, int)
        rows = rows.filter(pk__lt=last) if newest else rows.filter(pk__gt=last)
    ids = list(rows.order_by("-pk" if newest else "pk").values_list("pk", flat=True)[: size + 1])
    return Page(ids[:size], encode_cursor(ids[size - 1]) if len(ids) > size else None)


def _by_email(rows: QuerySet[Contact], *, cursor: str, size: int) -> Page:
    email, last = decode_cursor(cursor, str, int) if cursor else ("", 0)
    found: list[tuple[int, str]] = []
    if not last:
        addressed = rows.filter(email__gt=email).order_by("email").values_list("pk", "email")
        found = [(pk, address or "") for pk, address in addressed[: size + 1]]
    if len(found) <= size:
        others = rows.filter(email__isnull=True)
        if last:
            others = others.filter(pk__lt=last)
        nameless = others.order_by("-pk").values_list("pk", flat=True)[: size + 1 - len(found)]
        found += [(pk, "") for pk in nameless]
    ids = [pk for pk, _email in found[:size]]
    if len(found) <= size:
        return Page(ids, None)
    pk, address = found[size - 1]
    return Page(ids, encode_cursor(address, 0 if address else pk))
