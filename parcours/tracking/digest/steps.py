"""What the digest does with a batch of entries, in order. Each step takes the draft of a load and completes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import structlog
from django.db import connection

from parcours.accounts.models import Account
from parcours.contacts import actions as contacts
from parcours.contacts.merging import people
from parcours.contacts.queries import snapshot
from parcours.events.entries import (
    Call,
    Entry,
    Event,
    Line,
    Linked,
    Membership,
    Moved,
    Parked,
    Regrouped,
    Touched,
)
from parcours.lib import bulk
from parcours.tracking import deals, erasure, identity, sites
from parcours.tracking.digest import dedupe, naming
from parcours.tracking.identity import Item, Ties
from parcours.tracking.refusals import Reason

log = structlog.get_logger(__name__)

#: `last_seen_at` is kept to the hour: writing it at every page would cost more than the page.
SEEN_EVERY_MS = 3_600_000


@dataclass(slots=True)
class Draft:
    """A load under way: what came, and what it becomes."""

    account: Account
    accepted_from: int
    entries: Iterable[Entry]
    now: datetime
    items: list[Item] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)
    memberships: list[Membership] = field(default_factory=list)
    moved: list[Moved] = field(default_factory=list)
    parked: list[Parked] = field(default_factory=list)
    ties: Ties = field(default_factory=Ties)
    regrouped: set[int] = field(default_factory=set)
    links: list[tuple[str, int]] = field(default_factory=list)
    merges: list[tuple[int, int]] = field(default_factory=list)
    profiles: list[dict[str, Any]] = field(default_factory=list)
    page_at: int = 0
    hosts: dict[str, int] = field(default_factory=dict)
    dropped: Counter[Reason] = field(default_factory=Counter)


def translate(draft: Draft) -> None:
    """Put what came into our words; nothing is read nor written."""
    account_id = draft.account.pk
    items = draft.items
    for entry in draft.entries:
        try:
            if isinstance(entry, Call):
                item = naming.from_call(entry, account_id=account_id)
                items.append(item)
                if entry.source and entry.kind == "page":
                    _note_page(draft, item, entry.received_at)
            elif isinstance(entry, Event):
                items.append(Item(event=entry, contact=entry.contact))
            elif isinstance(entry, Line):
                items.append(naming.from_line(entry, account_id=account_id))
            elif isinstance(entry, Touched):
                draft.touched.update(entry.contacts)
            elif isinstance(entry, Regrouped):
                draft.regrouped.update(entry.contacts)
            elif isinstance(entry, Linked):
                items.append(Item(event=None, browser=entry.visitor, contact=entry.contact))
                items[-1].if_unknown = entry.if_unknown
            elif isinstance(entry, Membership):
                draft.memberships.append(entry)
            elif isinstance(entry, Moved):
                draft.moved.append(entry)
            else:
                draft.parked.append(entry)
        except naming.Dropped as dropped:
            draft.dropped[dropped.reason] += 1
        except Exception:
            # One entry that nobody foresaw must not hold up all those behind it.
            log.exception("entry cannot be read", account=account_id)
            draft.dropped[Reason.UNREADABLE] += 1


def _note_page(draft: Draft, item: Item, at: int) -> None:
    if at > draft.page_at:
        draft.page_at = at
    url = item.event.properties.get("url") if item.event is not None else None
    host = sites.host_of(url) if type(url) is str else ""
    if host:
        draft.hosts[host] = max(at, draft.hosts.get(host, 0))


def drop_duplicates(draft: Draft) -> None:
    """Keep the first of those that bear the same message id."""
    kept = dedupe.first_seen(draft.account.pk, draft.items)
    if len(kept) != len(draft.items):
        draft.dropped[Reason.DUPLICATE] += len(draft.items) - len(kept)
    draft.items = kept


def find_erased(draft: Draft) -> None:
    """What was accepted before somebody was erased, and is taken up only now, is the erased person's."""
    erasure.find_erased(draft.account, draft.items)


def find_contacts(draft: Draft) -> None:
    """Find or make the contacts that calls and lines name."""
    identity.find_contacts(draft.account, draft.items, now=draft.now)


def find_merged(draft: Draft) -> None:
    """What is said of somebody merged away is said of who they are now. What happened inside the system stays as it
    was told: the store looks up who that is."""
    asked = [item for item in draft.items if item.contact and (item.event is None or item.message_id)]
    found = people.survivors(draft.account.pk, {item.contact for item in asked})
    for item in asked:
        item.contact = found.get(item.contact, item.contact)


