"""What a server's refusal means: a dozen reasons, each hard, soft or a block (RFC 3463, RFC 5248, and habits).

hard: the address will never take mail; it is suppressed. soft: it may later. block: the mail or its sender was
refused, the address says nothing against itself.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Reason(NamedTuple):
    """A word of ours for a refusal, and its type."""

    reason: str
    type: str  # hard, soft or block


HARD, SOFT, BLOCK = "hard", "soft", "block"
OTHER = "other"

#: Reasons and their types; the words of `email.bounced`.
TYPES = {
    "unknown_user": HARD,
    "bad_address": HARD,
    "bad_domain": HARD,
    "inactive": HARD,
    "moved": HARD,
    "mailbox_full": SOFT,
    "greylisted": SOFT,
    "rate_limited": SOFT,
    "unavailable": SOFT,
    "too_large": BLOCK,
    "content": BLOCK,
    "reputation": BLOCK,
    "authentication": BLOCK,
    "policy": BLOCK,
    "relay_denied": BLOCK,
    OTHER: BLOCK,
}

_ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")

# What the words say goes before the enhanced code where servers are known to send a vague one (5.0.0, 5.7.1).
_WORDS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(pattern, re.IGNORECASE), reason)
    for pattern, reason in (
        (r"gr[ea]y-?list", "greylisted"),
        (r"\b(dmarc|dkim|spf)\b|unauthenticated", "authentication"),
        (
            r"block ?list|black ?list|spamhaus|reputation|\brbl\b|dnsbl|barracuda|\bPTR\b|reverse dns",
            "reputation",
        ),
        (r"rate limit|too many|too fast|throttl|try again later.*limit", "rate_limited"),
        (
            r"(mailbox|quota|storage|inbox)[^.]{0,40}(full|exceed|over)|over ?quota|out of storage",
            "mailbox_full",
        ),
        (r"spam|content (rejected|blocked)|virus|malware|phish", "content"),
        (r"relay", "relay_denied"),
        (
            r"(user|recipient|mailbox|address|account)[^.]{0,60}(unknown|not found|n.t exist|does not exist)",
            "unknown_user",
        ),
        (
            r"(unknown|no such|invalid|nonexistent) (local )?(user|recipient|mailbox|address|account)",
            "unknown_user",
        ),
        (r"(disabled|inactive|suspended|deactivated|expired|no longer)", "inactive"),
        (r"(domain|host)[^.]{0,40}(not found|unknown|n.t exist|does not exist)|null ?mx", "bad_domain"),
    )
]

#: Enhanced codes, subject and detail, whatever their class.
_CODES = {
    "1.0": "unknown_user",
    "1.1": "unknown_user",
    "1.2": "bad_domain",
    "1.3": "bad_address",
    "1.4": "bad_address",
    "1.6": "moved",
    "1.10": "bad_domain",
    "2.0": "unavailable",
    "2.1": "inactive",
    "2.2": "mailbox_full",
    "2.3": "too_large",
    "3.4": "too_large",
    "4.4": "bad_domain",
    "7.0": "policy",
    "7.1": "policy",
    "7.20": "authentication",
    "7.21": "authentication",
    "7.22": "authentication",
    "7.23": "authentication",
    "7.24": "authentication",
    "7.25": "reputation",
    "7.26": "authentication",
    "7.27": "authentication",
    "7.28": "rate_limited",
}

_PLAIN_CODES = {550: "unknown_user", 551: "moved", 552: "mailbox_full", 553: "bad_address", 554: "policy"}


def enhanced_code(text: str) -> str:
    """The enhanced status code of a reply, such as "5.1.1"; empty when there is none."""
    found = _ENHANCED.search(text)
    return found[0] if found else ""


def classify(code: int, text: str, *, at_recipient: bool = True) -> Reason:
    """The reason of a refusal, from its code and words.

    `at_recipient`: whether it answered RCPT. Elsewhere a bare 550 is about the mail, never about the address.
    """
    for pattern, word in _WORDS:
        if pattern.search(text):
            # "User unknown" in answer to the content is a server's delayed word on the recipient: it counts.
            return Reason(word, TYPES[word])
    found = _ENHANCED.search(text)
    if found is not None:
        word = _CODES.get(f"{found[2]}.{found[3]}") or {"1": "bad_address", "7": "policy"}.get(found[2], "")
        if word:
            return Reason(word, TYPES[word])
    if at_recipient and code in _PLAIN_CODES and (found is None or found[1] == "5"):
        word = _PLAIN_CODES[code]
    elif code == 552:
        word = "too_large"
    elif 400 <= code < 500:
        word = "unavailable"
    else:
        word = OTHER
    return Reason(word, TYPES[word])
