"""What browser tests of segments share: their words in both languages, an installation, rows and their menus."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Locator, Page

from tests.fixtures.installation import Account, Installation

#: An hour passes in six seconds: a segment that nobody computes is soon late.
CLOCK = "2026-11-16T09:00:00Z*600"
EVERYONE: dict[str, Any] = {"all": []}
BUYERS = {
    "all": [
        {"field": "city", "op": "eq", "value": "Évreux"},
        {"event": "order.placed", "count": {"op": "gte", "value": 2}, "window": {"last": "90d"}},
    ]
}
WORDS = {
    "fr": {
        "title": "Segments",
        "new": "Nouveau segment",
        "computing": "En cours",
        "late": "En retard",
        "ready": "À jour",
        "paused": "En pause",
        "see": "Voir les profils",
        "edit": "Modifier",
        "more": "Autres actions sur",
        "refresh": "Mettre à jour maintenant",
        "duplicate": "Dupliquer",
        "pause": "Mettre en pause",
        "activate": "Activer",
        "delete": "Supprimer",
        "copy": "(copie)",
        "not_begun": "Son calcul n’a pas commencé",
        "none": "Pas encore de segment",
        "columns": ["Nom et prénom", "E-mail", "Date d’entrée", "E-mail opt-in", "SMS opt-in"],
        "changes": "Entrées et sorties",
        "folders": "Dossiers",
        "no_folder_yet": "Pas encore de dossier",
        "name": "Nom",
        "create_folder": "Créer le dossier",
        "new_name": "Nouveau nom de « {} »",
        "tick": "Cocher « {} »",
        "tick_all": "Cocher tous les segments de cette page",
        "move_to": "Déplacer les segments cochés vers",
        "move": "Déplacer",
        "moved": "2 segments sont maintenant dans « Saisons ».",
        "moved_out": "2 segments ne sont plus dans aucun dossier.",
        "folder": "Dossier",
        "no_folder": "Aucun dossier",
        "rename": "Renommer",
        "search": "Chercher un segment",
        "search_profile": "Chercher un profil",
        "profiles": "{} profils",
        "found": "15 profils trouvés",
        "export": "Exporter en tant que CSV",
        "next": "Suivant",
        "first_page": "Revenir à la première page",
        "range": "1 à 50 sur 300",
        "second_range": "51 à 100 sur 300",
        "none_found": "Aucun segment ne porte ce nom",
        "all": "Voir tous les segments",
        "used": "« Base » est utilisé, et ne peut pas être supprimé.",
        "journey": "Scénario",
        "empty": "Personne dans ce segment",
        "nobody_found": "Personne ne répond à cette recherche",
        "everybody": "Voir tout le monde",
        "unused": "Rien ne se sert de ce segment",
        "change_hour": "Changer l’heure",
        "hour": "Heure",
        "save_hour": "Enregistrer",
        "hour_saved": "L’heure est enregistrée.",
        "each_night": "chaque nuit à 5 h",
        "span": "90 jours",
        "to_all": "Actions sur ses contacts",
        "show": "Afficher",
        "exits": "Sorties",
        "exit": "Sortie",
        "from": "Du",
        "to": "Au",
        "apply": "Appliquer",
        "nobody_moved": "Personne n’est entré ni sorti",
        "not_computed": "Non calculé",
        "city": "Valeur : Ville",
        "save": "Enregistrer le segment",
        "saved": "Le segment « Lyonnais » est enregistré.",
    },
    "en": {
        "title": "Segments",
        "new": "New segment",
        "computing": "Computing",
        "late": "Late",
        "ready": "Up to date",
        "paused": "Paused",
        "see": "See the profiles",
        "edit": "Edit",
        "more": "More actions for",
        "refresh": "Update now",
        "duplicate": "Duplicate",
        "pause": "Pause",
        "activate": "Activate",
        "delete": "Delete",
        "copy": "(copy)",
        "not_begun": "Its computation has not begun",
        "none": "No segment yet",
        "columns": ["First and last name", "E-mail", "Date of entry", "E-mail opt-in", "SMS opt-in"],
        "changes": "Entries and exits",
        "folders": "Folders",
        "no_folder_yet": "No folder yet",
        "name": "Name",
        "create_folder": "Create the folder",
        "new_name": "New name of “{}”",
        "tick": "Tick “{}”",
        "tick_all": "Tick every segment of this page",
        "move_to": "Move what is ticked to",
        "move": "Move",
        "moved": "2 segments are now in “Saisons”.",
        "moved_out": "2 segments are in no folder any more.",
        "folder": "Folder",
        "no_folder": "No folder",
        "rename": "Rename",
        "search": "Search a segment",
        "search_profile": "Search a profile",
        "profiles": "{} profiles",
        "found": "15 profiles found",
        "export": "Export as CSV",
        "next": "Next",
        "first_page": "Back to the first page",
        "range": "1 to 50 of 300",
        "second_range": "51 to 100 of 300",
        "none_found": "No segment bears this name",
        "all": "See every segment",
        "used": "“Base” is used, and cannot be deleted.",
        "journey": "Journey",
        "empty": "Nobody is in this segment",
        "nobody_found": "Nobody matches this search",
        "everybody": "See everybody",
        "unused": "Nothing uses this segment",
        "change_hour": "Change the hour",
        "hour": "Hour",
        "save_hour": "Save",
        "hour_saved": "The hour is saved.",
        "each_night": "each night at 5:00",
        "span": "90 days",
        "to_all": "Actions on its contacts",
        "show": "Show",
        "exits": "Exits",
        "exit": "Exit",
        "from": "From",
        "to": "To",
        "apply": "Apply",
        "nobody_moved": "Nobody entered or left",
        "not_computed": "Not computed",
        "city": "Value: City",
        "save": "Save the segment",
        "saved": "The segment “Lyonnais” is saved.",
    },
}

#: Three hundred segments made by the product's own action, half of them in a folder.
CROWD = """
from django.db import transaction
from parcours.accounts.models import Account
from parcours.lib import clock
from parcours.segments import actions
from parcours.segments.models import Segment
account = Account.objects.get(pk={account})
with transaction.atomic():
    made = [
        actions.create(
            account=account, name=f"Ville {{number:03}}", now=clock.now(),
            criteria={{"field": "city", "op": "eq", "value": f"Ville {{number}}"}},
        ).pk
        for number in range(300)
    ]
    Segment.objects.filter(pk__in=made[1::2]).update(folder={folder})
