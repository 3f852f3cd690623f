"""What browser tests of contacts share: their words in both languages, and accounts with people in them."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.fixtures.browser import Visits
from tests.fixtures.installation import Account, Installation

WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "12 contacts": "12 contacts",
        "6 contacts": "6 contacts",
        "4 contacts": "4 contacts",
        "2 contacts": "2 contacts",
        "filter": "Filtrer et trier",
        "tag": "Étiquette",
        "segment": "Segment",
        "order": "Ordre",
        "by_email": "Par adresse e-mail",
        "apply": "Appliquer",
        "remove_filter": "Retirer le filtre Étiquette\u00a0: vip",
        "on_these_4": "Actions sur ces 4 contacts",
        "on_these_6": "Actions sur ces 6 contacts",
        "put_on_a_list": "Mettre sur une liste",
        "take_off_a_list": "Retirer d’une liste",
        "add_a_tag": "Ajouter une étiquette",
        "remove_a_tag": "Retirer une étiquette",
        "set_an_attribute": "Définir un attribut",
        "list": "Liste",
        "attribute": "Attribut",
        "value": "Valeur",
        "consent": "Consentement",
        "opted_in": "Abonné",
        "opted_out": "Désabonné",
        "respected": "Désabonnements respectés",
        "done": "L’action est faite.",
        "undone": "L’action est annulée.",
        "undo": "Annuler l’action",
        "select": "Sélectionner Léo Lefèvre{}",
        "select_all": "Tout sélectionner sur cette page",
        "on_selection": "Actions sur la sélection",
        "type_2": "Tapez 2 pour confirmer",
        "erase": "Effacer",
        "wrong_number": "Ce n’est pas le nombre de personnes qui seraient effacées.",
        "nobody": "Personne ne répond à cette recherche",
        "everybody": "Voir tout le monde",
        "add": "Ajouter un contact",
        "add_it": "Ajouter le contact",
        "needed": "Un contact a besoin d’une adresse e-mail",
        "first_name": "Prénom",
        "last_name": "Nom",
        "email": "Adresse e-mail",
        "agreed": "Cette personne a accepté de recevoir des e-mails",
        "added": "Le contact est ajouté.",
        "known": "Ce contact était déjà connu\u00a0: il est mis à jour.",
        "actions": "Actions",
        "erase_person": "Effacer cette personne",
        "erased": "Cette personne est effacée.",
        "edit": "Modifier",
        "not_an_address": "«\u00a0pas une adresse\u00a0» n’est pas une adresse e-mail.",
        "city": "Ville",
        "save": "Enregistrer",
        "saved": "Le profil est enregistré.",
        "record_consent": "Enregistrer un consentement",
        "source": "D’où vient ce consentement",
        "record": "Enregistrer ce consentement",
        "say_again": "Cette personne s’est désabonnée\u00a0: dites",
        "again": "demande qu’on lui écrive à nouveau",
        "tag_add": "Ajouter",
        "remove_tag": "Retirer l’étiquette «\u00a0Noël\u00a0»",
        "off_list": "Retirer de la liste «\u00a0Lettre\u00a0»",
        "no_list": "Sur aucune liste.",
        "on_list": "Mettre sur la liste",
        "no_journey": "Dans aucun scénario jusqu’ici.",
        "profile": "Profil",
        "created": "Contact créé",
        "joined": "Ajouté à une liste",
        "attribute_name": "Nom de l’attribut",
        "declare": "Déclarer l’attribut",
        "declared": "L’attribut est déclaré.",
        "type": "Type",
        "yes_or_no": "Oui ou non",
        "delete_attribute": "Supprimer l’attribut",
        "delete": "Supprimer",
        "tag_actions": "Actions sur l’étiquette {}",
        "rename_or_merge": "Renommer ou fusionner",
        "new_name": "Nouveau nom",
        "rename": "Renommer",
        "no_tag": "Aucune étiquette ne porte ce nom",
        "search_tag": "Chercher une étiquette",
        "search_list": "Chercher une liste",
        "search_person": "Chercher un nom, une adresse ou un numéro",
        "no_such_list": "Aucune liste ne porte ce nom",
        "list_name": "Nom de la liste",
        "create_list": "Créer la liste",
        "list_made": "La liste «\u00a0Salon\u00a0» est créée.",
        "who": "Adresse e-mail, numéro de téléphone ou identifiant externe",
        "no_such_contact": "Aucun contact n’a cette adresse, ce numéro ou cet identifiant externe.",
        "is_on_list": "Le contact est sur la liste.",
        "take_off": "Retirer",
        "is_off_list": "Le contact est retiré de la liste.",
        "list_changed": "La liste est modifiée.",
        "delete_list": "Supprimer la liste",
        "list_deleted": "La liste «\u00a0Salon de mars\u00a0» est supprimée. Ses contacts restent.",
        "export": "Exporter en tant que CSV",
        "all_columns": "Toutes",
    },
    "en": {
        "12 contacts": "12 contacts",
        "6 contacts": "6 contacts",
        "4 contacts": "4 contacts",
        "2 contacts": "2 contacts",
        "filter": "Filter and sort",
        "tag": "Tag",
        "segment": "Segment",
        "order": "Order",
        "by_email": "By e-mail address",
        "apply": "Apply",
        "remove_filter": "Remove the filter Tag: vip",
        "on_these_4": "Actions on these 4 contacts",
        "on_these_6": "Actions on these 6 contacts",
        "put_on_a_list": "Put on a list",
        "take_off_a_list": "Take off a list",
        "add_a_tag": "Add a tag",
        "remove_a_tag": "Remove a tag",
        "set_an_attribute": "Set an attribute",
        "list": "List",
        "attribute": "Attribute",
        "value": "Value",
        "consent": "Consent",
        "opted_in": "Opted in",
        "opted_out": "Opted out",
        "respected": "Opt-outs respected",
        "done": "The action is done.",
        "undone": "The action is undone.",
        "undo": "Undo the action",
        "select": "Select Léo Lefèvre{}",
        "select_all": "Select all on this page",
        "on_selection": "Actions on the selection",
        "type_2": "Type 2 to confirm",
        "erase": "Erase",
        "wrong_number": "This is not the number of people who would be erased.",
        "nobody": "Nobody matches this search",
        "everybody": "See everybody",
        "add": "Add a contact",
        "add_it": "Add the contact",
        "needed": "A contact needs an e-mail address",
        "first_name": "First name",
        "last_name": "Last name",
        "email": "E-mail address",
        "agreed": "This person agreed to receive e-mails",
        "added": "The contact is added.",
        "known": "This contact was known already: it is updated.",
        "actions": "Actions",
        "erase_person": "Erase this person",
        "erased": "This person is erased.",
        "edit": "Edit",
        "not_an_address": "“pas une adresse” is not an e-mail address.",
        "city": "City",
        "save": "Save",
        "saved": "The profile is saved.",
        "record_consent": "Record a consent",
        "source": "Where this consent comes from",
        "record": "Record",
        "say_again": "This person opted out: say that",
        "again": "asks to be written to again",
        "tag_add": "Add",
        "remove_tag": "Remove the tag “Noël”",
        "off_list": "Take off the list “Lettre”",
        "no_list": "On no list.",
        "on_list": "Put on the list",
        "no_journey": "In no journey so far.",
        "profile": "Profile",
        "created": "Contact created",
        "joined": "Joined a list",
        "attribute_name": "Name of the attribute",
        "declare": "Declare the attribute",
        "declared": "The attribute is declared.",
        "type": "Type",
        "yes_or_no": "Yes or no",
        "delete_attribute": "Delete the attribute",
        "delete": "Delete",
        "tag_actions": "Actions on the tag {}",
        "rename_or_merge": "Rename or merge",
        "new_name": "New name",
        "rename": "Rename",
        "no_tag": "No tag bears this name",
        "search_tag": "Search a tag",
        "search_list": "Search a list",
        "search_person": "Search a name, an address or a number",
        "no_such_list": "No list bears this name",
        "list_name": "Name of the list",
        "create_list": "Create the list",
        "list_made": "The list “Salon” is made.",
        "who": "E-mail address, phone number or external id",
        "no_such_contact": "No contact has this address, number or external id.",
        "is_on_list": "The contact is on the list.",
        "take_off": "Take off",
        "is_off_list": "The contact is off the list.",
        "list_changed": "The list is changed.",
        "delete_list": "Delete the list",
        "list_deleted": "The list “Salon de mars” is deleted. Its contacts stay.",
        "export": "Export as CSV",
        "all_columns": "All of them",
    },
}


def with_people(installation: Installation, way: str) -> Account:
    """An account of its own, with a dozen contacts, a list, a segment, attributes and tags."""
    account = installation.create_account("Atelier Mimosa", email=f"jeanne.{way}@example.org")
    with installation.api(account) as api:
        news = api.post("lists", json={"name": "Lettre"}).json()["id"]
        for name, kind in (("points", "number"), ("birthday", "date"), ("gift", "text")):
            api.post("attributes", json={"name": name, "type": kind})
        people: list[dict[str, Any]] = [
            {
                "email": f"p{number}@mimosa.example",
                "first_name": "Zoé" if number == 0 else "Léo",
                "last_name": f"Lefèvre{number}",
                "tags": ["vip"] if number % 3 == 0 else [],
                "consents": {"email": "opted_out" if number in (1, 7) else "opted_in"},
                "attributes": {"points": number},
                "lists": [news] if number < 2 else [],
            }
            for number in range(12)
        ]
        taken = api.post(
            "contacts/import?wait=true",
            content="\n".join(json.dumps(person) for person in people),
            headers={"Content-Type": "application/x-ndjson"},
        )
        assert taken.json()["accepted"] == 12, taken.text
        criteria = {"all": [{"field": "attributes.points", "op": "gte", "value": 6}]}
        assert api.post("segments", json={"name": "Fidèles", "criteria": criteria}).status_code == 201
    return account


def refused_forms(visits: Visits) -> None:
    """A form refused answers 422, which the browser tells as an error: here it was asked for."""
    visits.faults[:] = [fault for fault in visits.faults if "status of 422" not in fault]


def agree(page: Page, action: str) -> None:
    """Press a button that asks first, and say yes."""
    page.get_by_role("button", name=action, exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name=action, exact=True).click()


def settle(page: Page, said: str) -> None:
    """Wait until an action in bulk says that it is done, or undone."""
    expect(page.get_by_text(said)).to_be_visible(timeout=30_000)


def figure(page: Page, number: int) -> Locator:
    """A tile of an action's page: 0 those changed, 1 those unchanged."""
    return page.locator(".figure-tile").nth(number)
