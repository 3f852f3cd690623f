"""What fields of contacts and properties of events are called inside a sentence, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun in French with its articles ("une", "la") and in English."""

    one_fr: str
    the_fr: str
    one_en: str
    en: str


def _noun(one_fr: str, the_fr: str, en: str) -> Noun:
    vowel = en[:1] in "aeio" or en.startswith("SMS")
    return Noun(one_fr, the_fr, f"{'an' if vowel else 'a'} {en}", en)


#: field of a contact -> its noun
FIELDS: dict[str, Noun] = {
    "id": _noun("un identifiant", "l’identifiant", "id"),
    "email": _noun("un e-mail", "l’e-mail", "e-mail address"),
    "phone": _noun("un numéro de téléphone", "le numéro de téléphone", "phone number"),
    "external_id": _noun("un identifiant externe", "l’identifiant externe", "external id"),
    "first_name": _noun("un prénom", "le prénom", "first name"),
    "last_name": _noun("un nom", "le nom", "last name"),
    "locale": _noun("une langue", "la langue", "language"),
    "timezone": _noun("un fuseau horaire", "le fuseau horaire", "time zone"),
    "country": _noun("un pays", "le pays", "country"),
    "city": _noun("une ville", "la ville", "city"),
    "created_at": _noun("une date de création", "la date de création", "date of creation"),
    "updated_at": _noun("une date de modification", "la date de modification", "date of change"),
    "last_seen_at": _noun("une date de dernière visite", "la date de dernière visite", "date of last visit"),
    "deal.id": _noun("un identifiant de transaction", "l’identifiant de transaction", "deal id"),
    "deal.external_id": _noun(
        "un identifiant externe de transaction", "l’identifiant externe de transaction", "external deal id"
    ),
    "deal.name": _noun("un nom de transaction", "le nom de transaction", "deal name"),
    "deal.pipeline": _noun("un pipeline de transaction", "le pipeline de transaction", "deal pipeline"),
    "deal.stage": _noun("une phase de transaction", "la phase de transaction", "deal stage"),
    "deal.amount": _noun("un montant de transaction", "le montant de transaction", "deal amount"),
    "deal.currency": _noun("une devise de transaction", "la devise de transaction", "deal currency"),
    "deal.owner": _noun("un propriétaire de transaction", "le propriétaire de transaction", "deal owner"),
    "deal.close_date": _noun(
        "une date de clôture prévue de transaction",
        "la date de clôture prévue de transaction",
        "deal close date",
    ),
    "deal.created_at": _noun(
        "une date de création de transaction", "la date de création de transaction", "deal creation date"
    ),
    "deal.closed_at": _noun(
        "une date de clôture de transaction", "la date de clôture de transaction", "deal closing date"
    ),
}

#: field of a contact or of a deal -> whose ids it holds
FIELD_KINDS = {
    "country": "country",
    "locale": "language",
    "deal.pipeline": "pipeline",
    "deal.stage": "stage",
    "deal.owner": "user",
}

#: date of a contact -> (fr, fr negated, en, en negated), to be followed by when
DATED: dict[str, tuple[str, str, str, str]] = {
    "created_at": ("a été créé", "n’a pas été créé", "was created", "was not created"),
    "updated_at": ("a été modifié", "n’a pas été modifié", "was changed", "was not changed"),
    "last_seen_at": (
        "a été vu pour la dernière fois",
        "n’a pas été vu pour la dernière fois",
        "was last seen",
        "was not last seen",
    ),
}