"""


@dataclass
class Place:
    installation: Installation

    def account(self, name: str) -> Account:
        """An account of its own, without anything in it."""
        return self.installation.create_account(name, email=f"{name.lower()}@example.org")

    def api(self, account: Account) -> httpx.Client:
        return self.installation.api(account)

    def segment(self, account: Account, name: str, criteria: Any = None) -> str:
        """A segment made by the API; its id."""
        with self.api(account) as api:
            answer = api.post("segments", json={"name": name, "criteria": criteria or EVERYONE})
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def journey(self, account: Account, name: str, *, segment: str) -> str:
        """A journey that the entry into a segment starts; its id."""
        document = {
            "name": name,
            "entry": {"triggers": [{"type": "segment_entered", "segment": segment}]},
            "start": "end",
            "steps": [{"id": "end", "type": "end"}],
        }
        with self.api(account) as api:
            answer = api.post("journeys", json=document)
            assert answer.status_code == 201, answer.text
            return str(answer.json()["id"])

    def people(self, account: Account, lines: list[dict[str, Any]]) -> None:
        """Contacts, digested."""
        body = "\n".join(json.dumps(line) for line in lines)
        with self.api(account) as api:
            answer = api.post(
                "contacts/import?wait=true", content=body, headers={"Content-Type": "application/x-ndjson"}
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["accepted"] == len(lines), answer.text

    def settled(self, account: Account) -> None:
        """Wait until every segment of the account is computed."""
        deadline = time.monotonic() + 60
        with self.api(account) as api:
            while time.monotonic() < deadline:
                found = api.get("segments?limit=1000").json()["items"]
                if all(one["status"] in ("up_to_date", "paused") for one in found):
                    return
                time.sleep(0.2)
        raise AssertionError("The segments are not computed.")

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """While nobody works: the work process is held still."""
        pid = self.installation.pid("work")
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def act(page: Page, name: str, words: dict[str, Any], action: str) -> None:
    """Choose an entry of a row's menu."""
    row(page, name).get_by_role("button", name=words["more"]).click()
    row(page, name).get_by_role("button", name=words[action], exact=True).click()
