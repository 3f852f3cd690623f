"""`parcours check`: whether this installation is set up as it should be, point by point."""

from __future__ import annotations

import shutil
import smtplib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import dns.exception
import dns.resolver
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from parcours.accounts.models import Account
from parcours.events.store.client import is_embedded, reachable
from parcours.lib import clock
from parcours.messaging import domains
from parcours.messaging.models import SendingDomain

GOOD, NOTE, BAD = "good", "note", "bad"
_DNS_SECONDS = 3.0


@dataclass(frozen=True)
class Finding:
    """One point looked at: whether it is well, to be known, or to be mended."""

    state: str
    subject: str
    detail: str


def findings() -> Iterator[Finding]:
    """Every point, in the order in which to mend them."""
    for look in _LOOKS:
        yield from look()


def _database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        yield Finding(BAD, "database", f"does not answer: {error}")
        return
    if pending:
        yield Finding(BAD, "database", f"{len(pending)} migrations to run: parcours migrate")
    else:
        yield Finding(GOOD, "database", f"{connection.vendor} answers, its schema is up to date")


def _store() -> Iterator[Finding]:
    if reachable():
        yield Finding(GOOD, "event store", "answers")
    elif is_embedded():
        yield Finding(NOTE, "event store", "is not running: parcours run starts it")
    else:
        yield Finding(BAD, "event store", "the ClickHouse of PARCOURS_EVENTS_URL does not answer")


def _address() -> Iterator[Finding]:
    url = urlsplit(settings.PUBLIC_URL)
    if url.hostname in ("127.0.0.1", "localhost", "::1"):
        yield Finding(NOTE, "public address", f"{settings.PUBLIC_URL} is reached from this machine alone")
    elif url.scheme != "https":
        yield Finding(
            BAD, "public address", f"{settings.PUBLIC_URL} is not https: passwords would travel in clear"
        )
    else:
        yield Finding(GOOD, "public address", settings.PUBLIC_URL)
    if "*" in settings.ALLOWED_HOSTS:
        yield Finding(NOTE, "allowed hosts", "pages are served under any name: set PARCOURS_ALLOWED_HOSTS")


def _safety() -> Iterator[Finding]:
    if settings.DEBUG:
        yield Finding(BAD, "debug", "PARCOURS_DEBUG shows the inside of the program to anyone")
    if settings.CLOCK:
        parsed = clock.parse_clock(settings.CLOCK)
        yield Finding(
            NOTE, "clock", f"a trial's: from {parsed.start:%Y-%m-%d %H:%M}, {parsed.speed:g} times as fast"
        )


def _disk() -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.DATA_DIR)
    percent = 100 * usage.used / usage.total
    full = percent >= settings.DISK_FULL_PERCENT
    detail = f"{percent:.0f} % full, {usage.free / 1024**3:.1f} GB free in {settings.DATA_DIR}"
    yield Finding(BAD if full else GOOD, "disk", detail)


def _mail() -> Iterator[Finding]:
    if not settings.EMAIL_URL:
        yield Finding(NOTE, "mail server", "none: set PARCOURS_EMAIL_URL; messages wait until then")
        return
    url = urlsplit(settings.EMAIL_URL)
    server = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    try:
        with server(url.hostname or "", url.port or 0, timeout=10) as connected:
            connected.ehlo_or_helo_if_needed()
            if url.username:
                if connected.has_extn("starttls"):
                    connected.starttls()
                connected.login(unquote(url.username), unquote(url.password or ""))
    except (OSError, smtplib.SMTPException) as error:
        yield Finding(BAD, "mail server", f"{url.hostname}: {error}")
    else:
        yield Finding(GOOD, "mail server", f"{url.hostname} answers")


def _domains() -> Iterator[Finding]:
    """SPF, DMARC and DKIM of the domains that the accounts write from."""
    try:
        senders = list(
            Account.objects.exclude(sender_email="").values_list("sender_email", flat=True).distinct()
        )
        keys = list(SendingDomain.objects.order_by("domain", "id"))
    except DatabaseError:
        return
    written_from = {sender.rpartition("@")[2].lower() for sender in senders}
    connected = bool(senders or keys) and _knows_the_internet()
    yield from _keys(keys, connected=connected)
    for domain in sorted(written_from - {key.domain for key in keys}):
        yield Finding(
            NOTE, f"DKIM of {domain}", "its mails go unsigned: POST /api/v1/sending-domains makes a key"
        )
    if senders and not connected:
        yield Finding(
            NOTE, "SPF and DMARC", "cannot be verified here: the resolver does not reach the root of DNS"
        )
        return
    for domain in sorted(written_from):
        for name, place, begins in (("SPF", domain, "v=spf1"), ("DMARC", f"_dmarc.{domain}", "v=DMARC1")):
            subject = f"{name} of {domain}"
            try:
                found = [text for text in _texts(place) if text.startswith(begins)]
            except dns.exception.DNSException as error:
                yield Finding(NOTE, subject, f"cannot be verified from here ({type(error).__name__})")
                continue
            if len(found) == 1:
                yield Finding(GOOD, subject, found[0])
            else:
                yield Finding(BAD, subject, "is missing" if not found else "is there more than once")


def _keys(keys: list[SendingDomain], *, connected: bool) -> Iterator[Finding]:
    """Whether what signs the mails of each sending domain is published; if not, the record to publish."""
    for key in keys:
        subject = f"DKIM of {key.domain}"
        publish = f'publish this record: {key} TXT "{key.public_record}"'
        if domains.signer_of(key) is None:
            yield Finding(BAD, subject, f"the key {key} was kept under another PARCOURS_SECRET_KEY")
            continue
        try:
            published = connected and key.public_record.rpartition("p=")[2] in "".join(_texts(str(key)))
        except dns.exception.DNSException as error:
            yield Finding(NOTE, subject, f"cannot be verified from here ({type(error).__name__}): {publish}")
            continue
        if published:
            yield Finding(GOOD, subject, f"{key} is published")
        else:
            yield Finding(BAD if connected else NOTE, subject, publish)


def _knows_the_internet() -> bool:
    """Whether the resolver reaches the root: one that does not says of every name that it does not exist."""
    try:
        return bool(dns.resolver.resolve(".", "NS", lifetime=_DNS_SECONDS))
    except dns.exception.DNSException:
        return False


def _texts(name: str) -> list[str]:
    try:
        answer = dns.resolver.resolve(name, "TXT", lifetime=_DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(record.strings).decode(errors="replace") for record in answer]


_LOOKS: tuple[Callable[[], Iterator[Finding]], ...] = (
    _database,
    _store,
    _address,
    _safety,
    _disk,
    _mail,
    _domains,
)
