"""A message made ready once, then personalised for each contact."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.utils.translation import gettext as _
from liquid import Environment, Markup
from liquid.template import BoundTemplate
from markupsafe import escape

from parcours.messaging.rendering import liquid, markup, tokens
from parcours.messaging.rendering.links import Links
from parcours.messaging.rendering.liquid import TemplateError
from parcours.messaging.rendering.placeholders import (
    Placeholders,
    between_attributes,
    in_html,
    in_mjml,
    set_aside,
)

# What no mail may carry: control characters but tab and line feed, and halves of surrogate pairs.
_UNFIT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_UNFIT_IN_A_LINE = re.compile("[\x00-\x1f\x7f\x85\u2028\u2029\ud800-\udfff]+")
_BLANK_LINES = re.compile(r"\s*\n\s*\n\s*")
_BODY_END = re.compile(r"</body\s*>(?![\s\S]*</body\s*>)", re.IGNORECASE)
# A marketing message whose account wrote no way out bears one, with the account's postal address.
_WAY_OUT = (
    "{% assign pc_language = contact.locale | default: account.country | slice: 0, 2 | downcase %}"
    '{% if pc_language == "fr" %}Se désabonner{% else %}Unsubscribe{% endif %}'
)
_HTML_FOOTER = (
    '<div style="padding:24px;text-align:center;font:12px/1.5 sans-serif;color:#6b6b6b">{{ account.name }}'
    "{% if account.postal_address != '' %}<br>{{ account.postal_address | newline_to_br }}{% endif %}"
    f'<br><a href="{{{{ unsubscribe_url }}}}" style="color:#6b6b6b">{_WAY_OUT}</a></div>'
)
_TEXT_FOOTER = (
    "\n\n-- \n{{ account.name }}{% if account.postal_address != '' %}\n{{ account.postal_address }}{% endif %}"
    f'\n{_WAY_OUT}{{% if pc_language == "fr" %}}\u00a0:{{% else %}}:{{% endif %}} {{{{ unsubscribe_url }}}}\n'
)
_PIXEL = '<img src="{{ pc_open }}" width="1" height="1" alt="" style="display:block;border:0">'
_OWN = re.compile(r"\{\{ (pc_link_\d+|pc_open) \}\}")
_T = TypeVar("_T")


class PartError(TemplateError):
    """A fault in one part of a message: `subject`, `mjml`, `html` or `text`."""

    def __init__(self, part: str, error: TemplateError) -> None:
        super().__init__(error.detail, error.line, limit=error.limit)
        self.part = part


@dataclass(frozen=True)
class Source:
    """What the account wrote."""

    subject: str
    mjml: str = ""
    html: str = ""
    text: str = ""
    track_opens: bool = True
    track_clicks: bool = True
    marketing: bool = True


class _OwnAddresses:
    """Where a message's own addresses stand: those of its tracked links, and of its pixel.

    Liquid takes its time for each thing that it writes. These are the same for everybody but for their token, so
    they are marks in the templates, and written in once Liquid is done. A mark holds what nobody outside knows:
    a contact's data cannot bear one.
    """

    def __init__(self) -> None:
        self._mark = f"pc-{secrets.token_hex(8)}-"
        self._marks = re.compile(rf"{self._mark}(\w+);")

    def mark(self, source: str) -> str:
        """The template with a mark in place of each of our own outputs."""
        return _OWN.sub(rf"{self._mark}\1;", source)

    def fill(self, written: str, names: Mapping[str, object], *, escaped: bool) -> str:
        """What a template wrote, with the addresses in place of the marks."""
        if escaped:
            return self._marks.sub(lambda found: escape(names.get(found[1], "")), written)
        return self._marks.sub(lambda found: str(names.get(found[1], "")), written)


@dataclass(frozen=True)
class Compiled:
    """Templates ready to render.

    `urls` are the tracked addresses as written, in the order of their numbers. `text_made`: the text part comes
    from the HTML; without a template of its own it is made from each contact's HTML, which is slower.
    """

    subject: BoundTemplate
    html: BoundTemplate | None
    text: BoundTemplate | None
    urls: tuple[str, ...]
    text_made: bool
    own: _OwnAddresses


@dataclass(frozen=True)
class Rendered:
    """One contact's message."""

    subject: str
    html: str | None
    text: str


def compile_source(source: Source) -> Compiled:
    """Make a message ready. Raises PartError for the first part that cannot be read."""
    own = _OwnAddresses()
    subject = _part("subject", lambda: liquid.parse(source.subject.strip(), environment=liquid.TEXT))
    if source.mjml or source.html:
        part = "mjml" if source.mjml else "html"
        written = source.mjml or source.html
        html, made_text, urls = _part(part, lambda: _compile_html(written, source, own))
    else:
        written, html, made_text, urls = "", None, None, ()
    if source.text.strip() or html is None:
        written_text = source.text
        _part("text", lambda: _checked(written_text, liquid.TEXT))
        if source.marketing and "unsubscribe_url" not in written_text:
            written_text += _TEXT_FOOTER
        text: BoundTemplate | None = liquid.parse(written_text, environment=liquid.TEXT)
    else:
        text = made_text
    return Compiled(
        subject=subject,
        html=html,
        text=text,
        urls=urls,
        text_made=html is not None and text is made_text,
        own=own,
    )


