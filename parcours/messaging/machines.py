"""What opens and clicks by machines look like (docs/machines.md); `PARCOURS_MACHINE_RULES` changes any of it.

Each rule has a name, which the event bears as `machine_reason`. An empty name is a person.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings


class RulesError(ValueError):
    """PARCOURS_MACHINE_RULES cannot be read; the message says what is wrong."""


@dataclass(frozen=True)
class Rules:
    """The rules in force; instants and durations are the product's."""

    #: Agents that load a mail's images before anyone reads it: Apple's privacy proxy says just this.
    prefetch_agents: tuple[str, ...] = (r"^Mozilla/5\.0$",)
    #: Agents of security scanners, link checkers and preview makers.
    scanner_agents: tuple[str, ...] = (
        r"barracuda|proofpoint|mimecast|symantec|trend ?micro|cloudmark|forcepoint|fireeye|trellix|sophos|safelinks",
        r"bot\b|crawler|spider|scanner|linkcheck|preview|facebookexternalhit|headlesschrome|phantomjs",
    )
    #: Addresses of data centres, as CIDR networks; none unless the operator lists them.
    networks: tuple[str, ...] = ()
    #: A click this soon after the server took the mail, or before, is nobody's.
    seconds_after_acceptance: float = 1.0
    #: This many different links of one mail clicked within so many seconds are nobody's.
    burst_links: int = 3
    burst_seconds: float = 3.0
    #: A HEAD is a machine's, and so is what clicks within so many seconds of one.
    head_seconds: float = 10.0
    #: Names of rules that are not applied.
    off: tuple[str, ...] = ()
    _patterns: dict[str, re.Pattern[str]] = field(default_factory=dict, compare=False, repr=False)

    def agent_reason(self, agent: str) -> str:
        """The rule that an agent meets."""
        for name, patterns in (("prefetch", self.prefetch_agents), ("scanner", self.scanner_agents)):
            if name not in self.off and any(self._search(pattern, agent) for pattern in patterns):
                return name
        return ""

    def _search(self, pattern: str, agent: str) -> bool:
        compiled = self._patterns.get(pattern)
        if compiled is None:
            compiled = self._patterns[pattern] = re.compile(pattern, re.IGNORECASE)
        return compiled.search(agent) is not None

    def address_reason(self, address: str) -> str:
        """The rule that an address meets."""
        if "data_centre" in self.off or not self.networks:
            return ""
        try:
            here = ip_address(address)
        except ValueError:
            return ""
        return "data_centre" if any(here in network for network in _networks(self.networks)) else ""


@functools.cache
def _networks(texts: tuple[str, ...]) -> list[IPv4Network | IPv6Network]:
    return [ip_network(text) for text in texts]


def parse(text: str) -> Rules:
    """The rules of a JSON object, or of the file that the text names; what it leaves out is as by default.

    Raises RulesError.
    """
    if not text.strip():
        return Rules()
    if not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text()
        except OSError as error:
            raise RulesError(f"PARCOURS_MACHINE_RULES: {error}") from error
    try:
        given: dict[str, Any] = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise RulesError(
            f"PARCOURS_MACHINE_RULES is neither a JSON object nor a file of one: {error}"
        ) from error
    known = {one.name: one for one in fields(Rules) if not one.name.startswith("_")}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            raise RulesError(f"PARCOURS_MACHINE_RULES: there is no rule {name!r}. Known: {', '.join(known)}.")
        many = isinstance(known[name].default, tuple)
        if many and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
            raise RulesError(f"PARCOURS_MACHINE_RULES: {name} is a list of texts.")
        if not many and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise RulesError(f"PARCOURS_MACHINE_RULES: {name} is a number, 0 or more.")
        values[name] = tuple(value) if many else value
    rules = Rules(**values)
    try:
        for pattern in (*rules.prefetch_agents, *rules.scanner_agents):
            re.compile(pattern)
        _networks(rules.networks)
    except (re.error, ValueError) as error:
        raise RulesError(f"PARCOURS_MACHINE_RULES: {error}") from error
    return rules


@functools.cache
def _parsed(text: str) -> Rules:
    return parse(text)


def rules() -> Rules:
    """The rules in force."""
    return _parsed(settings.MACHINE_RULES)


def open_reason(*, agent: str, address: str) -> str:
    """Why an open is a machine's; empty for a person's."""
    return rules().agent_reason(agent) or rules().address_reason(address)


@dataclass(frozen=True)
class Touch:
    """A click of one mail, as it is judged; `at` is the product's instant in milliseconds."""

    link: int
    at: int
    agent: str
    address: str = ""
    probe: bool = False


def click_reason(click: Touch, *, others: Sequence[Touch], accepted_at: int | None, links: int) -> str:
    """Why a click is a machine's; empty for a person's.

    `others` are the other clicks of the same mail, `links` how many tracked links its message has: a mail of two
    links, both clicked at once, is a scanner's too.
    """
    known = rules()
    if click.probe and "head" not in known.off:
        return "head"
    reason = known.agent_reason(click.agent) or known.address_reason(click.address)
    if reason:
        return reason
    soon = known.seconds_after_acceptance * 1000
    if "too_soon" not in known.off and soon and (accepted_at is None or click.at - accepted_at < soon):
        return "too_soon"
    if "head" not in known.off and any(
        other.probe and abs(other.at - click.at) <= known.head_seconds * 1000 for other in others
    ):
        return "head"
    near = {other.link for other in others if abs(other.at - click.at) <= known.burst_seconds * 1000}
    enough = max(2, min(known.burst_links, links))
    if "burst" not in known.off and links >= 2 and len(near | {click.link}) >= enough:
        return "burst"
    return ""
