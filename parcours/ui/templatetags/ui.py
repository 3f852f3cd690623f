"""The components of the pages: `{% load ui %}`. What each looks like is in `templates/ui/components/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.core.paginator import Page
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, FileInput, RadioSelect, Select
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from parcours.lib.instants import iso
from parcours.ui import assets, formats

register = template.Library()


@register.simple_tag
def asset(entry: str) -> SafeString:
    """The styles and the script of an entry of the front end: `{% asset "src/app.ts" %}`."""
    chunk = assets.chunk(entry)
    links = format_html_join(
        "\n",
        '<link rel="stylesheet" href="{}">',
        ((static(f"ui/dist/{name}"),) for name in chunk.get("css", [])),
    )
    script = format_html('<script type="module" src="{}"></script>', static(f"ui/dist/{chunk['file']}"))
    return links + script


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """An icon of `ui/icons`, hidden from screen readers: the text beside it or the label around it speaks."""
    svg = assets.icon(name)
    return mark_safe(svg.replace("<svg ", format_html('<svg class="icon {}" aria-hidden="true" ', css), 1))  # noqa: S308 our own file


@register.filter(name="number")
def number(value: int | float | Decimal | None, decimals: int = 0) -> str:
    """`{{ n|number }}`: 12 345 in French, 12,345 in English."""
    return formats.number(value, decimals)


@register.filter(name="percent")
def percent(ratio: float | Decimal | None, decimals: int = 1) -> str:
    """`{{ ratio|percent }}`: the fraction 0.123 as 12.3 %."""
    return formats.percent(ratio, decimals)


@register.filter(name="money")
def money(amount: float | Decimal | None, currency: str) -> str:
    """`{{ amount|money:account.currency }}`"""
    return formats.money(amount, currency)


@register.filter(name="country")
def country(code: str) -> str:
    """`{{ "BE"|country }}`: Belgium."""
    return formats.country(code)


@register.filter(name="language")
def language(tag: str) -> str:
    """`{{ "fr-CA"|language }}`: French (Canada)."""
    return formats.language(tag)


@register.filter(name="duration")
def duration(milliseconds: int | float | None) -> str:
    """`{{ milliseconds|duration }}`: its two largest units."""
    return formats.duration(milliseconds)


@register.filter(name="when")
def when(instant: datetime | None) -> SafeString | str:
    """`{{ instant|when }}`: as one would say it, the full instant on pointing."""
    if instant is None:
        return formats.NOTHING
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        iso(instant),
        formats.moment(instant),
        formats.when(instant),
    )


@register.filter(name="day")
def day(instant: datetime | date | None) -> str:
    """`{{ instant|day }}`: 22 Nov 2026."""
    return formats.NOTHING if instant is None else formats.day(instant)


@register.filter(name="dated")
def dated(text: Any) -> SafeString | str:
    """`{{ "1987-02-11"|dated }}`: a day or an instant written in ISO 8601, as one reads it; any other as it stands."""
    return formats.dated(str(text))


@register.filter(name="moment")
def moment(instant: datetime | None) -> SafeString | str:
    """`{{ instant|moment }}`: the full instant, with its seconds."""
    if instant is None:
        return formats.NOTHING
    return format_html('<time datetime="{}">{}</time>', iso(instant), formats.moment(instant))


@register.inclusion_tag("ui/components/watermark.html")
def watermark(as_of: datetime) -> dict[str, Any]:
    """The instant for which a page's figures hold: "up to date at 14:32:07"."""
    return {"as_of": as_of, "iso": iso(as_of), "hour": formats.hour(as_of, seconds=True)}


