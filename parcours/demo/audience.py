"""The pretended audience: who opens, clicks, unsubscribes or bounces is decided by the address alone.

It acts only through what a mail client could reach: the pixel and the links written in the message received.
"""

from __future__ import annotations

from dataclasses import dataclass

from parcours.demo.customers import draw

#: What a human's mail client says of itself, and what a prefetching proxy says.
HUMAN_AGENT = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15"
)
MACHINE_AGENT = "Mozilla/5.0"


@dataclass(frozen=True)
class Reaction:
    """What a recipient does with one message."""

    opens: bool
    clicks: bool
    unsubscribes: bool
    prefetched: bool


def bounces(address: str) -> bool:
    """Whether the sink refuses the address for good: about one in sixty."""
    return address.endswith("@example.org") and draw("bounce", address) < 170


def reaction(address: str, subject: str) -> Reaction:
    """What the recipient does with a message of that subject; customers only, never the newcomer of the shop."""
    if not address.startswith("client") or not address.endswith("@example.org"):
        return Reaction(opens=False, clicks=False, unsubscribes=False, prefetched=False)
    opens = draw("open", address, subject) < 4_600
    clicks = opens and draw("click", address, subject) < 3_800
    return Reaction(
        opens=opens,
        clicks=clicks,
        unsubscribes=not clicks and draw("leave", address, subject) < 120,
        prefetched=draw("prefetch", address) < 1_200,
    )
