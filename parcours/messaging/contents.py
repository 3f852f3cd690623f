"""Messages compiled once and kept until they change, with what their envelope needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from parcours.accounts.models import Account
from parcours.messaging import addresses, domains
from parcours.messaging.addresses import BadAddress
from parcours.messaging.dkim import Signer
from parcours.messaging.mime import Envelope
from parcours.messaging.models import Link, Message, SendingDomain
from parcours.messaging.rendering.compiled import Compiled, Source, compile_source


@dataclass(frozen=True)
class Content:
    """A message ready to personalise; `links` are the ids of its tracked addresses, in the order of `compiled.urls`.

    `signer` signs its mails, when its sender's domain has a key.
    """

    message: Message
    compiled: Compiled
    envelope: Envelope
    links: tuple[int, ...]
    account: dict[str, Any]
    signer: Signer | None = None


_cache: dict[int, tuple[object, Content]] = {}
_CACHED = 500


def source_of(message: Message) -> Source:
    """What the account wrote in a message."""
    return Source(
        subject=message.subject,
        mjml=message.mjml,
        html=message.html,
        text=message.text,
        track_opens=message.track_opens,
        track_clicks=message.track_clicks,
        marketing=message.kind == Message.Kind.MARKETING,
    )


def sync_links(message: Message, urls: Iterable[str]) -> tuple[int, ...]:
    """The ids of a message's tracked addresses, made when new. Old ones stay: mails sent before bear them."""
    wanted = {hashlib.sha256(url.encode()).hexdigest(): url for url in urls}
    with transaction.atomic():
        known = set(message.links.filter(url_hash__in=wanted).values_list("url_hash", flat=True))
        new = [
            Link(message=message, url=url, url_hash=key) for key, url in wanted.items() if key not in known
        ]
        Link.objects.bulk_create(new, ignore_conflicts=True)
    ids = dict(message.links.filter(url_hash__in=wanted).values_list("url_hash", "id"))
    return tuple(ids[key] for key in wanted)


def load(message_ids: Iterable[int]) -> dict[int, Content | Exception]:
    """Messages by id, each compiled, or the error that says why it cannot be sent (TemplateError, BadAddress)."""
    found: dict[int, Content | Exception] = {}
    messages = list(Message.objects.select_related("account").filter(pk__in=set(message_ids)))
    keys = domains.signing_keys(message.account_id for message in messages)
    for message in messages:
        account = message.account
        key = keys.get((account.pk, _sending_domain(message)))
        version = (
            message.updated_at,
            account.sender_name,
            account.sender_email,
            key and key.pk,
            *account_names(account).values(),
        )
        kept = _cache.get(message.pk)
        if kept is not None and kept[0] == version:
            found[message.pk] = kept[1]
            continue
        try:
            found[message.pk] = content = _make(message, key)
        except ValueError as error:
            found[message.pk] = error
            continue
        if len(_cache) >= _CACHED:
            _cache.clear()
        _cache[message.pk] = (version, content)
    return found


def _make(message: Message, key: SendingDomain | None) -> Content:
    compiled = compile_source(source_of(message))
    account = message.account
    return Content(
        message=message,
        compiled=compiled,
        envelope=Envelope(
            account=account.pk,
            message=message.pk,
            sender_name=message.from_name or account.sender_name,
            sender=addresses.read(sender_of(message)),
            reply_to=addresses.read(message.reply_to) if message.reply_to else None,
            marketing=message.kind == Message.Kind.MARKETING,
        ),
        links=sync_links(message, compiled.urls),
        account={
            "name": account.name,
            "postal_address": account.postal_address,
            "currency": account.currency,
        },
        signer=None if key is None else domains.signer_of(key),
    )


def sender_of(message: Message) -> str:
    """The address that a message is from: its own, else the account's, else the installation's."""
    return message.from_email or message.account.sender_email or default_sender()


def _sending_domain(message: Message) -> str:
    """The domain that a message is from, as A-labels; empty when its sender is no address."""
    try:
        return addresses.read(sender_of(message)).domain
    except BadAddress:
        return ""


def account_names(account: Account) -> dict[str, Any]:
    """What templates see as `account`."""
    return {
        "name": account.name,
        "postal_address": account.postal_address,
        "currency": account.currency,
        "country": account.country,
    }


def default_sender() -> str:
    """Who writes when neither the message nor the account says."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    try:
        addresses.read(f"no-reply@{host}")
    except BadAddress:
        host = "localhost"
    return f"no-reply@{'localhost' if host.replace('.', '').isdigit() else host}"
