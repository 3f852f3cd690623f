"""Criteria with what is said of them, in French and in English."""

from __future__ import annotations

from typing import Any

NAMES = {
    ("list", "3"): "Newsletter",
    ("segment", "4"): "Fidèles",
    ("journey", "3"): "Bienvenue",
    ("step", "3/a"): "Attente",
    ("message", "5"): "Promo",
    ("campaign", "c1"): "Été",
    ("form", "f1"): "Contactez-nous",
    ("stage", "gagne"): "Gagnée",
    ("language", "fr-FR"): "Français (France)",
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
        "has placed fewer than 3 orders (or none)",
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
        "a été créé après le 1er août 2026 à 00:00",
        "was created after 1 August 2026 at 00:00",
    ),
    (
        field("last_seen_at", "after", "2026-08-01T23:59:59.999"),
        "a été vu pour la dernière fois après le 1er août 2026",
        "was last seen after 1 August 2026",
    ),
    (
        field("created_at", "before", "2026-08-01"),
        "a été créé avant le 1er août 2026",
        "was created before 1 August 2026",
    ),
    (
        field("created_at", "between", ["2026-08-01", "2026-08-31T23:59:59.999"]),
        "a été créé entre le 1er août 2026 et le 31 août 2026",
        "was created between 1 August 2026 and 31 August 2026",
    ),
    (
        field("created_at", "in", ["2026-08-01", "2026-08-31"]),
        "a été créé le 1er août 2026 ou le 31 août 2026",
        "was created on 1 August 2026 or 31 August 2026",
    ),
    (
        field("attributes.naissance", "lte", "2026-08-31"),
        "a «_naissance_» le 31 août 2026 ou avant",
        "has “naissance” on or before 31 August 2026",
    ),
    (
        field("locale", "eq", "fr-FR"),
        "a pour langue «_Français (France)_»",
        "has the language “Français (France)”",
    ),
    (
        ORDER | where("products.category", "eq", "Vélo"),
        "a passé au moins une commande dont la catégorie du produit est «_Vélo_»",
        "has placed at least one order whose product category is “Vélo”",
    ),
    (
        ORDER | where("products.price", "gt", 20),
        "a passé au moins une commande dont le prix du produit est de plus de 20_€",
        "has placed at least one order whose product price is more than €20",
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
        "has placed fewer than 2 orders (or none) and does not have the city “Paris”",
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
