"""Contacts who may be one person: found by a job, shown the surest first, dismissed or merged.

Two contacts are a pair for reasons, each of which says how often such contacts are one person; reasons together say
more. What is compared is folded (case, accents, blanks and punctuation make no difference) and grouped in the event
store, so that nobody is compared with everybody. Keys shared by many say nothing, and are passed over.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy, pgettext_lazy

from parcours.accounts import jobs
from parcours.accounts.models import Account, Job
from parcours.contacts import queries as contact_queries
from parcours.contacts.merging import joining, rows
from parcours.contacts.merging.joining import Group
from parcours.contacts.merging.models import Pair
from parcours.contacts.person import Person
from parcours.events import watermark
from parcours.events.store import queries
from parcours.lib import bulk, clock
from parcours.lib.crashpoints import point
from parcours.lib.instants import from_ms, iso, to_ms
from parcours.lib.paging import Paging, decode_cursor, encode_cursor

SEARCH, MERGE = "contacts.duplicates", "contacts.merge_duplicates"
CERTAIN = 90
_MOST_SHARING = 20
"""A key that more contacts than this share is a common name, not a person."""
_KEYS_AT_ONCE = 2_000
_PAIRS_AT_ONCE = 100
_BIRTHDAYS = (
    *("birthday", "birthdate", "birth_date", "date_of_birth", "anniversaire", "naissance"),
    *("date_naissance", "date_de_naissance"),
)
_POSTCODES = ("postal_code", "postcode", "zip", "zip_code", "zipcode", "code_postal", "cp")

#: Reason -> how many in a hundred such pairs are one person, as far as we can tell.
_WEIGHTS = {"email": 92, "birthday": 90, "phone": 80, "postcode": 70, "local": 60, "city": 45, "browser": 40}
WORDS: dict[str, Any] = {
    "email": gettext_lazy("the same mailbox (dots and “+…” apart)"),
    "birthday": gettext_lazy("the same name and birthday"),
    "phone": gettext_lazy("the same last name and phone number"),
    "postcode": gettext_lazy("the same name and postal code"),
    "local": gettext_lazy("the same name and beginning of the e-mail address"),
    "city": gettext_lazy("the same name and city"),
    "browser": gettext_lazy("the same browser"),
}
_SURE = ((CERTAIN, pgettext_lazy("duplicates", "Certain")), (70, pgettext_lazy("duplicates", "Likely")))

Shared = tuple[str, list[int]]
"""A reason, and the contacts who share what it is about."""
Source = Callable[[int], Iterable[Shared]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Say who else knows of contacts that share something: `source(account_id)` tells of them, group by group."""
    if source not in _sources:
        _sources.append(source)


def sureness(score: int) -> str:
    """How sure a score is, in a word."""
    for least, word in _SURE:
        if score >= least:
            return str(word)
    return str(pgettext_lazy("duplicates", "Possible"))


def score_of(reasons: Iterable[str]) -> int:
    """How sure reasons together are, 0 to 100: each takes its share of what the others leave open."""
    doubt = 1.0
    for reason in set(reasons):
        doubt *= 1 - _WEIGHTS[reason] / 100
    return round((1 - doubt) * 100)


# Looking for them


def start_search(account: Account) -> Job:
    """Look for duplicates anew; the search under way, when there is one."""
    open_job = Job.objects.filter(
        account=account, kind=SEARCH, status__in=(Job.Status.QUEUED, Job.Status.RUNNING)
    ).first()
    return open_job or jobs.enqueue(account, SEARCH, {})


def search(running: jobs.Running) -> None:
    """Find every pair of the account; those not found again are forgotten, but for the dismissed."""
    account_id = running.job.account_id
    result: dict[str, Any] = dict(running.job.result)
    if "began" not in result:
        result |= {"began": to_ms(clock.now()), "load": watermark.current(account_id).load, "after": ["", ""]}
    while result["after"] is not None:
        found = _shared_keys(account_id, result)
        _note(running, found, result)
        point("duplicates.noted")
    for source in _sources:
        for part in _some_at_a_time(source(account_id)):
            _note(running, part, result)
    began = from_ms(result["began"])
    with transaction.atomic():
        Pair.objects.filter(account_id=account_id, dismissed_at__isnull=True, found_at__lt=began).delete()
        result["pairs"] = Pair.objects.filter(account_id=account_id, dismissed_at__isnull=True).count()
        running.advance(result=result)


def _some_at_a_time(found: Iterable[Shared]) -> Iterator[list[Shared]]:
    groups = iter(found)
    while part := list(itertools.islice(groups, _KEYS_AT_ONCE)):
        yield part


def _shared_keys(account_id: int, result: dict[str, Any]) -> list[Shared]:
    kind, key = result["after"]
    found = queries.run(
        "duplicate_keys",
        {
            "account": account_id,
            "load": result["load"],
            "birthdays": list(_BIRTHDAYS),
            "postcodes": list(_POSTCODES),
            "most": _MOST_SHARING + 1,
            "after_kind": kind,
            "after_key": key,
            "limit": _KEYS_AT_ONCE,
        },
    )
    full = len(found) == _KEYS_AT_ONCE
    result["after"] = [found[-1]["kind"], found[-1]["key"]] if full else None
    return [(row["kind"], list(row["contacts"])) for row in found if row["many"] <= _MOST_SHARING]


