"""What is kept of an import for thirty days: whom it created, what it changed, which lines it refused and why.

All of it is written in the transaction of what it tells, some thousands of contacts in one packed row; of contacts
who were known, only the values that changed are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import lz4.frame
import msgspec
from django.conf import settings
from django.utils import translation
from django.utils.functional import Promise

from parcours.contacts.batch import Batch
from parcours.contacts.importing import uploads
from parcours.contacts.importing.encodings import sound
from parcours.contacts.importing.models import Import, ImportChange, ImportPart
from parcours.contacts.lines import CHANNELS
from parcours.contacts.person import Person
from parcours.lib import bulk
from parcours.lib.instants import from_ms

KEPT = timedelta(days=30)
_LONGEST_RAW = 32_768
_AT_ONCE = 100
_encode = msgspec.msgpack.Encoder().encode


class Refused(msgspec.Struct, array_like=True):
    """A line refused: its first physical line in the file, why, and the line itself as it stands there."""

    number: int
    reason: str
    raw: str


class Change(msgspec.Struct, array_like=True):
    """What an import changed of a contact: field -> (before, after), what was added, channel -> (before, after)."""

    fields: dict[str, tuple[Any, Any]] = {}
    tags: list[str] = []
    lists: list[int] = []
    consents: dict[str, tuple[str, str]] = {}


_refused = msgspec.msgpack.Decoder(list[Refused])
_ids = msgspec.msgpack.Decoder(list[int])
_change = msgspec.msgpack.Decoder(Change)


def keep(
    imported: Import, batch: Batch, *, created: Sequence[int], refused: Sequence[Refused], now_ms: int
) -> None:
    """Write what one transaction of an import did, in that transaction."""
    for each in refused:
        each.raw = sound(each.raw[:_LONGEST_RAW] + "…" if len(each.raw) > _LONGEST_RAW else each.raw)
    if created or refused:
        ImportPart.objects.create(
            imported=imported, at=from_ms(now_ms), created=_pack(list(created)), refused=_pack(list(refused))
        )
    changed = {id(person): names for person, names in batch.changed}
    known = {id(person): person for person in batch.order.values() if not person.new}
    rows = [
        (imported.pk, person.id, now_ms, _encode(change))
        for key, person in known.items()
        if (key in changed or person.lists) and (change := _change_of(person, changed.get(key, [])))
    ]
    bulk.insert_many("contacts_importchange", ("imported_id", "contact_id", "at", "body"), rows)


def _change_of(person: Person, names: Sequence[str]) -> Change | None:
    before = person.before(names)
    consents = {
        channel: (old, person.consents[channel])
        for channel, old in zip(CHANNELS, person.original_consents(), strict=True)
        if old != person.consents[channel]
    }
    if not (before or consents or person.tags or person.lists):
        return None
    fields = {name: (value, person.value(name)) for name, value in before.items()}
    return Change(fields, person.tags, person.lists, consents)


def _pack(value: Any) -> bytes:
    return lz4.frame.compress(_encode(value)) if value else b""


def _unpack(decoder: Any, body: bytes | memoryview) -> Any:
    return decoder.decode(lz4.frame.decompress(bytes(body))) if len(body) else []


def created_ids(part: ImportPart) -> list[int]:
    """Whom a part created."""
    return _unpack(_ids, part.created)


def change(body: bytes | memoryview) -> Change:
    """What an `ImportChange` holds."""
    return _change.decode(body)


def refused_lines(imported: Import) -> Iterator[Refused]:
    """The lines that an import refused, in the order of the file."""
    for part in imported.parts.order_by("pk").exclude(refused=b"").iterator(chunk_size=20):
        yield from _unpack(_refused, part.refused)


def forget(now: datetime) -> int:
    """Forget what was kept of imports older than thirty days, and files sent but never imported; answers how many."""
    old = Import.objects.filter(created_at__lt=now - KEPT).exclude(path="")
    ids = []
    for pk, path, job_id in old.values_list("pk", "path", "job_id")[:_AT_ONCE]:
        ids.append(pk)
        if job_id is None:
            (uploads.folder() / path).unlink(missing_ok=True)
    ImportPart.objects.filter(imported_id__in=ids).delete()
    ImportChange.objects.filter(imported_id__in=ids).delete()
    Import.objects.filter(pk__in=ids).update(path="", setup={})
    return len(ids)


def empty_refusals(account_id: int, names: Callable[[str], bool], *, said: Promise) -> None:
    """Empty the refused lines that name somebody: they say `said`, in the language of whoever began the import."""
    kept = ImportPart.objects.filter(imported__account_id=account_id).exclude(refused=b"")
    for part in kept.select_related("imported__job").only("refused", "imported__job__parameters").iterator():
        lines: list[Refused] = _unpack(_refused, part.refused)
        # All at once first: hardly any part names one of them.
        if not names("\n".join(f"{each.reason}\n{each.raw}" for each in lines)):
            continue
        job = part.imported.job
        with translation.override(job.parameters["language"] if job else settings.LANGUAGE_CODE):
            for each in lines:
                if names(f"{each.reason}\n{each.raw}"):
                    each.reason, each.raw = str(said), ""
        part.refused = _pack(lines)
        part.save(update_fields=["refused"])


def on_erased(*, people: Sequence[tuple[int, Any, Any]], **_kwargs: Any) -> None:
    """Forget the former values of people who are erased, in the transaction that erases them."""
    ids = [contact_id for contact_id, _email, _phone in people]
    ImportChange.objects.filter(contact_id__in=ids).delete()
