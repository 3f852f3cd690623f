"""What browser tests of the builder share: its words in both languages, and how a criterion is chosen."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

TEXTS = {
    "fr": {
        "add": "Ajouter un critère", "group": "Ajouter un groupe", "city": "Ville", "orders": "Commandes passées",
        "opened": "E-mails ouverts", "often": "Combien de fois", "times": "Nombre de fois", "when": "Quand",
        "filter": "Ajouter un filtre", "property": "Propriété", "mode": "Ce que le contact doit remplir",
        "name": "Nom", "save": "Enregistrer le segment", "undo": "Annuler la dernière action", "redo": "Rétablir",
        "value": "Valeur : Ville", "total": "Valeur : Total", "compare": "Comparaison : Total", "duration": "Durée",
        "remove": "Retirer Ville", "up": "Monter Ville", "down": "Descendre Ville", "made": "est créé",
        "sentence": "a pour ville « Lyon », a passé au moins 2 commandes de plus de 50 €"
        " dans les 90 derniers jours et n’a ouvert aucun e-mail",
        "search": "Chercher un champ, un événement, une liste…",
        "missing": "Il manque une valeur.", "complete": "Complétez les critères", "tag": "Étiquette",
        "untagged": "ou ne porte pas l’étiquette", "compare_yes": "Comparaison : abonné", "yes": "Oui", "no": "Non",
        "value_offer": "Valeur : offre", "created": "Création", "compare_created": "Comparaison : Création",
        "over_fifty": "de plus de 50", "after": "a été créé après le 2 janvier 2026",
        "before": "a été créé avant le 2 janvier 2026", "until": "a été créé le 2 janvier 2026 ou avant",
        "on": "a été créé le 2 janvier 2026", "country": "Pays", "value_country": "Valeur : Pays", "swiss": "Suisse",
        "has_country": "a pour pays « Suisse »", "compare_segment": "Comparaison : Segment",
        "compare_journey": "Comparaison : Scénario",
        "named": "est dans la liste « Lettre du mardi », porte l’étiquette « mardi », n’est pas dans le segment"
        " « Fidèles du mardi » et est en cours dans le scénario « Bienvenue du mardi »",
        "circle": "Un segment ne peut pas dépendre de lui-même : « Fidèles du mardi » → « Autour » →"
        " « Fidèles du mardi ».",
    },
    "en": {
        "add": "Add a criterion", "group": "Add a group", "city": "City", "orders": "Orders placed",
        "opened": "Opened", "often": "How often", "times": "Number of times", "when": "When",
        "filter": "Add a filter", "property": "Property", "mode": "What the contact has to meet",
        "name": "Name", "save": "Save the segment", "undo": "Undo", "redo": "Redo",
        "value": "Value: City", "total": "Value: Total", "compare": "Comparison: Total", "duration": "Duration",
        "remove": "Remove City", "up": "Move City up", "down": "Move City down", "made": "is made",
        "sentence": "has the city “Lyon”, has placed at least 2 orders of more than €50 in the last 90 days"
        " and has opened no e-mail",
        "search": "Search a field, an event, a list…",
        "missing": "A value is missing.", "complete": "Complete the criteria", "tag": "Tag",
        "untagged": "or does not bear the tag", "compare_yes": "Comparison: abonné", "yes": "Yes", "no": "No",
        "value_offer": "Value: offre", "created": "Created", "compare_created": "Comparison: Created",
        "over_fifty": "of more than €50", "after": "was created after 2 January 2026",
        "before": "was created before 2 January 2026", "until": "was created on or before 2 January 2026",
        "on": "was created on 2 January 2026", "country": "Country", "value_country": "Value: Country",
        "swiss": "Switzerland", "has_country": "has the country “Switzerland”",
        "compare_segment": "Comparison: Segment",
        "compare_journey": "Comparison: Journey",
        "named": "is on the list “Lettre du mardi”, bears the tag “mardi”, is not in the segment"
        " “Fidèles du mardi” and is under way in the journey “Bienvenue du mardi”",
        "circle": "A segment cannot depend on itself: “Fidèles du mardi” → “Autour” → “Fidèles du mardi”.",
    },
}  # fmt: skip
ORDERS = {
    "event": "order.placed",
    "count": {"op": "gte", "value": 2},
    "window": {"last": "90d"},
    "where": [{"property": "total", "op": "gt", "value": 50}],
}
COMPOSED = {
    "all": [{"field": "city", "op": "eq", "value": "Lyon"}, ORDERS, {"not": {"event": "email.opened"}}]
}


def choose(page: Page, within: Locator, words: dict[str, str], text: str, *, keys: bool) -> None:
    """Add a criterion to a group by its name: with the keyboard alone, or with the mouse."""
    add = within.get_by_role("button", name=words["add"], exact=True).last
    if keys:
        add.focus()
        page.keyboard.press("Enter")
    else:
        add.click()
    search = page.get_by_role("combobox", name=words["search"])
    expect(search).to_be_focused()
    search.fill(text)
    option = page.get_by_role("option", name=text).first
    expect(option).to_be_visible()
    if keys:
        for _ in range(30):
            if option.get_attribute("aria-selected") == "true":
                break
            page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
    else:
        option.click()
    expect(search).to_have_count(0)


def plain(text: str) -> str:
    """A text as one types it: with common spaces."""
    return text.replace("\u00a0", " ").replace("\u202f", " ").strip()


def saved(page: Page) -> Any:
    """The criteria that the form would send."""
    return json.loads(page.locator("#id_criteria").input_value())
