"""What is asked of deals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from parcours.commerce import amounts
from parcours.commerce.models import Deal, DealContact, Pipeline, Stage
from parcours.contacts import queries as contacts
from parcours.lib.instants import iso, to_ms

_AT_ONCE = 1_000
CSV_COLUMNS = (
    *("id", "external_id", "name", "pipeline", "stage", "amount", "currency", "close_date", "owner"),
    *("contacts", "created_at", "stage_at", "closed_at"),
)
#: Orders of the list -> the columns sorted by; the id tells ties apart.
SORTS = {
    "newest": "-pk",
    "name": "name",
    "amount": "-amount",
    "close_date": "close_date",
    "stage": "stage__position",
}


def search(
    account_id: int,
    *,
    text: str = "",
    country: str = "FR",
    pipeline: int | None = None,
    stage: int | None = None,
    owner: str = "",
    state: str = "",
    contact: int | None = None,
    external_id: str = "",
) -> QuerySet[Deal]:
    """Deals of which each word is in the name, begins the external id, or finds a contact of theirs.

    `state` is open, won or lost.
    """
    found = Deal.objects.filter(account_id=account_id).select_related("pipeline", "stage")
    for word in text.replace("\0", "").split()[:6]:
        found = found.filter(
            Q(name__icontains=word)
            | Q(external_id__istartswith=word)
            | Q(
                pk__in=DealContact.objects.filter(
                    contacts.named_by("contact_id", account_id, text=word, country=country),
                    deal__account_id=account_id,
                    until=None,
                ).values("deal_id")
            )
        )
    if pipeline is not None:
        found = found.filter(pipeline_id=pipeline)
    if stage is not None:
        found = found.filter(stage_id=stage)
    if owner:
        found = found.filter(owner=owner)
    if state:
        found = found.filter(stage__kind=state)
    if contact is not None:
        found = found.filter(
            pk__in=DealContact.objects.filter(contact_id=contact, until=None).values("deal_id")
        )
    if external_id:
        found = found.filter(external_id=external_id)
    return found


@dataclass(frozen=True)
class Column:
    """A stage of the board: its deals until `limit`, how many there are, and what they amount to."""

    stage: Stage
    deals: list[Deal]
    count: int
    amount: Decimal
    others: bool  # whether some are in other currencies, which the amount leaves out
    more: bool


def board(pipeline: Pipeline, rows: QuerySet[Deal], *, currency: str, limit: int) -> list[Column]:
    """The columns of a pipeline's board, with the deals of `rows` (a search)."""
    totals: dict[int, dict[str, tuple[int, Decimal]]] = {}
    for row in (
        rows.filter(pipeline=pipeline)
        .order_by()
        .values("stage_id", "currency")
        .annotate(deals=Count("pk"), sum=Sum("amount"))
    ):
        sums = totals.setdefault(row["stage_id"], {})
        sums[row["currency"]] = (row["deals"], row["sum"] or Decimal(0))
    columns = []
    for stage in pipeline.stages.order_by("position", "pk"):
        sums = totals.get(stage.pk, {})
        count = sum(deals for deals, _sum in sums.values())
        deals = column(rows, stage, limit=limit + 1) if count else []
        columns.append(
            Column(
                stage=stage,
                deals=with_contacts(deals[:limit]),
                count=count,
                amount=sums.get(currency, (0, Decimal(0)))[1],
                others=any(code != currency for code in sums),
                more=len(deals) > limit,
            )
        )
    return columns


def column(
    rows: QuerySet[Deal], stage: Stage, *, limit: int, after: tuple[datetime, int] | None = None
) -> list[Deal]:
    """The deals of a stage, the last to enter it first, behind the last one shown."""
    found = rows.filter(stage=stage).order_by("-stage_at", "-pk")
    if after is not None:
        at, pk = after
        found = found.filter(Q(stage_at__lt=at) | Q(stage_at=at, pk__lt=pk))
    return list(found[:limit])


