"""What is added to what a browser sends: where, with what, from which campaign. Nothing sent is overwritten."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ua_parser

from parcours.events.entries import Context

#: Families of ua-parser that are one browser for a reader, whatever it runs on.
_BROWSERS = {
    "Chrome Mobile": "Chrome",
    "Chrome Mobile iOS": "Chrome",
    "Chrome Mobile WebView": "Chrome",
    "HeadlessChrome": "Chrome",
    "Edge Mobile": "Edge",
    "Firefox Mobile": "Firefox",
    "Firefox iOS": "Firefox",
    "Mobile Safari": "Safari",
    "Mobile Safari UI/WKWebView": "Safari",
    "Opera Mobile": "Opera",
    "Opera Mini": "Opera",
    "Samsung Internet": "Samsung Internet",
}
_TABLET = re.compile(r"iPad|Tablet|PlayBook|Silk(?!.*Mobile)|Kindle|Android(?!.*Mobi)")
_PHONE = re.compile(r"Mobi|iPhone|iPod|Windows Phone|BlackBerry|Opera Mini")
_CAMPAIGN = (
    ("utm_source", "source"),
    ("utm_medium", "medium"),
    ("utm_campaign", "name"),
    ("utm_term", "term"),
    ("utm_content", "content"),
)
_FROM_PAGE = ("url", "path", "referrer")
_REGION = re.compile(r"([A-Z]{2})-([A-Z0-9]{1,3})")


@lru_cache(maxsize=20_000)
def agent_properties(agent: str) -> tuple[str | None, str | None]:
    """The browser's name and `desktop`, `mobile` or `tablet`, of a User-Agent; None for both when unknown."""
    parsed = ua_parser.parse_user_agent(agent)
    if parsed is None or parsed.family == "Other":
        return None, None
    device = "tablet" if _TABLET.search(agent) else "mobile" if _PHONE.search(agent) else "desktop"
    return _BROWSERS.get(parsed.family, parsed.family), device


@lru_cache(maxsize=20_000)
def url_properties(url: str) -> tuple[tuple[str, str], ...]:
    """The path of an address and the utm parameters of its query."""
    try:
        parts = urlsplit(url)
        found = [("path", parts.path or "/")] if parts.scheme in ("http", "https") else []
        if "utm_" in parts.query:
            names = {name for name, _ in _CAMPAIGN}
            pairs = parse_qsl(parts.query, max_num_fields=200)
            found += [(name, value) for name, value in dict(reversed(pairs)).items() if name in names]
    except ValueError:
        return ()
    return tuple(found)


def enrich(properties: dict[str, Any], *, context: Context, agent: str) -> None:
    """Complete an event's properties from the call's context and User-Agent."""
    page = context.page
    if type(page) is dict:
        for name in _FROM_PAGE:
            if not properties.get(name):
                value = page.get(name)
                if value and type(value) is str:
                    properties[name] = value
    if type(context.campaign) is dict:
        for name, theirs in _CAMPAIGN:
            value = context.campaign.get(theirs)
            if value and type(value) is str and name not in properties:
                properties[name] = value
    url = properties.get("url")
    if url and type(url) is str:
        for name, value in url_properties(url):
            if not properties.get(name):
                properties[name] = value
    said = context.user_agent
    if said and type(said) is str:
        agent = said
    if agent:
        browser, device = agent_properties(agent if len(agent) <= 1000 else agent[:1000])
        if browser is not None:
            properties.setdefault("browser", browser)
            properties.setdefault("device_type", device)
    if "region" in properties:
        split_region(properties)


def split_region(properties: dict[str, Any]) -> None:
    """A region is kept without its country: "US-TN" (ISO 3166-2) is "TN", of "US" unless another country is said."""
    region = properties.get("region")
    if isinstance(region, str):
        match = _REGION.fullmatch(region)
        if match:
            properties["region"] = match[2]
            if not properties.get("country"):
                properties["country"] = match[1]
