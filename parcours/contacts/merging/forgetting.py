"""Has the event store follow an erasure: what erased people did still counts, and says nothing of them any more.

An erasure notes where the journals stood. Once the digest has passed that place, everything that the person did is
in the store, and is rewritten there: of an event's properties only those stay that reports and the system read (a
closed list) and those that are numbers; whatever holds an address, or a key or name of the person's, goes. The
mirror of the contact is emptied at every watermark. Rows, instants, links and ids stay: no figure changes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from parcours.contacts import signals
from parcours.contacts.merging import erased, refusals
from parcours.contacts.merging.models import Forgetting
from parcours.events import catalogue, watermark
from parcours.events.store.client import patiently, writer
from parcours.events.watermark import Mark
from parcours.lib import clock, sealing
from parcours.lib.crashpoints import point

_AT_ONCE = 500
_SHORTEST_WORD = 5
_PAUSE_SECONDS = 15.0
_SHARE_OF_TIME = 20.0
"""A rewriting that took a second is followed by so many seconds without any."""

#: Properties that reports, criteria and the system itself read, and that say what was done, not by whom.
_KEPT = frozenset(
    {filter.property for event in catalogue.EVENTS.values() for filter in event.filters}
    | {filter.property for filter in catalogue.BROWSER_FILTERS}
    | {"url", "path", "referrer", "title", "utm_source", "utm_medium", "utm_campaign", "utm_term"}
    | {"utm_content", "original_url", "link", "list", "segment", "initial", "from", "to", "way", "holdout"}
    | {"reason", "source", "fields", "status", "type", "code", "fate", "tracked_opens", "tracked_clicks"}
    | {"machine_reason", "action", "order_id", "currency", "coupon", "products.product_id", "products.sku"}
    | {"product_id", "sku", "category", "brand", "merged", "direction", "group_id", "screen"}
    | {"pipeline", "stage", "from_stage", "deal"}
) - {"user_id"}
#: Numbers stay, but those that are somebody's.
_PERSONAL_NUMBERS = ("phone", "mobile", "telephone", "birthday", "birth_date", "birthdate", "user_id", "id")

_PEOPLE = "account = {account:UInt32} AND contact IN {contacts:Array(UInt64)}"
_VISITORS = (
    f"SELECT DISTINCT toString(visitor) FROM links WHERE {_PEOPLE} AND merged = 0"  # every tie there ever was
)
_EVENTS = (
    "account = {account:UInt32} AND (contact IN {contacts:Array(UInt64)}"
    " OR (contact = 0 AND visitor IN {visitors:Array(UUID)}))"
)
_IS_PERSONAL = (
    "(position({0}, '@') > 0 OR positionCaseInsensitive({0}, '%40') > 0"
    " OR multiSearchAnyCaseInsensitiveUTF8({0}, {{words:Array(String)}}))"
)
_CUT = "cutQueryStringAndFragment(x)"
_CLEAN = (
    f"if({_IS_PERSONAL.format('x')}, if({_IS_PERSONAL.format(_CUT)}, '', {_CUT}), x)"  # what stays of a value
)
#: A reason is a code of ours or of a provider's in events of these; elsewhere somebody wrote it.
_WITH_REASONS = "('email', 'sms', 'whatsapp', 'sequence', 'journey')"
_TEXTS = (
    "mapFilter((k, v) -> notEmpty(v), mapApply((k, v) -> (k, arrayFilter(x -> x != '', arrayMap(x -> "
    f"{_CLEAN}, v))), mapFilter((k, v) -> (k IN {{kept:Array(String)}} OR mapContains(numbers, k))"
    " AND (k != 'name' OR startsWith(name, 'marketing_event.'))"
    f" AND (k != 'reason' OR splitByChar('.', name)[1] IN {_WITH_REASONS})"
    " AND k NOT IN {personal:Array(String)}, texts)))"
)
_NUMBERS = "mapFilter((k, v) -> k NOT IN {personal:Array(String)}, numbers)"
_JSON_OF = (
    "arrayStringConcat(arrayMap(x -> if(mapContains(numbers, k) OR x IN ('true', 'false'), x,"
    " toJSONString(x)), v), ',')"
)
_PROPERTIES = (
    "concat('{', arrayStringConcat(arrayMap((k, v) -> concat(toJSONString(toString(k)), ':', if(length(v) = 1,"
    f" {_JSON_OF}, concat('[', {_JSON_OF}, ']'))), mapKeys(@), mapValues(@)), ','), '}}')"
).replace("@", _TEXTS)
_MESSAGE_ID = f"if({_IS_PERSONAL.format('message_id')}, lower(hex(MD5(message_id))), message_id)"
_FORGET_EVENTS = (
    f"ALTER TABLE events UPDATE properties = {_PROPERTIES}, texts = {_TEXTS}, numbers = {_NUMBERS},"
    f" message_id = {_MESSAGE_ID} WHERE {_EVENTS}"
)
_FORGET_PROFILES = (
    "ALTER TABLE profiles UPDATE email = '', phone = '', external_id = '', first_name = '', last_name = '',"
    " locale = '', timezone = '', country = '', city = '', tags = [], texts = map(), numbers = map(), gone = 1"
    f" WHERE {_PEOPLE}"
)


def remember(
    *,
    account_id: int,
    contacts: Sequence[int],
    keys: Sequence[tuple[int, str, str]],
    words: Iterable[str],
    now: datetime,
) -> None:
    """Note people erased now, in the transaction of their erasure. `keys` are (contact, kind, key), `words` all
    that names them."""
    mark = watermark.mark(account_id)
    forgetting = Forgetting.objects.create(
        account_id=account_id,
        contacts=list(contacts),
        words=_seal(words),
        keys=_seal({value for _contact, _kind, value in keys}),
        at=now,
        row=mark.row,
        collector=mark.collector,
    )
    erased.remember(forgetting, keys)


def _seal(words: Iterable[str]) -> str:
    return sealing.seal(json.dumps(sorted(words)).encode())


def _unseal(some: Iterable[str]) -> Iterator[str]:
    for sealed in some:
        yield from json.loads(sealing.unseal(sealed))


_due = 0.0


def round() -> bool:
    """A kind of work: have the store forget whom it can, now and then."""
    global _due  # noqa: PLW0603 - when this process may do it again
    if time.monotonic() < _due or not Forgetting.objects.filter(done_at__isnull=True).exists():
        return False
    started = time.monotonic()
    done = run()
    ended = time.monotonic()
    _due = ended + max(_PAUSE_SECONDS, _SHARE_OF_TIME * (ended - started))
    return done


def run() -> bool:
    """Forget everybody whose events are all digested, some hundreds at a time; answers whether there was anybody."""
    ready: dict[int, list[Forgetting]] = {}
    for each in Forgetting.objects.filter(done_at__isnull=True).order_by("pk")[:_AT_ONCE]:
        mark = Mark(account_id=each.account_id, at=each.at, collector=each.collector, row=each.row)
        if watermark.passed(mark):
            ready.setdefault(each.account_id, []).append(each)
    for account_id, some in ready.items():
        _forget(account_id, some)
        point("forgetting.forgotten")
        done = Forgetting.objects.filter(pk__in=[each.pk for each in some])
        done.update(done_at=clock.now(), words="", keys="")
    return bool(ready)


def _forget(account_id: int, erased_now: Sequence[Forgetting]) -> None:
    contacts = sorted({contact for each in erased_now for contact in each.contacts})
    bound: dict[str, Any] = {"account": account_id, "contacts": contacts}
    visitors = patiently(lambda: writer().query(_VISITORS, parameters=bound).result_rows)
    bound["visitors"] = [row[0] for row in visitors]
    bound["words"] = _words(erased_now)
    bound["kept"] = sorted(_KEPT)
    bound["personal"] = list(_PERSONAL_NUMBERS)
    for statement in (_FORGET_EVENTS, _FORGET_PROFILES):
        _rewrite(statement, bound)
    refusals.scrub(account_id, _unseal(each.keys for each in erased_now))
    signals.contacts_forgotten.send(sender=None, account_id=account_id, contact_ids=contacts)


def _rewrite(statement: str, bound: dict[str, Any]) -> None:
    used = {name: value for name, value in bound.items() if f"{{{name}:" in statement}
    patiently(lambda: writer().command(statement, parameters=used, settings={"mutations_sync": "2"}))


def _words(some: Sequence[Forgetting]) -> list[str]:
    """What betrays these people in a text: addresses, the local parts of addresses, numbers, keys and names."""
    found: set[str] = set()
    for word in _unseal(each.words for each in some):
        found |= {word, word.partition("@")[0], word.lstrip("+")}
    # One at least: an empty list of needles is refused.
    return sorted(word for word in found if len(word) >= _SHORTEST_WORD) or ["\x00"]