#: property of events -> (fr with its article, en)
_PROPERTIES: dict[str, tuple[str, str]] = {
    "campaign_id": ("la campagne", "campaign"),
    "network": ("le réseau", "network"),
    "interaction_type": ("le type d’interaction", "interaction type"),
    "placement": ("l’emplacement", "placement"),
    "owner": ("le propriétaire", "owner"),
    "country": ("le pays", "country"),
    "region": ("la région", "region"),
    "city": ("la ville", "city"),
    "content_id": ("le contenu", "content"),
    "content_type": ("le type de contenu", "content type"),
    "cta_id": ("le CTA", "CTA"),
    "form_id": ("le formulaire", "form"),
    "document_id": ("le document", "document"),
    "media_id": ("le média", "medium"),
    "business_unit": ("l’unité commerciale", "business unit"),
    "email_id": ("le message", "message"),
    "message": ("le message", "message"),
    "original_url": ("l’URL originale", "original URL"),
    "name": ("le nom", "name"),
    "origin": ("l’origine", "origin"),
    "source": ("la source", "source"),
    "outcome": ("le résultat", "outcome"),
    "type": ("le type", "type"),
    "user_id": ("l’utilisateur", "user"),
    "enrolled_by": ("l’utilisateur qui inscrit", "enrolling user"),
    "sequence_id": ("la séquence", "sequence"),
    "template_id": ("le modèle", "template"),
    "marketing_event_id": ("l’événement marketing", "marketing event"),
    "browser": ("le navigateur", "browser"),
    "device_type": ("le type d’appareil", "device type"),
    "url": ("l’URL", "URL"),
    "path": ("le chemin", "path"),
    "title": ("le titre", "title"),
    "utm_source": ("la source UTM", "UTM source"),
    "utm_medium": ("le support UTM", "UTM medium"),
    "utm_campaign": ("la campagne UTM", "UTM campaign"),
    "referrer": ("la page d’origine", "referrer"),
    "pipeline": ("le pipeline", "pipeline"),
    "stage": ("la phase", "stage"),
    "from_stage": ("la phase d’origine", "former stage"),
    "amount": ("le montant", "amount"),
    "total": ("le total", "total"),
    "subtotal": ("le sous-total", "subtotal"),
    "tax": ("le montant des taxes", "tax"),
    "shipping": ("le montant de la livraison", "shipping"),
    "discount": ("la remise", "discount"),
    "revenue": ("le chiffre d’affaires", "revenue"),
    "price": ("le prix", "price"),
    "quantity": ("la quantité", "quantity"),
    "currency": ("la devise", "currency"),
    "order_id": ("le numéro de commande", "order number"),
    "order": ("la commande", "order"),
    "product_id": ("le produit", "product"),
    "products.product_id": ("le produit", "product"),
    "products.name": ("le nom du produit", "product name"),
    "products.category": ("la catégorie du produit", "product category"),
    "products.price": ("le prix du produit", "product price"),
    "products.quantity": ("la quantité du produit", "product quantity"),
    "sku": ("la référence", "SKU"),
    "category": ("la catégorie", "category"),
    "reason": ("le motif", "reason"),
    "direction": ("le sens", "direction"),
    "journey": ("le scénario", "journey"),
    "step": ("l’étape", "step"),
    "version": ("la version", "version"),
    "enrolment": ("l’inscription", "enrolment"),
    "send": ("l’envoi", "send"),
    "deal": ("la transaction", "deal"),
    "list": ("la liste", "list"),
    "segment": ("le segment", "segment"),
    "from": ("l’ancienne valeur", "former value"),
    "to": ("la nouvelle valeur", "new value"),
}

MONEY = frozenset("total subtotal revenue amount value price tax shipping discount".split())
"""Properties that are amounts in the account's currency when they are numbers, also those of an order's products."""

#: event -> the property that is its amount: "orders of more than 50 €"
AMOUNT_OF = {
    "order.placed": "total",
    "order.refunded": "total",
    "order.cancelled": "total",
    "payment.initiated": "amount",
    "payment.succeeded": "amount",
    "payment.failed": "amount",
    "deal.stage_changed": "amount",
}

#: property -> whose ids it holds
KIND_OF = {
    "campaign_id": "campaign",
    "content_id": "content",
    "cta_id": "cta",
    "form_id": "form",
    "document_id": "document",
    "media_id": "media",
    "marketing_event_id": "marketing_event",
    "sequence_id": "sequence",
    "template_id": "template",
    "user_id": "user",
    "enrolled_by": "user",
    "owner": "user",
    "email_id": "message",
    "message": "message",
    "journey": "journey",
    "list": "list",
    "segment": "segment",
    "business_unit": "business_unit",
    "pipeline": "pipeline",
    "stage": "stage",
    "from_stage": "stage",
    "product_id": "product",
    "products.product_id": "product",
    "country": "country",
}


def property_noun(name: str, language: str) -> str | None:
    """What a property is called ("le total", "total"); None for one that only its own name tells."""
    found = _PROPERTIES.get(name)
    return None if found is None else found[0 if language == "fr" else 1]


def is_money(name: str) -> bool:
    """Whether a property, reached through objects or not, is an amount when it is a number."""
    return name.rpartition(".")[2] in MONEY
