"""Criteria in words: exact sentences in both languages, and never an operator's name nor an error."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parcours.criteria.context import Context
from parcours.criteria.parse import BUILT_IN, DEAL_FIELDS, parse
from parcours.criteria.parse_tests import ALL_OPERATORS
from parcours.criteria.tests import worlds
from parcours.criteria.tests.sentences import NAMES, ORDER, SENTENCES, field, where
from parcours.criteria.tests.test_against_oracle import in_runs, whole
from parcours.criteria.words import acts, nouns, say
from parcours.events import catalogue
from parcours.lib.problems import Invalid


@pytest.mark.parametrize("place", range(len(SENTENCES)))
def test_sentences(place: int) -> None:
    criteria, french, english = SENTENCES[place]
    said: dict[str, Any] = {"names": NAMES, "currency": "EUR", "zone": "Europe/Paris"}
    assert say.sentence(criteria, language="fr", **said) == french.replace("_", "\u00a0").replace(
        "~", "\u202f"
    )
    assert say.sentence(criteria, language="en", **said) == english


def test_phrases_are_nested_as_the_document_is() -> None:
    criteria = {"all": [{"tag": "a", "op": "has"}, {"not": {"any": [ORDER, {"list": 3, "op": "member"}]}}]}
    whole = say.phrases(criteria, language="en", names=NAMES)
    assert (whole.pointer, whole.text) == ("", "meets all of these conditions")
    first, second = whole.children
    assert (first.pointer, first.text) == ("/all/0", "bears the tag “a”")
    assert (second.pointer, second.text) == ("/all/1", "meets none of these conditions")
    assert [child.pointer for child in second.children] == ["/all/1/not/any/0", "/all/1/not/any/1"]
    assert say.phrases({"not": ORDER}, language="fr", names={}).text == "n’a passé aucune commande"


def test_what_is_mentioned_by_id() -> None:
    criteria = {
        "any": [
            {"list": 3, "op": "member"},
            {"not": {"journey": "3", "step": "a", "op": "active"}},
            {"event": "form.viewed", "where": [{"property": "form_id", "op": "in", "value": ["f1", "f2"]}]},
        ]
    }
    keys = {("list", "3"), ("journey", "3"), ("step", "3/a"), ("form", "f1"), ("form", "f2")}
    assert say.mentioned(criteria) == keys


def test_every_event_and_field_has_its_words() -> None:
    assert acts.known() == {"*", *catalogue.EVENTS}
    assert set(nouns.FIELDS) == {*BUILT_IN, *DEAL_FIELDS}
    filters = {one.property for event in catalogue.EVENTS.values() for one in event.filters}
    browser = {one.property for one in catalogue.BROWSER_FILTERS}
    assert all(nouns.property_noun(name, "fr") for name in filters | browser)


def test_currencies_and_long_values() -> None:
    dollars = ORDER | where("total", "gte", 12.5)
    assert say.sentence(dollars, language="en", names={}, currency="CHF").endswith("at least CHF\u00a012.50")
    many = field("city", "in", [f"V{n}" for n in range(30)])
    assert say.sentence(many, language="fr", names={}).endswith("«\u00a0V5\u00a0» ou 24 autres valeurs")
    long = field("city", "eq", "x\n" * 4_000)
    assert len(say.sentence(long, language="fr", names={})) < 200


_WORDS_AS_WELL = {"in", "before", "after", "between", "exists", "ne", "contains", "missing"}
_CODES = re.compile(rf"\b({'|'.join({*ALL_OPERATORS, 'opted_in', 'opted_out'} - _WORDS_AS_WELL)})\b")
ACCOUNT = worlds.Account(worlds.draw(1))


def _said(criteria: Any) -> None:
    for language in ("fr", "en"):
        said = say.sentence(criteria, language=language, names={}, zone="Europe/Paris")
        assert said.strip()
        bare = re.sub(r"«[^»]*»|“[^”]*”", "", said)
        assert not _CODES.search(bare), said
        assert "…" not in bare, said
        tree = say.phrases(criteria, language=language, names={}, zone="Europe/Paris")
        stack = [tree]
        while stack:
            one = stack.pop()
            assert one.text.strip()
            stack.extend(one.children)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.one_of(whole, in_runs))
def test_whatever_reads_is_said(criteria: list[Any]) -> None:
    for one in criteria:
        try:
            parse(one, context=Context(resolver=ACCOUNT, in_run=True))
        except Invalid:
            continue
        _said(one)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(ALL_OPERATORS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "all any not field consent tag list segment journey step event where window count op value sum avg"
                " scope last from to property".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(json_values)
def test_whatever_is_written_is_said_without_an_error(criteria: Any) -> None:
    for language in ("fr", "en"):
        assert say.sentence(criteria, language=language, names={}).strip()
        assert say.phrases(criteria, language=language, names={}).text.strip()
    assert say.mentioned(criteria) is not None


def test_deep_and_large_documents_are_said_soon() -> None:
    deep: Any = {"all": []}
    for _ in range(5_000):
        deep = {"not": deep}
    large = {"all": [{"any": [ORDER] * 100}] * 100}
    for criteria in (deep, large):
        assert len(say.sentence(criteria, language="fr", names={})) < 50_000
        assert say.phrases(criteria, language="fr", names={}).text