def leave_erased(draft: Draft) -> None:
    """Browsers are tied to nobody who was erased meanwhile."""
    erasure.leave_browsers(draft.account.pk, draft.items)


def tie_visitors(draft: Draft) -> None:
    """Give each event its visitor, and the contact that the visitor is; tie browsers to contacts."""
    account_id = draft.account.pk
    browsers = identity.load_browsers(account_id, {item.browser for item in draft.items})
    draft.ties = identity.tie(account_id, draft.items, browsers, now=draft.now)
    identity.write_ties(draft.ties)
    draft.links = draft.ties.linked


def regroup(draft: Draft) -> None:
    """Who the contacts are whom merges joined or parted, and whose their visitors are, as it is now."""
    if not draft.regrouped:
        return
    account_id = draft.account.pk
    now_are = people.survivors(account_id, draft.regrouped)
    draft.merges = [(contact, now_are.get(contact, 0)) for contact in sorted(draft.regrouped)]
    draft.links = list(
        {**dict(draft.links), **dict(identity.visitors_of(account_id, draft.regrouped))}.items()
    )


def drop_the_nameless(draft: Draft) -> None:
    """Drop forms without an address, and events whose contact could not be made and that have no visitor."""
    draft.items, dropped = identity.drop_unnamed_forms(draft.account.pk, draft.items)
    draft.dropped.update(dropped)
    for item in draft.items:
        event = item.event
        if event is None:
            continue
        if item.unnamed and not event.contact and not event.visitor:
            draft.dropped[Reason.UNKNOWN_CONTACT] += 1
        else:
            draft.events.append(event)


def spread_deals(draft: Draft) -> None:
    """What happens to a deal also happens to each contact tied to it then: the same event, once for each.

    One of a send is its recipient's alone. A deal's own events are told apart by their message ids. The contact whom
    the event itself names comes last: the last word on an order stands.
    """
    moments = {(event.deal, event.occurred_at) for event in draft.events if event.deal and not event.send}
    if not moments:
        return
    tied = deals.keeper().contacts(draft.account.pk, moments)
    spread: list[Event] = []
    for event in draft.events:
        if event.deal and not event.send:
            others = [one for one in tied.get((event.deal, event.occurred_at), ()) if one != event.contact]
            spread += [msgspec.structs.replace(event, contact=one, visitor="") for one in others]
            if others and not event.contact and not event.visitor:
                continue
        spread.append(event)
    draft.events = spread


def note_presence(draft: Draft) -> None:
    """Note when contacts were last seen, when the account's tracker last sent a page, and from which sites."""
    seen: dict[int, int] = {}
    for item in draft.items:
        if item.contact and item.message_id and not item.for_ever:
            at = item.event.occurred_at if item.event is not None else item.received_at
            if at > seen.get(item.contact, 0):
                seen[item.contact] = at
    late = _seen_longer_ago(seen)
    if late:
        contacts.seen(account_id=draft.account.pk, instants=late)
        draft.touched.update(late)
    if draft.page_at:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_account SET last_page_at = %s WHERE id = %s"
                " AND (last_page_at IS NULL OR last_page_at < %s)",
                [draft.page_at, draft.account.pk, draft.page_at],
            )
    sites.note(draft.account.pk, draft.hosts)


def _seen_longer_ago(seen: dict[int, int]) -> dict[int, int]:
    if not seen:
        return {}
    among, bound = bulk.among("id", list(seen))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, last_seen_at FROM contacts_contact WHERE {among}", [bound])
        known = cursor.fetchall()
    return {
        contact: seen[contact]
        for contact, before in known
        if before is None or before < seen[contact] - SEEN_EVERY_MS
    }


def mirror_profiles(draft: Draft) -> None:
    """Take the state of the contacts that changed, as it is now."""
    draft.profiles = snapshot(draft.touched)


#: Done before the transaction: nothing is read nor written.
BEFORE: tuple[Callable[[Draft], None], ...] = (translate,)
#: Done in the transaction that commits the load.
WITHIN: tuple[Callable[[Draft], None], ...] = (
    drop_duplicates,
    find_erased,
    find_contacts,
    find_merged,
    leave_erased,
    tie_visitors,
    regroup,
    drop_the_nameless,
    spread_deals,
    note_presence,
    mirror_profiles,
)
