"""The sites that carry an account's tracker, known by the page views that come from them.

The write key is public, so anybody can name a host: being known here gives a host nothing but the parameter that the
account's own links to it bear (docs/tracking.md, "Clicks in messages").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from parcours.lib.instants import from_ms, to_ms
from parcours.tracking.models import Site

#: A site from which no page came for so long does not carry the tracker any more.
KNOWN_FOR = timedelta(days=30)
_NOTED_EVERY_MS = 86_400_000
_MOST_SITES = 100


@lru_cache(maxsize=20_000)
def host_of(url: str) -> str:
    """The host of a web address, with its port when it names one; empty when it is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    host = parts.netloc.rpartition("@")[2].lower()
    return host if parts.scheme in ("http", "https") and 0 < len(host) <= 255 else ""


def note(account_id: int, hosts: Mapping[str, int]) -> None:
    """Remember from which hosts pages came, and when (milliseconds); of very many, those of the latest pages."""
    if not hosts:
        return
    newest = dict(sorted(hosts.items(), key=lambda found: -found[1])[:_MOST_SITES])
    mine = Site.objects.filter(account_id=account_id)
    known = dict(mine.filter(host__in=newest).values_list("host", "seen_at"))
    late = [
        Site(account_id=account_id, host=host, seen_at=from_ms(at))
        for host, at in newest.items()
        if host not in known or to_ms(known[host]) < at - _NOTED_EVERY_MS
    ]
    if not late:
        return
    Site.objects.bulk_create(
        late, update_conflicts=True, unique_fields=["account_id", "host"], update_fields=["seen_at"]
    )
    excess = mine.order_by("-seen_at", "-id").values_list("id", flat=True)[_MOST_SITES:]
    Site.objects.filter(pk__in=list(excess)).delete()


def is_site(account_id: int, url: str, *, now: datetime) -> bool:
    """Whether a web address is of a site that carries the account's tracker."""
    host = host_of(url)
    return (
        bool(host)
        and Site.objects.filter(account_id=account_id, host=host, seen_at__gte=now - KNOWN_FOR).exists()
    )
