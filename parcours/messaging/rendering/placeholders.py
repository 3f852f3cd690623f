"""Liquid tags set aside while MJML and HTML tools work on what surrounds them.

Those tools refuse `<` inside attributes, move text out of tables and rewrite quotes; each tag is therefore replaced
by a word (inside an attribute, a title, a style) or by a comment (between elements), and put back at the end.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from parcours.messaging.rendering.liquid import TemplateError

_LIQUID = re.compile(
    r"\{%-?\s*(?P<block>raw|comment|doc)\b.*?%\}.*?\{%-?\s*end(?P=block)\s*-?%\}|\{\{.*?\}\}|\{%.*?%\}",
    re.DOTALL,
)
#: The pieces of an HTML or MJML text: comments, raw elements, tags; what lies between is text.
_MARKUP = re.compile(
    r"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<![^>]*>"
    r"|<(?P<raw>script|style|title|textarea|mj-style|mj-title|mj-preview)\b(?:\"[^\"]*\"|'[^']*'|[^'\">])*(?<!/)>.*?</(?P=raw)\s*>"
    r"|<(?P<close>/?)(?P<name>[A-Za-z][\w:-]*)(?:\"[^\"]*\"|'[^']*'|[^'\">])*>",
    re.DOTALL | re.IGNORECASE,
)
_OUTSIDE_QUOTES = re.compile(r"=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'>]+)")

#: MJML elements whose content is HTML, where a comment stays where it was.
_HTML_INSIDE = {"mj-text", "mj-table", "mj-raw", "mj-accordion-text"}
#: MJML elements whose content is text.
_TEXT_INSIDE = {"mj-button", "mj-navbar-link", "mj-social-element", "mj-accordion-title"}
#: MJML elements between whose children `mj-raw` may stand.
_STRUCTURE = {"mj-body", "mj-section", "mj-column", "mj-wrapper", "mj-hero", "mj-group"}
_MJML = (
    _HTML_INSIDE
    | _TEXT_INSIDE
    | _STRUCTURE
    | {
        *(
            "mjml",
            "mj-head",
            "mj-attributes",
            "mj-all",
            "mj-class",
            "mj-breakpoint",
            "mj-font",
            "mj-html-attributes",
        ),
        *(
            "mj-selector",
            "mj-html-attribute",
            "mj-title",
            "mj-preview",
            "mj-style",
            "mj-accordion",
            "mj-social",
        ),
        *(
            "mj-accordion-element",
            "mj-carousel",
            "mj-carousel-image",
            "mj-divider",
            "mj-image",
            "mj-navbar",
            "mj-spacer",
        ),
    }
)


@dataclass
class Placeholders:
    """The Liquid tags of one source, by number, and the words that stand for them."""

    prefix: str
    tags: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)

    def word(self, number: int) -> str:
        return f"{self.prefix}{number}z"

    def add(self, code: str) -> str:
        """A word for more Liquid code, written by us."""
        self.tags.append(code)
        self.lines.append(0)
        return self.word(len(self.tags) - 1)

    def take(self, source: str) -> str:
        """More markup of ours with a word for each of its Liquid tags."""
        return _LIQUID.sub(lambda match: self.add(match[0]), source)

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(rf"<!--{self.prefix}(\d+)z-->|{self.prefix}(\d+)z")

    def restore(self, text: str, *, code: Callable[[str], str] = lambda code: code) -> str:
        """The text with its Liquid back."""
        return self.pattern.sub(lambda match: code(self.tags[int(match[1] or match[2])]), text)

    def missing(self, text: str) -> list[int]:
        """The lines of the tags of the source that are no longer in a text."""
        found = {int(match[1] or match[2]) for match in self.pattern.finditer(text)}
        return [line for number, line in enumerate(self.lines) if line and number not in found]


def set_aside(source: str) -> tuple[str, Placeholders]:
    """The source with a word for each Liquid tag."""
    prefix = "pc" + hashlib.sha256(source.encode("utf-8", "replace")).hexdigest()[:8] + "x"
    kept = Placeholders(prefix)

    def replace(match: re.Match[str]) -> str:
        word = kept.add(match[0])
        kept.lines[-1] = source.count("\n", 0, match.start()) + 1
        return word

    return _LIQUID.sub(replace, source), kept


def _pieces(text: str) -> Iterator[tuple[re.Match[str] | None, str]]:
    position = 0
    for match in _MARKUP.finditer(text):
        if match.start() > position:
            yield None, text[position : match.start()]
        yield match, match[0]
        position = match.end()
    if position < len(text):
        yield None, text[position:]


def in_html(text: str, kept: Placeholders) -> str:
    """Words between elements made comments, so that no parser moves them."""
    return "".join(
        piece if match is not None else kept.pattern.sub(lambda word: f"<!--{word[0]}-->", piece)
        for match, piece in _pieces(text)
    )


def between_attributes(text: str, kept: Placeholders) -> bool:
    """Whether some Liquid stands among the attributes of a tag, outside their values."""
    return any(
        match is not None
        and match["name"] is not None
        and kept.pattern.search(_OUTSIDE_QUOTES.sub("=", piece)) is not None
        for match, piece in _pieces(text)
    )


def in_mjml(text: str, kept: Placeholders) -> str:
    """Words between MJML elements put in `mj-raw`, those in their HTML made comments.

    Raises TemplateError for an include, an unknown `mj-` element, or Liquid where no element can stand for it.
    """
    stack: list[str] = []
    out: list[str] = []
    line = 1
    for match, piece in _pieces(text):
        if match is None:
            out.append(_mjml_text(piece, kept, stack, line))
        else:
            name = (match["name"] or "").lower()
            if name.startswith("mj"):
                _follow(stack, name, closing=bool(match["close"]), empty=piece.endswith("/>"), line=line)
            out.append(piece)
        line += piece.count("\n")
    return "".join(out)


def _follow(stack: list[str], name: str, *, closing: bool, empty: bool, line: int) -> None:
    if name == "mj-include":
        raise TemplateError(_("<mj-include> is not allowed."), line)
    if name not in _MJML:
        raise TemplateError(_("<%(name)s> is not an MJML element.") % {"name": name}, line)
    if not closing:
        if not empty:
            stack.append(name)
    elif not stack or stack.pop() != name:
        raise TemplateError(_("</%(name)s> closes nothing that is open.") % {"name": name}, line)


def _mjml_text(piece: str, kept: Placeholders, stack: list[str], line: int) -> str:
    inside = stack[-1] if stack else ""
    if inside in _TEXT_INSIDE:
        return piece
    if inside in _HTML_INSIDE:
        return kept.pattern.sub(lambda word: f"<!--{word[0]}-->", piece)
    if kept.pattern.search(piece) is None:
        return piece
    if inside not in _STRUCTURE:
        where = f"<{inside}>" if inside else "<mjml>"
        raise TemplateError(
            _("Liquid cannot stand between the elements of %(where)s.") % {"where": where}, line
        )
    return kept.pattern.sub(lambda word: f"<mj-raw><!--{word[0]}--></mj-raw>", piece)
