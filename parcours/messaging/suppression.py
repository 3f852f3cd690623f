"""Addresses to which nothing more goes, known by a keyed hash, so that erasing a person keeps the promise."""

from __future__ import annotations

import csv
import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.contacts import normalise
from parcours.contacts import queries as contact_queries
from parcours.contacts.models import Channel, Contact
from parcours.lib import bulk
from parcours.lib.instants import iso, to_ms
from parcours.lib.problems import Fault, Invalid, Problem
from parcours.messaging.models import Send, Suppression

Reason = Suppression.Reason
_AT_ONCE = 2_000
#: How many lines a list of addresses may have: it is taken in while its sender waits.
MOST_LINES = 200_000
_REFUSED_KEPT = 100


def address_hash(channel: str, address: str) -> str:
    """The keyed hash of an address, the same however its case is written."""
    key = hashlib.sha256(b"parcours.suppression:" + settings.SECRET_KEY.encode()).digest()
    text = f"{channel}:{address.strip().lower()}".encode("utf-8", "replace")
    return hmac.new(key, text, hashlib.sha256).hexdigest()


def spelt(channel: str, address: str) -> str:
    """An address as it is shown and searched."""
    address = address.strip()
    return (address.lower() if channel == Channel.EMAIL else address)[:320]


def suppressed(hashes: Iterable[str]) -> dict[tuple[int, str], tuple[str, int | None]]:
    """(account, hash) -> (reason, contact who was suppressed), of those hashes that are suppressed; one query."""
    among, bound = bulk.among("address_hash", list(hashes))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT account_id, address_hash, reason, contact_id FROM messaging_suppression WHERE {among}",
            [bound],
        )
        return {(account, value): (reason, contact) for account, value, reason, contact in cursor.fetchall()}


def read(account: Account, channel: str, text: str) -> str:
    """An address of a channel, normalised. Raises Unfit with a sentence for whoever typed it."""
    if channel == Channel.EMAIL:
        return normalise.email(text)
    return normalise.phone(text, country=account.country)


def search(
    account: Account, *, text: str = "", reasons: Sequence[str] = (), channel: str = ""
) -> QuerySet[Suppression]:
    """Suppressions whose address begins with the text; an address whole is found by its hash too, erased or not."""
    rows = Suppression.objects.filter(account=account)
    if reasons:
        rows = rows.filter(reason__in=reasons)
    if channel:
        rows = rows.filter(channel=channel)
    text = text.replace("\0", "").strip().lower()
    if not text:
        return rows
    try:
        spellings = {text, normalise.phone(text, country=account.country)}
    except normalise.Unfit:
        spellings = {text}
    hashes = [address_hash(each, spelling) for each in Channel.values for spelling in spellings]
    # A range, which an index serves whatever the database's collation makes of LIKE.
    begins = Q(address__gte=text, address__lt=text + "\U0010ffff", address__startswith=text)
    return rows.filter(begins | Q(address_hash__in=hashes))


@dataclass(slots=True)
class Taken:
    """What became of a list of addresses."""

    added: int = 0
    known: int = 0
    refused: int = 0
    refusals: list[tuple[int, str]] = field(default_factory=list)


def take_list(account: Account, file: Iterable[bytes], *, channel: str, now: datetime) -> Taken:
    """Send nothing more to the addresses of a file: one a line, or the first column that holds one, of a CSV file.

    All or nothing: raises Invalid for a file that is no text or is too long. Lines that hold no address are refused
    alone; those known already stay as they are.
    """
    taken = Taken()
    batch: dict[str, str] = {}
    with transaction.atomic():
        for number, cells in enumerate(_records(file), start=1):
            if number > MOST_LINES:
                detail = _("A list has at most %(most)d lines: send it in several parts.") % {
                    "most": MOST_LINES
                }
                raise Invalid(detail, [Fault(pointer="/file", detail=detail)])
            if not any(cells):
                continue
            address = _first_address(account, channel, cells)
            if address is None:
                if number == 1:  # the names of the columns
                    continue
                taken.refused += 1
                if len(taken.refusals) < _REFUSED_KEPT:
                    detail = _("“%(text)s” is no address.") % {"text": (cells[0] or cells[-1])[:60]}
                    taken.refusals.append((number, detail))
                continue
            batch[address_hash(channel, address)] = address
            if len(batch) >= _AT_ONCE:
                _add(account, channel, batch, now=now, taken=taken)
                batch = {}
        _add(account, channel, batch, now=now, taken=taken)
    return taken


