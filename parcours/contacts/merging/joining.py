"""Merges contacts: some become another, everywhere at once, in one transaction.

The contacts merged away keep an empty line. What they did stays theirs in the event store, where readers look up who
they are now (`links`); what is still to happen is the other's from then on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import batch as batches
from parcours.contacts import signals
from parcours.contacts.lines import KEYS
from parcours.contacts.merging import fields, following, pair_rows, rows
from parcours.contacts.merging.fields import Delta
from parcours.contacts.merging.following import Moved
from parcours.contacts.person import Person
from parcours.contacts.rows import insert_consent_changes
from parcours.contacts.telling import Teller
from parcours.events.entries import Entry, Regrouped
from parcours.lib import bulk
from parcours.lib.crashpoints import point
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, Invalid, NotFound

MOST_AT_ONCE = 100
"""Contacts merged into one by one call."""


@dataclass(frozen=True)
class Group:
    """Contacts who are one person: `into` is kept; `choices` says of a field whose value is taken."""

    into: int
    merged: Sequence[int]
    choices: Mapping[str, int] = field(default_factory=dict)


@dataclass
class _Join:
    """One contact merged away, on its way."""

    contact: int
    into: int
    before: dict[str, Any]
    delta: Delta
    lists: list[int] = field(default_factory=list)  # rows of lists that the other joins by this
    tags: list[str] = field(default_factory=list)


def merge(
    account: Account,
    *,
    into: int,
    merged: Sequence[int],
    choices: Mapping[str, int] | None = None,
    source: str,
    by: int | None = None,
    now: datetime,
) -> list[int]:
    """Merge contacts into one of the account; answers the ids of the merges, one for each contact merged away.

    `into` wins wherever it says something; `choices` (field, or `attributes.name` -> contact) decides otherwise. `by`
    is the user. Raises NotFound when one of them is no living contact of the account, Invalid when a choice names
    neither a field nor one of them, or when somebody would be merged with themselves.
    """
    return merge_many(account, [Group(into, merged, choices or {})], source=source, by=by, now=now)


def merge_many(
    account: Account, groups: Sequence[Group], *, source: str, by: int | None = None, now: datetime
) -> list[int]:
    """Merge several groups that share nobody, in one transaction. Raises what `merge` raises, with nothing done."""
    now_ms = to_ms(now)
    teller = Teller(source=source, cause=None, now_ms=now_ms)
    ids = [contact for group in groups for contact in (group.into, *group.merged)]
    _check(groups, ids)
    if not groups:
        return []
    with transaction.atomic():
        signals.contacts_merging.send(sender=None, account_id=account.pk, contact_ids=ids)
        batches.lock(account.pk)
        people = rows.living(account.pk, ids)
        if len(people) != len(ids):
            raise NotFound(_("There is nothing of this id here."))
        joins = [join for group in groups for join in _join(group, people)]
        into = {join.contact: join.into for join in joins}
        _unite(account.pk, joins)
        rows.empty(list(into), now_ms=now_ms)
        kept = [people[contact] for contact in dict.fromkeys(into.values())]
        rows.free_keys([person.id for person in kept if person.moved_keys()])
        rows.write(kept, now_ms=now_ms)
        point("merging.written")
        entries: list[Entry] = []
        moved = following.follow(into)
        signals.contacts_merged.send(
            sender=None, account_id=account.pk, into=into, moved=moved, entries=entries, now=now
        )
        _note_consents(account.pk, joins, source=source, now_ms=now_ms)
        point("merging.followed")
        merges = _keep(account.pk, joins, moved, source=source, by=by, now_ms=now_ms)
        carried = _redirect(account.pk, into)
        pair_rows.follow(into)
        _tell(teller, joins)
        teller.entries += entries
        regrouped = list(dict.fromkeys((*into, *into.values(), *carried)))
        teller.touched(dict.fromkeys((*into, *into.values())))
        teller.entries.append(Regrouped(regrouped))
        teller.append(account.pk)
        point("merging.told")
    return merges


def _check(groups: Sequence[Group], ids: Sequence[int]) -> None:
    faults: list[Fault] = []
    if len(set(ids)) != len(ids):
        faults.append(Fault(pointer="/merge", detail=_("A contact cannot be merged with itself.")))
    for group in groups:
        members = {group.into, *group.merged}
        if not group.merged or len(group.merged) > MOST_AT_ONCE:
            detail = _("Choose between 2 and %(most)d contacts.") % {"most": MOST_AT_ONCE + 1}
            faults.append(Fault(pointer="/merge", detail=detail))
        for name, contact in group.choices.items():
            if name not in fields.FIELDS and not name.startswith("attributes."):
                faults.append(Fault(pointer=f"/fields/{name}", detail=_("A contact has no such field.")))
            elif contact not in members:
                detail = _("This contact is not one of those merged.")
                faults.append(Fault(pointer=f"/fields/{name}", detail=detail))
    if faults:
        raise Invalid(_("These contacts cannot be merged."), faults)


def _join(group: Group, people: Mapping[int, Person]) -> list[_Join]:
    kept = people[group.into]
    joins = []
    for contact in group.merged:
        other = people[contact]
        before = {
            "values": dict(other.values),
            "attributes": dict(other.attributes),
            "consents": dict(other.consents),
        }
        joins.append(_Join(contact, kept.id, before, fields.join(kept, other, group.choices)))
    return joins


def _unite(account_id: int, joins: Sequence[_Join]) -> None:
    """Lists and tags: the contact kept has those of both."""
    everyone = [contact for join in joins for contact in (join.contact, join.into)]
    lists, tags = rows.lists_of(everyone), rows.tags_of(everyone)
    on = {contact: {each[1] for each in those} for contact, those in lists.items()}
    bears = {contact: set(those) for contact, those in tags.items()}
    moving: list[tuple[int, int]] = []
    leaving: list[int] = []
    for join in joins:
        join.before["lists"] = [list(each) for each in lists[join.contact]]
        join.before["tags"] = tags[join.contact]
        for row, list_id, *_rest in lists[join.contact]:
            if list_id in on[join.into]:
                leaving.append(row)
            else:
                on[join.into].add(list_id)
                join.lists.append(row)
                moving.append((join.into, row))
        join.tags = [name for name in tags[join.contact] if name not in bears[join.into]]
        bears[join.into].update(join.tags)
    bulk.update_many("contacts_listmember", ("contact_id",), moving)
    rows.delete("contacts_listmember", leaving)
    rows.delete("contacts_tag", [join.contact for join in joins], column="contact_id")
    bulk.insert_many(
        "contacts_tag",
        ("account_id", "contact_id", "name"),
        [(account_id, join.into, name) for join in joins for name in join.tags],
    )


def _note_consents(account_id: int, joins: Sequence[_Join], *, source: str, now_ms: int) -> None:
    """A consent that the merge changed has its line in the history, which by now is that of both."""
    for join in joins:
        insert_consent_changes(
            account_id,
            [(join.into, channel, before, after) for channel, (before, after) in join.delta.consents.items()],
            source=batches.Source("merge", {"contact": str(join.contact)}),
            now_ms=now_ms,
        )


def _keep(
    account_id: int, joins: Sequence[_Join], moved: Moved, *, source: str, by: int | None, now_ms: int
) -> list[int]:
    """The rows of the merges, and the keys that find their contacts still."""
    ids = bulk.reserve_ids("merging_merge", len(joins))
    last = _last_consents({join.into for join in joins})
    made, aliases = [], []
    for number, join in zip(ids, joins, strict=True):
        kept = {
            "merged": join.before,
            "into": asdict(join.delta) | {"lists": join.lists, "tags": join.tags},
            "moved": moved[join.contact],
            "last_consent": last.get(join.into, 0),
        }
        made.append(
            (number, account_id, join.into, join.contact, source[:50], by, now_ms, rows.to_json(kept))
        )
        for kind in KEYS:
            former = {join.contact: join.before["values"][kind]}
            if kind in join.delta.values:
                former[join.into] = join.delta.values[kind][0]
            aliases += [
                (account_id, kind, value, join.into, origin, number)
                for origin, value in former.items()
                if value is not None
            ]
    bulk.insert_many(
        "merging_merge",
        ("id", "account_id", "into_id", "merged_id", "source", "user_id", "at", "kept"),
        made,
    )
    into = [(join.into, join.contact) for join in joins]
    bulk.update_many("merging_alias", ("contact_id",), into, key=("contact_id",))
    bulk.insert_many(
        "merging_alias",
        ("account_id", "kind", "value", "contact_id", "origin_id", "merge_id"),
        aliases,
        on_conflict="(account_id, kind, value) DO NOTHING",
    )
    return ids


def _last_consents(contacts: set[int]) -> dict[int, int]:
    among, bound = bulk.among("contact_id", list(contacts))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact_id, max(id) FROM contacts_consentchange WHERE {among} GROUP BY contact_id",
            [bound],
        )
        return dict(cursor.fetchall())


def _redirect(account_id: int, into: Mapping[int, int]) -> list[int]:
    """Note who is whom; answers those merged earlier into contacts that are merged away now."""
    among, bound = bulk.among("into_id", list(into))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT contact_id, into_id FROM merging_merged WHERE {among}", [bound])
        carried = cursor.fetchall()
    bulk.update_many(
        "merging_merged",
        ("into_id",),
        [(into[former], contact) for contact, former in carried],
        key=("contact_id",),
    )
    bulk.insert_many(
        "merging_merged",
        ("contact_id", "account_id", "into_id"),
        [(contact, account_id, kept) for contact, kept in into.items()],
    )
    return [contact for contact, _former in carried]


def _tell(teller: Teller, joins: Sequence[_Join]) -> None:
    for join in joins:
        teller.event("contact.merged", join.into, {"merged": str(join.contact), "source": teller.source})
        changed = [*join.delta.values, *(["tags"] if join.tags else [])]
        if changed:
            teller.updated(join.into, changed)
        for channel, (before, after) in join.delta.consents.items():
            teller.consent(join.into, channel, before, after)
