"""What can be imported, the names that its columns bear, and what is done with its lines."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from parcours.accounts.models import Account
from parcours.commerce.deals import actions as deals
from parcours.commerce.orders import actions as orders
from parcours.commerce.products import actions as products

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Taken:
    """What became of a batch of lines: how many made and changed something, and the refusals by place."""

    created: int
    changed: int
    refused: list[tuple[int, str]]


@dataclass(frozen=True)
class Kind:
    """One thing that files hold lines of."""

    name: str
    title: Promise | str
    key: str  # the field without which a CSV file says nothing
    synonyms: Mapping[str, str]  # field -> what people write at the top of their files
    amounts: frozenset[str]
    dates: frozenset[str]
    take: Callable[..., Taken]

    @property
    def job(self) -> str:
        """The kind of its jobs."""
        return f"{self.name}.import"

    def field_of(self, header: str) -> str | None:
        """The field that a column is, by its header; None for none."""
        return _names(self).get(plain(header))


#: What shops write in the column of an order's state -> ours; another word stays, to be refused.
STATES = {
    **dict.fromkeys(
        "paid payee placed passee completed complete terminee processing pending fulfilled shipped expediee delivered"
        " livree authorized".split(),
        "placed",
    ),
    **dict.fromkeys(("cancelled", "canceled", "annulee", "annule", "voided", "failed"), "cancelled"),
    **dict.fromkeys(("refunded", "remboursee", "rembourse"), "refunded"),
    **dict.fromkeys(("partially refunded", "partiellement remboursee"), "partially_refunded"),
}


def plain(header: str) -> str:
    """A header without accents, capitals and marks, its words apart by one blank."""
    text = unicodedata.normalize("NFKD", header.casefold())
    text = "".join(character for character in text if not unicodedata.combining(character))
    return " ".join(re.findall(r"[a-z0-9]+", text))


def _names(kind: Kind) -> dict[str, str]:
    names = {plain(field): field for field in kind.synonyms}
    for field, synonyms in kind.synonyms.items():
        names |= {plain(each): field for each in synonyms.split(",") if each.strip()}
    return names


def _orders(account: Account, lines: Lines, *, now: datetime, history: bool, sent: datetime) -> Taken:
    done = orders.save_many(account, lines, now=now, source="import", history=history, sent=sent)
    return Taken(done.created, done.changed, [(place, str(refusal)) for place, refusal in done.refused])


def _deals(account: Account, lines: Lines, *, now: datetime, history: bool, sent: datetime) -> Taken:
    done = deals.save_many(account, lines, now=now, source="import", history=history, sent=sent)
    return Taken(done.created, done.changed, [(place, str(refusal)) for place, refusal in done.refused])


def _products(account: Account, lines: Lines, *, now: datetime, history: bool, sent: datetime) -> Taken:
    done = products.save_many(account, lines, now=now)
    taken = len(lines) - len(done.refused)
    return Taken(
        done.created, taken - done.created, [(place, str(refusal)) for place, refusal in done.refused]
    )


_CONTACT = {
    "email": "e mail, mail, courriel, adresse e mail, adresse mail, email address, customer email, contact",
    "contact_id": "contact id, id contact",
}
KINDS: dict[str, Kind] = {
    "orders": Kind(
        name="orders",
        title=_("Import orders"),
        key="order_id",
        synonyms={
            "order_id": "order, order number, numero de commande, commande, n commande, id commande, reference, name",
            **_CONTACT,
            "external_id": "customer id, id client, user id, identifiant externe, numero client",
            "phone": "telephone, tel, mobile, portable",
            "placed_at": "date, created at, placed at, order date, date de commande, paid at",
            "currency": "devise, monnaie",
            "subtotal": "sous total, montant ht, total ht, sub total",
            "revenue": "chiffre d affaires",
            "tax": "taxes, tva, vat",
            "shipping": "port, frais de port, livraison, frais de livraison",
            "discount": "remise, reduction, discount amount",
            "total": "montant, montant ttc, total ttc, amount",
            "value": "valeur",
            "status": "statut, etat",
            "refunded": "rembourse, montant rembourse, refunded amount",
            "cancelled_at": "annulee le, date d annulation",
            "products": "produits, lines, lignes",
        },
        amounts=frozenset(
            ("subtotal", "revenue", "tax", "shipping", "discount", "total", "value", "refunded")
        ),
        dates=frozenset(("placed_at", "cancelled_at")),
        take=_orders,
    ),
    "deals": Kind(
        name="deals",
        title=_("Import deals"),
        key="name",
        synonyms={
            "external_id": "id, deal id, record id, reference, identifiant",
            "name": "nom, deal name, transaction, nom de la transaction, affaire, titre, title",
            "pipeline": "",
            "stage": "phase, etape, deal stage, phase de la transaction, statut",
            "amount": "montant, valeur, value",
            "currency": "devise, monnaie",
            "close_date": "date de cloture, close date, echeance, date de fermeture",
            "owner": "proprietaire, deal owner, responsable, commercial",
            "created_at": "create date, date de creation, created at, cree le",
            **_CONTACT,
        },
        amounts=frozenset(("amount",)),
        dates=frozenset(("close_date", "created_at")),
        take=_deals,
    ),
    "products": Kind(
        name="products",
        title=_("Import products"),
        key="product_id",
        synonyms={
            "product_id": "id, sku, reference, code, id produit, identifiant, handle",
            "name": "nom, title, titre, designation, produit, libelle",
            "url": "lien, link, adresse, page",
            "image_url": "image, photo, image src, image link",
            "price": "prix, prix ht, tarif, variant price",
            "currency": "devise, monnaie",
            "category": "categorie, type, famille, product type, collection",
        },
        amounts=frozenset(("price",)),
        dates=frozenset(),
        take=_products,
    ),
}