def with_contacts(deals: Sequence[Deal]) -> list[Deal]:
    """The same deals, each with `people`: its ties of now, the first tied first; one query for all."""
    ties: dict[int, list[DealContact]] = {}
    found = DealContact.objects.filter(deal__in=[deal.pk for deal in deals], until=None)
    for one in found.select_related("contact").order_by("since", "pk"):
        mine = ties.setdefault(one.deal_id, [])
        if one.contact_id not in (each.contact_id for each in mine):
            mine.append(one)
    for deal in deals:
        deal.people = ties.get(deal.pk, [])  # type: ignore[attr-defined]
    return list(deals)


def _amount(value: Decimal | None) -> int | float | None:
    return None if value is None else amounts.plain(value)


def pipeline_json(pipeline: Pipeline) -> dict[str, Any]:
    """A pipeline as the API tells it, with the number of deals of each stage."""
    stages = pipeline.stages.annotate(count=Count("deals")).order_by("position", "pk")
    return {
        "id": str(pipeline.pk),
        "key": pipeline.key,
        "name": pipeline.name,
        "position": pipeline.position,
        "stages": [
            {
                "id": str(stage.pk),
                "key": stage.key,
                "name": stage.name,
                "kind": stage.kind,
                "position": stage.position,
                "deals": stage.count,
            }
            for stage in stages
        ],
    }


def as_json(deals: Iterable[Deal]) -> list[dict[str, Any]]:
    """Deals as the API tells them; pipelines and stages by the keys that events bear."""
    return [
        {
            "id": str(deal.pk),
            "external_id": deal.external_id,
            "name": deal.name,
            "pipeline": deal.pipeline.key if deal.pipeline else None,
            "pipeline_name": deal.pipeline.name if deal.pipeline else None,
            "stage": deal.stage.key if deal.stage else None,
            "stage_name": deal.stage.name if deal.stage else None,
            "stage_kind": deal.stage.kind if deal.stage else None,
            "stage_at": iso(deal.stage_at) if deal.stage else None,
            "amount": _amount(deal.amount),
            "currency": deal.currency,
            "close_date": None if deal.close_date is None else deal.close_date.isoformat(),
            "owner": deal.owner or None,
            "contacts": [
                {"id": str(tie.contact_id), "email": tie.contact.email, "since": iso(tie.since)}
                for tie in deal.people  # type: ignore[attr-defined]
                if tie.contact.erased_at is None
            ],
            "closed_at": None if deal.closed_at is None else iso(deal.closed_at),
            "created_at": iso(deal.created_at),
            "updated_at": iso(deal.updated_at),
        }
        for deal in with_contacts(list(deals))
    ]


def csv_rows(rows: QuerySet[Deal]) -> Iterator[list[Any]]:
    """Deals as the rows of a file, `CSV_COLUMNS`, newest first; a thousand at a time, however many."""
    last = None
    ordered = rows.order_by("-pk")
    while True:
        some = list((ordered if last is None else ordered.filter(pk__lt=last))[:_AT_ONCE])
        for told in as_json(some):
            emails = (person["email"] or person["id"] for person in told["contacts"])
            yield [", ".join(emails) if name == "contacts" else told[name] for name in CSV_COLUMNS]
        if len(some) < _AT_ONCE:
            return
        last = some[-1].pk


def snapshot(deal_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Deals as criteria look at them (`deal.stage`, `deal.amount`…), by their ids; instants in milliseconds, and
    `contact`, the first who is tied (0: nobody), whose other fields are the deal's."""
    found = Deal.objects.filter(pk__in=list(deal_ids)).select_related("pipeline", "stage")
    return {
        deal.pk: {
            "id": str(deal.pk),
            "external_id": deal.external_id or "",
            "name": deal.name,
            "pipeline": deal.pipeline.key if deal.pipeline else "",
            "stage": deal.stage.key if deal.stage else "",
            "amount": deal.amount,
            "currency": deal.currency,
            "owner": deal.owner,
            "close_date": "" if deal.close_date is None else deal.close_date.isoformat(),
            "created_at": to_ms(deal.created_at),
            "closed_at": None if deal.closed_at is None else to_ms(deal.closed_at),
            "contact": deal.people[0].contact_id if deal.people else 0,  # type: ignore[attr-defined]
        }
        for deal in with_contacts(list(found))
    }