def _part(part: str, work: Callable[[], _T]) -> _T:
    try:
        return work()
    except TemplateError as error:
        raise PartError(part, error) from error


def _rendered(part: str, template: BoundTemplate, names: Mapping[str, object]) -> str:
    return _part(part, lambda: liquid.render(template, names))


def _checked(source: str, environment: Environment) -> BoundTemplate:
    """A template whose filters all exist, even in branches that are seldom taken."""
    template = liquid.parse(source, environment=environment)
    for name, places in template.analyze(include_partials=False).filters.items():
        if name not in environment.filters:
            line = source.count("\n", 0, places[0].index) + 1
            raise TemplateError(_("There is no filter named %(name)s.") % {"name": name}, line)
    return template


def _compile_html(
    written: str, source: Source, own: _OwnAddresses
) -> tuple[BoundTemplate, BoundTemplate | None, tuple[str, ...]]:
    _checked(written, liquid.HTML)  # Faults are told with the lines of what was written.
    words, kept = set_aside(written)
    html = markup.mjml_to_html(in_mjml(words, kept)) if source.mjml else in_html(words, kept)
    lost = kept.missing(html)
    if not between_attributes(html, kept):
        # Liquid among a tag's attributes would be put in another order: such a document keeps its styles as written.
        html = _tidy_tables(html, markup.inline_styles(html), kept)
        lost = lost or kept.missing(html)
    if lost:
        raise TemplateError(_("This Liquid code stands where the e-mail cannot show it."), lost[0])
    if source.marketing and "unsubscribe_url" not in written:
        html = _at_the_end(html, in_html(kept.take(_HTML_FOOTER), kept))
    links = Links(kept, tracked=source.track_clicks)
    text = _text_template(own.mark(kept.restore(markup.text_of(_words(links.spell_out(html), kept)))))
    html = links.rewrite(html)
    if source.track_opens:
        html = _at_the_end(html, _PIXEL)
    return liquid.parse(own.mark(kept.restore(html))), text, tuple(links.urls)


def _text_template(text: str) -> BoundTemplate | None:
    """The text part's template; None when the text lost a part of the Liquid, as that of a hidden element."""
    try:
        return liquid.parse(text, environment=liquid.TEXT)
    except TemplateError:
        return None


def _words(html: str, kept: Placeholders) -> str:
    """Comments made words again: the text part keeps what stands between elements."""
    return kept.pattern.sub(lambda match: kept.word(int(match[1] or match[2])), html)


def _tidy_tables(before: str, after: str, kept: Placeholders) -> str:
    """Rows between Liquid tags stay between them: parsers open <tbody> after a leading comment."""
    loose = re.compile(rf"((?:\s*<!--{kept.prefix}\d+z-->)+\s*)<tbody>")

    def swap(match: re.Match[str]) -> str:
        last = match[1].strip().rpartition("<!--")[2]
        written = re.search(rf"<!--{re.escape(last)}\s*<tbody", before, re.IGNORECASE)
        return match[0] if written else f"<tbody>{match[1]}"

    return loose.sub(swap, after)


def _at_the_end(html: str, more: str) -> str:
    """More HTML before the end of the body."""
    found = _BODY_END.search(html)
    if found is None:
        return html + more
    return html[: found.start()] + more + html[found.start() :]


def is_dynamic(url: str) -> bool:
    """Whether a tracked address, as written, ends in Liquid."""
    return "{{" in url or "{%" in url


def tracking(compiled: Compiled, *, send: int, links: Sequence[int]) -> dict[str, object]:
    """What a send's own addresses are called in its templates; `links` are the ids of the compiled addresses."""
    names: dict[str, object] = {
        "unsubscribe_url": Markup(tokens.unsubscribe_url(send)),
        "pc_open": Markup(tokens.open_url(send)),
        "pc_send": send,
    }
    for number, (url, link) in enumerate(zip(compiled.urls, links, strict=True)):
        if is_dynamic(url):
            names[f"pc_dynamic_{number}"] = link
        else:
            names[f"pc_link_{number}"] = Markup(tokens.click_url(send, link))
    return names


def untracked(compiled: Compiled) -> dict[str, object]:
    """The same names for a preview: links lead straight to where they are written, nothing is recorded."""
    names: dict[str, object] = {"unsubscribe_url": "#", "pc_open": "data:,", "pc_send": 0}
    for number, url in enumerate(compiled.urls):
        names[f"pc_dynamic_{number}" if is_dynamic(url) else f"pc_link_{number}"] = (
            0 if is_dynamic(url) else url
        )
    return names


def personalise(compiled: Compiled, context: Mapping[str, object], names: Mapping[str, object]) -> Rendered:
    """One contact's message. Raises PartError when the templates fail on this contact's data."""
    everything = {**context, **names}
    subject = _rendered("subject", compiled.subject, everything)
    html = None if compiled.html is None else _rendered("html", compiled.html, everything)
    if html is not None:
        html = compiled.own.fill(html, names, escaped=True)
    template = compiled.text
    text = markup.text_of(html or "") if template is None else _rendered("text", template, everything)
    if compiled.text_made:
        text = compiled.own.fill(text, names, escaped=False)
        text = _BLANK_LINES.sub("\n\n", text).strip() + "\n"
    return Rendered(
        subject=_UNFIT_IN_A_LINE.sub(" ", subject).strip(),
        html=None if html is None else _UNFIT.sub("", html),
        text=_UNFIT.sub("", text),
    )
