"""The domains that accounts write from, and the keys that sign for them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from parcours.accounts.models import Account
from parcours.lib import sealing
from parcours.lib.instants import iso
from parcours.lib.problems import Fault, Invalid
from parcours.messaging import dkim
from parcours.messaging.addresses import BadAddress, a_label
from parcours.messaging.models import SendingDomain

log = structlog.get_logger(__name__)

_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def create(account: Account, *, domain: str, selector: str, now: datetime) -> SendingDomain:
    """Make a key for a domain; without a selector, one that no other key bears. Raises Invalid."""
    faults = []
    try:
        domain = a_label(domain.strip().rstrip("."))
    except BadAddress as error:
        faults.append(Fault(pointer="/domain", detail=str(error)))
    else:
        if "." not in domain:
            detail = _("“%(domain)s” is not a domain name.") % {"domain": domain}
            faults.append(Fault(pointer="/domain", detail=detail))
    selector = selector.strip().lower() or "p" + "".join(secrets.choice(_ALPHABET) for _number in range(8))
    if _SELECTOR.fullmatch(selector) is None:
        faults.append(
            Fault(pointer="/selector", detail=_("A selector has letters, digits and hyphens, 63 at most."))
        )
    if faults:
        raise Invalid(_("The sending domain cannot be added."), faults)
    key = dkim.new_key()
    made = SendingDomain(
        account=account,
        domain=domain,
        selector=selector,
        private_key=sealing.seal(key),
        public_record=dkim.record_of(key),
        created_at=now,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        fault = Fault(pointer="/selector", detail=_("This domain has a key of that selector."))
        raise Invalid(_("The sending domain cannot be added."), [fault]) from error
    return made


def as_json(found: SendingDomain) -> dict[str, Any]:
    """A sending domain as the API tells it: the record to publish, never its key."""
    return {
        "id": str(found.pk),
        "domain": found.domain,
        "selector": found.selector,
        "record": {"name": str(found), "type": "TXT", "value": found.public_record},
        "created_at": iso(found.created_at),
    }


def signing_keys(account_ids: Iterable[int]) -> dict[tuple[int, str], SendingDomain]:
    """For each account and domain, the key that signs: the oldest."""
    found: dict[tuple[int, str], SendingDomain] = {}
    for row in SendingDomain.objects.filter(account_id__in=set(account_ids)).order_by("id"):
        found.setdefault((row.account_id, row.domain), row)
    return found


def signer_of(found: SendingDomain) -> dkim.Signer | None:
    """What signs with a key; None, and a word in the log, when this installation cannot read it any more."""
    try:
        key = sealing.unseal(found.private_key)
    except sealing.Unreadable as error:
        log.error("mails go unsigned", domain=found.domain, selector=found.selector, why=str(error))
        return None
    return dkim.Signer(domain=found.domain, selector=found.selector, private_key=key)
