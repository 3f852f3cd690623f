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
from parcours.criteria.tests.test_against_oracle import in_runs, whole
from parcours.criteria.words import acts, nouns, say
from parcours.events import catalogue
from parcours.lib.problems import Invalid

NAMES = {
    ("list", "3"): "Newsletter",
    ("segment", "4"): "Fidèles",
    ("journey", "3"): "Bienvenue",
    ("step", "3/a"): "Attente",
    ("message", "5"): "Promo",
    ("campaign", "c1"): "Été",
    ("form", "f1"): "Contactez-nous",
    ("stage", "gagne"): "Gagnée",
}
ORDER = {"event": "order.placed"}
LAST = {"window": {"last": "90d"}}
NONE = {"count": {"op": "eq", "value": 0}}


def where(property: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"where": [{"property": property, "op": op, "value": value}]}


def count(op: str, value: Any) -> dict[str, Any]:
    return {"count": {"op": op, "value": value}}


def total(kind: str, op: str, value: Any = None) -> dict[str, Any]:
    return {kind: {"property": "total", "op": op, "value": value}}


def field(name: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


# criteria, French, English; "_" stands for a no-break space, "~" for a narrow one.
SENTENCES: list[tuple[Any, str, str]] = [
    (
        ORDER | where("total", "gt", 50) | LAST | count("gte", 2),
        "a passé au moins 2 commandes de plus de 50_€ dans les 90 derniers jours",
        "has placed at least 2 orders of more than €50 in the last 90 days",
    ),
    (ORDER, "a passé au moins une commande", "has placed at least one order"),
    (
        ORDER | NONE | {"window": {"last": "1d"}},
        "n’a passé aucune commande dans le dernier jour",
        "has placed no order in the last day",
    ),
    (
        ORDER | count("lt", 3),
        "a passé moins de 3 commandes (ou aucune)",
        "has placed less than 3 orders (or none)",
    ),
    (ORDER | count("eq", 1), "a passé exactement 1 commande", "has placed exactly 1 order"),
    (
        ORDER | count("between", [2, 5]),
        "a passé entre 2 et 5 commandes",
        "has placed between 2 and 5 orders",
    ),
    (ORDER | count("in", [1, 3]), "a passé 1 ou 3 commandes", "has placed 1 or 3 orders"),
    (
        ORDER | count("ne", 2),
        "a passé un nombre de commandes autre que 2",
        "has placed any number of orders but 2",
    ),
    (
        ORDER | {"window": {"last": "365d"}} | total("sum", "gt", 1500.5),
        "a passé au moins une commande dans les 365 derniers jours, la somme du total étant de plus de 1~500,50_€",
        "has placed at least one order in the last 365 days, the sum of total being more than €1,500.50",
    ),
    (
        ORDER | total("avg", "between", [10, 20]),
        "a passé au moins une commande, la moyenne du total étant entre 10_€ et 20_€",
        "has placed at least one order, the average of total being between €10 and €20",
    ),
    (
        {"event": "email.opened"} | where("email_id", "eq", "5") | count("gte", 3),
        "a ouvert au moins 3 fois un e-mail dont le message est «_Promo_»",
        "has opened an e-mail whose message is “Promo” at least 3 times",
    ),
    (
        {"event": "page.viewed", "window": {"from": "2026-03-01", "to": "2026-03-31"}}
        | where("path", "starts_with", "/tarifs"),
        "a vu une page dont le chemin commence par «_/tarifs_» du 1er mars 2026 au 31 mars 2026",
        "has viewed a page whose path starts with “/tarifs” from 1 March 2026 to 31 March 2026",
    ),
    (
        {"event": "page.viewed", "window": {"to": "2026-03-31T12:00:00Z"}} | NONE,
        "n’a vu aucune page avant le 31 mars 2026 à 14:00",
        "has viewed no page before 31 March 2026 at 14:00",
    ),
    (
        {"event": "page.viewed", "window": {"from": "2026-03-01"}},
        "a vu une page depuis le 1er mars 2026",
        "has viewed a page since 1 March 2026",
    ),
    (
        {"event": "form.submitted"} | where("form_id", "in", ["f1", "f2"]),
        "a soumis un formulaire dont le formulaire est «_Contactez-nous_» ou «_f2_»",
        "has submitted a form whose form is “Contactez-nous” or “f2”",
    ),
    (
        {"event": "email.clicked"} | where("machine", "eq", True),
        "a cliqué dans un e-mail (par une machine)",
        "has clicked in an e-mail (by a machine)",
    ),
    (
        {"event": "inscription"} | where("offre", "not_in", ["a", "b"]),
        "a fait «_inscription_» dont «_offre_» n’est ni «_a_» ni «_b_»",
        "has done “inscription” whose “offre” is neither “a” nor “b”",
    ),
    ({"event": "inscription"} | NONE, "n’a jamais fait «_inscription_»", "has never done “inscription”"),
    (
        {"event": "*"} | where("campaign_id", "eq", "c1"),
        "a fait au moins une action dont la campagne est «_Été_»",
        "has taken at least one action whose campaign is “Été”",
    ),
    (
        {"event": "email.clicked", "scope": "run"} | where("order_id", "eq", {"run": "key"}),
        "a cliqué dans un e-mail dont le numéro de commande est la clé de cette inscription"
        " depuis son entrée dans ce scénario",
        "has clicked in an e-mail whose order number is the key of this run since entering this journey",
    ),
    (field("city", "eq", "Paris"), "a pour ville «_Paris_»", "has the city “Paris”"),
    (field("city", "ne", "Paris"), "n’a pas pour ville «_Paris_»", "does not have the city “Paris”"),
    (
        field("country", "in", ["FR", "BE", "CH"]),
        "a pour pays «_FR_», «_BE_» ou «_CH_»",
        "has the country “FR”, “BE” or “CH”",
    ),
    (
        field("country", "not_in", ["FR", "BE"]),
        "n’a pour pays ni «_FR_» ni «_BE_»",
        "has neither the country “FR” nor “BE”",
    ),
    (
        field("city", "in", []),
        "a pour ville une valeur d’une liste vide",
        "has a city of an empty list of values",
    ),
    (
        field("email", "not_contains", "gmail"),
        "n’a pas d’e-mail contenant «_gmail_»",
        "has no e-mail address containing “gmail”",
    ),
    (field("phone", "missing"), "n’a pas de numéro de téléphone", "has no phone number"),
    (field("first_name", "exists"), "a un prénom", "has a first name"),
    (
        field("created_at", "within_last", "2w"),
        "a été créé dans les 2 dernières semaines",
        "was created in the last 2 weeks",
    ),
    (
        field("created_at", "not_within_last", "90d"),
        "a été créé hors des 90 derniers jours",
        "was created outside the last 90 days",
    ),
    (
        field("last_seen_at", "before", "90d"),
        "a été vu pour la dernière fois il y a plus de 90 jours",
        "was last seen more than 90 days ago",
    ),
    (
        field("created_at", "after", "2026-08-01"),
        "a été créé après le 1er août 2026",
        "was created after 1 August 2026",
    ),
    (
        field("attributes.age", "between", [18, 1250.5]),
        "a «_age_» entre 18 et 1~250,5",
        "has “age” between 18 and 1,250.5",
    ),
    (field("attributes.vip", "eq", True), "a «_vip_» égal à oui", "has “vip” equal to yes"),
    (
        field("attributes.plan", "not_in", ["Pro", "Free"]),
        "n’a «_plan_» égal ni à «_Pro_» ni à «_Free_»",
        "does not have “plan” equal to “Pro” or “Free”",
    ),
    (
        field("attributes.plan", "missing"),
        "n’a pas «_plan_» renseigné",
        "does not have “plan” filled in",
    ),
    (
        field("attributes.naissance", "within_next", "30d"),
        "a «_naissance_» dans les 30 prochains jours",
        "has “naissance” in the next 30 days",
    ),
    (
        field("deal.stage", "in", ["gagne", "devis"]),
        "a pour phase de transaction «_Gagnée_» ou «_devis_»",
        "has the deal stage “Gagnée” or “devis”",
    ),
    (
        field("deal.amount", "gte", 1000),
        "a un montant de transaction d’au moins 1~000_€",
        "has a deal amount of at least €1,000",
    ),
    (
        field("deal.close_date", "within_next", "30d"),
        "a une date de clôture prévue de transaction dans les 30 prochains jours",
        "has a deal close date in the next 30 days",
    ),
    (
        {"consent": "email", "op": "eq", "value": "opted_in"},
        "a accepté de recevoir des e-mails",
        "has agreed to receive e-mails",
    ),
    (
        {"consent": "sms", "op": "ne", "value": "pending"},
        "a accepté ou refusé de recevoir des SMS",
        "has agreed or refused to receive SMS",
    ),
    ({"tag": "VIP", "op": "has_not"}, "ne porte pas l’étiquette «_VIP_»", "does not bear the tag “VIP”"),
    ({"list": "3", "op": "member"}, "est dans la liste «_Newsletter_»", "is on the list “Newsletter”"),
    ({"list": 9, "op": "not_member"}, "n’est pas dans la liste «_9_»", "is not on the list “9”"),
    ({"segment": 4, "op": "member"}, "est dans le segment «_Fidèles_»", "is in the segment “Fidèles”"),
    (
        {"journey": "3", "op": "not_entered"},
        "n’est jamais entré dans le scénario «_Bienvenue_»",
        "has never entered the journey “Bienvenue”",
    ),
    (
        {"journey": "3", "step": "a", "op": "active"},
        "est à l’étape «_Attente_» du scénario «_Bienvenue_»",
        "is at the step “Attente” of the journey “Bienvenue”",
    ),
    (
        {"journey": "3", "op": "exited"},
        "est sorti du scénario «_Bienvenue_»",
        "has left the journey “Bienvenue”",
    ),
    ({"all": []}, "est n’importe quel contact", "is any contact"),
    ({"any": []}, "n’est aucun contact", "is no contact"),
    (
        {
            "all": [
                {"tag": "a", "op": "has"},
                {"any": [ORDER, {"list": 3, "op": "member"}]},
                {"not": {"event": "email.opened"}},
            ]
        },
        "porte l’étiquette «_a_», (a passé au moins une commande ou est dans la liste «_Newsletter_»)"
        " et n’a ouvert aucun e-mail",
        "bears the tag “a”, (has placed at least one order or is on the list “Newsletter”) and has opened no e-mail",
    ),
    (
        {"not": {"any": [ORDER | count("gte", 2), field("city", "eq", "Paris")]}},
        "a passé moins de 2 commandes (ou aucune) et n’a pas pour ville «_Paris_»",
        "has placed less than 2 orders (or none) and does not have the city “Paris”",
    ),
    ({"not": {"not": {"tag": "a", "op": "has"}}}, "porte l’étiquette «_a_»", "bears the tag “a”"),
    (
        {"not": ORDER | total("sum", "gt", 5)},
        "ne remplit pas cette condition_: (a passé au moins une commande, la somme du total étant de plus de 5_€)",
        "does not meet this condition: (has placed at least one order, the sum of total being more than €5)",
    ),
    ({}, "… (critère à compléter)", "… (criterion to complete)"),
    ({"event": "order.placed", "window": {"last": ""}, "count": {"op": "gte"}}, *(
        "a passé au moins … commandes dans les derniers …", "has placed at least … orders in the last …",
    )),
]  # fmt: skip


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
