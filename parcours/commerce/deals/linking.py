"""The deals that event lines name, who is tied to a deal, and what events from elsewhere say of its stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from parcours.accounts.access import as_id
from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.deals.actions import STAGE_CHANGED, put
from parcours.commerce.deals.stages import Finder, Unknown
from parcours.commerce.models import Deal
from parcours.events.entries import Event
from parcours.lib import bulk
from parcours.lib.instants import from_ms

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Deals:
    """What tracking asks (`tracking.deals`)."""

    def find(
        self, account: Account, references: Sequence[Mapping[str, Any]], *, now: datetime
    ) -> list[int | None]:
        """The deal of each reference; an unknown `id` is none, an unknown `external_id` makes its deal, which stands
        in no stage until an event says so."""
        ids = {number for each in references if (number := as_id(each.get("id", ""))) is not None}
        keys = {str(each["external_id"]) for each in references if each.get("external_id")}
        mine = Deal.objects.filter(account=account)
        known_ids = set(mine.filter(pk__in=ids).values_list("pk", flat=True))
        known_keys: dict[str | None, int] = dict(
            mine.filter(external_id__in=keys).values_list("external_id", "pk")
        )
        found: list[int | None] = []
        for each in references:
            number = as_id(each.get("id", ""))
            key = str(each.get("external_id") or "")
            if each.get("id"):
                meant = number if number in known_ids else None
                if key and meant is not None and known_keys.get(key, meant) != meant:
                    meant = None
                found.append(meant)
                continue
            if key not in known_keys:
                made = Deal.objects.create(
                    account=account,
                    external_id=key,
                    name=key[:300],
                    currency=account.currency,
                    stage_at=_LONG_AGO,
                    created_at=now,
                    updated_at=now,
                )
                known_keys[key] = made.pk
            found.append(known_keys[key])
        return found

    def contacts(
        self, account_id: int, moments: Iterable[tuple[int, int]]
    ) -> dict[tuple[int, int], list[int]]:
        """Who was tied to a deal at an instant (ms), for pairs of both; the first tied first."""
        asked = set(moments)
        among, bound = bulk.among("t.deal_id", sorted({deal for deal, _at in asked}))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT t.deal_id, t.contact_id, t.since, t.until FROM commerce_dealcontact t"
                f" JOIN commerce_deal d ON d.id = t.deal_id WHERE d.account_id = %s AND {among}"
                " ORDER BY t.since, t.id",
                [account_id, bound],
            )
            ties: dict[int, list[tuple[int, int, int | None]]] = {}
            for deal, contact, since, until in cursor.fetchall():
                ties.setdefault(deal, []).append((contact, since, until))
        return {
            (deal, at): list(
                dict.fromkeys(
                    contact
                    for contact, since, until in ties.get(deal, ())
                    if since <= at and (until is None or at < until)
                )
            )
            for deal, at in asked
        }


def follow(account: Account, events: Iterable[Event], *, now: datetime) -> None:
    """Let deals stand where events from elsewhere say, in the caller's transaction.

    An event no later than the deal's last change of stage says nothing new: our own do not. One that names a stage
    which its pipeline, made by hand, does not have is kept as an event and moves nothing.
    """
    latest: dict[int, Event] = {}
    for event in events:
        if event.name != STAGE_CHANGED or not event.deal or not event.properties.get("stage"):
            continue
        known = latest.get(event.deal)
        if known is None or event.occurred_at >= known.occurred_at:
            latest[event.deal] = event
    if not latest:
        return
    finder: Finder | None = None
    rows = Deal.objects.select_for_update(of=("self",)).select_related("pipeline", "stage")
    for deal in rows.filter(account=account, pk__in=sorted(latest)).order_by("pk"):
        event = latest[deal.pk]
        at = from_ms(event.occurred_at)
        if at <= deal.stage_at:
            continue
        finder = finder or Finder(account)
        said = event.properties
        amount = amounts.said(said, "amount")
        if amount is not None:
            deal.amount = amount
        try:
            called = said.get("pipeline")
            pipeline = (
                finder.pipeline(str(called)[:100])
                if called
                else next((one for one in finder.pipelines if one.pk == deal.pipeline_id), None)
                or finder.first()
            )
            stage = finder.stage(pipeline, str(said["stage"])[:100], named=bool(called))
        except Unknown:
            continue
        put(deal, pipeline, stage, at=at)
        deal.updated_at = now
        deal.save(update_fields=["pipeline", "stage", "stage_at", "closed_at", "amount", "updated_at"])
