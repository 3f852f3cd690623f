"""Liquid, MJML and links: what a template becomes, and what it may not do."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as trial_settings
from hypothesis import strategies as st

from parcours.lib import clock
from parcours.messaging.rendering import liquid, tokens
from parcours.messaging.rendering.compiled import (
    Compiled,
    PartError,
    Rendered,
    Source,
    compile_source,
    personalise,
    tracking,
)

PRODUCTS = {"event": {"products": [{"name": "A & B", "id": 1}, {"name": "C", "id": 2}]}}


def rendered(context: dict[str, Any] | None = None, **source: Any) -> Rendered:
    compiled = compiled_of(**source)
    links = range(1, len(compiled.urls) + 1)
    return personalise(compiled, context or {}, tracking(compiled, send=9, links=links))


def compiled_of(**source: Any) -> Compiled:
    return compile_source(Source(**{"subject": "s", "marketing": False, "track_opens": False, **source}))


def html_of(source: str, context: dict[str, Any] | None = None) -> str:
    found = rendered(context, html=source).html
    assert found is not None
    return found


def mjml(body: str) -> str:
    return f"<mjml><mj-body>{body}</mj-body></mjml>"


def test_a_loop_around_mjml_sections_makes_one_for_each() -> None:
    source = mjml(
        "{% for p in event.products %}<mj-section><mj-column><mj-text>[{{ p.name }}]</mj-text></mj-column>"
        "</mj-section>{% endfor %}"
    )
    found = rendered(PRODUCTS, mjml=source)
    assert found.html is not None
    assert re.findall(r"\[(.*?)\]", re.sub(r"<!--.*?-->|<style.*?</style>", "", found.html, flags=re.S)) == [
        "A &amp; B",
        "C",
    ]
    assert found.html.count("<table") == found.html.count("</table>")
    assert "[A & B]" in found.text


def test_liquid_inside_mjml_attributes_texts_titles_and_tables_comes_back() -> None:
    source = (
        "<mjml><mj-head><mj-title>{{ contact.name }}</mj-title><mj-preview>{{ contact.name }}</mj-preview></mj-head>"
        "<mj-body><mj-section background-color='{{ contact.colour }}'><mj-column>"
        "{% if contact.vip < 3 %}<mj-text>low</mj-text>{% else %}<mj-text>high</mj-text>{% endif %}"
        "<mj-image src='https://x.example/{{ contact.name }}.png' />"
        "<mj-table>{% for p in event.products %}<tr><td>{{ p.id }}</td></tr>{% endfor %}</mj-table>"
        "</mj-column></mj-section></mj-body></mjml>"
    )
    found = rendered({"contact": {"name": "Z", "colour": "#123456", "vip": 5}, **PRODUCTS}, mjml=source).html
    assert found is not None
    assert "<title>Z</title>" in found
    assert "#123456" in found
    assert "high" in found
    assert "low</div>" not in found
    assert 'src="https://x.example/Z.png"' in found
    assert re.findall(r"<td[^>]*>(\d)</td>", found) == ["1", "2"]
    assert not re.search(r"pc[0-9a-f]{8}x\d+z", found)


def test_rows_made_by_a_loop_stay_in_their_table() -> None:
    found = html_of(
        "<table>{% for p in event.products %}<tr><td>{{ p.id }}</td></tr>{% endfor %}</table>", PRODUCTS
    )
    assert "<table><tbody><tr><td>1</td></tr><tr><td>2</td></tr></tbody></table>" in found


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (mjml("\n<mj-include path='/etc/passwd' />"), 2),
        (mjml("\n\n<mj-nothing />"), 3),
        (mjml("<mj-section>\n<mj-column></mj-section>"), 2),
        (mjml("<mj-section><mj-column>\n<mj-social>{{ x }}</mj-social></mj-column></mj-section>"), 2),
        ("no mjml", None),
        ("<mjml><mj-body>", None),
    ],
)
def test_mjml_that_cannot_be_read_is_refused_with_its_line(source: str, line: int | None) -> None:
    with pytest.raises(PartError) as refused:
        compiled_of(mjml=source)
    assert (refused.value.part, refused.value.line) == ("mjml", line)


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in (1..100000000) %}x{% endfor %}",
        "{% for i in (1..9999) %}{% for j in (1..9999) %}x{% endfor %}{% endfor %}",
        "{% for i in (1..9999) %}{% for j in (1..2) %}" + "x" * 100 + "{% endfor %}{% endfor %}",
        "{% tablerow i in (1..100000) %}x{% endtablerow %}",
        "{{ (1..1000000000) | join: ',' }}",
        "{{ (1..1000000000) | sort | size }}",
        "{% assign a = 'aaaaaaaaaa' %}{{ a" + " | replace: 'a', a" * 12 + " }}",
        "{% assign a = 'x' %}{% for i in (1..64) %}{% assign a = a | append: a %}{% endfor %}",
        "{% assign a = '1,2' | split: ',' %}{% for i in (1..64) %}{% assign a = a | concat: a %}{% endfor %}",
        "{% for i in (1..64) %}{% capture a %}{{ a }}{{ a }}x{% endcapture %}{% endfor %}",
        "{% for i in (1..19000) %}{% assign b = '" + "a" * 100_000 + "' | upcase | downcase %}{% endfor %}",
        "{% assign n = 9 %}{% for i in (1..64) %}{% assign n = n | times: n %}{% endfor %}",
    ],
)
def test_a_template_bomb_ends_soon_and_says_so(source: str) -> None:
    began = time.monotonic()
    with pytest.raises(liquid.TemplateError) as refused:
        liquid.render(liquid.parse(source), {})
    assert refused.value.limit
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "source", ["{% include 'x' %}", "{% render 'x' %}", "{% extends 'x' %}", "{% if x %}", "{{ x"]
)
def test_what_is_not_liquid_here_is_refused(source: str) -> None:
    with pytest.raises(liquid.TemplateError):
        liquid.parse(source)


def test_no_filter_lets_a_contacts_markup_through() -> None:
    evil = "<script>alert('x')</script><img src=x onerror=y>&lt;b&gt;\""
    for name in liquid.HTML.filters:
        for arguments in ("", ": 'a'", ": 'a', 'b'", ": 1"):
            try:
                made = liquid.render(
                    liquid.parse(f"{{{{ x | {name}{arguments} }}}}"), {"x": evil, "pc_send": 1}
                )
            except liquid.TemplateError:
                continue
            assert "<script" not in made, (name, made)
            assert "<img" not in made, (name, made)


def test_nothing_of_python_is_within_reach() -> None:
    for path in ("x.__class__", "x.__class__.__mro__", "x.append", "x['__class__']", "contact.__dict__"):
        assert liquid.render(liquid.parse(f"[{{{{ {path} }}}}]"), {"x": "text", "contact": {"a": 1}}) == "[]"


def test_no_control_character_or_half_character_gets_into_a_mail() -> None:
    found = rendered({"x": "a\x00\x0b\ud800b\r\nc"}, subject="{{ x }}", html="<p>{{ x }}</p>", text="{{ x }}")
    assert found.subject == "a b c"
    assert found.html is not None
    assert "<p>ab\nc</p>" in found.html
    assert found.text == "ab\nc"


def test_now_is_the_products() -> None:
    clock.freeze(datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC))
    try:
        assert liquid.render(liquid.parse("{{ 'now' | date: '%Y-%m-%d' }} {{ now | date: '%H' }}"), {}) == (
            "2031-05-04 03"
        )
    finally:
        clock.freeze(None)


def test_only_addresses_whose_host_is_written_are_tracked() -> None:
    source = (
        "<a href=\"https://shop.example/?a=1&amp;b=2\">1</a><a href='HTTP://Shop.example'>2</a>"
        '<a href="https://shop.example/p/{{ p }}">3</a><a href="{{ unsubscribe_url }}">4</a>'
        '<a href="https://shop.example{{ p }}">5</a><a href="https://{{ p }}/x">6</a><a href="mailto:a@b.example">7</a>'
        '<a href="#top">8</a><a href="javascript:alert(1)">9</a><a href="https://shop.example@evil.example/">10</a>'
        '<a href="https://shop.example/?a=1&b=2">again</a>'
    )
    assert compiled_of(html=source).urls == (
        "https://shop.example/?a=1&b=2",
        "HTTP://Shop.example",
        "https://shop.example/p/{{ p }}",
    )


def test_a_computed_address_travels_signed_with_its_token() -> None:
    found = rendered(
        {"p": 'a b&c"<'}, html='<a href="https://shop.example/p/{{ p | url_encode }}?x">go</a>'
    ).html
    assert found is not None
    (address,) = re.findall(r'href="[^"]*/c/([^"]+)"', found)
    token, _, target = address.partition("?u=")
    assert target == "https%3A%2F%2Fshop.example%2Fp%2Fa%2Bb%2526c%2522%253C%3Fx"
    from urllib.parse import unquote

    assert tokens.read_click(token, unquote(target)) == (9, 1)
    with pytest.raises(tokens.BadToken):
        tokens.read_click(token, "https://evil.example/")
    with pytest.raises(tokens.BadToken):
        tokens.read_click(token, None)


def test_styles_load_nothing() -> None:
    found = html_of(
        '<link rel="stylesheet" href="file:///etc/passwd"><link rel="stylesheet" href="http://169.254.169.254/x">'
        '<style>@import "file:///etc/passwd"; @import url(http://169.254.169.254/); p{color:red}</style><p>x</p>'
    )
    assert '<p style="color: red;">x</p>' in found
    assert "root:" not in found


def test_a_marketing_message_without_a_way_out_is_given_one() -> None:
    context = {
        "contact": {"locale": "fr-FR"},
        "account": {"name": "Zoé & Cie", "postal_address": "1 rue X\nParis"},
    }
    found = rendered(context, html="<body><p>x</p></body>", marketing=True)
    assert found.html is not None
    assert f'href="{tokens.unsubscribe_url(9)}"' in found.html
    assert "Se désabonner" in found.html
    assert "Zoé &amp; Cie" in found.html
    assert tokens.unsubscribe_url(9) in found.text
    french = {**context, "contact": {"locale": None}, "account": {"name": "Z", "country": "FR"}}
    assert "Se désabonner" in rendered(french, text="Hi", marketing=True).text
    in_text = rendered({**context, "contact": {"locale": ""}}, text="Hi", marketing=True).text
    assert f"Unsubscribe: {tokens.unsubscribe_url(9)}" in in_text
    written = rendered(context, html='<a href="{{ unsubscribe_url }}">out</a>', marketing=True).html
    assert written is not None
    assert written.count("/u/") == 1


@given(st.text(st.sampled_from("{}%| .<>\"'/apif=-!\n"), max_size=60))
@trial_settings(max_examples=100, deadline=None)
def test_any_source_is_compiled_or_refused(text: str) -> None:
    for source in (
        {"html": text + "<p>x</p>"},
        {"mjml": mjml(text)},
        {"text": text or "x"},
        {"subject": text, "text": "x"},
    ):
        try:
            rendered({}, **source)
        except PartError:
            continue
