"""Deals made, changed, moved and tied to contacts: a change of stage is an event, in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from parcours.accounts.access import as_id
from parcours.accounts.models import Account
from parcours.commerce import amounts
from parcours.commerce.deals.stages import Finder, Unknown
from parcours.commerce.lines import Given, Reader, Refused, find_contacts
from parcours.commerce.models import Deal, DealContact, Pipeline, Stage
from parcours.events import journal
from parcours.events.entries import Event
from parcours.lib.ids import new_id
from parcours.lib.instants import to_ms
from parcours.lib.problems import Fault, NotFound

STAGE_CHANGED = "deal.stage_changed"
FIELDS = (
    *("id", "external_id", "name", "pipeline", "stage", "amount", "currency", "close_date", "owner"),
    *("contacts", "email", "contact_id", "created_at"),
)
#: What the API tells of a deal and nobody can set: it may come back as it was read.
TOLD_ONLY = ("pipeline_name", "stage_name", "stage_kind", "stage_at", "closed_at", "updated_at")
MOST_CONTACTS = 200


@dataclass
class Line:
    """What a line says of a deal, checked as far as it can be alone; what it does not mention is not in it."""

    id: int | None = None
    external_id: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    pipeline: str = ""
    stage: str = ""
    contacts: list[Given] = field(default_factory=list)


@dataclass
class Outcome:
    """What became of lines: for each its deal (None: refused), and the refusals by place."""

    deals: list[Deal | None]
    created: int = 0
    changed: int = 0
    refused: list[tuple[int, Refused]] = field(default_factory=list)


def read(reader: Reader, given: Mapping[str, Any]) -> Line:
    """A line as the API, an import or a page gives it. Raises Refused with all its faults."""
    said = reader.open(given, FIELDS, ignored=TOLD_ONLY)
    line = Line()
    if said.get("id") not in (None, ""):
        line.id = as_id(said["id"]) or 0
    if said.get("external_id") is not None:
        line.external_id = reader.text(said, "external_id")
    values = line.values
    if "name" in said:
        values["name"] = reader.text(said, "name", longest=300, required=True)
    if "owner" in said:
        values["owner"] = reader.text(said, "owner", longest=320)
    if "amount" in said:
        values["amount"] = reader.amount(said, "amount")
    if "currency" in said:
        values["currency"] = reader.currency(said)
    if "close_date" in said:
        values["close_date"] = reader.day(said, "close_date")
    created = reader.instant(said, "created_at")
    if created is not None:
        values["created_at"] = created
    line.pipeline = reader.text(said, "pipeline", longest=100)
    line.stage = reader.text(said, "stage", longest=100)
    line.contacts = _contacts(reader, said)
    reader.close()
    return line


def _contacts(reader: Reader, said: Given) -> list[Given]:
    listed = said.get("contacts")
    if listed is None:
        flat = {key: said[name] for name, key in (("contact_id", "id"), ("email", "email")) if said.get(name)}
        return [flat] if flat else []
    if not isinstance(listed, list) or len(listed) > MOST_CONTACTS:
        reader.fault("contacts", _("Contacts are an array of at most %(most)d.") % {"most": MOST_CONTACTS})
        return []
    found = []
    for place, each in enumerate(listed):
        if isinstance(each, Mapping):
            each = {key: value for key, value in each.items() if key not in ("since", "until")}
        keys = reader.contact_keys(each, f"contacts.{place}")
        if keys:
            found.append(keys)
    return found


def save_many(
    account: Account,
    lines: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    source: str,
    history: bool = False,
    sent: datetime | None = None,
) -> Outcome:
    """Make or change deals, in one transaction: found by `id`, else by `external_id`; what a line does not mention
    stays, null clears. Contacts are found or made, and tied from now (or from the deal's making); a file's line that
    names somebody erased since it was `sent` is refused."""
    done = Outcome(deals=[None] * len(lines))
    reader = Reader(account, now=now)
    read_lines: list[tuple[int, Line]] = []
    for place, given in enumerate(lines):
        try:
            read_lines.append((place, read(reader, given)))
        except Refused as refusal:
            done.refused.append((place, refusal))
    with transaction.atomic():
        wanted = [keys for _place, line in read_lines for keys in line.contacts]
        people, faults = find_contacts(account, wanted, now=now, source=source, sent=sent)
        writer = _Writer(account, read_lines, now=now, history=history)
        at = 0
        for place, line in read_lines:
            mine = range(at, at + len(line.contacts))
            at += len(line.contacts)
            wrong = [
                Fault(pointer=f"/contacts/{number - mine.start}{fault['pointer'].removeprefix('/contact')}",
                      detail=fault["detail"])
                for number in mine
                for fault in faults.get(number, ())
            ]  # fmt: skip
            try:
                if wrong:
                    raise Refused(wrong)
                tied = [contact for number in mine if (contact := people[number]) is not None]
                done.deals[place] = writer.take(line, tied)
            except Refused as refusal:
                done.refused.append((place, refusal))
        writer.write()
        done.created, done.changed = len(writer.new), len(writer.changed)
    done.refused.sort(key=lambda each: each[0])
    return done


class _Writer:
    """The deals of a batch under way, and the events that tell of them."""

    def __init__(
        self, account: Account, lines: Sequence[tuple[int, Line]], *, now: datetime, history: bool
    ) -> None:
        self.account, self.now, self.history = account, now, history
        self.finder = Finder(account)
        ids = {line.id for _place, line in lines if line.id}
        keys = {line.external_id for _place, line in lines if line.external_id}
        mine = Deal.objects.select_for_update(of=("self",)).select_related("pipeline", "stage")
        mine = mine.filter(account=account)
        found = list(mine.filter(pk__in=ids)) + list(mine.filter(external_id__in=keys))
        self.by_id = {deal.pk: deal for deal in found}
        self.by_key = {deal.external_id: deal for deal in self.by_id.values() if deal.external_id}
        self.new: list[Deal] = []
        self.changed: dict[int, Deal] = {}
        self.moves: list[tuple[Deal, dict[str, Any], int]] = []  # deal, what its event says, at
        self.ties: list[tuple[Deal, int]] = []

    def take(self, line: Line, contacts: Sequence[int]) -> Deal:
        """Fold a line into its deal. Raises Refused, with nothing changed."""
        deal = self._who(line)
        pipeline, stage = self._where(line, deal)
        new = deal is None
        if deal is None:
            if not line.values.get("name") and not line.external_id:
                raise _refused("name", _("A deal needs a name."))
            deal = Deal(
                account=self.account,
                name=line.external_id[:300],
                currency=self.account.currency,
                created_at=self.now,
            )
            self.new.append(deal)
        if line.external_id and line.external_id != deal.external_id:
            self.by_key.pop(deal.external_id or "", None)
            deal.external_id = line.external_id
            self.by_key[line.external_id] = deal
        for name, value in line.values.items():
            setattr(deal, name, value)
        if stage is not None and stage.pk != deal.stage_id:
            at = deal.created_at if new else self.now
            self.moves.append((deal, put(deal, pipeline, stage, at=at), to_ms(at)))
        deal.updated_at = self.now
        if not new and deal.pk:
            self.changed[deal.pk] = deal
        self.ties += [(deal, contact) for contact in dict.fromkeys(contacts)]
        return deal

    def _who(self, line: Line) -> Deal | None:
        named = self.by_key.get(line.external_id) if line.external_id else None
        if line.id is None:
            return named
        meant = self.by_id.get(line.id)
        if meant is None:
            raise _refused("id", _("There is no such deal."))
        if named is not None and named is not meant:
            raise _refused("external_id", _("Another deal has this external id."))
        return meant

    def _where(self, line: Line, deal: Deal | None) -> tuple[Pipeline | None, Stage | None]:
        """The pipeline and stage that a line puts its deal in; nothing when it says nothing of a known deal."""
        finder = self.finder
        known = next(
            (one for one in finder.pipelines if deal is not None and one.pk == deal.pipeline_id), None
        )
        try:
            if line.pipeline:
                pipeline = finder.pipeline(line.pipeline)
            elif line.stage or deal is None or deal.stage_id is None:
                pipeline = known or finder.first()
            else:
                return None, None
            if line.stage:
                return pipeline, finder.stage(pipeline, line.stage, named=bool(line.pipeline))
            if deal is not None and pipeline.pk == deal.pipeline_id:
                return None, None
            return pipeline, finder.first_stage(pipeline)
        except Unknown as unknown:
            raise _refused(unknown.field, str(unknown)) from unknown

    def write(self) -> None:
        """Write the deals, their ties and the events."""
        Deal.objects.bulk_update(
            self.changed.values(),
            [
                *("external_id", "name", "pipeline", "stage", "stage_at", "amount", "currency"),
                *("close_date", "owner", "closed_at", "created_at", "updated_at"),
            ],
        )
        for deal in self.new:
            deal.save(force_insert=True)
        ties = [
            (deal, contact, deal.created_at if deal in self.new else self.now) for deal, contact in self.ties
        ]
        tie(ties)
        events = [
            Event(
                name=STAGE_CHANGED,
                occurred_at=at,
                received_at=to_ms(self.now),
                message_id=new_id(),
                deal=deal.pk,
                properties=properties,
                moves=not self.history,
            )
            for deal, properties, at in self.moves
        ]
        journal.append(events, account_id=self.account.pk)


def put(deal: Deal, pipeline: Pipeline | None, stage: Stage, *, at: datetime) -> dict[str, Any]:
    """Let a deal stand in a stage, unsaved; answers what the event of it says."""
    before = deal.stage.key if deal.stage else ""
    deal.pipeline = pipeline or stage.pipeline
    deal.stage, deal.stage_at = stage, at
    deal.closed_at = None if stage.kind == Stage.Kind.OPEN else at
    properties: dict[str, Any] = {"pipeline": deal.pipeline.key, "stage": stage.key}
    if before:
        properties |= {"from": before, "from_stage": before}
    if deal.amount is not None:
        properties |= {"amount": amounts.plain(deal.amount), "currency": deal.currency}
    return properties


def tie(ties: Sequence[tuple[Deal, int, datetime]]) -> None:
    """Tie contacts to deals from an instant; those who are tied stay so."""
    known = set(
        DealContact.objects.filter(
            deal__in={deal.pk for deal, _contact, _since in ties}, until=None
        ).values_list("deal_id", "contact_id")
    )
    rows = {
        (deal.pk, contact): DealContact(deal=deal, contact_id=contact, since=since)
        for deal, contact, since in ties
        if (deal.pk, contact) not in known
    }
    DealContact.objects.bulk_create(rows.values())


def save(account: Account, line: Mapping[str, Any], *, now: datetime, source: str) -> tuple[Deal, bool]:
    """Make or change one deal; answers it, and whether it is new. Raises Invalid with all the faults."""
    done = save_many(account, [line], now=now, source=source)
    if done.refused:
        raise done.refused[0][1].as_problem()
    deal = done.deals[0]
    assert deal is not None
    return deal, bool(done.created)


def move(deal: Deal, *, stage: str, now: datetime) -> Deal:
    """Move a deal to a stage of its pipeline. Raises Invalid for a stage of another."""
    return save(deal.account, {"id": str(deal.pk), "stage": stage}, now=now, source="page")[0]


def add_contacts(deal: Deal, references: object, *, now: datetime, source: str) -> None:
    """Tie contacts to a deal, found or made by their keys. Raises Invalid."""
    save(deal.account, {"id": str(deal.pk), "contacts": references}, now=now, source=source)


def remove_contact(deal: Deal, contact_id: int, *, now: datetime) -> None:
    """Untie a contact: what happens to the deal from now on is theirs no more. Raises NotFound."""
    changed = DealContact.objects.filter(deal=deal, contact_id=contact_id, until=None).update(until=now)
    if not changed:
        raise NotFound(_("This contact is not tied to the deal."))


def delete(deal: Deal) -> None:
    """Delete a deal; its events stay those of its contacts."""
    deal.delete()


def _refused(field: str, detail: str) -> Refused:
    return Refused([Fault(pointer=f"/{field}", detail=detail)])
