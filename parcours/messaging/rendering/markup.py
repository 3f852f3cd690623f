"""MJML to HTML, styles inlined, nothing fetched from anywhere."""

from __future__ import annotations

import re

import css_inline
import mrml
from django.utils.translation import gettext as _
from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from parcours.messaging.rendering.liquid import TemplateError

_ATTRIBUTES = r"(?:\"[^\"]*\"|'[^']*'|[^'\">])*"
_ROWS = re.compile(rf"<(/?)tr\b{_ATTRIBUTES}>", re.IGNORECASE)
_CELL_ENDS = re.compile(r"</(?:td|th)\s*>", re.IGNORECASE)
_TABLES = re.compile(rf"</?(?:table|thead|tbody|tfoot|td|th)\b{_ATTRIBUTES}>", re.IGNORECASE)
_POSITION = re.compile(r"position (\d+)")
# Rules stay in their <style> too: media queries and :hover cannot be inlined.
_inliner = css_inline.CSSInliner(keep_style_tags=True, load_remote_stylesheets=False, base_url=None)
_text_configuration = ParserConfig(
    css=CSS_PROFILES["strict"].copy(), display_images=True, deduplicate_captions=True
)


def mjml_to_html(source: str) -> str:
    """The HTML of an MJML document. Raises TemplateError with the line when MRML says where."""
    parser = mrml.ParserOptions(include_loader=mrml.noop_loader())
    options = mrml.RenderOptions(disable_comments=False, fonts={})  # No font is fetched from a third party.
    try:
        output = mrml.to_html(source, parser, options)
    except OSError as error:
        place = _POSITION.search(str(error))
        line = source.encode()[: int(place[1])].count(b"\n") + 1 if place else None
        raise TemplateError(_("The MJML cannot be read: %(why)s.") % {"why": error}, line) from error
    return output.content


def inline_styles(html: str) -> str:
    """A whole HTML document with the rules of its <style> elements on its elements; nothing is loaded."""
    try:
        return _inliner.inline(html)
    except (css_inline.InlineError, ValueError) as error:
        raise TemplateError(_("The styles cannot be read: %(why)s.") % {"why": error}) from error


def text_of(html: str) -> str:
    """The text part made from an HTML document."""
    # Tables lay out an e-mail; their columns mean nothing in its text, and parsers drop what stands between rows.
    html = _TABLES.sub("", _CELL_ENDS.sub(" ", _ROWS.sub(r"<\1div>", html)))
    text = get_text(html, _text_configuration)
    return "\n".join(re.sub(r" {2,}", " ", line.strip()) for line in text.splitlines()).strip() + "\n"