def _note(running: jobs.Running, shared: Iterable[Shared], result: dict[str, Any]) -> None:
    account_id = running.job.account_id
    found: dict[tuple[int, int], set[str]] = {}
    for reason, contacts in shared:
        first, *others = sorted(contacts)
        for other in others:
            found.setdefault((first, other), set()).add(reason)
    began = from_ms(result["began"])
    with transaction.atomic():
        known = Pair.objects.filter(account_id=account_id, one_id__in={one for one, _other in found})
        for one, other, reasons in known.filter(found_at__gte=began).values_list(
            "one_id", "other_id", "reasons"
        ):
            if (one, other) in found:
                found[one, other] |= set(reasons)
        living = rows.living(account_id, sorted({contact for pair in found for contact in pair}))
        now = to_ms(clock.now())
        bulk.insert_many(
            "merging_pair",
            ("account_id", "one_id", "other_id", "score", "reasons", "found_at"),
            [
                (account_id, one, other, score_of(reasons), rows.to_json(_ordered(reasons)), now)
                for (one, other), reasons in found.items()
                if one in living and other in living
            ],
            on_conflict="(one_id, other_id) DO UPDATE SET score = excluded.score, reasons = excluded.reasons,"
            " found_at = excluded.found_at",
        )
        running.advance(lines=len(found), result=result)


def _ordered(reasons: Iterable[str]) -> list[str]:
    return sorted(reasons, key=lambda reason: -_WEIGHTS[reason])


# Showing and dismissing them


@dataclass(frozen=True)
class Shown:
    """A pair as it is shown: its people as the API writes contacts."""

    pair: Pair
    people: list[dict[str, Any]]


def waiting(account_id: int, *, certain: bool = False) -> Any:
    """The pairs that nobody dismissed."""
    found = Pair.objects.filter(account_id=account_id, dismissed_at__isnull=True)
    return found.filter(score__gte=CERTAIN) if certain else found


def some(account_id: int, *, certain: bool, after: tuple[int, int] | None, limit: int) -> list[Shown]:
    """Pairs, the surest first, after a (score, id)."""
    found = waiting(account_id, certain=certain).order_by("-score", "-pk")
    if after is not None:
        score, last = after
        found = found.filter(score__lte=score).exclude(score=score, pk__gte=last)
    pairs = list(found[:limit])
    ids = sorted({contact for pair in pairs for contact in (pair.one_id, pair.other_id)})
    people = {person["id"]: person for person in contact_queries.described(ids)}
    return [Shown(pair, [people[str(pair.one_id)], people[str(pair.other_id)]]) for pair in pairs]


def page(account_id: int, paging: Paging, *, certain: bool) -> dict[str, Any]:
    """A page of pairs as the API tells them."""
    after = decode_cursor(paging.cursor, int, int) if paging.cursor else None
    found = some(account_id, certain=certain, after=after, limit=paging.limit + 1)
    more, found = len(found) > paging.limit, found[: paging.limit]
    last = found[-1].pair if found else None
    return {
        "items": [
            {
                "id": str(each.pair.pk),
                "contacts": each.people,
                "score": each.pair.score,
                "certain": each.pair.score >= CERTAIN,
                "reasons": each.pair.reasons,
                "found_at": iso(each.pair.found_at),
            }
            for each in found
        ],
        "next": encode_cursor(last.score, last.pk) if more and last is not None else None,
    }


def dismiss(pair: Pair, *, by: int | None, now: datetime) -> None:
    """They are two people: the pair is not shown again."""
    Pair.objects.filter(pk=pair.pk).update(dismissed_at=now, dismissed_by=by)


# Merging them


def best(people: Sequence[Person]) -> Person:
    """Who of several is kept unless somebody says otherwise: known to another system, best filled, first met."""
    return min(
        people,
        key=lambda person: (
            person.values["external_id"] is None,
            -sum(value is not None for value in person.values.values()) - len(person.attributes),
            person.id,
        ),
    )


def start_merging(account: Account, *, by: int | None) -> Job:
    """Merge all the pairs that are as good as certain; the job under way, when there is one."""
    open_job = Job.objects.filter(
        account=account, kind=MERGE, status__in=(Job.Status.QUEUED, Job.Status.RUNNING)
    ).first()
    return open_job or jobs.enqueue(account, MERGE, {"by": by})


def merge_certain(running: jobs.Running) -> None:
    """Merge certain pairs, some at a time, until there are none."""
    account = running.job.account
    result: dict[str, Any] = dict(running.job.result) or {"merged": 0}
    while True:
        with transaction.atomic():
            found = list(waiting(account.pk, certain=True).order_by("pk")[:_PAIRS_AT_ONCE])
            if not found:
                running.advance(result=result)
                return
            ids = sorted({contact for pair in found for contact in (pair.one_id, pair.other_id)})
            people = rows.living(account.pk, ids)
            gone = [pair.pk for pair in found if not {pair.one_id, pair.other_id} <= people.keys()]
            Pair.objects.filter(pk__in=gone).delete()
            groups = _groups(
                [(pair.one_id, pair.other_id) for pair in found if pair.pk not in set(gone)], people
            )
            merges = joining.merge_many(
                account,
                groups,
                source="duplicates",
                by=running.job.parameters.get("by"),
                now=clock.now(),
            )
            result["merged"] += len(merges)
            running.advance(accepted=len(merges), result=result)
        point("duplicates.merged")


def _groups(pairs: Iterable[tuple[int, int]], people: Mapping[int, Person]) -> list[Group]:
    """Who is one person, from pairs that may share people."""
    members: dict[int, set[int]] = {}
    for one, other in pairs:
        together = members.get(one, {one}) | members.get(other, {other})
        members.update(dict.fromkeys(together, together))
    groups = {min(together): sorted(together) for together in members.values()}
    return [
        Group(kept.id, [contact for contact in together if contact != kept.id])
        for together in groups.values()
        for kept in [best([people[contact] for contact in together])]
    ]
