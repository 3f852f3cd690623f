"""The template tags: what they write, and that what users typed is never taken for markup."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import engines
from django.test import RequestFactory
from django.utils import translation

from parcours.ui import assets, navigation

EVIL = '<script>alert("x")</script>'


def render(source: str, path: str = "/", **context: Any) -> str:
    with translation.override("en"):
        template = engines["django"].from_string("{% load ui %}" + source)
        return template.render(context, RequestFactory().get(path))


def test_assets_are_built_and_named_by_content() -> None:
    html = render('{% asset "src/app.ts" %}')
    assert 'type="module"' in html
    assert 'rel="stylesheet"' in html
    chunk = assets.chunk("src/app.ts")
    assert (assets.DIST / chunk["file"]).is_file()
    assert assets.tracker().stat().st_size < 8_000


def test_icons() -> None:
    assert 'aria-hidden="true"' in render('{% icon "users" %}')
    with pytest.raises(FileNotFoundError):
        assets.icon("../../settings")


@pytest.mark.parametrize(
    "source",
    [
        '{% empty title=text text=text icon="users" %}{{ text }}{% endempty %}',
        "{% card title=text %}{{ text }}{% endcard %}",
        "{% table caption=text %}<tr><td>{{ text }}</td></tr>{% endtable %}",
        "{% menu label=text text=text %}{{ text }}{% endmenu %}",
        "{% figure value=text label=text url=text hint=text %}",
        "{% status text %}",
        "{% copy text %}",
        "{% progress 1 3 text %}",
        "{% tabs entries %}",
        "{% canvas graph url=text %}",
        "{{ text|default:'' }}",
    ],
)
def test_what_users_typed_is_text(source: str) -> None:
    html = render(source, text=EVIL, entries=[(EVIL, "/a")], graph={"steps": [EVIL]})
    assert "<script>alert" not in html


def test_instants_bear_their_exact_time() -> None:
    html = render("{{ at|when }} {{ none|when }}", at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC), none=None)
    assert 'datetime="2020-01-02T03:04:05.000Z"' in html
    assert html.endswith("—")
    assert "03:04:05" in render("{% watermark at %}", at=datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_tabs_mark_the_page() -> None:
    html = render("{% tabs entries %}", "/b", entries=[("A", "/a"), ("B", "/b?x=1", 1234)])
    assert html.count("aria-current") == 1
    assert "1,234" in html


def test_pager_keeps_the_address() -> None:
    page = Paginator(range(250), 100).page(2)
    html = render("{% pager page %}", "/c?q=marie&page=2", page=page)
    assert "q=marie&amp;page=1" in html
    assert "q=marie&amp;page=3" in html
    assert "101 to 200 of 250" in html
    assert render("{% pager page %}", page=Paginator([1], 10).page(1)).strip() == ""


def test_more_goes_on_by_cursor() -> None:
    assert 'href="?q=1&amp;cursor=abc%3D"' in render('{% more "abc=" %}', "/c?q=1&cursor=zzz")
    assert render("{% more none %}", none=None).strip() == ""


class _Form(forms.Form):
    name = forms.CharField(label="Name", max_length=3)
    agree = forms.BooleanField(label="Agree")


def test_fields_say_their_errors() -> None:
    html = render("{% for bound in form %}{% field bound %}{% endfor %}", form=_Form({"name": "long"}))
    assert 'for="id_name"' in html
    assert 'aria-invalid="true"' in html
    assert "at most 3 characters" in html
    assert "form-check-input" in html


def test_every_entry_of_the_sidebar_leads_somewhere() -> None:
    for item in navigation.items():
        assert item.url.startswith("/")
        assert assets.icon(item.icon)


def test_the_longest_address_is_the_current_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(navigation, "_items", {})
    navigation.register(navigation.Item("Home", "home", "ui:home", 1))
    navigation.register(navigation.Item("Words", "language", "ui:language", 2, under=("/words/",)))
    assert [entry.current for entry in navigation.entries("/words/3")["main"]] == [False, True]
    assert [entry.current for entry in navigation.entries("/")["main"]] == [True, False]