@register.inclusion_tag("ui/components/progress.html")
def progress(value: int, total: int, label: str = "") -> dict[str, Any]:
    """A bar of `value` out of `total`; without a total, one that moves."""
    share = min(100, value * 100 // total) if total else None
    return {"share": share, "label": label, "known": share is not None}


@register.inclusion_tag("ui/components/copy.html")
def copy(text: str, label: str = "") -> dict[str, Any]:
    """A button that copies the text, and says that it did."""
    return {"text": text, "label": label}


@register.inclusion_tag("ui/components/status.html")
def status(label: str, tone: str = "neutral") -> dict[str, Any]:
    """A state, as a coloured mark and its name; `tone`: good, busy, late, bad, neutral."""
    return {"label": label, "tone": tone}


@register.inclusion_tag("ui/components/tabs.html", takes_context=True)
def tabs(
    context: template.Context, entries: Sequence[tuple[str, str]] | Sequence[tuple[str, str, int]]
) -> dict[str, Any]:
    """Tabs that are pages: `(label, url)` or `(label, url, count)`; the one of this address is the current."""
    path = context["request"].path
    return {
        "tabs": [
            {
                "label": entry[0],
                "url": entry[1],
                "count": entry[2] if len(entry) > 2 else None,
                "current": str(entry[1]).split("?")[0] == path,
            }
            for entry in entries
        ]
    }


@register.inclusion_tag("ui/components/pager.html", takes_context=True)
def pager(context: template.Context, page: Page) -> dict[str, Any]:
    """Previous and next of a Django page (`?page=`), keeping the rest of the address."""
    return {"request": context["request"], "page": page}


@register.inclusion_tag("ui/components/more.html", takes_context=True)
def more(context: template.Context, next_cursor: str | None, parameter: str = "cursor") -> dict[str, Any]:
    """The way on of a list read by cursor; nothing at its end."""
    query = context["request"].GET.copy()
    query[parameter] = next_cursor or ""
    return {"address": f"?{query.urlencode()}" if next_cursor else ""}


@register.inclusion_tag("ui/components/field.html")
def field(bound: BoundField, help_text: str = "") -> dict[str, Any]:
    """A form's field with its label, help and errors."""
    widget = bound.field.widget
    toggle = isinstance(widget, CheckboxInput)
    css = "form-check-input" if toggle else "form-select" if type(widget) is Select else "form-control"
    if isinstance(widget, RadioSelect | CheckboxSelectMultiple):
        css = ""
    attributes = {
        "class": f"{widget.attrs.get('class', '')} {css}{' is-invalid' if bound.errors else ''}".strip()
    }
    if bound.errors:
        attributes["aria-invalid"] = "true"
    return {
        "field": bound,
        "input": bound.as_widget(attrs={**attributes}),
        "toggle": toggle,
        "file": isinstance(widget, FileInput),
        "help": help_text or bound.help_text,
    }


@register.inclusion_tag("ui/components/canvas.html")
def canvas(
    data: Mapping[str, Any], url: str = "", id: str = "journey", interval: int = 2000
) -> dict[str, Any]:
    """A journey drawn with its figures; `data` and what `url` answers are as `frontend/src/canvas/README.md` says.

    `url` is asked again every `interval` milliseconds; without it the figures stand.
    """
    return {"data": data, "url": url, "id": id, "interval": interval, "words": _canvas_words()}


def _canvas_words() -> dict[str, Any]:
    """What the canvas says by itself, in the reader's language."""
    return {
        "canvas": gettext("Journey"),
        "passages": {"one": ngettext("passage", "passages", 1), "other": ngettext("passage", "passages", 2)},
        "waiting": {"one": ngettext("waiting", "waiting", 1), "other": ngettext("waiting", "waiting", 2)},
        "failed": {"one": ngettext("failed", "failed", 1), "other": ngettext("failed", "failed", 2)},
        "preview": gettext("Preview"),
        "statistics": gettext("Statistics"),
        "full_statistics": gettext("Full statistics"),
        "close": gettext("Close"),
        "zoom_in": gettext("Zoom in"),
        "zoom_out": gettext("Zoom out"),
        "fit": gettext("Fit to the page"),
        "stale": gettext("The figures could not be refreshed."),
    }


@register.simple_block_tag
def table(content: str, caption: str = "") -> str:
    """A table in a card, which scrolls sideways by itself on a phone; `content` is its thead and tbody."""
    return render_to_string("ui/components/table.html", {"content": content, "caption": caption})


@register.simple_block_tag
def menu(content: str, label: str, icon: str = "dots-vertical", text: str = "", css: str = "") -> str:
    """A row's actions behind one button, which is not there when there are none; `content` is links and buttons of
    class `dropdown-item`.
    """
    if not content.strip():
        return ""
    return render_to_string(
        "ui/components/menu.html",
        {"content": content, "label": label, "icon": icon, "text": text, "css": css},
    )


@register.simple_block_tag
def empty(content: str, title: str, text: str = "", icon: str = "mood-empty") -> str:
    """What a page shows while it has nothing to list; `content` is the way to begin."""
    return render_to_string(
        "ui/components/empty.html", {"content": content.strip(), "title": title, "text": text, "icon": icon}
    )


@register.simple_block_tag
def card(content: str, title: str = "", css: str = "") -> str:
    """A card with its title and padding."""
    return render_to_string("ui/components/card.html", {"content": content, "title": title, "css": css})


@register.simple_tag
def figure(value: str, label: str, url: str = "", hint: str = "") -> SafeString:
    """A number with its name, opening the list behind it when it has an address."""
    return render_to_string(
        "ui/components/figure.html", {"value": value, "label": label, "url": url, "hint": hint}
    )