def _records(file: Iterable[bytes]) -> Iterator[list[str]]:
    """The cells of each line."""
    text = io.TextIOWrapper(io.BufferedReader(_Reader(file)), encoding="utf-8-sig", newline="")
    try:
        for row in csv.reader(_semicolons(text)):
            yield [cell.strip() for cell in row]
    except (UnicodeDecodeError, csv.Error) as error:
        detail = _("This is not a text in UTF-8, one address a line.")
        raise Invalid(detail, [Fault(pointer="/file", detail=detail)]) from error


def _semicolons(lines: Iterable[str]) -> Iterator[str]:
    """French spreadsheets part cells by semicolons; no address holds one."""
    for line in lines:
        yield line.replace(";", ",").replace("\t", ",").replace("\0", "")


class _Reader(io.RawIOBase):
    """Chunks of bytes as a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._chunks)
            except StopIteration:
                return 0
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def _first_address(account: Account, channel: str, cells: Sequence[str]) -> str | None:
    for cell in cells:
        try:
            if cell:
                return read(account, channel, cell)
        except normalise.Unfit:
            continue
    return None


def _add(account: Account, channel: str, batch: dict[str, str], *, now: datetime, taken: Taken) -> None:
    if not batch:
        return
    key = "email" if channel == Channel.EMAIL else "phone"
    people = contact_queries.resolve(
        account.pk, [{key: address} for address in batch.values()], country=account.country
    )
    known = set(
        Suppression.objects.filter(
            account=account, channel=channel, address_hash__in=list(batch)
        ).values_list("address_hash", flat=True)
    )
    rows = [
        (account.pk, channel, value, spelt(channel, address), Reason.MANUAL, contact, to_ms(now))
        for (value, address), contact in zip(batch.items(), people, strict=True)
        if value not in known
    ]
    bulk.insert_many(
        "messaging_suppression",
        ("account_id", "channel", "address_hash", "address", "reason", "contact_id", "at"),
        rows,
        on_conflict="DO NOTHING",
    )
    taken.added += len(rows)
    taken.known += len(batch) - len(rows)


def remove(suppression: Suppression, *, forced: bool = False) -> None:
    """Let an address be written to again. Raises Problem (409) for a complaint unless that is `forced`."""
    if suppression.reason == Reason.COMPLAINT and not forced:
        detail = _(
            "This person reported a message as spam: writing to them again harms the delivery of every message."
        )
        raise Problem(409, "complaint", detail)
    suppression.delete()


def described(rows: Sequence[Suppression]) -> list[dict[str, Any]]:
    """Suppressions with the message that caused each and the contact who has the address now, in two more queries."""
    sends = {
        pk: (message, name)
        for pk, message, name in Send.objects.filter(
            pk__in=[row.send_id for row in rows if row.send_id]
        ).values_list("pk", "message_id", "message__name")
    }
    people = {
        contact.pk: contact
        for contact in Contact.objects.filter(
            pk__in=[row.contact_id for row in rows if row.contact_id], erased_at__isnull=True
        )
    }
    return [
        {
            "suppression": row,
            "address": row.address or _address_of(people.get(row.contact_id or 0), row),
            "contact": people.get(row.contact_id or 0),
            "message": sends.get(row.send_id or 0, (None, ""))[0],
            "message_name": sends.get(row.send_id or 0, (None, ""))[1],
        }
        for row in rows
    ]


def _address_of(contact: Contact | None, row: Suppression) -> str:
    """The address of an entry that was kept as a hash alone, while its contact still has it."""
    address = (contact.email if row.channel == Channel.EMAIL else contact.phone) if contact else None
    return address if address and address_hash(row.channel, address) == row.address_hash else ""


COLUMNS = ("address", "channel", "reason", "at", "contact", "message")


def csv_rows(rows: QuerySet[Suppression]) -> Iterator[Sequence[Any]]:
    """The lines of COLUMNS, read some at a time, the newest first."""
    last: int | None = None
    while True:
        page = rows if last is None else rows.filter(pk__lt=last)
        found = list(page.order_by("-pk")[:_AT_ONCE])
        if not found:
            return
        for each in described(found):
            row = each["suppression"]
            yield (
                each["address"],
                row.channel,
                row.reason,
                iso(row.at),
                row.contact_id,
                each["message_name"],
            )
        last = found[-1].pk
