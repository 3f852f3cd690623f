"""What browser tests of commerce share: their words in both languages, and a shop with orders and deals in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fixtures.browser import Visits
from tests.fixtures.installation import Account, Installation

NOW = datetime.now(UTC)
WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "orders": "Commandes",
        "find_order": "Numéro de commande ou acheteur",
        "order": "Commande {}",
        "give_back": "Montant à rembourser",
        "refund": "Rembourser",
        "at_most": "Il reste au plus 55",
        "partly": "Remboursée en partie",
        "cancel_order": "Annuler la commande",
        "cancelled": "La commande est annulée.",
        "state": "État",
        "cancelled_one": "Annulée",
        "refunded": "Remboursée",
        "noted": "Le remboursement est noté.",
        "order_number": "Numéro de commande",
        "buyer": "Adresse e-mail de l’acheteur",
        "amount": "Montant hors taxes et livraison",
        "currency": "Devise",
        "add_order": "Ajouter la commande",
        "negative": "Un montant ne peut pas être négatif.",
        "no_currency": "Il n’y a pas de telle devise",
        "corrected": "Cette commande était déjà connue",
        "file": "Fichier CSV ou NDJSON",
        "import": "Importer",
        "imported": "L’import est terminé.",
        "whose": "Dites de qui",
        "below_zero": "négatif",
        "lines_refused": "Les télécharger en CSV",
        "export": "Exporter en tant que CSV",
        "search": "Chercher",
        "add_product": "Ajouter un produit",
        "product_id": "Identifiant du produit",
        "product_name": "Nom",
        "category": "Catégorie",
        "price": "Prix",
        "save": "Enregistrer",
        "product_saved": "Le produit est enregistré.",
        "find_product": "Chercher un produit",
        "no_product": "Aucun produit ne répond à cette recherche",
        "actions_on": "Actions sur {}",
        "edit": "Modifier",
        "delete": "Supprimer",
        "deleted": "«\u00a0{}\u00a0» est supprimé.",
        "order_rate": "Taux de commandes",
        "move": "Déplacer {}",
        "moved": "est maintenant en «\u00a0Négociation\u00a0»",
        "email": "Adresse e-mail",
        "tie": "Rattacher",
        "tied": "Rattaché",
        "untie": "Détacher",
        "untied": "Ce qui arrive à la transaction n’est plus dit de ce contact.",
        "tied_until": ", détaché ",
        "first": "reçoit ses messages",
        "list": "Liste",
        "find_deal": "Transaction ou contact",
        "open": "En cours",
        "sort": "Trier par",
        "largest": "Montant le plus élevé",
        "no_deal": "Aucune transaction ne répond à cette recherche",
        "deal_name": "Nom de la transaction",
        "deal_amount": "Montant",
        "in_charge": "Responsable",
        "deal_saved": "La transaction est enregistrée.",
        "actions": "Actions",
        "new_deal": "Nouvelle transaction",
        "stage": "Phase",
        "stage_n": "Nom de la phase {}",
        "down": "Descendre",
        "won": "Gagnée",
        "name": "Nom",
        "more": "Autres actions sur {}",
        "stands": "Des transactions sont en",
        "in_pipeline": "1 transaction est dans ce pipeline",
        "pipeline_saved": "Le pipeline est enregistré.",
        "no_pipeline": "Il n’y a pas de pipeline",
    },
    "en": {
        "orders": "Orders",
        "find_order": "Order number or buyer",
        "order": "Order {}",
        "give_back": "Amount to give back",
        "refund": "Refund",
        "at_most": "At most 55",
        "partly": "Partly refunded",
        "cancel_order": "Cancel the order",
        "cancelled": "The order is cancelled.",
        "state": "State",
        "cancelled_one": "Cancelled",
        "refunded": "Refunded",
        "noted": "The refund is noted.",
        "order_number": "Order number",
        "buyer": "Buyer's e-mail address",
        "amount": "Amount before tax and shipping",
        "currency": "Currency",
        "add_order": "Add the order",
        "negative": "An amount cannot be negative.",
        "no_currency": "There is no such currency",
        "corrected": "This order was known already",
        "file": "CSV or NDJSON file",
        "import": "Import",
        "imported": "The import is finished.",
        "whose": "Say whose",
        "below_zero": "negative",
        "lines_refused": "Download them as CSV",
        "export": "Export as CSV",
        "search": "Search",
        "add_product": "Add a product",
        "product_id": "Product id",
        "product_name": "Name",
        "category": "Category",
        "price": "Price",
        "save": "Save",
        "product_saved": "The product is saved.",
        "find_product": "Search a product",
        "no_product": "No product matches this search",
        "actions_on": "Actions on {}",
        "edit": "Edit",
        "delete": "Delete",
        "deleted": "“{}” is deleted.",
        "order_rate": "Order rate",
        "move": "Move {}",
        "moved": "is now in “Négociation”",
        "email": "E-mail address",
        "tie": "Tie",
        "tied": "Tied",
        "untie": "Untie",
        "untied": "What happens to the deal is no longer told of this contact.",
        "tied_until": ", untied ",
        "first": "receives its messages",
        "list": "List of deals",
        "find_deal": "Deal or contact",
        "open": "Open",
        "sort": "Sort by",
        "largest": "Largest amount",
        "no_deal": "No deal matches this search",
        "deal_name": "Name of the deal",
        "deal_amount": "Amount",
        "in_charge": "In charge",
        "deal_saved": "The deal is saved.",
        "actions": "Actions",
        "new_deal": "New deal",
        "stage": "Stage",
        "stage_n": "Name of stage {}",
        "down": "Move down",
        "won": "Won",
        "name": "Name",
        "more": "More actions for {}",
        "stands": "Deals stand in",
        "in_pipeline": "1 deal is in this pipeline",
        "pipeline_saved": "The pipeline is saved.",
        "no_pipeline": "There is no pipeline",
    },
}
STAGES = ("Piste", "Devis envoyé", "Négociation", "Gagnée", "Perdue")
_TEA = {"product_id": "the-vert", "name": "Thé vert Sencha", "price": 12.5, "quantity": 2, "category": "Thés"}
_CUP = {"product_id": "tasse", "name": "Tasse en grès", "price": 18, "quantity": 1}


def with_orders(installation: Installation, way: str) -> Account:
    """An account with a message clicked, and orders in two currencies."""
    account = installation.create_account("Maison Lavande", email=f"shop.{way}@example.org")
    with installation.api(account) as api:
        told = {"name": "Soldes d’été", "channel": "email", "subject": "Soldes", "text": "Bonjour"}
        message = api.post("messages", json=told).json()["id"]
        at = NOW - timedelta(days=2)
        lines: list[dict[str, Any]] = []
        for number in range(12):
            sent = {
                "contact": {"email": f"client{number}@example.org"},
                "message": message,
                "send": f"envoi-{number}",
            }
            lines.append({"name": "email.sent", "occurred_at": at.isoformat(), **sent})
            lines.append({"name": "email.delivered", "occurred_at": at.isoformat(), **sent})
            if number < 6:
                clicked = at + timedelta(hours=1)
                lines.append({"name": "email.clicked", "occurred_at": clicked.isoformat(), **sent})
        body = "\n".join(json.dumps(line) for line in lines)
        assert api.post("events?history=true&wait=true", content=body).json()["refused"] == []
        for number in range(8):
            order = {
                "order_id": f"FR-{1000 + number}",
                "contact": {"email": f"client{number}@example.org"},
                "placed_at": (NOW - timedelta(days=1, hours=number)).isoformat(),
                "subtotal": 25 + number * 10,
                "tax": 5,
                "shipping": 4.9,
                "currency": "USD" if number == 5 else "EUR",
                "products": [_TEA, _CUP],
            }
            assert api.post("orders", json=order).status_code == 201
    return account


def with_deals(installation: Installation, way: str) -> Account:
    """An account with deals in every stage of a pipeline."""
    account = installation.create_account("Maison Lavande", email=f"deals.{way}@example.org")
    with installation.api(account) as api:
        pipeline = {"name": "Ventes aux entreprises", "stages": [{"name": name} for name in STAGES]}
        stages = api.post("deals/pipelines", json=pipeline).json()["stages"]
        for number in range(24):
            deal = {
                "name": f"Coffrets de Noël, entreprise n° {number}",
                "stage": stages[0 if number > 20 else number % 4]["id"],
                "amount": 900 + number * 150,
                "close_date": (NOW + timedelta(days=number)).date().isoformat(),
                "owner": "shop@example.org" if number % 2 else "léa@example.org",
                "contacts": [{"email": f"client{number % 12}@example.org"}],
            }
            answer = api.post("deals", json=deal)
            assert answer.status_code == 201, answer.text
    return account


def refused(visits: Visits) -> None:
    """The browser's console tells of the refusal that was asked for, and of nothing else."""
    assert all("422" in fault for fault in visits.faults)
    visits.faults.clear()
