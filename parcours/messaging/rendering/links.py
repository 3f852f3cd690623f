"""The addresses that the account wrote in a message, and how they are rewritten.

Tracked: `http` and `https` links whose scheme and host are written in the message. What follows the host may be
Liquid: the address is then signed whole when the message is rendered. An address that begins with Liquid (such as
`{{ unsubscribe_url }}`), `mailto:`, `tel:` and anchors are left as they are.
"""

from __future__ import annotations

import html as html_module
import re

from parcours.messaging.rendering.placeholders import Placeholders

_ANCHOR = re.compile(
    r"(?P<open><(?:a|area)\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*?\shref\s*=\s*)(?P<quote>[\"'])(?P<href>.*?)(?P=quote)",
    re.IGNORECASE | re.DOTALL,
)
_ANCHOR_WHOLE = re.compile(
    r"<a\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*?\shref\s*=\s*([\"'])(?P<href>.*?)\1(?:\"[^\"]*\"|'[^']*'|[^'\">])*>"
    r"(?P<label>.*?)</a\s*>",
    re.IGNORECASE | re.DOTALL,
)
_TRACKABLE = re.compile(r"https?://[^\s/?#\\@]+(?P<rest>[/?#]|$)", re.IGNORECASE)
_MAX_URL = 2000


class Links:
    """The links of one message while it is compiled: each address once, in its order of appearance."""

    def __init__(self, kept: Placeholders, *, tracked: bool) -> None:
        self._kept = kept
        self._tracked = tracked
        self.urls: list[str] = []

    def code(self, href: str) -> str:
        """The Liquid code that writes where a link leads; `href` is as it stands in the HTML."""
        address = html_module.unescape(href).strip()
        written = self._kept.restore(address)
        before = self._kept.pattern.split(address, maxsplit=1)[0]
        host = _TRACKABLE.match(before)
        if not self._tracked or len(written) > _MAX_URL or host is None:
            return written
        if before != address and not host["rest"]:
            return written  # What follows could lengthen the host's name into another's.
        if written not in self.urls:
            self.urls.append(written)
        number = self.urls.index(written)
        if before == address:
            return f"{{{{ pc_link_{number} }}}}"
        made = f"{{% capture pc_address %}}{written}{{% endcapture %}}"
        return f"{made}{{{{ pc_address | pc_click: pc_dynamic_{number} }}}}"

    def rewrite(self, html: str) -> str:
        """The HTML with a word in place of the address of each tracked link."""

        def replace(match: re.Match[str]) -> str:
            code = self.code(match["href"])
            if "{{ pc_" not in code:
                return match[0]
            return f'{match["open"]}"{self._kept.add(code)}"'

        return _ANCHOR.sub(replace, html)

    def spell_out(self, html: str) -> str:
        """The HTML with each link's address written after its label, for the text part."""

        def replace(match: re.Match[str]) -> str:
            href = html_module.unescape(match["href"]).strip()
            label = match["label"]
            if not href or href.startswith("#") or href.lower().startswith(("mailto:", "tel:")):
                return label
            return f"{label} ({self._kept.add(self.code(match['href']))})"

        return _ANCHOR_WHOLE.sub(replace, html)
